"""Calls out of recorded files: the same stories told by AMI, CEL and CDR, in every layout, and with faults in them."""

import csv
import gzip
import io
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringback.asterisk.recordings import Fault, Kind, Layout, calls, kind_of
from ringback.core.calls import Call, Direction, Outcome, Presentation, Rang
from ringback.errors import ProtocolError
from tests.asterisk.scenes import LAB_INBOUND, SCENES, finished, scene

LAB = Layout("lab", LAB_INBOUND)
SHIPPED = Layout("office")
PAT = "+15125550123"
DID = "+12025550101"


def read(path: Path, layout: Layout = LAB) -> tuple[list[Call], list[Fault]]:
    faults: list[Fault] = []
    return list(calls(path, layout, faults.append)), faults


def well_read(path: Path, layout: Layout = LAB) -> list[Call]:
    found, faults = read(path, layout)
    assert faults == []
    return found


@pytest.fixture
def written(tmp_path: Path) -> Callable[[bytes | str], Path]:
    def write(content: bytes | str) -> Path:
        path = tmp_path / "recording"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


# -- one hour of the lab, recorded three ways at once

STORIES = {kind: SCENES / f"lab_stories.{kind}.gz" for kind in ("ami.txt", "cel.csv", "cdr.csv")}
# What the poorer records do not know: uniqueid, by AMI, by CEL, by CDR (None: as AMI; "-": no call from outside).
POORER = [
    ("lab-1795303820.11", Outcome.DECLINED, None, Outcome.MISSED),
    ("lab-1795303847.37", Outcome.QUEUE_GAVE_UP, None, Outcome.ABANDONED_IVR),
    ("lab-1795303854.39", Outcome.DEFLECTED, Outcome.QUEUE_GAVE_UP, Outcome.QUEUE_GAVE_UP),
    ("lab-1795303858.43", Outcome.DEFLECTED, Outcome.ABANDONED_IVR, Outcome.ABANDONED_IVR),
    ("lab-1795303861.45", Outcome.DEFLECTED, Outcome.ABANDONED_IVR, Outcome.ABANDONED_IVR),
    ("lab-1795303985.151", Outcome.DEFLECTED, Outcome.ABANDONED_IVR, Outcome.ABANDONED_IVR),
    ("lab-1795304003.172", Outcome.DEFLECTED, Outcome.ABANDONED_IVR, "-"),
    ("lab-1795304020.207", Outcome.BUSY, Outcome.MISSED, None),
    ("lab-1795304024.215", Outcome.VOICEMAIL_LEFT, Outcome.MISSED, Outcome.MISSED),
    ("lab-1795304053.231", Outcome.ANSWERED_ELSEWHERE, None, Outcome.MISSED),
    ("lab-1795304062.238", Outcome.DEFLECTED, Outcome.ABANDONED_QUEUE, "-"),
    ("lab-1795304139.288", Outcome.QUEUE_GAVE_UP, None, Outcome.ABANDONED_IVR),
    ("lab-1795304140.290", Outcome.QUEUE_GAVE_UP, None, Outcome.MISSED),
    ("lab-1795304150.298", Outcome.UNREACHABLE, Outcome.MISSED, None),
]


SENT_ON_WHILE_IT_RANG = "lab-1795304099.264"  # the CDR of what follows has the name of the phone that sent it on


@pytest.fixture(scope="module")
def told() -> dict[str, dict[str, Call]]:
    return {kind: {call.uniqueid: call for call in well_read(path)} for kind, path in STORIES.items()}


@pytest.mark.parametrize(("kind", "column"), [("cel.csv", 2), ("cdr.csv", 3)])
def test_cel_and_cdr_agree_with_the_live_stream_but_for_what_they_do_not_record(
    told: dict[str, dict[str, Call]], kind: str, column: int
) -> None:
    assert len(told["ami.txt"]) == 61
    poorer = {row[0]: row for row in POORER}
    for uniqueid, live in told["ami.txt"].items():
        expected: Outcome | str | None = poorer[uniqueid][column] if uniqueid in poorer else None
        if uniqueid in poorer:
            assert live.outcome is poorer[uniqueid][1]
        call = told[kind].get(uniqueid)
        assert (call.outcome if call else "-") == (expected or live.outcome), uniqueid
    assert set(told[kind]) <= set(told["ami.txt"])


