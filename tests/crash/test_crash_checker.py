"""The checker alone: ledgers made by hand, first in order, then each with one thing wrong that it must find."""

import copy
import hashlib
import hmac
import json
from collections.abc import Callable

import pytest

from tests.crash.checker import broken, check
from tests.crash.ledgers import TABLES, Ledgers

US = 1_000_000
NOON = 1_795_000_000 * US
PAIR = {"did": "+12025550101", "to": "+15125550123"}
KEY = b"a key that is not in the database"
MORE = ("192.0.2.7", "req_1", "", "")


def sound() -> Ledgers:
    """One text that a program asked for and one HELP with its answer, from the first word to the receipt."""
    led = Ledgers("")
    tables: dict[str, list[dict[str, object]]] = {table: [] for table in TABLES}
    tables["number"] = [{"id": 1, "e164": PAIR["did"]}]
    tables["thread"] = [{"id": 1, "number_id": 1, "peer": PAIR["to"]}]
    tables["incoming"] = [{"id": 1, "thread_id": 1, "body": "HELP", "command": "help"}]
    tables["inbound_raw"] = [{"id": 1, "provider_id": "SM1", "incoming_id": 1}]
    for number, body in ((1, "It is ready."), (2, "Northlight. STOP to end")):
        answers = number == 2
        tables["message"].append(
            {
                "id": number,
                "public_id": f"msg_{number}",
                "thread_id": 1,
                "body": body,
                "state": "delivered",
                "reason": None,
                "not_before": NOON,
                "expires_at": NOON + 3600 * US,
                "call_id": None,
                "answers_id": 1 if answers else None,
                "command": "help" if answers else "",
                "urgency": 0 if answers else 3,
                "doubt": "once",
                "resends": 0,
            }
        )
        tables["part"].append({"id": number, "message_id": number, "state": "delivered"})
        tables["attempt"].append(
            {
                "id": number,
                "public_id": f"att_{number}",
                "part_id": number,
                "message_id": number,
                "opened_at": NOON + number * US,
                "closed_at": NOON + number * US + 1000,
                "outcome": "accepted",
                "cause": "",
                "provider_id": f"SM9{number}",
            }
        )
        tables["receipt"].append({"provider_id": f"SM9{number}", "status": "delivered"})
        for place, state in enumerate(("queued", "submitting", "accepted", "delivered")):
            event = {"id": number * 10 + place, "message_id": number, "state": state, "reason": None, "at": NOON}
            tables["message_event"].append(event)
        led.carrier.append({"kind": "text", "attempt": f"att_{number}", "to": PAIR["to"], "way": "takes"})
        led.told.append({"kind": "receipt", "sid": f"SM9{number}", "status": "delivered", "code": 200, "at": NOON})
    asked = {"key": "one", "body": "It is ready.", **PAIR, "at": NOON}
    led.told += [{"kind": "ask", **asked}, {"kind": "api", "code": 201, "id": "msg_1", "not_before": 0, **asked}]
    hook = {"kind": "hook", "sid": "SM1", "sender": PAIR["to"], "to": PAIR["did"], "body": "HELP"}
    led.told.append({**hook, "code": 200, "at": NOON})
    led.__dict__["tables"] = tables
    recorded(led)
    return led


def row(led: Ledgers, table: str, **change: object) -> None:
    led.tables[table][0].update(change)


def again(led: Ledgers, table: str, **change: object) -> None:
    led.tables[table].append({**led.tables[table][0], **change})


def in_doubt(led: Ledgers) -> None:
    """The first text is in doubt, and everything agrees on it but that nothing happened."""
    row(led, "message", state="unconfirmed")
    row(led, "part", state="unconfirmed")
    row(led, "attempt", outcome="unconfirmed", provider_id=None)
    led.tables["message_event"][2:4] = [{"id": 12, "message_id": 1, "state": "unconfirmed", "reason": None, "at": NOON}]
    led.told[:] = [line for line in led.told if line.get("sid") != "SM91"]


def tried_again(led: Ledgers, outcome: str) -> None:
    row(led, "attempt", outcome=outcome)
    again(led, "attempt", id=3, public_id="att_3", outcome="accepted", opened_at=NOON + 3 * US)


def stop_before(led: Ledgers) -> None:
    led.told.append(
        {"kind": "hook", "sid": "SM2", "sender": PAIR["to"], "to": PAIR["did"], "body": "STOP", "code": 200}
    )
    led.told[-1]["at"] = NOON
    led.tables["opt_out_event"].append({"thread_id": 1, "kind": "opt_out", "at": NOON - 1})
    again(led, "inbound_raw", id=2, provider_id="SM2", incoming_id=2)
    again(led, "incoming", id=2, body="STOP", command="stop")


def recorded(led: Ledgers) -> None:
    """Four rows of the record, sealed as docs/audit.md says: one of before there was a key, and three with it.

    The last seals the steps of the second text.
    """
    steps = [
        [row["id"], row["message_id"], row["at"], row["state"], row["reason"]] for row in led.tables["message_event"]
    ]
    lines = [("anna", "login", "", ""), ("anna", "login", "", ""), ("anna", "logout", "", "")]
    lines.append(("daemon", "digest", "message_event 20-23 (4)", sealed(steps[4:])))
    before = ""
    for number, words in enumerate(lines, 1):
        before = sealed([before, NOON, *words]) if number == 1 else keyed([before, number, NOON, *words, *MORE])
        row = dict(zip(("who", "action", "about", "detail"), words, strict=True))
        more = dict(zip(("source", "request", "before", "after"), MORE, strict=True))
        led.tables["audit"].append({"id": number, "at": NOON, **row, **(more if number > 1 else {}), "chain": before})
    led.keys = {"ab12cd34": KEY}


