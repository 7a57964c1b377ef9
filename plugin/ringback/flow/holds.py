"""Holding a carrier back: no attempt is opened on it until a person lets it go on. What is on its way ends as it does.

A person holds it, the alarm does when too much is in doubt, and a restored database holds every carrier it has.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import partial
from typing import Protocol

from ringback.core.permissions import Action, Asker, Principal
from ringback.core.plurals import count_of
from ringback.core.writing import clean
from ringback.errors import RingbackError
from ringback.flow.insist import insist_one
from ringback.flow.permits import allow
from ringback.flow.put_back import RESTORE, keep_back, let_all_go
from ringback.ports import Clock
from ringback.ports.holds import Held
from ringback.ports.storage import Store, Tx

ALARM = "alarm"
"""Who holds a carrier where no person does, in `Held.by`."""

PREFIX = "hold:carrier:"
RELEASED = "released:carrier:"
LONGEST_WHY = 500
NO_WHY = "nobody said why"
"""Stands for an empty reason, which would be none to a lane."""


def hold(name: str, why: str, by: str, now: datetime, tx: Tx, label: str = "") -> bool:
    """Hold a carrier back; False when it is held already, and then the first reason stands.

    `label` is how the audit names a person, whose name is `by`.
    """
    if tx.settings.get(PREFIX + name) is not None:
        return False
    hold_anew(name, why, by, now, tx, label)
    return True


def hold_anew(name: str, why: str, by: str, now: datetime, tx: Tx, label: str = "") -> None:
    """The same for a reason that outweighs what a carrier may be held for already."""
    tx.settings.put(PREFIX + name, why, now, by)
    tx.audit.note(label or by, "hold_carrier", name, why, now)


def hold_by(who: Principal, name: str, why: str, now: datetime, tx: Tx) -> bool:
    """Hold a carrier back for a person; whoever calls this has asked whether they may."""
    return hold(name, why, who.name, now, tx, who.label)


def reword(held: Held, why: str, tx: Tx) -> None:
    """Say better why a carrier is held back; since when and by whom stays."""
    tx.settings.put(PREFIX + held.carrier, why, held.since, held.by)


def release(name: str, who: Principal, now: datetime, tx: Tx) -> bool:
    """Let a carrier go on; False when it was not held. Only people release: whoever calls this has asked whether
    they may. After the database was put back, what may have been sent waits on."""
    held = hold_on(name, tx)
    if held is None:
        return False
    tx.settings.drop(PREFIX + name)
    if held.by == RESTORE:
        keep_back(name, now, tx)
    tx.settings.put(RELEASED + name, "", now, who.name)
    tx.audit.note(who.label, "release_carrier", name, "", now)
    return True


def released_at(name: str, tx: Tx) -> datetime | None:
    """When somebody last let a carrier go on: what came before that is no news to them."""
    known = tx.settings.get(RELEASED + name)
    return known[1] if known else None


def holds(tx: Tx) -> tuple[Held, ...]:
    """Every carrier that is held back, by name, whether it is still configured or not."""
    return tuple(
        Held(key.removeprefix(PREFIX), why, since, by) for key, why, since, by in tx.settings.beginning_with(PREFIX)
    )


def hold_on(name: str, tx: Tx) -> Held | None:
    """What holds one carrier back, if anything does."""
    return next((held for held in holds(tx) if held.carrier == name), None)


class NoSuchCarrier(RingbackError):
    """There is no carrier of this name; the text says which there are."""


def change_by_words(words: Mapping[str, str], who: Principal, now: datetime, tx: Tx) -> str:
    """Carry out what came as words from a command: `change` (hold or release), `name`, `why` for a hold, `all` for
    a release.

    Returns what to say.
    """
    name = words.get("name", "")
    if words.get("change") == "release":
        return _release(name, words.get("all") == "yes", who, now, tx)
    if words.get("change") != "hold":
        raise NoSuchCarrier("this is no change that this Ringback knows; is the daemon older than the command?")
    why = " ".join(clean(words.get("why", "")).split())[:LONGEST_WHY]
    done = hold_by(who, name, why or NO_WHY, now, tx)
    return f"carrier {name} is held back" if done else f"carrier {name} is held back already; release it first"


def tell(carriers: Collection[str], held: Collection[Held]) -> list[str]:
    """Every carrier, a line each, as `ringback carrier list` prints it; also one that is held and not here any more."""
    by_name = {each.carrier: each for each in held}
    return [
        f"{name:20}  {_standing(by_name.get(name), 'here' if name in carriers else 'not configured any more')}"
        for name in sorted({*carriers, *by_name})
    ]


def _standing(held: Held | None, otherwise: str) -> str:
    if held is None:
        return "goes on"
    gone = "" if otherwise == "here" else f" ({otherwise})"
    return f"held back since {held.since:%Y-%m-%d %H:%M} UTC by {held.by}{gone}: {held.why}"


def _release(name: str, everything: bool, who: Principal, now: datetime, tx: Tx) -> str:
    """Let a carrier go on, with `everything` also what may have been sent before the database was put back."""
    done = release(name, who, now, tx)
    said = f"carrier {name} goes on" if done else f"carrier {name} was not held back"
    if everything:
        let_go = let_all_go(name, now, tx)
        if not (done or let_go):
            return f"{said}, and nothing waits on; `ringback carrier list` shows the names"
        tx.audit.note(who.label, "release_unclear", name, count_of(let_go, "text"), now)
        return f"{said}; with it {count_of(let_go, 'text')} that may have been sent already"
    if kept := tx.restored.kept(name):
        return f"{said}; waiting on, since they may have been sent already: {kept}. --all lets them go as well"
    return said


class Holdable(Protocol):
    """A lane, as far as it can be held back."""

    def hold(self, why: str) -> None: ...
    def let_go(self) -> None: ...


class Holding:
    """What is held back now, told to the lanes after each change. `load` it before the lanes run."""

    def __init__(self, store: Store, lanes: Mapping[str, Holdable], clock: Clock) -> None:
        self.held: tuple[Held, ...] = ()
        self._store = store
        self._lanes = lanes
        self._clock = clock

    async def load(self) -> None:
        """Read what is held back, and have the lanes obey."""
        self._obey(await insist_one(self._store, self._clock, holds))

    async def change(self, words: Mapping[str, str], who: Principal) -> str:
        """Carry out `change_by_words` for somebody, and have the lanes obey. Raises Denied and NoSuchCarrier."""
        may_manage(who)
        if words.get("change") != "release":
            known_carrier(self._lanes, words.get("name", ""))
        said = await self._store.commit(partial(change_by_words, words, who, self._clock.now()))
        await self.load()
        return said

    def lines(self) -> list[str]:
        """Every carrier as `ringback carrier list` prints it."""
        return tell(self._lanes, self.held)

    def _obey(self, held: tuple[Held, ...]) -> None:
        self.held = held
        why = {each.carrier: each.why for each in held}
        for name, lane in self._lanes.items():
            if name in why:
                lane.hold(why[name] or NO_WHY)
            else:
                lane.let_go()


def known_carrier(carriers: Collection[str], name: str) -> None:
    """Raise NoSuchCarrier for a name that is none. What is held can be released although it is gone."""
    if name not in carriers:
        raise NoSuchCarrier(f"there is no carrier {name!r}; known are {', '.join(sorted(carriers)) or 'none'}")


def may_manage(who: Principal) -> None:
    """Raise Denied for whoever may not. Of somebody at the shell the system has decided that they may."""
    if who.kind is not Asker.SHELL:
        allow(who, Action.MANAGE_CARRIERS)
