"""`ringback check`: looks at everything a text needs, and names each fault with its fix."""

import asyncio
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from ringback import control
from ringback.assembly import expected_of, make_carriers
from ringback.asterisk.checks import Checked, check_pbx
from ringback.cli.shared import ConfigOption
from ringback.clock import SystemClock
from ringback.config import Hooks, Settings, load
from ringback.control import ControlRefused
from ringback.core.plurals import count_of
from ringback.errors import Locked, RingbackError, StoreFault
from ringback.hooks import INBOUND, RECEIPT
from ringback.panel.health import Standing, Tone
from ringback.store.holding import hold
from ringback.store.schema import HEAD, schema_version

OF_A_DAEMON = "its parts, carriers that are held back, and whether hooks arrive"
"""What only a daemon that runs knows."""


def check_command(config: ConfigOption = None) -> None:
    """Look at configuration, database, carriers, Asterisk, dialplan and clock. Exits 1 when something needs fixing."""
    settings = load(config)
    known = f"{count_of(len(settings.rules), 'rule')}, {count_of(len(settings.numbers), 'number')}"
    found = [Checked("configuration", f"{settings.file}: {known}")]
    found += [*_gaps(settings), *_state(settings), _database(settings), *_carriers(settings)]
    try:
        found += asyncio.run(_daemon_or_pbxs(settings))
    except ControlRefused as problem:
        found.append(Checked("daemon", str(problem), "see its log, or start it again"))
    for checked in found:
        print("\n     ".join(lines_of(checked)))
    faults = sum(bool(checked.fix) for checked in found)
    print(f"{faults} to fix" if faults else "all well")
    raise typer.Exit(1 if faults else 0)


def lines_of(checked: Checked) -> Iterator[str]:
    mark = "FIX " if checked.fix else "--  " if checked.unseen else "ok  "
    yield f"{mark} {checked.what}: {checked.found}"
    if checked.fix:
        yield checked.fix
    if checked.unseen:
        yield f"not looked at: {checked.unseen}"


def _gaps(settings: Settings) -> Iterator[Checked]:
    """What loads, but cannot make a text."""
    for section, there in (
        ("asterisk", bool(settings.asterisk)),
        ("carriers", bool(settings.carriers)),
        ("numbers", bool(settings.numbers)),
        ("rule", bool(settings.rules)),
    ):
        if not there:
            yield Checked("configuration", f"there is no {section}", f"add {section} to {settings.file.name}")


def _state(settings: Settings) -> Iterator[Checked]:
    state = settings.paths.state
    if state.is_dir() and os.access(state, os.W_OK):
        yield Checked("state", f"{state} can be written")
        return
    parent = next(folder for folder in (state, *state.parents) if folder.exists())
    fix = "" if not state.exists() and os.access(parent, os.W_OK) else f"make {state} and give it to Ringback's user"
    yield Checked("state", f"{state} {'is not there yet' if not state.exists() else 'cannot be written'}", fix)


def _database(settings: Settings) -> Checked:
    try:
        version = schema_version(settings.database.url)
    except StoreFault as problem:
        return Checked("database", str(problem).strip().partition("\n")[0], "see database.url and that it runs")
    if version not in (None, HEAD):
        return Checked("database", f"schema {version}, wanted {HEAD}", "stop Ringback and run `ringback migrate`")
    try:
        with hold(settings.paths.state):
            used = "no daemon runs"
    except Locked:
        used = "the daemon uses it"
    except StoreFault as problem:
        return Checked("database", str(problem), f"make {settings.paths.state} writable for Ringback's user")
    return Checked(
        "database", f"{'empty, made at the first start' if version is None else f'schema {version}'}, {used}"
    )


def _carriers(settings: Settings) -> Iterator[Checked]:
    try:
        for name, carrier in make_carriers(settings, SystemClock()).items():
            yield Checked(f"carrier {name}", f"{settings.carriers[name].type}, window {carrier.window}")
            if hasattr(carrier, "trusts"):
                yield from _hooks(name, settings.hooks)
    except RingbackError as problem:
        yield Checked("carriers", str(problem), "correct its options")


def _hooks(carrier: str, hooks: Hooks) -> Iterator[Checked]:
    """The addresses to paste at a carrier that calls us."""
    below = hooks.of(carrier)
    if not below:
        fix = "set hooks.public_url to the address of your proxy, as docs/hooks.md shows"
        yield Checked(f"carrier {carrier}", "hooks.public_url is empty, so replies and receipts do not arrive", fix)
        return
    own = below.startswith("http:")
    fix = "only this machine can call that: set hooks.public_url to the https address of your proxy" if own else ""
    yield Checked(f"carrier {carrier}", f"texts that come in are POSTed to {below}/{INBOUND}", fix)
    yield Checked(f"carrier {carrier}", f"receipts are POSTed to {below}/{RECEIPT}")


async def _daemon_or_pbxs(settings: Settings) -> list[Checked]:
    """The PBXs are asked by the daemon, if one runs, since an AMI account lets in one at a time."""
    status = await control.ask(settings.paths.state, "status")
    answer = await control.ask(settings.paths.state, "check") if status is not None else None
    if status is not None and answer is not None:
        asked = [Checked(**checked) for checked in json.loads(answer["checked"])]
        health = json.loads(status["health"])
        return [*_parts(health["parts"]), *_findings(health["findings"]), *asked]
    with _told_once():
        return await _pbxs(settings)


@contextmanager
def _told_once() -> Iterator[None]:
    """What is wrong with a line is told as what was found, and not logged beside it."""
    lines = logging.getLogger("ringback.asterisk")
    before = lines.level
    lines.setLevel(logging.ERROR)
    try:
        yield
    finally:
        lines.setLevel(before)


async def _pbxs(settings: Settings) -> list[Checked]:
    """Ask every PBX, since no daemon does."""
    async with asyncio.TaskGroup() as group:
        lines = [group.create_task(check_pbx(expected_of(pbx), SystemClock())) for pbx in settings.asterisk]
    nobody = Checked("daemon", f"none runs on {settings.paths.state}", unseen=OF_A_DAEMON)
    return [nobody, *(checked for line in lines for checked in line.result())]


def _parts(parts: list[dict[str, str]]) -> Iterator[Checked]:
    """Parts of the daemon that do not work; what the PBXs say of themselves is told by asking them."""
    down = [part for part in parts if part["state"] == Standing.AWAY and not part["name"].startswith("asterisk ")]
    yield from (Checked(f"daemon, {part['name']}", part["detail"], part["fix"] or "see its log") for part in down)
    if not down:
        yield Checked("daemon", "runs, and its parts work")


def _findings(findings: list[dict[str, str]]) -> Iterator[Checked]:
    """What is wrong as a whole; what only waits for somebody is no fault."""
    for finding in findings:
        if finding["tone"] == Tone.BAD:
            yield Checked("daemon", finding["what"], finding["means"] or finding["fix"])
