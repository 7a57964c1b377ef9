"""Call detail records (CSV): the rows of one call make one `Call`.

A CDR knows less than the live stream. Not in it: presentation (counts as shown), whether a message was left in a
voicemail (counts as missed), deflection (looks like a menu), why a queue ended, an unaccepted follow-me that was
lifted (counts as answered). Where it is ambiguous the call counts as answered, so that no text is promised.
"""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ringback.asterisk.cdr_rows import COLUMNS, DISPOSITION, NEEDED, Row, columns_of, read
from ringback.asterisk.legs import device, is_local, pair
from ringback.asterisk.rows import Layout, Lines, Report, csv_rows, picker
from ringback.asterisk.story import presentation_of
from ringback.core.calls import Call, Direction, Leg, Presentation, Rang, Seen, Sighting, outcome_of

# What a row without a leg says of the dialling; a FAILED outside of Dial never reached anybody.
DIAL_STATUS = {"NO ANSWER": "NOANSWER", "NOANSWER": "NOANSWER", "BUSY": "BUSY", "CONGESTION": "CONGESTION"}
DIALLING = frozenset({"dial", "queue", "followme"})
NOT_A_PERSON = frozenset({"voicemail", "park", "parkedcall"})
LATE = timedelta(minutes=5)
"""How far behind a row may stand: rows of one call, and files in order of start or of end."""
ROWS_TO_LEARN = 20_000
"""Rows looked through for trunks before reading."""
MOST_CALLS = 100_000
MOST_ROWS = 500
"""Rows kept of one call."""


@dataclass(slots=True)
class _Group:
    """The rows of one call so far."""

    end: datetime
    rows: list[Row] = field(default_factory=list)


def calls(path: Path, layout: Layout, report: Report) -> Iterator[Call]:
    """The inbound calls in order of hang-up, with as many in memory as overlap."""
    inbound = Inbound(layout.inbound, _trunks(path, layout.inbound))
    groups: dict[str, _Group] = {}
    due: list[tuple[datetime, str]] = []
    newest = until = datetime.min.replace(tzinfo=UTC)
    for row in read(Lines(path, report), layout):
        key = row.linkedid or row.uniqueid or row.channel
        group = groups.get(key)
        if group is None:
            group = groups[key] = _Group(row.end)
            heapq.heappush(due, (row.end, key))
        if len(group.rows) < MOST_ROWS:
            group.rows.append(row)
        group.end = max(group.end, row.end)
        if row.start > newest:
            newest, until = row.start, row.start - LATE
        if due[0][0] < until or len(groups) > MOST_CALLS:
            yield from _finished(groups, due, until, layout, inbound)
    yield from _finished(groups, due, None, layout, inbound)


def _finished(
    groups: dict[str, _Group],
    due: list[tuple[datetime, str]],
    until: datetime | None,
    layout: Layout,
    inbound: "Inbound",
) -> Iterator[Call]:
    while due and (until is None or due[0][0] < until or len(groups) > MOST_CALLS):
        end, key = heapq.heappop(due)
        group = groups[key]
        if group.end > end:
            heapq.heappush(due, (group.end, key))
            continue
        del groups[key]
        if call := _call(group.rows, layout, inbound):
            yield call


# -- which rows are a call from outside


def _trunks(path: Path, contexts: frozenset[str]) -> frozenset[str]:
    """The devices that bring calls from outside.

    A call that went on to a menu or was transferred has the last context in its record: the trunk tells it is inbound.
    """
    found: set[str] = set()
    pick = picker(COLUMNS, ("channel", "dcontext", "src"))
    for index, cells in enumerate(csv_rows(Lines(path, lambda _fault: None))):
        if index == 0 and (header := columns_of(cells)):
            pick = picker(header, ("channel", "dcontext", "src"))
        elif index > ROWS_TO_LEARN:
            break
        elif len(cells) >= len(NEEDED):
            channel, context, src = pick([*cells, *[""] * (len(COLUMNS) - len(cells)), ""])
            if context in contexts and not is_local(channel) and src != device(channel):
                found.add(device(channel))
    return frozenset(found - {""})


@dataclass(frozen=True, slots=True)
class Inbound:
    """Tells the rows of a caller from outside."""

    contexts: frozenset[str]
    trunks: frozenset[str]

    def is_caller(self, row: Row) -> bool:
        # A phone that took part in a transfer is recorded with the context of the caller it stood in for.
        if row.channel.endswith(";1") or f"/{row.src}-" in row.channel:
            return False
        if row.context in self.contexts or row.did:
            return True
        own = not (row.uniqueid and row.linkedid) or row.uniqueid == row.linkedid
        return own and not is_local(row.channel) and device(row.channel) in self.trunks


# -- one call


