"""The independent checker: the invariants I1 to I12 over the ledgers of a run.

It shares no line with Ringback. State names and table names are words it was told; what may happen is written here a
second time, from the promise and not from the code. Each invariant is a function that returns what breaks it.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.crash import record
from tests.crash.ledgers import Ledgers, Row

ARRIVED = {"accepted", "sent", "delivered", "undelivered", "no_receipt"}
DOUBT = {"unconfirmed", "unresolved"}
TRANSIENT = {"queued", "submitting"}
RANK = {"accepted": 1, "sent": 2, "undelivered": 3, "delivered": 3}
SAID_BY = "said by "
LATE_US = 10_000_000
MARGIN_US = 2_000_000
"""A text is not opened later than this before its validity ends."""
STEP_US = 250_000
"""What is stamped before its commit may differ from what a witness saw after it by this."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What breaks an invariant, with the rows that show it."""

    invariant: str
    what: str
    rows: tuple[Row, ...] = ()


Findings = Iterator[Finding]


def inputs_once(led: Ledgers) -> Findings:
    """I1: everything that was acknowledged exists exactly once."""
    yield from texts_in_once(led)
    yield from requests_once(led)
    yield from receipts_once(led)
    yield from calls_once(led)


def texts_in_once(led: Ledgers) -> Findings:
    raw = Counter(row["provider_id"] for row in led.rows("inbound_raw"))
    filed = {row["provider_id"]: row["incoming_id"] for row in led.rows("inbound_raw")}
    bodies = {row["id"]: row for row in led.rows("incoming")}
    written = Counter((*led.pair_of[row["thread_id"]], row["body"]) for row in led.rows("incoming"))
    said: Counter[tuple[object, ...]] = Counter()
    for line in {line["sid"]: line for line in led.told if line["kind"] == "hook" and line["code"] == 200}.values():
        said[line["to"], line["sender"], line["body"]] += 1
        incoming = bodies.get(filed.get(line["sid"]))
        if raw[line["sid"]] != 1 or incoming is None or incoming["body"] != line["body"]:
            yield Finding("I1", f"a text that was acknowledged is here {raw[line['sid']]} times", (line,))
    for key, number in written.items():
        if said[key] and number > said[key]:
            yield Finding("I1", f"a text was written {said[key]} times and is here {number} times: {key}")
    answers = {row["answers_id"] for row in led.rows("message") if row["answers_id"] is not None}
    for row in led.rows("incoming"):
        if row["command"] in ("help", "start") and row["id"] not in answers:
            yield Finding("I1", f"a {row['command']} without an answer", (row,))


def requests_once(led: Ledgers) -> Findings:
    """What programs asked for over the API: one message for each key, with the words that were asked for."""
    by_id = {row["public_id"]: row for row in led.rows("message")}
    ids: dict[object, set[object]] = {}
    for line in led.told:
        if line["kind"] != "api" or line["code"] not in (200, 201, 202):
            continue
        ids.setdefault(line["key"], set()).add(line["id"])
        row = by_id.get(line["id"])
        if row is None:
            yield Finding("I1", "a request that was acknowledged is gone", (line,))
        elif row["body"] != line["body"] or led.pair_of[row["thread_id"]] != (line["did"], line["to"]):
            yield Finding("I1", "a request is stored as something else", (line, row))
    for key, found in ids.items():
        if len(found) > 1:
            yield Finding("I1", f"one key was given {len(found)} texts: {key}")
    asked = {(line["to"], line["body"]): line["key"] for line in led.told if line["kind"] == "ask"}
    kept = Counter((led.pair_of[row["thread_id"]][1], row["body"]) for row in led.rows("message"))
    for what, key in asked.items():
        if kept[what] > 1:
            yield Finding("I1", f"one request is stored {kept[what]} times: {key}")


def receipts_once(led: Ledgers) -> Findings:
    """A receipt that was acknowledged is kept, and its text is at least as far as it says."""
    kept = Counter((row["provider_id"], row["status"]) for row in led.rows("receipt"))
    parked = Counter((row["provider_id"], row["status"]) for row in led.rows("receipt_parked"))
    known = {row["provider_id"]: led.message_of[row["message_id"]] for row in led.rows("attempt") if row["provider_id"]}
    for line in led.told:
        if line["kind"] != "receipt" or line["code"] != 200:
            continue
        key = (line["sid"], line["status"])
        if kept[key] + parked[key] != 1:
            yield Finding("I1", f"a receipt that was acknowledged is here {kept[key] + parked[key]} times", (line,))
        message = known.get(line["sid"])
        if message and RANK[str(line["status"])] > RANK.get(str(message["state"]), 0):
            yield Finding("I1", "a text is not as far as its receipt says", (line, message))


