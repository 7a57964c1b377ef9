"""What is wrong with a dialplan that uses our routines, seen in its lines alone; each fault with its cure."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import groupby

TEXTS_VERSION = "1"
"""The `ringback-texts` of the routines shipped with this program; a test reads it out of the file."""
POSITION = "RINGBACK_POSITION"
GOSUBLESS = 21
"""From this Asterisk on Queue() has no argument for Macro, so every one behind it moved up."""
ROUTINES: Mapping[str, tuple[int, int]] = {
    "ringback-call": (0, 1),
    "ringback-textable": (0, 1),
    "ringback-consent": (0, 0),
    "ringback-agents": (0, 1),
    "ringback-wait": (1, 1),
    "ringback-deflect": (1, 2),
    "ringback-wait-text": (1, 2),
    "ringback-text-back": (1, 2),
    "ringback-send": (0, 1),
    "ringback-send-wait": (0, 2),
    "ringback-opt-out": (0, 1),
}
"""The least and the most arguments of each routine that is there to be called."""

_CALLS = re.compile(r"(?<![\w-])(ringback-[a-z0-9-]+),([^,()?:\s]+),([^,()?:\s]+)(\(?)")
_CALLING = frozenset({"gosub", "gosubif", "execif"})
_SILENT = frozenset({"noop", "set", "mset", "execif", "gotoif", "verbose", "log", "gosub", "gosubif", "return"})
"""What may stand before ringback-call: nobody hears anything of it."""
_NO_CALLS = frozenset({"h", "i", "t", "T", "e", "o", "a", "fax"})
"""Extensions that no call begins with."""
_PLACED = ("ringback-wait-text", "ringback-deflect")
_OPENING, _CLOSING = "({[", ")}]"


@dataclass(frozen=True, slots=True)
class Line:
    """One priority of an extension."""

    context: str
    exten: str
    priority: int
    app: str
    data: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and its cure. `line` is where; None for the dialplan as a whole."""

    found: str
    fix: str
    line: Line | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A dialplan as Asterisk has it loaded. `asterisk` is its major version."""

    lines: Sequence[Line]
    asterisk: int
    inbound: tuple[str, ...] = ()

    def extension(self, context: str) -> Iterator[tuple[str, list[Line]]]:
        """The extensions of a context, each with its lines in order."""
        own = [line for line in self.lines if line.context == context]
        own.sort(key=lambda one: (one.exten, one.priority))
        yield from ((exten, list(lines)) for exten, lines in groupby(own, lambda one: one.exten))

    def contexts(self) -> frozenset[str]:
        return frozenset(line.context for line in self.lines)


@dataclass(frozen=True, slots=True)
class Use:
    """One call of a routine."""

    line: Line
    routine: str
    exten: str
    priority: str
    arguments: tuple[str, ...]


def uses(lines: Iterable[Line]) -> Iterator[Use]:
    """Every call of something whose name is like one of ours, but for those in our own routines."""
    for line in lines:
        if line.app.lower() not in _CALLING or line.context.startswith("ringback-"):
            continue
        for found in _CALLS.finditer(line.data):
            inside = _inside(line.data[found.end() :]) if found[4] else ""
            yield Use(line, found[1], found[2], found[3], tuple(split(inside)) if inside else ())


def _inside(text: str) -> str:
    """What stands before the parenthesis that closes."""
    depth = 0
    for place, letter in enumerate(text):
        if letter in _CLOSING and depth == 0:
            return text[:place]
        depth += (letter in _OPENING) - (letter in _CLOSING)
    return text


def split(text: str) -> list[str]:
    """The arguments as Asterisk separates them, before it fills in what stands in `${...}`."""
    parts, depth, begun = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter in _OPENING) - (letter in _CLOSING)
        if letter == "," and depth == 0:
            parts.append(text[begun:place])
            begun = place + 1
    return [*parts, text[begun:]]


def lint(plan: Plan) -> list[Finding]:
    """Everything that is found, in the order of the rules."""
    return [finding for rule in RULES for finding in rule(plan)]


def _unknown(plan: Plan) -> Iterator[Finding]:
    there = plan.contexts()
    for use in uses(plan.lines):
        if use.routine not in there:
            like = get_close_matches(use.routine, ROUTINES, 1)
            fix = f"write {like[0]}" if like and use.routine not in ROUTINES else "copy our files again"
            yield Finding(f"there is no routine {use.routine}", fix, use.line)
        elif use.routine in ROUTINES and (use.exten, use.priority) != ("s", "1"):
            at = f"{use.exten},{use.priority}"
            yield Finding(f"{use.routine} is called at {at}", f"write Gosub({use.routine},s,1(...))", use.line)


def _arguments(plan: Plan) -> Iterator[Finding]:
    for use in uses(plan.lines):
        least, most = ROUTINES.get(use.routine, (0, 99))
        given = len(use.arguments)
        empty = given < least or (least > 0 and not use.arguments[0].strip())
        if not empty and given <= most:
            continue
        wanted = str(least) if least == most else f"{least} to {most}"
        fix = f"docs/dialplan.md has the arguments of {use.routine}"
        if use.routine.startswith("ringback-send"):
            fix = "a comma ends an argument: put such words into RINGBACK_BODY, and leave the argument empty"
        yield Finding(f"{use.routine} takes {wanted} arguments and gets {given}", fix, use.line)


def _inbound(plan: Plan) -> Iterator[Finding]:
    for context in plan.inbound:
        own = dict(plan.extension(context))
        if not any(_calling(lines, plan) for lines in own.values()):
            continue  # `ringback check` says so of the whole context
        for exten, lines in own.items():
            if exten in _NO_CALLS:
                continue
            calling = _calling(lines, plan)
            if calling is None:
                yield Finding(
                    f"{exten} does not call ringback-call, so nobody knows whether its callers withhold their number",
                    "add Gosub(ringback-call,s,1(${EXTEN})) as its first step",
                    lines[0],
                )
                continue
            heard = [line for line in lines if line.priority < calling.priority and line.app.lower() not in _SILENT]
            if heard:
                yield Finding(f"{heard[0].app}() comes before ringback-call", "put ringback-call first", heard[0])


def _calling(lines: Sequence[Line], plan: Plan) -> Line | None:
    """The line by which an extension gets to ringback-call, itself or where it goes."""
    for line in lines:
        if any(use.routine == "ringback-call" for use in uses([line])):
            return line
        parts = split(line.data)
        if line.app.lower() in ("goto", "gosub") and len(parts) > 2:
            beyond = [other for other in plan.lines if other.context == parts[0] != line.context]
            if any(use.routine == "ringback-call" for use in uses(beyond)):
                return line
    return None


def _places(plan: Plan) -> Iterator[Finding]:
    """Who was asked while they waited, or before, gets back into the queue at their place."""
    wanted = 9 if plan.asterisk >= GOSUBLESS else 10
    for context in sorted(plan.contexts()):
        for _exten, lines in plan.extension(context):
            asked = ""
            for line in lines:
                asked = next((use.routine for use in uses([line]) if use.routine in _PLACED), asked)
                if not asked or line.app.lower() != "queue":
                    continue
                if (finding := _place(line, asked, wanted)) is not None:
                    yield finding


def _place(line: Line, asked: str, wanted: int) -> Finding | None:
    given = split(line.data)
    right = f"write Queue({_placed(given, wanted)})"
    at = [place for place, part in enumerate(given, 1) if POSITION in part]
    if not at:
        return Finding(f"Queue() after {asked} does not get the caller's place: they join at the end", right, line)
    if at != [wanted]:
        return Finding(f"{POSITION} is argument {at[0]} of Queue(), and this Asterisk reads {wanted}", right, line)
    return None


def _placed(given: Sequence[str], wanted: int) -> str:
    kept = ["" if POSITION in part else part for part in given[: wanted - 1]]
    return ",".join([*kept, *[""] * (wanted - 1 - len(kept)), f"${{{POSITION}}}"])


RULES: tuple[Callable[[Plan], Iterator[Finding]], ...] = (_unknown, _arguments, _inbound, _places)