def keyed(what: object) -> str:
    data = json.dumps(what, separators=(",", ":")).encode()
    return f"2:ab12cd34:{hmac.new(KEY, data, hashlib.sha256).hexdigest()}"


def sealed(what: object) -> str:
    return hashlib.sha256(json.dumps(what, separators=(",", ":")).encode()).hexdigest()


def another_call(led: Ledgers, heard_twice: int) -> None:
    led.pbx.append({"kind": "call", "uniqueid": "1.1", "at": NOON})
    led.tables["call"] += [{"id": number, "uniqueid": "1.1"} for number in range(heard_twice)]


ODD: list[tuple[str, str, Callable[[Ledgers], object]]] = [
    ("I1", "a request is gone", lambda led: row(led, "message", public_id="msg_7")),
    ("I1", "a request is stored as another", lambda led: row(led, "message", body="Something else.")),
    ("I1", "one key has two texts", lambda led: led.told.append({**led.told[3], "id": "msg_2"})),
    ("I1", "a request is stored twice", lambda led: again(led, "message", id=3, public_id="msg_3")),
    ("I1", "an incoming text is gone", lambda led: led.tables["inbound_raw"].clear()),
    ("I1", "an incoming text is here twice", lambda led: again(led, "incoming", id=2)),
    ("I1", "a HELP has no answer", lambda led: led.tables["message"][1].update(answers_id=None)),
    ("I1", "a receipt is gone", lambda led: led.tables["receipt"].pop()),
    ("I1", "a receipt has no effect", lambda led: row(led, "message", state="accepted")),
    ("I1", "a call is gone, and no gap says so", lambda led: another_call(led, 0)),
    ("I1", "a call is here twice", lambda led: another_call(led, 2)),
    ("I2", "a text stays on its way", lambda led: row(led, "message", state="submitting")),
    ("I2", "an attempt has no end", lambda led: row(led, "attempt", outcome=None)),
    ("I3", "an attempt is submitted twice", lambda led: led.carrier.append(led.carrier[0])),
    ("I3", "tried again after a doubt", lambda led: tried_again(led, "unconfirmed")),
    ("I3", "an attempt that nobody knows", lambda led: led.carrier.append({**led.carrier[0], "attempt": "att_9"})),
    ("I4", "the carrier never had it", lambda led: led.carrier.pop(0)),
    ("I5", "the carrier has it and it is failed", lambda led: row(led, "message", state="failed")),
    ("I5", "the carrier has it and it is queued", lambda led: row(led, "message", state="queued")),
    ("I6", "in doubt though nothing happened", in_doubt),
    ("I6", "known, and its attempt is in doubt", lambda led: row(led, "attempt", outcome="unconfirmed")),
    ("I7", "opened after a STOP", stop_before),
    ("I8", "opened before its moment", lambda led: led.told[3].update(not_before=NOON + 100 * US)),
    ("I8", "opened when its time is over", lambda led: row(led, "message", expires_at=NOON)),
    ("I9", "a step is not written down", lambda led: led.tables["message_event"].pop(3)),
    ("I9", "a step that cannot be", lambda led: led.tables["message_event"][2].update(state="cancelled")),
    ("I9", "a row of the record was changed", lambda led: row(led, "audit", who="ben")),
    ("I9", "a row of the record was taken out", lambda led: led.tables["audit"].pop(1)),
    ("I9", "a row of the record was put in", lambda led: again(led, "audit", id=5)),
    ("I9", "the end of the record was sealed without the key", lambda led: led.keys.update(ab12cd34=b"of somebody")),
    ("I9", "a step was changed after it was sealed", lambda led: led.tables["message_event"][5].update(at=1)),
    ("I10", "a part lags behind", lambda led: row(led, "part", state="failed")),
    (
        "I11",
        "a younger one went first",
        lambda led: led.tables["message"][1].update(urgency=3) or row(led, "attempt", id=9),
    ),
    (
        "I12",
        "seen by somebody else",
        lambda led: led.told.append({"kind": "read", "allowed": False, "seen": 1, "at": NOON}),
    ),
    (
        "I12",
        "not seen by its owner",
        lambda led: led.told.append({"kind": "read", "allowed": True, "seen": 0, "code": 404, "at": NOON}),
    ),
]


def test_crash_checker_finds_nothing_in_a_run_in_order() -> None:
    assert check(sound()) == []


@pytest.mark.parametrize(("invariant", "change"), [pytest.param(one, do, id=f"{one} {why}") for one, why, do in ODD])
def test_crash_checker_finds(invariant: str, change: Callable[[Ledgers], object]) -> None:
    led = copy.deepcopy(sound())
    change(led)
    assert invariant in broken(check(led))


def test_crash_checker_accepts_a_second_try_by_a_policy_that_says_so() -> None:
    led = sound()
    tried_again(led, "unconfirmed")
    led.carrier.append({**led.carrier[0], "attempt": "att_3"})
    row(led, "message", doubt="deliver", resends=1)
    assert check(led) == []


def test_crash_checker_accepts_a_doubt_that_a_crash_explains() -> None:
    led = sound()
    in_doubt(led)
    led.faults.append({"kind": "kill", "at": NOON + US + 500, "window": 16})
    assert check(led) == []
