"""Which agent a session is given to: who has room for it, and whose turn it is.

Nobody carries more than their capacity, and who declined a session gets it again only when everybody else with room
declined it as well. Equal claims are settled by the order in which the members of a queue were added.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ringback.core.presence import TAKES, AgentNow
from ringback.core.text_queues import Strategy

LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member of a queue. `load` counts sessions they have, one that is offered to them among them; `turn` is when
    they were last given or offered one; `place` is theirs among the members."""

    now: AgentNow
    load: int
    capacity: int
    voice_weight: int
    turn: datetime | None = None
    place: int = 0

    @property
    def account(self) -> int:
        return self.now.account

    @property
    def carried(self) -> int:
        """What they carry, a call they are on among it."""
        return self.load + (self.voice_weight if self.now.on_call else 0)

    @property
    def room(self) -> int:
        """How many sessions more they can be given; none to somebody who takes none now."""
        return max(0, self.capacity - self.carried) if may_be_given(self.now) else 0

    @property
    def idle_since(self) -> datetime:
        """Since when they could have had one and got none."""
        return max(self.turn or LONG_AGO, self.now.since)


def may_be_given(now: AgentNow) -> bool:
    """Whether new sessions go to somebody like this at all."""
    return now.presence in TAKES and not now.awaited


def _by_idleness(one: Candidate) -> tuple[object, ...]:
    return (one.carried, one.idle_since, one.place, one.account)


def _by_turn(one: Candidate) -> tuple[object, ...]:
    return (one.turn or LONG_AGO, one.place, one.account)


ORDER: Mapping[Strategy, Callable[[Candidate], tuple[object, ...]]] = {
    Strategy.LONGEST_IDLE: _by_idleness,
    Strategy.ROUND_ROBIN: _by_turn,
    Strategy.MOST_RECENT: _by_idleness,
}
"""Whose turn comes first. Strategies that are not here give nothing to anybody: agents take for themselves."""


def gives(strategy: Strategy) -> bool:
    """Whether sessions are given to agents by this strategy."""
    return strategy in ORDER


def choose(
    strategy: Strategy, candidates: Sequence[Candidate], declined: Collection[int] = (), last: int | None = None
) -> Candidate | None:
    """Choose who gets a session; None where nobody can take it, or it is not given to anybody.

    `last` is who spoke with this person last; only MOST_RECENT asks for it.
    """
    order = ORDER.get(strategy)
    if order is None:
        return None
    able = [one for one in candidates if one.room]
    pool = [one for one in able if one.account not in declined] or able
    if strategy is Strategy.MOST_RECENT and last is not None:
        known = next((one for one in pool if one.account == last), None)
        if known is not None:
            return known
    return min(pool, key=order, default=None)
