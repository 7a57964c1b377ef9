"""`ringback dialplan check`: how a PBX's dialplan uses our routines, each fault with its place and its fix."""

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ringback import control
from ringback.assembly import expected_of, wanted_of
from ringback.asterisk.checks import Checked, line_to
from ringback.asterisk.standing import State
from ringback.cli.check import lines_of
from ringback.cli.shared import ConfigOption, visible
from ringback.clock import SystemClock
from ringback.config import Asterisk, Settings, load
from ringback.errors import RingbackError
from ringback.resources import shipped

if TYPE_CHECKING:
    from ringback.asterisk.dialplan import Report
    from ringback.asterisk.dialplan_lint import Finding, Line

dialplan_commands = typer.Typer(no_args_is_help=True, help="The dialplan that uses Ringback's routines.")

LOGIN_WITHIN_S = 8.0
SOUNDS = ("wav", "sln", "sln16", "wav16", "gsm", "ulaw", "alaw", "g722", "g729", "ogg", "opus", "siren7", "siren14")


@dialplan_commands.command("check")
def check_command(config: ConfigOption = None) -> None:
    """Ask every PBX how its dialplan uses our routines. Exits 1 when something needs fixing."""
    settings = load(config)
    found = [checked for pbx in settings.asterisk for checked in asyncio.run(_checked(settings, pbx))]
    for checked in found:
        print("\n     ".join(visible(line) for line in lines_of(checked)))
    faults = sum(bool(checked.fix) for checked in found)
    print(f"{faults} to fix" if faults else "all well")
    raise typer.Exit(1 if faults else 0)


async def _checked(settings: Settings, pbx: Asterisk) -> list[Checked]:
    """The daemon asks, if one runs, since an AMI account lets in one at a time."""
    try:
        report = await _report(settings, pbx)
    except RingbackError as problem:
        return [Checked(f"asterisk {pbx.name}", str(problem), "`ringback check` says how to get there", "its dialplan")]
    return [*_told(report), *_prompts(report, settings.business.languages)]


async def _report(settings: Settings, pbx: Asterisk) -> "Report":
    from ringback.asterisk.dialplan import look, untold

    said = await control.ask(settings.paths.state, "dialplan")
    if said is not None:
        if problem := said.get(f"problem {pbx.name}"):
            raise RingbackError(problem)
        return untold(said[f"report {pbx.name}"])
    async with line_to(expected_of(pbx).account, SystemClock()) as ami:
        standing = await ami.settled(LOGIN_WITHIN_S)
        if standing.state is not State.LIVE:
            raise RingbackError(standing.why or "there is no connection")
        return await look(expected_of(pbx), wanted_of(settings), ami)


def _told(report: "Report") -> Iterator[Checked]:
    name, etc = f"asterisk {report.pbx}", Path(report.etc or "/etc/asterisk")
    yield from (Checked(name, well) for well in report.well)
    yield from (Checked(name, "is asked by AMI alone", unseen=unseen) for unseen in report.unseen)
    yield from (Checked(_where(finding, etc) or name, finding.found, finding.fix) for finding in report.findings)


def _where(finding: "Finding", etc: Path) -> str:
    """Context, extension and priority, and with them file and line where those can be read here."""
    if (line := finding.line) is None:
        return ""
    file = _file_of(line, etc)
    return f"[{line.context}] {line.exten},{line.priority}" + (f" ({file})" if file else "")


def _file_of(line: "Line", etc: Path) -> str:
    for file in sorted(etc.glob("*.conf")) if etc.is_dir() else ():
        try:
            text = file.read_text("utf-8", "replace")
        except OSError:
            continue
        context = ""
        for number, written in enumerate(text.splitlines(), 1):
            if written.startswith("["):
                context = written[1:].partition("]")[0]
            elif context == line.context and f"{line.app}({line.data})" in written:
                return f"{file.name}:{number}"
    return ""


def _prompts(report: "Report", languages: Iterable[str]) -> Iterator[Checked]:
    """Prompts, where Asterisk's sounds lie on this machine; else the last one that Asterisk missed."""
    fix = "`make prompts` speaks them; copy them into Asterisk's sounds as LANGUAGE/ringback/NAME.wav"
    sounds = Path(report.sounds)
    if not report.sounds or not sounds.is_dir():
        if report.missing:
            clear = 'then `dialplan set global RINGBACK_PROMPT_MISSING ""`'
            yield Checked("prompts", f"{report.missing} was missing in a call", f"{fix}, {clear}")
        else:
            yield Checked("prompts", "Asterisk missed none so far", unseen="its sounds, which are not on this machine")
        return
    for language in languages:
        lacking = [name for name in _names() if not _there(sounds, language, name)]
        if lacking:
            yield Checked("prompts", f"{language}: {len(lacking)} missing: {', '.join(lacking[:3])}", fix)
        else:
            yield Checked("prompts", f"{language}: all are in {sounds}")


def _names() -> list[str]:
    lines = shipped("dialplan/prompts/en.txt").read_text("utf-8").splitlines()
    return [line.partition("|")[0] for line in lines if line and not line.startswith("#")]


def _there(sounds: Path, language: str, name: str) -> bool:
    """Asterisk looks in the folder of the language, and then beside all of them."""
    folders = (sounds / language, sounds / language.partition("-")[0], sounds)
    return any((folder / "ringback" / f"{name}.{form}").exists() for folder in folders for form in SOUNDS)
