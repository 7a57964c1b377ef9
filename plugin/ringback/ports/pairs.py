"""What is known of a pair, our number and theirs, and how to keep it."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ringback.core.consents import NOTHING_SAID, Consents
from ringback.core.messages import Urgency
from ringback.core.rates import Bucket, Counter, Place
from ringback.core.reasons import Reason

STAGING = "staging"
"""The setting that is there while only those on the list `only` are texted."""


@dataclass(frozen=True, slots=True)
class PairFacts:
    """What is known of a pair; counts are of texts queued before. `in_flight`: a text of it is on its way already, or
    one that goes before waits.

    `opted_out_at` counts what they said to the whole business too. `never` and `only`: they are on that list.
    `consents` is what they said yes to; `told_at` when they were last told what they get and how to stop it;
    `not_textable` why texts to them were found not to arrive, while that is believed.
    """

    opted_out_at: datetime | None
    cooling_until: datetime | None
    pending: bool
    automatic_to_pair: int
    in_flight: bool
    paused: bool
    automatic_this_minute: int
    sent_this_minute: int
    never: bool = False
    only: bool = False
    staging: bool = False
    consents: Consents = NOTHING_SAID
    told_at: datetime | None = None
    not_textable: Reason | None = None

    @property
    def opted_out(self) -> bool:
        return self.opted_out_at is not None


@dataclass(frozen=True, slots=True)
class Thread:
    """All that ever passed between one of our numbers and one person."""

    id: int
    public_id: str
    number_id: int
    did: str
    peer: str


class Pairs(Protocol):
    def facts(
        self, did: str, peer: str, group: str, rule: str, now: datetime, urgency: Urgency = Urgency.BULK
    ) -> PairFacts: ...
    def read_ahead(self, pairs: Iterable[tuple[str, str]], now: datetime) -> None: ...
    def read_guards_ahead(self, pairs: Iterable[tuple[str, str]], now: datetime) -> None: ...
    def plain_facts(self, did: str, peer: str, now: datetime, urgency: Urgency) -> PairFacts: ...
    def thread(self, did: str, peer: str, now: datetime) -> Thread: ...
    def start_cool_down(self, thread: Thread, group: str, until: datetime) -> None: ...
    def count_automatic(self, now: datetime) -> None: ...
    def used(self, counters: Iterable[Counter]) -> dict[str, int]: ...
    def count(self, counter: Counter, segments: int) -> None: ...
    def read_counters(self, counters: Collection[Counter]) -> None:
        """Read many counters in one look, for the texts of a batch."""

    def last_place(self, bucket: Bucket) -> Place | None: ...
    def promise(self, bucket: Bucket, place: Place, segments: int) -> None: ...
    def free_at(self, key: str) -> datetime | None: ...
    def busy_until(self, key: str, moment: datetime) -> None: ...
    def forget_promises(self) -> None: ...
    def opt_out(self, thread_id: int, method: str, evidence: str, now: datetime) -> None: ...
    def opt_in(self, thread_id: int, method: str, evidence: str, now: datetime) -> None: ...
    def find(self, public_id: str) -> Thread | None: ...
    def threads_of(self, peer: str) -> list[Thread]:
        """All threads with a person, one for each of our numbers that had to do with them."""
        ...

    def threads_of_many(self, peers: Sequence[str]) -> Iterator[Thread]:
        """The same for many people."""
        ...

    def said_last(self, thread_id: int) -> str:
        """How the last opt-out or opt-in of a thread was made; empty where there is none."""
        ...

    def forget_old(self, now: datetime) -> None: ...