@pytest.mark.parametrize("kind", ["cel.csv", "cdr.csv"])
def test_cel_and_cdr_tell_the_same_caller_time_and_ringing(told: dict[str, dict[str, Call]], kind: str) -> None:
    for uniqueid, call in told[kind].items():
        live = told["ami.txt"][uniqueid]
        assert (call.caller, call.linkedid, call.direction) == (live.caller, live.linkedid, Direction.INBOUND)
        assert call.did in (live.did, "")  # a menu or a transfer writes over the DID in a CDR
        assert abs(call.started_at - live.started_at) <= timedelta(seconds=1)
        assert call.ended_at is not None
        assert live.ended_at is not None
        if uniqueid != SENT_ON_WHILE_IT_RANG or kind != "cdr.csv":
            assert abs(call.ended_at - live.ended_at) <= timedelta(seconds=1)
        shown = Presentation.WITHHELD if live.caller == "anonymous" else Presentation.SHOWN
        assert call.presentation is shown


@pytest.mark.parametrize("kind", STORIES)
def test_calls_come_in_order_of_hang_up(told: dict[str, dict[str, Call]], kind: str) -> None:
    ends = [call.ended_at for call in told[kind].values() if call.ended_at]
    assert ends == sorted(ends)


@pytest.mark.parametrize(
    ("did", "extensions"),
    [
        pytest.param("+12025550104", {("101", "102", "103")}, id="ring group"),
        pytest.param("+12025550109", {("103",)}, id="a forward shows the phone at its end"),
    ],
)
@pytest.mark.parametrize("kind", STORIES)
def test_all_three_name_the_same_phones(
    told: dict[str, dict[str, Call]], kind: str, did: str, extensions: set[tuple[str, ...]]
) -> None:
    assert {call.extensions for call in told[kind].values() if call.did == did} == extensions


@pytest.mark.parametrize("kind", ["ami.txt", "cel.csv"])
def test_a_call_transferred_to_nobody_keeps_the_fact(told: dict[str, dict[str, Call]], kind: str) -> None:
    left = [call for call in told[kind].values() if call.transfer_unanswered]
    assert len(left) == 4
    assert {call.outcome for call in left} == {Outcome.ANSWERED}


# -- AMI


@pytest.mark.parametrize("name", ["big_mixed_200_calls", "queue_two_callers", "blind_transfer_refer"])
def test_an_ami_file_gives_what_the_tracker_gives(name: str, written: Callable[[bytes], Path]) -> None:
    packed = SCENES / f"{name}.ami.txt.gz"
    expected = [(call.uniqueid, call.outcome, call.ended_at) for call in finished(scene(name))]
    assert [(call.uniqueid, call.outcome, call.ended_at) for call in well_read(packed)] == expected
    bare = gzip.decompress(packed.read_bytes()).replace(b"\r\n", b"\n")
    assert [(call.uniqueid, call.outcome, call.ended_at) for call in well_read(written(bare))] == expected


def test_without_timestamps_the_ids_tell_the_time(written: Callable[[bytes], Path]) -> None:
    stream = gzip.decompress((SCENES / "queue_two_callers.ami.txt.gz").read_bytes())
    kept = b"\r\n".join(line for line in stream.split(b"\r\n") if not line.startswith(b"Timestamp:"))
    with_times = {call.uniqueid: call for call in finished(scene("queue_two_callers"))}
    for call in well_read(written(kept)):
        assert abs(call.started_at - with_times[call.uniqueid].started_at) < timedelta(seconds=1)
        assert call.outcome is Outcome.ABANDONED_QUEUE