def calls_once(led: Ledgers) -> Findings:
    """A call that the PBX told is here, or a gap says that nobody was listening."""
    calls = Counter(row["uniqueid"] for row in led.rows("call"))
    texts = Counter(row["call_id"] for row in led.rows("message") if row["call_id"] is not None)
    gaps = [(row["from_at"], row["to_at"] or 2**62) for row in led.rows("pbx_gap")]
    for line in led.pbx:
        at = line["at"]
        assert isinstance(at, int)
        missed = any(start - STEP_US <= at <= end + STEP_US for start, end in gaps)
        if calls[line["uniqueid"]] > 1 or (calls[line["uniqueid"]] == 0 and not missed):
            yield Finding("I1", f"a call is here {calls[line['uniqueid']]} times, and no gap says why", (line,))
    for call, number in texts.items():
        if number > 1:
            yield Finding("I3", f"a call has {number} texts", ({"call": call},))


def nothing_stuck(led: Ledgers) -> Findings:
    """I2: after everything has settled, nothing is on its way, and nothing waits past its time."""
    last = max((line["at"] for line in (*led.told, *led.faults) if isinstance(line["at"], int)), default=0)
    for row in led.rows("message"):
        if row["state"] in TRANSIENT:
            yield Finding("I2", f"a text stays {row['state']}", (row,))
        if row["state"] == "held" and int(str(row["not_before"])) + LATE_US < last and row["reason"] != "carrier_hold":
            yield Finding("I2", "a text is held past its moment", (row,))
    for row in led.rows("attempt"):
        if row["outcome"] is None:
            yield Finding("I2", "an attempt without an outcome", (row,))
    for row in led.rows("pending_text"):
        if row["state"] == "pending" and int(str(row["due_at"])) + LATE_US < last:
            yield Finding("I2", "a text waits out a delay that is over", (row,))


def tried_once(led: Ledgers) -> Findings:
    """I3: one submit an attempt; another attempt only after a definite no, or by a policy that says so."""
    submits = Counter(line["attempt"] for line in led.carrier if line["kind"] in ("text", "refused"))
    for attempt, number in submits.items():
        if number > 1:
            yield Finding("I3", f"an attempt was submitted {number} times", ({"attempt": attempt},))
        if attempt not in led.attempt_of:
            yield Finding("I3", "the carrier got an attempt that nobody knows", ({"attempt": attempt},))
    for message, arrived in led.taken.items():
        if len(arrived) > 1 and not resent(led.message_of[message]):
            yield Finding("I3", f"a text arrived {len(arrived)} times", (led.message_of[message], *arrived))
    for row, before in followed(led):
        if before["outcome"] != "not_sent" and not resent(led.message_of[row["message_id"]]):
            yield Finding("I3", f"tried again after {before['outcome']}", (before, row))


def followed(led: Ledgers) -> Iterator[tuple[Row, Row]]:
    """Each attempt with the one before it to the same text."""
    last: dict[object, Row] = {}
    for row in sorted(led.rows("attempt"), key=lambda row: int(str(row["id"]))):
        if before := last.get(row["part_id"]):
            yield row, before
        last[row["part_id"]] = row


def resent(message: Row) -> bool:
    """Whether a stated policy sent it again, and it says so."""
    return bool(message.get("resends")) and message.get("doubt") != "once"


def no_phantom(led: Ledgers) -> Findings:
    """I4: what is said to be with the carrier is with the carrier."""
    there = {line["attempt"] for line in led.accepted}
    for row in led.rows("message"):
        if row["state"] in ARRIVED and row["id"] not in led.taken and not said(led, row):
            yield Finding("I4", f"{row['state']}, and the carrier never had it", (row,))
    for row in led.rows("attempt"):
        by_person = str(row["cause"] or "").startswith(SAID_BY)
        if row["outcome"] == "accepted" and row["public_id"] not in there and not by_person:
            yield Finding("I4", "an attempt is accepted, and the carrier never had it", (row,))


def said(led: Ledgers, message: Row) -> bool:
    causes = [row["cause"] for row in led.rows("attempt") if row["message_id"] == message["id"]]
    return any(str(cause or "").startswith(SAID_BY) for cause in causes)


