"""The kill switch: stop everything automatic, one number, or one rule; and start it again."""

import shlex
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ringback.core.grants import Reach
from ringback.core.permissions import Principal
from ringback.ports.storage import Tx


class Scope(StrEnum):
    ALL = "all"
    NUMBER = "number"
    RULE = "rule"


class Turn(StrEnum):
    """Which way the switch is turned; the words stand in the audit."""

    PAUSE = "pause"
    RESUME = "resume"


@dataclass(frozen=True, slots=True)
class Pause:
    """What is paused: everything, the number `name` or the rule `name`."""

    scope: Scope
    name: str = ""

    @property
    def key(self) -> str:
        return "pause:all" if self.scope is Scope.ALL else f"pause:{self.scope}:{self.name}"

    @property
    def lift(self) -> str:
        """The command that ends it."""
        what = "" if self.scope is Scope.ALL else f" --{self.scope} {shlex.quote(self.name)}"
        return f"ringback pause --off{what}"

    def within(self, reach: Reach) -> bool:
        """Whether somebody with this reach may know of it: of one number, who may see the number."""
        return self.scope is not Scope.NUMBER or self.name in reach

    def __str__(self) -> str:
        return "everything automatic" if self.scope is Scope.ALL else f"{self.scope} {self.name}"


@dataclass(frozen=True, slots=True)
class Paused:
    """One pause in force."""

    pause: Pause
    since: datetime
    by: str


def read_key(key: str) -> Pause:
    _pause, scope, *rest = key.split(":", 2)
    return Pause(Scope(scope), rest[0] if rest else "")


def pause(what: Pause, by: str, now: datetime, tx: Tx) -> tuple[Paused, ...]:
    """Hold back every automatic text of that scope from now on; says what is paused then."""
    if tx.settings.get(what.key) is None:
        tx.settings.put(what.key, "", now, by)
    return in_force(tx)


def resume(what: Pause, tx: Tx) -> tuple[Paused, ...]:
    """Let them go again. Texts refused meanwhile stay refused: nobody wants yesterday's answers."""
    tx.settings.drop(what.key)
    return in_force(tx)


def turn(what: Pause, way: Turn, who: Principal, now: datetime, tx: Tx) -> tuple[Paused, ...]:
    """Pause or resume for somebody: their name stands beside it, and the audit keeps who it was."""
    tx.audit.note(who.label, way, what.key, "", now)
    return pause(what, who.name, now, tx) if way is Turn.PAUSE else resume(what, tx)


def in_force(tx: Tx) -> tuple[Paused, ...]:
    return tuple(Paused(read_key(key), since, by) for key, since, by in tx.settings.pauses())