def test_a_stream_that_was_cut_gives_the_calls_before(tmp_path: Path) -> None:
    whole = (SCENES / "big_mixed_200_calls.ami.txt.gz").read_bytes()
    path = tmp_path / "cut.gz"
    path.write_bytes(whole[: len(whole) * 2 // 3])
    found, faults = read(path)
    assert 0 < len(found) < 200
    assert [fault.why for fault in faults] == ["the gzip file is cut off or damaged"]


def test_garbage_in_a_stream_is_a_fault_and_reading_goes_on(written: Callable[[bytes], Path]) -> None:
    stream = gzip.decompress((SCENES / "missed_caller_hangs_up.ami.txt.gz").read_bytes())
    long = b"Event: Hangup\r\nUniqueid: " + b"x" * 10_000_000
    found, faults = read(written(b"\xff\xfe junk\r\n\r\n" + long + b"\r\n\r\n" + stream))
    assert [call.outcome for call in found] == [Outcome.MISSED]
    assert len(faults) == 2


# -- CDR in its layouts

START = "2026-07-01 09:00:00"
BASE: dict[str, Any] = {
    "accountcode": "",
    "src": PAT,
    "dst": DID,
    "dcontext": "from-trunk",
    "clid": f'"Pat" <{PAT}>',
    "channel": "PJSIP/trunk-00000001",
    "dstchannel": "PJSIP/101-00000002",
    "lastapp": "Dial",
    "lastdata": "PJSIP/101,20",
    "start": START,
    "answer": "",
    "end": "2026-07-01 09:00:18",
    "duration": 18,
    "billsec": 0,
    "disposition": "NO ANSWER",
    "amaflags": "DOCUMENTATION",
}
LINKED = {"uniqueid": "1782896400.1", "linkedid": "1782896400.1"}


def cdr(*rows: dict[str, Any], header: bool = False) -> str:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    if header:
        writer.writerow(rows[0])
    writer.writerows(row.values() for row in rows)
    return out.getvalue()


@pytest.mark.parametrize(
    ("trailing", "uniqueid"),
    [
        pytest.param([], "PJSIP/trunk-00000001", id="no ids: the channel names the call"),
        pytest.param(["1782896400.1"], "1782896400.1", id="uniqueid"),
        pytest.param(["1782896400.1", "some words"], "1782896400.1", id="uniqueid, userfield"),
        pytest.param(["1782896400.1", "1782896400.0"], "1782896400.1", id="uniqueid, linkedid"),
        pytest.param(
            ["pbx-a-1782896400.1", "", "", "pbx-a-1782896400.0", 7],
            "pbx-a-1782896400.1",
            id="all five, with a system name",
        ),
        pytest.param(["", "1782896400.0", 7], "1782896400.0", id="peeraccount, linkedid, sequence"),
    ],
)
def test_master_csv_is_read_in_all_its_widths(
    trailing: list[str], uniqueid: str, written: Callable[[str], Path]
) -> None:
    row = BASE | {f"more{place}": value for place, value in enumerate(trailing)}
    (call,) = well_read(written(cdr(row)), SHIPPED)
    assert (call.uniqueid, call.outcome, call.did, call.pbx) == (uniqueid, Outcome.MISSED, DID, "office")
    assert (call.rang, call.extensions) == (timedelta(seconds=18), ("101",))
    assert call.started_at == datetime(2026, 7, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "names",
    [
        pytest.param({}, id="the names of cdr_csv"),
        pytest.param({"start": "calldate", "end": None, "answer": None, "accountcode": None}, id="a table of FreePBX"),
        pytest.param(
            {"start": "StartTime", "end": "EndTime", "src": "Source", "dst": "Destination"}, id="names of AMI"
        ),
    ],
)
def test_a_header_row_names_the_columns_in_any_order(
    names: dict[str, str | None], written: Callable[[str], Path]
) -> None:
    renamed = [(names.get(name, name), value) for name, value in reversed((BASE | LINKED).items())]
    row = {name: value for name, value in renamed if name}
    (call,) = well_read(written(cdr(row, header=True)), SHIPPED)
    assert (call.outcome, call.caller, call.did) == (Outcome.MISSED, PAT, DID)
    assert call.ended_at == datetime(2026, 7, 1, 9, 0, 18, tzinfo=UTC)


def test_a_file_without_channels_goes_by_application(written: Callable[[str], Path]) -> None:
    rows = [
        {
            "start": START,
            "src": PAT,
            "dst": DID,
            "dcontext": "from-trunk",
            "lastapp": app,
            "disposition": "ANSWERED",
            "duration": 9,
            "billsec": 9,
            "uniqueid": f"1782896400.{number}",
        }
        for number, app in enumerate(("Dial", "Playback"))
    ]
    assert [call.outcome for call in well_read(written(cdr(*rows, header=True)), SHIPPED)] == [
        Outcome.ANSWERED,
        Outcome.ABANDONED_IVR,
    ]


ANSWERED = {"disposition": "ANSWERED", "answer": "2026-07-01 09:00:05", "billsec": 13}


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        pytest.param({}, Outcome.MISSED, id="rang, no answer"),
        pytest.param(ANSWERED, Outcome.ANSWERED, id="answered"),
        pytest.param(ANSWERED | {"billsec": 0}, Outcome.ANSWERED, id="answered for less than a second"),
        pytest.param({"disposition": "BUSY"}, Outcome.BUSY, id="busy"),
        pytest.param({"disposition": "BUSY", "dstchannel": ""}, Outcome.BUSY, id="busy without a phone"),
        pytest.param({"disposition": "FAILED"}, Outcome.UNREACHABLE, id="the phone failed"),
        pytest.param({"disposition": "FAILED", "dstchannel": ""}, Outcome.UNREACHABLE, id="no phone registered"),
        pytest.param(
            {"disposition": "FAILED", "dstchannel": "", "lastapp": "Hangup"}, Outcome.FAILED, id="nobody dialled"
        ),
        pytest.param({"disposition": "CONGESTION", "dstchannel": ""}, Outcome.UNREACHABLE, id="congestion"),
        pytest.param({"disposition": "NO ANSWER", "dstchannel": ""}, Outcome.MISSED, id="no answer without a phone"),
        pytest.param(ANSWERED | {"lastapp": "VoiceMail", "dstchannel": ""}, Outcome.MISSED, id="voicemail only"),
        pytest.param(ANSWERED | {"lastapp": "VoiceMail"}, Outcome.MISSED, id="voicemail after a phone, in one row"),
        pytest.param(ANSWERED | {"lastapp": "Queue", "lastdata": "sales,t"}, Outcome.ANSWERED, id="queue, an agent"),
        pytest.param(ANSWERED | {"lastapp": "Queue", "dstchannel": ""}, Outcome.ABANDONED_QUEUE, id="queue, nobody"),
        pytest.param({"lastapp": "Queue"}, Outcome.ABANDONED_QUEUE, id="queue, an agent rang"),
        pytest.param(ANSWERED | {"lastapp": "BackGround", "dstchannel": ""}, Outcome.ABANDONED_IVR, id="menu"),
        pytest.param(
            ANSWERED | {"lastapp": "FollowMe", "dstchannel": "Local/1@f-1;1"},
            Outcome.MISSED,
            id="follow-me, no phone behind",
        ),
    ],
)
def test_one_cdr_row_becomes_an_outcome(
    change: dict[str, Any], outcome: Outcome, written: Callable[[str], Path]
) -> None:
    (call,) = well_read(written(cdr(BASE | change | LINKED)), SHIPPED)
    assert call.outcome is outcome
    assert (call.answered_at is not None) is (outcome is Outcome.ANSWERED)


