"""What `ringback dialplan check` asks one PBX: are our routines loaded, do they reach us, are they used well."""

import hmac
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace

from ringback.asterisk.checks import DIALPLAN_VERSION, Expected
from ringback.asterisk.codec import Event
from ringback.asterisk.dialplan_lint import TEXTS_VERSION, Finding, Line, Plan, lint, uses
from ringback.asterisk.rights import Asking

COPY = "copy the files of dialplan/ again, then `dialplan reload`"
SETTINGS = (
    "`ringback init --dialplan` writes ringback_settings.conf: copy it beside extensions.conf, then `dialplan reload`"
)
FUNCTIONS = {"URIENCODE(a b)": "a%20b", "BASE64_ENCODE(a)": "YQ==", "FILTER(a,ab)": "a", "IF(1?a:b)": "a"}
"""What the routines need, each with what it gives."""
HERE = "here"
"""What anybody may ask the port for the dialplan: whether it is us."""

MOST = 60
"""Findings that are told at once."""
_VERSION = re.compile(r"\s*ringback-(dialplan|texts)\s+(\S+)\s*")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where the dialplan should ask, and with what. `listens`: somebody answers there now."""

    url: str
    token: str = field(repr=False)
    agi: str = ""
    listens: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What was found on one PBX. `well` are things that are as they should be; `unseen` could not be looked at.

    `etc` and `sounds` are Asterisk's folders on its own machine, empty where it does not say; `missing` is the last
    prompt it missed.
    """

    pbx: str
    findings: tuple[Finding, ...] = ()
    well: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    etc: str = ""
    sounds: str = ""
    missing: str = ""


def told(report: Report) -> str:
    """The same as JSON, for the control socket; of very many findings the first."""
    return json.dumps(asdict(replace(report, findings=report.findings[:MOST])))


def untold(text: str) -> Report:
    """What `told` said."""
    raw = json.loads(text)
    findings = [Finding(one["found"], one["fix"], one["line"] and Line(**one["line"])) for one in raw.pop("findings")]
    for several in ("well", "unseen"):
        raw[several] = tuple(raw[several])
    return Report(findings=tuple(findings), **raw)


async def look(expected: Expected, wanted: Wanted, ami: Asking) -> Report:
    """Ask over a line that is live. Raises PbxAway, PbxRefused."""
    lines = read_lines(await ami.ask_list("ShowDialPlan"))
    plan = Plan(lines, await _version(ami), expected.inbound)
    findings, well, unseen = list(_loaded(plan)), [], []
    if not findings:
        well.append(f"routines version {DIALPLAN_VERSION} and {TEXTS_VERSION}, used {_times(plan)}")
    asks = await _asks(ami, wanted)
    findings += [*await _functions(ami), *asks, *lint(plan)]
    if not asks and wanted.listens:
        well.append(f"asks {wanted.url} and gets an answer")
    if not wanted.listens:
        unseen.append("whether Asterisk reaches us, since no daemon runs here")
    data = await _get(ami, "AST_CONFIG(asterisk.conf,directories,astdatadir)")
    return Report(
        expected.account.pbx,
        tuple(findings),
        tuple(well),
        tuple(unseen),
        await _get(ami, "AST_CONFIG(asterisk.conf,directories,astetcdir)"),
        f"{data}/sounds" if data else "",
        await _get(ami, "RINGBACK_PROMPT_MISSING"),
    )


def read_lines(said: Iterable[Event]) -> list[Line]:
    """Lines that run an application; hints and includes are none."""
    return [
        Line(one.get("Context"), one.get("Extension"), int(place), one.get("Application"), one.get("AppData"))
        for one in said
        if one.get("Application") and (place := one.get("Priority")).isdecimal()
    ]


async def _get(ami: Asking, variable: str) -> str:
    """A global variable, or what a function gives; empty when there is none."""
    return (await ami.ask("Getvar", Variable=variable)).get("Value")


async def _version(ami: Asking) -> int:
    """Asterisk's major version; a build without one counts as new."""
    found = re.search(r"\d+", (await ami.ask("CoreSettings")).get("AsteriskVersion"))
    return int(found[0]) if found else 99


def _times(plan: Plan) -> str:
    count = sum(1 for _ in uses(plan.lines))
    return "nowhere" if not count else "once" if count == 1 else f"{count} times"


def _loaded(plan: Plan) -> Iterator[Finding]:
    there: dict[str, str] = {}
    for line in plan.lines:
        if line.app.lower() == "noop" and (found := _VERSION.fullmatch(line.data)):
            there[found[1]] = found[2]
    for name, wanted, file in (("dialplan", DIALPLAN_VERSION, "extensions"), ("texts", TEXTS_VERSION, "texts")):
        if name not in there:
            yield Finding(f"ringback_{file}.conf is not loaded", COPY)
        elif there[name] != wanted:
            yield Finding(f"ringback_{file}.conf is version {there[name]}, not {wanted}", COPY)
    if "texts" in there and "ringback-propose" not in plan.contexts():
        yield Finding("ringback_offers.conf is not loaded", COPY)


async def _functions(ami: Asking) -> list[Finding]:
    lacking = [call.partition("(")[0] for call, wanted in FUNCTIONS.items() if await _get(ami, call) != wanted]
    return [
        Finding(f"Asterisk has no function {name}()", f"load its module; `core show function {name}` names it")
        for name in lacking
    ]


async def _asks(ami: Asking, wanted: Wanted) -> list[Finding]:
    """Whether the settings are ours, and whether Asterisk gets through to us with them."""
    url, token, way = [await _get(ami, f"RINGBACK_{name}") for name in ("URL", "TOKEN", "ASK")]
    if not token:
        return [Finding("RINGBACK_TOKEN is not set, so nothing is asked", SETTINGS)]
    if not hmac.compare_digest(token.encode(), wanted.token.encode()):
        return [Finding("RINGBACK_TOKEN is not the secret of this Ringback, which refuses to answer", SETTINGS)]
    if way == "agi":
        return await _by_agi(ami, wanted)
    if url.rstrip("/") != wanted.url:
        return [Finding(f"RINGBACK_URL is {url or 'empty'}, and Ringback listens at {wanted.url}", SETTINGS)]
    # Asterisk asks us while we ask it; only ever at our own port, since a reader of AMI waits for the answer
    if wanted.listens and await _get(ami, f"CURL({url}/{HERE})") != f"rb|{HERE}|.":
        fix = (
            "load res_curl and func_curl (`core show function CURL`), or set RINGBACK_ASK=agi; README.md warns of that"
        )
        return [Finding("Asterisk cannot ask by CURL()", fix)]
    return []


async def _by_agi(ami: Asking, wanted: Wanted) -> list[Finding]:
    agi = await _get(ami, "RINGBACK_AGI")
    if not wanted.agi:
        return [Finding("RINGBACK_ASK is agi, and fastagi is empty", "set fastagi of [dialplan] in ringback.toml")]
    if agi.rstrip("/") != wanted.agi:
        fix = f"set RINGBACK_AGI={wanted.agi} in ringback_settings.conf"
        return [Finding(f"RINGBACK_AGI is {agi or 'empty'}, and Ringback listens at {wanted.agi}", fix)]
    return []