def no_denial(led: Ledgers) -> Findings:
    """I5: what the carrier has is never said to be failed, expired, cancelled, refused or waiting."""
    for message, arrived in led.taken.items():
        row = led.message_of[message]
        if row["state"] not in ARRIVED | DOUBT and not said(led, row):
            yield Finding("I5", f"the carrier has it, and we say {row['state']}", (row, *arrived))


def doubts_explained(led: Ledgers) -> Findings:
    """I6: texts in doubt are bounded by what was open when something happened, and each was open just then."""
    doubted = {row["message_id"] for row in led.rows("message_event") if row["state"] == "unconfirmed"}
    odd = {line["attempt"] for line in led.carrier if line.get("way") not in (None, "takes", "drip", "hold")}
    moments = [(int(str(line["at"])), line["kind"]) for line in led.faults]
    rude = {line["to"] for line in led.faults if "to" in line}
    by_fault = 0
    for row in led.rows("attempt"):
        peer = led.pair_of[led.message_of[row["message_id"]]["thread_id"]][1]
        if row["message_id"] not in doubted or row["public_id"] in odd or peer in rude:
            continue
        opened = int(str(row["opened_at"])) - STEP_US
        closed = int(str(row["closed_at"] or 2**62)) + STEP_US
        if row["outcome"] == "not_sent":
            continue
        by_fault += 1
        if not any(opened <= at <= closed for at, _ in moments):
            yield Finding("I6", "in doubt, and nothing happened while it was open", (row,))
    most = sum(int(str(line.get("window", 0))) for line in led.faults if line["kind"] != "gone")
    if by_fault > most:
        yield Finding("I6", f"{by_fault} texts in doubt, and no more than {most} were open")
    yield from doubts_closed(led)


def doubts_closed(led: Ledgers) -> Findings:
    """A text that is known has no attempt in doubt and no task that asks what became of it."""
    asked = {row["message_id"] for row in led.rows("task") if row["kind"] == "unconfirmed" and not row["done_at"]}
    for row in led.rows("attempt"):
        message = led.message_of[row["message_id"]]
        if row["outcome"] == "unconfirmed" and message["state"] in RANK and not resent(message):
            yield Finding("I6", f"the attempt is in doubt and its text is {message['state']}", (row, message))
    for message in led.rows("message"):
        if message["id"] in asked and message["state"] in RANK:
            yield Finding("I6", f"somebody is asked about a text that is {message['state']}", (message,))


def stop_is_obeyed(led: Ledgers) -> Findings:
    """I7: once a STOP is on disk nothing is opened to that pair but the answers to commands."""
    lifted = {
        (led.pair_of[row["thread_id"]]): int(str(row["at"]))
        for row in led.rows("opt_out_event")
        if row["kind"] == "opt_in"
    }
    known = {led.pair_of[row["thread_id"]] for row in led.rows("opt_out_event")}
    stops: dict[tuple[object, object], int] = {}
    for line in led.told:
        if line["kind"] == "hook" and line["code"] == 200 and str(line["body"]).strip().upper() == "STOP":
            pair = (line["to"], line["sender"])
            stops[pair] = min(stops.get(pair, 2**62), int(str(line["at"])))
            if pair not in known:
                yield Finding("I7", "a STOP was acknowledged and is not kept", (line,))
    for row in led.rows("attempt"):
        message = led.message_of[row["message_id"]]
        pair = led.pair_of[message["thread_id"]]
        opened = int(str(row["opened_at"]))
        at = stops.get(pair, 2**62)
        if opened > at and not message["command"] and not at < lifted.get(pair, 0) < opened:
            yield Finding("I7", "opened after a STOP", (row, message))


def never_too_early(led: Ledgers) -> Findings:
    """I8: nothing is opened before the moment that was asked for, nor once its time is over."""
    earliest = {line["id"]: line["not_before"] for line in led.told if line["kind"] == "api" and line.get("not_before")}
    for row in led.rows("attempt"):
        message = led.message_of[row["message_id"]]
        opened = int(str(row["opened_at"]))
        if opened < int(str(earliest.get(message["public_id"], 0))):
            yield Finding("I8", "opened before its moment", (row, message))
        if opened > int(str(message["expires_at"])) - MARGIN_US:
            yield Finding("I8", "opened when its time was over", (row, message))