def later(seconds: int) -> str:
    return str(datetime.fromisoformat(START) + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("rows", "outcome", "phones"),
    [
        pytest.param(
            [{"dstchannel": "PJSIP/101-2"}, ANSWERED | {"dstchannel": "PJSIP/102-3"}, {"dstchannel": "PJSIP/103-4"}],
            Outcome.ANSWERED,
            "101:no_answer 102:answer 103:no_answer",
            id="ring group, one answers",
        ),
        pytest.param(
            [{"dstchannel": "PJSIP/101-2"}, {"dstchannel": "PJSIP/102-3", "disposition": "BUSY"}],
            Outcome.MISSED,
            "101:no_answer 102:busy",
            id="ring group, one busy",
        ),
        pytest.param(
            [{}, ANSWERED | {"lastapp": "VoiceMail", "dstchannel": "", "start": later(18), "end": later(40)}],
            Outcome.MISSED,
            "101:no_answer",
            id="then voicemail",
        ),
        pytest.param(
            [
                {"dstchannel": "Local/103@fw-1;1"},
                {"channel": "Local/103@fw-1;2", "dcontext": "fw", "uniqueid": "1782896400.3"},
            ],
            Outcome.MISSED,
            "101:no_answer",
            id="a Local half gives way to the phone behind it",
        ),
        pytest.param(
            [
                {"lastapp": "Queue", "end": later(9)},
                ANSWERED | {"lastapp": "Hangup", "dstchannel": "", "start": later(9)},
            ],
            Outcome.QUEUE_GAVE_UP,
            "101:no_answer",
            id="went on after the queue",
        ),
    ],
)
def test_several_rows_of_one_call_make_one_call(
    rows: list[dict[str, Any]], outcome: Outcome, phones: str, written: Callable[[str], Path]
) -> None:
    (call,) = well_read(written(cdr(*[BASE | LINKED | row for row in rows])), SHIPPED)
    assert (call.outcome, call.transfer_unanswered) == (outcome, False)
    assert " ".join(f"{leg.to}:{leg.rang}" for leg in call.legs) == phones


