"""What our AMI account may do and whether the dialplan calls us: found out by asking Asterisk."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ringback.asterisk.codec import Answer, Event
from ringback.errors import PbxRefused

CONTEXT = "ringback-call"

# With these a stolen password runs programs as the Asterisk user (CVE-2024-42365 and its like).
DANGEROUS = ("system", "command", "config")
# With this too (Originate of an application); needed for call-backs only.
DANGEROUS_UNLESS_NEEDED = ("originate",)

NEEDED_ACTIONS = ("CoreShowChannels", "ShowDialPlan", "Getvar", "DeviceStateList")

_CLASSES = re.compile(r"\(Priv: ([^()]*)\)\s*$")
_VERSION = re.compile(r"\s*ringback-dialplan\s+(\S+)\s*")
_CALLS_US = re.compile(rf"(?:^|[?:])\s*{CONTEXT},")
_NO_CONTEXT = "Did not find context"


class Asking(Protocol):
    """The part of `Ami` that is needed here."""

    async def ask(self, action: str, /, **fields: str) -> Answer: ...
    async def ask_list(self, action: str, /, **fields: str) -> list[Event]: ...


@dataclass(frozen=True, slots=True)
class Rights:
    """The actions an account may send, and the write classes that proves."""

    actions: frozenset[str]
    classes: frozenset[str]

    def missing(self, actions: Collection[str] = NEEDED_ACTIONS) -> tuple[str, ...]:
        """Which of these actions the account may not send; `write = reporting` brings the needed ones."""
        return tuple(action for action in actions if action not in self.actions)


def read_rights(fields: Mapping[str, str]) -> Rights:
    """Read the answer to ListCommands, which names only what the account may do, each with its classes.

    One class of several is enough to be let in, so only an action with a single class proves that class. Asterisk's own
    core has such an action for each class that is dangerous (DBPut, Command, UpdateConfig, Originate).
    """
    listed = {action: found[1] for action, text in fields.items() if (found := _CLASSES.search(text))}
    classes = [frozenset(text.split(",")) - {"all", "<none>", ""} for text in listed.values()]
    return Rights(frozenset(listed), frozenset().union(*(names for names in classes if len(names) == 1)))


def dangerous(rights: Rights, needed: Collection[str] = ()) -> tuple[str, ...]:
    """Name the write classes to take from the account; `needed` are those that something configured asks for."""
    unneeded = tuple(name for name in DANGEROUS_UNLESS_NEEDED if name not in needed)
    return tuple(name for name in DANGEROUS + unneeded if name in rights.classes)


async def rights(ami: Asking) -> Rights:
    """Ask what our account may do. Raises PbxAway, PbxRefused."""
    return read_rights((await ami.ask("ListCommands")).fields)


def read_version(lines: Iterable[Event]) -> str:
    """The version in the line `NoOp(ringback-dialplan 1)`, empty without one."""
    noops = (line.get("AppData") for line in lines if line.get("Application").lower() == "noop")
    return next((found[1] for data in noops if (found := _VERSION.fullmatch(data))), "")


def calls_us(lines: Iterable[Event]) -> bool:
    """Whether a line of the dialplan does Gosub(ringback-call,...)."""
    gosubs = (line.get("AppData") for line in lines if line.get("Application").lower() in ("gosub", "gosubif"))
    return any(_CALLS_US.search(data) for data in gosubs)


def included(lines: Iterable[Event]) -> tuple[str, ...]:
    """The contexts these lines include."""
    return tuple(name for line in lines if (name := line.get("IncludeContext")))


async def dialplan_version(ami: Asking) -> str:
    """The version of our include that Asterisk has loaded, empty when it has none. Raises PbxAway, PbxRefused."""
    return read_version(await _context(ami, CONTEXT))


async def contexts_calling_us(ami: Asking, contexts: Iterable[str]) -> frozenset[str]:
    """Which of these contexts do Gosub(ringback-call,...), by themselves or by what they include.

    Raises PbxAway, PbxRefused.
    """
    return frozenset([context for context in contexts if await _reaches_us(ami, context)])


async def _reaches_us(ami: Asking, context: str) -> bool:
    asked: set[str] = set()
    to_ask = [context]
    while to_ask:
        name = to_ask.pop()
        if name in asked:
            continue
        asked.add(name)
        lines = await _context(ami, name)
        if calls_us(lines):
            return True
        to_ask += included(lines)
    return False


async def _context(ami: Asking, name: str) -> list[Event]:
    try:
        return await ami.ask_list("ShowDialPlan", Context=name)
    except PbxRefused as problem:
        if _NO_CONTEXT in str(problem):
            return []
        raise