STEPS = {
    "": {"held", "queued", "submitting", "refused"},
    "held": {"queued", "held", "submitting", "expired", "cancelled", "refused"},
    "queued": {"held", "queued", "submitting", "expired", "cancelled", "refused"},
    "submitting": {"held", "queued", "unconfirmed", "failed", "expired", *RANK},
    "accepted": {"sent", "delivered", "undelivered", "no_receipt", "unconfirmed"},
    "sent": {"delivered", "undelivered", "no_receipt"},
    "unconfirmed": {"unconfirmed", "unresolved", "failed", "queued", "held", "submitting", *RANK},
    "unresolved": {"failed", *RANK},
    "no_receipt": {"delivered", "undelivered"},
    "undelivered": {"delivered"},
    "failed": {"unconfirmed", *RANK},
}
"""What may follow what, as the state machine in the docs says. A held text that is opened may skip being queued."""


def written_down(led: Ledgers) -> Findings:
    """I9: every step a text took is written down, in an order that can be, and ends where the text is."""
    at: dict[object, str] = {}
    for row in sorted(led.rows("message_event"), key=lambda row: int(str(row["id"]))):
        old, new = at.get(row["message_id"], ""), str(row["state"])
        if new != old and new not in STEPS.get(old, set()) and not (old in ("queued", "held") and new in RANK):
            yield Finding("I9", f"{old or 'nothing'} became {new}", (row,))
        at[row["message_id"]] = new
    for row in led.rows("message"):
        if at.get(row["id"]) != row["state"] and row["state"] != "submitting":
            yield Finding("I9", f"written down as {at.get(row['id'])}, and it is {row['state']}", (row,))


def record_unbroken(led: Ledgers) -> Findings:
    """I9: the record is one chain, and what it sealed is as it was."""
    for what, row in record.faults(led.rows("audit"), led.rows("message_event"), led.keys):
        yield Finding("I9", what, (row,))


def all_written_down(led: Ledgers) -> Findings:
    yield from written_down(led)
    yield from record_unbroken(led)


def parts_agree(led: Ledgers) -> Findings:
    """I10: the parts of a text arrive all or say that they did not; and they agree with the text."""
    states: dict[object, list[str]] = {}
    for row in led.rows("part"):
        states.setdefault(row["message_id"], []).append(str(row["state"]))
    for row in led.rows("message"):
        parts = states.get(row["id"], [])
        if row["state"] in RANK and any(part not in RANK for part in parts):
            yield Finding("I10", f"{row['state']}, and its parts are {parts}", (row,))
        if not parts and row["state"] != "refused":
            yield Finding("I10", "a text without parts", (row,))


def in_order(led: Ledgers) -> Findings:
    """I11: first submits of one pair and urgency go in the order they were asked for; a moment asked for is its own."""
    first: dict[object, int] = {}
    for row in sorted(led.rows("attempt"), key=lambda row: int(str(row["id"]))):
        first.setdefault(row["message_id"], int(str(row["id"])))
    scheduled = {row["message_id"] for row in led.rows("message_event") if row["reason"] == "scheduled"}
    last: dict[tuple[object, object], int] = {}
    for row in sorted(led.rows("message"), key=lambda row: int(str(row["id"]))):
        if row["id"] not in first or row["id"] in scheduled:
            continue
        lane = (row["thread_id"], row["urgency"])
        if first[row["id"]] < last.get(lane, 0):
            yield Finding("I11", "went before an older text to the same person", (row,))
        last[lane] = max(first[row["id"]], last.get(lane, 0))


def only_allowed(led: Ledgers) -> Findings:
    """I12: nobody sees over the API what is not theirs, and everybody what is."""
    for line in led.told:
        if line["kind"] == "read" and not line["allowed"] and line["seen"]:
            yield Finding("I12", f"somebody saw {line['seen']} texts of another", (line,))
        if line["kind"] == "read" and line["allowed"] and not line["seen"]:
            yield Finding("I12", f"somebody does not see their own: {line['code']}", (line,))


INVARIANTS: dict[str, Callable[[Ledgers], Findings]] = {
    "I1": inputs_once,
    "I2": nothing_stuck,
    "I3": tried_once,
    "I4": no_phantom,
    "I5": no_denial,
    "I6": doubts_explained,
    "I7": stop_is_obeyed,
    "I8": never_too_early,
    "I9": all_written_down,
    "I10": parts_agree,
    "I11": in_order,
    "I12": only_allowed,
}


def check(led: Ledgers) -> list[Finding]:
    """All that is wrong with a run."""
    return [finding for invariant in INVARIANTS.values() for finding in invariant(led)]


def broken(findings: list[Finding]) -> set[str]:
    return {finding.invariant for finding in findings}