def test_answered_then_transferred_to_nobody(written: Callable[[str], Path]) -> None:
    sent_on = {
        "dcontext": "from-internal",
        "dst": "102",
        "dstchannel": "PJSIP/102-3",
        "start": later(18),
        "end": later(30),
    }
    (call,) = well_read(written(cdr(BASE | LINKED | ANSWERED, BASE | LINKED | sent_on)), SHIPPED)
    assert (call.outcome, call.transfer_unanswered, call.did) == (Outcome.ANSWERED, True, DID)
    assert [leg.rang for leg in call.legs] == [Rang.ANSWER, Rang.NO_ANSWER]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"dcontext": "from-internal", "src": "101", "channel": "PJSIP/101-1"}, id="a desk calls out"),
        pytest.param({"src": "101", "channel": "PJSIP/101-1"}, id="a desk with a caller's context, after a transfer"),
        pytest.param({"channel": "Local/x@from-trunk-1;1"}, id="the near half of a Local channel"),
    ],
)
def test_what_is_no_call_from_outside_gives_none(change: dict[str, Any], written: Callable[[str], Path]) -> None:
    assert well_read(written(cdr(BASE | LINKED | change)), SHIPPED) == []


def test_a_trunk_known_from_one_call_tells_the_others(written: Callable[[str], Path]) -> None:
    menu = ANSWERED | {
        "dcontext": "ivr-1",
        "dst": "2",
        "lastapp": "BackGround",
        "dstchannel": "",
        "channel": "PJSIP/trunk-9",
    }
    rows = [BASE | LINKED | menu | {"uniqueid": "1782896400.9", "linkedid": "1782896400.9"}, BASE | LINKED]
    found = well_read(written(cdr(*rows)), SHIPPED)
    assert {(call.outcome, call.did) for call in found} == {(Outcome.ABANDONED_IVR, ""), (Outcome.MISSED, DID)}


@pytest.mark.parametrize("number", ["anonymous", "", "<unknown>", "Restricted"])
def test_a_caller_without_a_number_is_withheld(number: str, written: Callable[[str], Path]) -> None:
    (call,) = well_read(written(cdr(BASE | LINKED | {"src": number, "clid": ""})), SHIPPED)
    assert (call.presentation, call.caller) == (Presentation.WITHHELD, number)