def _call(rows: list[Row], layout: Layout, inbound: Inbound) -> Call | None:
    callers = [row for row in rows if inbound.is_caller(row)]
    if not callers:
        return None
    first = callers[0] if len(callers) == 1 else min(callers, key=lambda row: (is_local(row.channel), row.start))
    own = rows if len(rows) == 1 else sorted((row for row in rows if row.channel == first.channel), key=_start)
    legs = _legs(rows, own)
    people = [row for row in own if _person(row, rows)]
    answered = people[0] if people else None
    queues = [row for row in own if row.app == "queue"]
    seen = _seen(own, legs, people, queues)
    end = max([row.end for row in own])
    rang = [row for row in own if row.dest or row.app in DIALLING]
    last_ring = (answered.answer or answered.start) if answered else max([row.end for row in rang], default=end)
    return Call(
        pbx=layout.pbx,
        uniqueid=first.uniqueid or first.linkedid or first.channel,
        linkedid=first.linkedid or first.uniqueid or first.channel,
        direction=Direction.INBOUND,
        caller=first.src,
        did=_did(own, inbound),
        started_at=own[0].start,
        answered_at=(answered.answer or answered.start) if answered else None,
        ended_at=end,
        outcome=outcome_of(seen),
        presentation=presentation_of(first.src, Presentation.SHOWN if layout.trust_caller_id else Presentation.UNKNOWN),
        queue=queues[-1].data.partition(",")[0] or None if queues else None,
        extensions=tuple([leg.to for leg in legs]),
        rang=max(last_ring - rang[0].start, timedelta()) if rang else timedelta(),
        waited=sum((row.end - row.start for row in queues), timedelta()) if queues and not answered else None,
        transfer_unanswered=_left_alone(own, people),
        legs=legs,
        seen=_story(own),
    )


def _start(row: Row) -> datetime:
    return row.start


def _did(own: list[Row], inbound: Inbound) -> str:
    """The number dialled, empty where a menu or a transfer wrote over it."""
    recorded = [row.did for row in own if row.did] or [row.dst for row in own if row.context in inbound.contexts]
    return recorded[0] if recorded else ""


def _person(row: Row, rows: list[Row]) -> bool:
    """Was the caller with somebody? The line itself is answered by menus, queues, follow-me and voicemail as well."""
    if row.disposition != "ANSWERED" or row.app in NOT_A_PERSON:
        return False
    if row.app == "followme":
        half = pair(row.dest)
        return any(
            DISPOSITION[other.disposition] is Rang.ANSWER for other in rows if half and pair(other.channel) == half
        )
    return bool(row.dest)


def _left_alone(own: list[Row], people: list[Row]) -> bool:
    """Somebody was asked, or the caller was parked, after the last person had left."""
    if not people or len(own) == 1:
        return False
    left = max([row.end for row in people])
    return any(row.start >= left and row not in people and (row.dest or row.app == "park") for row in own)


def _legs(rows: list[Row], own: list[Row]) -> tuple[Leg, ...]:
    """The phones asked by the caller's rows; a Local half is replaced by the phones behind it."""
    legs: dict[str, Leg] = {}
    for row in own:
        half = pair(row.dest)
        behind = [other for other in rows if other.dest and pair(other.channel) == half] if half else []
        for asked in behind or ([row] if row.dest and row.app not in NOT_A_PERSON else []):
            name = device(asked.dest)
            rang = DISPOSITION[asked.disposition]
            ended = asked.answer if rang is Rang.ANSWER else asked.end
            known = legs.get(name)
            if known is None or known.rang is not Rang.ANSWER:
                legs[name] = Leg(name, known.at if known else asked.start, ended, rang)
    return tuple(legs.values())


def _seen(own: list[Row], legs: tuple[Leg, ...], people: list[Row], queues: list[Row]) -> Seen:
    status = None
    for row in own:
        status = _dial_status(row) or status
    return Seen(
        bridged=bool(people),
        queued=bool(queues),
        caller_hung_up=own[-1].app == "queue",
        line_up="ANSWERED" in [row.disposition for row in own],
        legs=tuple([leg.rang for leg in legs]),
        dial_status=status,
    )


def _dial_status(row: Row) -> str | None:
    if row.app == "voicemail":
        return "NOANSWER"
    if row.disposition == "FAILED":
        return "CHANUNAVAIL" if row.app in DIALLING else None
    return DIAL_STATUS.get(row.disposition)


def _story(own: list[Row]) -> tuple[Sighting, ...]:
    lines = [Sighting(row.start, *line(row)) for row in own if (line := STORY.get(row.app))]
    return (*lines, Sighting(own[-1].end, "hangup", own[-1].disposition.lower()))


STORY: dict[str, Callable[[Row], tuple[str, str]]] = {
    "queue": lambda row: ("queue_joined", row.data.partition(",")[0]),
    "voicemail": lambda _row: ("voicemail", "not recorded whether a message was left"),
    "park": lambda _row: ("parked", ""),
}
