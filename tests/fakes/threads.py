"""An inbox in memory: reads that answer what a test put in, and a desk that notes what it was asked to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from ringback.core.grants import Reach
from ringback.core.messages import State
from ringback.core.permissions import Principal
from ringback.core.policy import GateAnswer, Verdict
from ringback.core.reasons import Reason
from ringback.flow.changes import Hub, Watcher
from ringback.flow.desk import Advice, NotThere, Replied, Resolution, Settled
from ringback.flow.noting_consent import Told
from ringback.flow.stopping import Whole
from ringback.ports.changes import ANY_THREAD, Touch
from ringback.ports.threads import (
    CallLine,
    Entry,
    Head,
    InLine,
    LastLine,
    LedgerLine,
    LineKind,
    OutLine,
    Place,
    Point,
    ThreadPage,
    ThreadRow,
    Timeline,
    View,
)

NOON = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
DID = "+12025550101"
ANA = "+12025550147"
THREAD = f"thr_{1:026}"


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def point(minutes: float, kind: int, row: int) -> Point:
    return Point(int(minutes * 60_000_000) + 10**15, kind, row)


def row(number: int = 1, minutes: float = 0, **more: object) -> ThreadRow:
    plain = ThreadRow(
        place=Place(int(minutes * 60_000_000) + 10**15, number),
        public_id=f"thr_{number:026}",
        did=DID,
        peer=f"+1202555{number:04}",
        changed_at=at(minutes),
        unread=0,
        waits_since=None,
        opted_out=False,
        doubt=None,
        last=LastLine(LineKind.IN, at(minutes), "hi"),
    )
    return replace(plain, **more)


def came(body: str = "hi", minutes: float = 0, number: int = 1, **more: object) -> InLine:
    plain = InLine(point(minutes, 1, number), f"inb_{number:026}", at(minutes), body, "", 1, (), None, ())
    return replace(plain, **more)


def went(body: str = "sorry", minutes: float = 0, number: int = 1, **more: object) -> OutLine:
    plain = OutLine(
        point=point(minutes, 3, number),
        id=number,
        public_id=f"msg_{number:026}",
        at=at(minutes),
        body=body,
        state=State.DELIVERED,
        reason=None,
        not_before=at(minutes),
        segments=1,
        carrier="main",
        cause="user usr_1",
        automatic=False,
        command="",
        rule=None,
        call=None,
        account=None,
        author="",
        steps=(),
        attempts=(),
        receipts=(),
    )
    return replace(plain, **more)


def rang(minutes: float = 0, number: int = 1, **more: object) -> CallLine:
    plain = CallLine(
        point=point(minutes, 0, number),
        public_id=f"call_{number:026}",
        at=at(minutes),
        direction="inbound",
        answered_at=None,
        ended_at=at(minutes + 1),
        rang=timedelta(seconds=24),
        waited=None,
        queue=None,
        outcome="missed",
        decision="none",
        reason=Reason.COOL_DOWN,
        rule=None,
    )
    return replace(plain, **more)


def noted(kind: str, method: str, words: str, minutes: float = 0, number: int = 1) -> LedgerLine:
    return LedgerLine(point(minutes, 2, number), at(minutes), kind, method, words)


HEAD = Head(1, THREAD, DID, ANA, 0, None, None, None, "", ())


@dataclass
class FakeThreads:
    """Satisfies `ports.threads.ReadThreads`."""

    rows: list[ThreadRow] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    first: Head = HEAD
    older: Point | None = None
    older_rows: Place | None = None
    asked: list[object] = field(default_factory=list)

    async def page(self, reach: Reach, view: View, after: Place | None = None) -> ThreadPage:
        self.asked.append((view, after))
        kept = [row for row in self.rows if row.did in reach and (view is View.ALL or _in_view(row, view))]
        return ThreadPage(tuple(kept), self.older_rows)

    async def of_peer(self, reach: Reach, peer: str) -> ThreadPage:
        return ThreadPage(tuple(row for row in self.rows if row.peer == peer and row.did in reach))

    async def waiting(self, reach: Reach, most: int) -> int:
        return min(most, sum(row.waits_since is not None and row.did in reach for row in self.rows))

    async def head(self, reach: Reach, public_id: str) -> Head | None:
        return self.first if public_id == self.first.public_id and self.first.did in reach else None

    async def timeline(self, head: Head, before: Point | None = None) -> Timeline:
        self.asked.append(before)
        return Timeline(tuple(self.entries), self.older)

    async def since(self, head: Head, first: Point) -> Timeline:
        return Timeline(tuple(entry for entry in self.entries if entry.point >= first), self.older)


def _in_view(row: ThreadRow, view: View) -> bool:
    return row.waits_since is not None if view is View.WAITING else row.doubt is not None


FINE = Advice(None, (GateAnswer("permission", None, True), GateAnswer("opt_out", None, True)), "gsm7", 1, 158)


@dataclass
class FakeDesk:
    """Notes what it is asked to do; `says` is raised or answered."""

    done: list[tuple[object, ...]] = field(default_factory=list)
    advice: Advice | Exception = FINE
    verdict: Verdict | None = None
    says: Exception | None = None
    settled: Settled = Settled.DONE

    def _do(self, thread: str, *what: object) -> None:
        if self.says is not None:
            raise self.says
        if thread.startswith("thr_") and thread != THREAD:
            raise NotThere("no such thread")
        self.done.append(what)

    async def advise(self, who: Principal, thread: str, text: str) -> Advice:
        if isinstance(self.advice, Exception):
            raise self.advice
        return self.advice

    async def reply(self, who: Principal, thread: str, text: str, key: str) -> Replied:
        again = ("reply", text, key) in self.done
        self._do(thread, "reply", text, key)
        return Replied("msg_1", self.verdict, again)

    async def mark_read(self, who: Principal, thread: str) -> None:
        self._do(thread, "read")

    async def mark_answered(self, who: Principal, thread: str) -> None:
        self._do(thread, "answered")

    async def opt_out(self, who: Principal, thread: str, note: str, whole: Whole = Whole.NUMBER) -> None:
        self._do(thread, "opt_out", note, *([] if whole is Whole.NUMBER else [whole]))

    async def opt_in(self, who: Principal, thread: str, note: str) -> None:
        self._do(thread, "opt_in", note)

    async def note_consent(self, who: Principal, thread: str, told: Told) -> None:
        self._do(thread, "consent", told)

    async def resolve(self, who: Principal, message: str, how: Resolution) -> Settled:
        self._do(message, "resolve", message, how)
        return self.settled

    async def undo(self, who: Principal, message: str) -> Settled:
        self._do(message, "undo", message)
        return self.settled

    async def check_again(self, who: Principal, message: str) -> Settled:
        self._do(message, "check", message)
        return self.settled


class Bells(Hub):
    """The real hub, which a test rings by hand."""

    def ring(self, *touches: Touch) -> None:
        self.tell(frozenset(touches or (ANY_THREAD,)))

    @contextmanager
    def watch(self) -> Iterator[Watcher]:
        with super().watch() as watcher:
            yield watcher