@pytest.mark.parametrize(
    ("zone", "hour"), [(ZoneInfo("America/New_York"), 13), (ZoneInfo("Europe/Berlin"), 7), (UTC, 9)], ids=str
)
@pytest.mark.parametrize("kind", [Kind.CDR, Kind.CEL])
def test_times_are_read_in_the_zone_that_is_given(
    kind: Kind, zone: ZoneInfo, hour: int, written: Callable[[str], Path]
) -> None:
    text = cdr(BASE | LINKED) if kind is Kind.CDR else cel(cel_row("CHAN_START"), cel_row("HANGUP"))
    (call,) = well_read(written(text), Layout("office", zone=zone))
    assert call.started_at == datetime(2026, 7, 1, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["2026-07-01 09:00:00.000000", "2026-07-01T09:00:00Z", "2026-07-01T11:00:00+02:00", "1782896400.000000"]
)
def test_times_are_read_in_their_forms(text: str, written: Callable[[str], Path]) -> None:
    (call,) = well_read(written(cdr(BASE | LINKED | {"start": text})), SHIPPED)
    assert call.started_at == datetime(2026, 7, 1, 9, tzinfo=UTC)


def by_end(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: str(row["end"]))


@pytest.mark.parametrize("order", [list, by_end], ids=["sorted by start", "sorted by end"])
def test_long_calls_come_out_when_they_end(
    order: Callable[[Iterable[dict[str, Any]]], list[dict[str, Any]]], written: Callable[[str], Path]
) -> None:
    rows = [
        BASE
        | {
            "start": later(60 * number),
            "end": later(60 * number + (7200 if number % 5 == 0 else 20)),
            "channel": f"PJSIP/trunk-{number:08x}",
            "uniqueid": f"1782896400.{number}",
        }
        for number in range(300)
    ]
    found = well_read(written(cdr(*order(rows))), SHIPPED)
    assert len(found) == 300
    ends = [call.ended_at for call in found if call.ended_at]
    assert ends == sorted(ends)


# -- CEL in its layouts


def cel_row(kind: str, extra: str = "", time: str = START, **change: str) -> dict[str, str]:
    row = {
        "eventtype": kind,
        "eventtime": time,
        "cid_name": "Pat",
        "cid_num": PAT,
        "cid_ani": "",
        "cid_rdnis": "",
        "cid_dnid": "",
        "exten": DID,
        "context": "from-trunk",
        "channame": "PJSIP/trunk-1",
        "appname": "",
        "appdata": "",
        "amaflags": "3",
        "accountcode": "",
        "uniqueid": "1782896400.1",
        "linkedid": "1782896400.1",
        "peer": "",
        "userfield": "",
        "userdeftype": "",
        "eventextra": extra,
    }
    return row | change


def cel(*rows: dict[str, str], header: bool = False) -> str:
    return cdr(*rows, header=header)


CANCELLED = '{"hangupcause":127,"hangupsource":"PJSIP/trunk-1","dialstatus":"CANCEL"}'
PHONE = {"channame": "PJSIP/101-2", "uniqueid": "1782896400.2", "context": "from-internal", "exten": "s"}
MISSED_IN_CEL = [cel_row("CHAN_START"), cel_row("CHAN_START", **PHONE), cel_row("HANGUP", CANCELLED)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(cel(*MISSED_IN_CEL), id="the columns of cel_custom"),
        pytest.param(cel(*MISSED_IN_CEL, header=True), id="a header row"),
        pytest.param(cel(*[dict(reversed(row.items())) for row in MISSED_IN_CEL], header=True), id="other order"),
        pytest.param(cel(*[dict(list(row.items())[:16]) for row in MISSED_IN_CEL]), id="without the last columns"),
    ],
)
def test_cel_is_read_in_its_layouts(text: str, written: Callable[[str], Path]) -> None:
    (call,) = well_read(written(text), SHIPPED)
    assert (call.outcome, call.caller, call.did, call.extensions) == (Outcome.MISSED, PAT, DID, ("101",))


def test_a_user_event_in_cel_tells_a_deflection(written: Callable[[str], Path]) -> None:
    rows = [cel_row("CHAN_START"), cel_row("USER_DEFINED", userdeftype="RingbackDeflect"), cel_row("HANGUP", "{}")]
    (call,) = well_read(written(cel(*rows)), SHIPPED)
    assert call.outcome is Outcome.DEFLECTED


# -- faults


@pytest.mark.parametrize(
    ("line", "why"),
    [
        pytest.param(b'"a","b"', "2 columns", id="too few columns"),
        pytest.param(b",".join([b'"a"'] * 40), "40 columns", id="too many columns"),
        pytest.param(
            cdr(BASE | {"start": "yesterday"}).strip().encode(), "Invalid isoformat string: 'yesterday'", id="no date"
        ),
        pytest.param(
            cdr(BASE | {"start": "9999-99-99 00:00:00"}).strip().encode(), "month must be in 1..12", id="no such month"
        ),
        pytest.param(
            cdr(BASE | {"end": "", "duration": "soon"}).strip().encode(),
            "invalid literal for int() with base 10: 'soon'",
            id="no number",
        ),
        pytest.param(cdr(BASE | {"disposition": "MAYBE"}).strip().encode(), "disposition 'MAYBE'", id="no disposition"),
        pytest.param(cdr(BASE).strip().encode().replace(b"Dial", b"Di\0al"), "holds a NUL byte", id="NUL"),
        pytest.param(b'"a quote that never ends', "a quote is not closed", id="open quote"),
        pytest.param(b'"' + b"x" * 10_000_000 + b'"', "longer than 131071 bytes", id="ten megabytes"),
    ],
)
def test_a_faulty_row_is_reported_with_its_line_and_the_rest_is_read(
    line: bytes, why: str, written: Callable[[bytes], Path]
) -> None:
    good = cdr(BASE | LINKED).encode()
    other = cdr(BASE | {"uniqueid": "1782896400.7"}).encode()
    found, faults = read(written(good + line + b"\n" + b"\n" + other), SHIPPED)
    assert len(found) == 2
    assert faults == [Fault(2, why)]


def test_a_faulty_row_of_cel_is_reported(written: Callable[[str], Path]) -> None:
    bad = cel(cel_row("ANSWER", time="noon"), {"a": "ANSWER"})
    found, faults = read(written(cel(MISSED_IN_CEL[0]) + bad + cel(*MISSED_IN_CEL[1:])), SHIPPED)
    assert len(found) == 1
    assert faults == [Fault(2, "not a time: 'noon'"), Fault(3, "1 column")]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="an empty file"),
        pytest.param(b"hello\n", id="a word"),
        pytest.param(b"\0\0\0", id="zeros"),
        pytest.param(b"a,b,c\n1,2,3\n", id="another table"),
        pytest.param(gzip.compress(b"x", mtime=0), id="a letter, packed"),
    ],
)
def test_what_is_no_recording_is_refused(content: bytes, written: Callable[[bytes], Path]) -> None:
    with pytest.raises(ProtocolError, match="neither an AMI stream, nor CEL or CDR"):
        read(written(content))


def test_the_kind_is_told_by_content() -> None:
    assert [kind_of(path) for path in STORIES.values()] == [Kind.AMI, Kind.CEL, Kind.CDR]


@given(
    changes=st.lists(
        st.tuples(
            st.sampled_from(
                [
                    "start",
                    "answer",
                    "end",
                    "duration",
                    "billsec",
                    "src",
                    "channel",
                    "dstchannel",
                    "lastapp",
                    "disposition",
                    "uniqueid",
                    "linkedid",
                    "dcontext",
                ]
            ),
            st.text(max_size=12)
            | st.sampled_from(["-1", "9" * 30, "0000-00-00 00:00:00", "ANSWERED", "FollowMe", "Local/a@b-1;1"]),
        ),
        max_size=12,
    ),
    kind=st.sampled_from(["cdr", "cel"]),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_cell_whatever_raises(changes: list[tuple[str, str]], kind: str, tmp_path: Path) -> None:
    base: dict[str, Any] = dict(MISSED_IN_CEL[0]) if kind == "cel" else BASE | LINKED
    rows = [base, *[base | {name: value} for name, value in changes if name in base], base]
    path = tmp_path / "recording"
    path.write_text(cdr(*rows, header=True), encoding="utf-8", newline="\n")
    found, faults = read(path, SHIPPED)
    assert len(found) + len(faults) <= len(rows) + 40
