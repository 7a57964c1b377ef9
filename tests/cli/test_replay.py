"""`ringback replay`: recordings of all three kinds, field by field as docs/replay.md says; nothing sent or stored."""

import gzip
import json
import random
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

SCENES = Path(__file__).parents[1] / "scenes"
TEXT = "Sorry we missed your call. Reply here and we will help. STOP to end"
FIELDS = [
    "v",
    "call",
    "linkedid",
    "pbx",
    "at",
    "caller",
    "did",
    "queue",
    "outcome",
    "rang_s",
    "waited_s",
    "rule",
    "decision",
    "reason",
    "until",
    "text",
]
CDR = '"","{src}","+12025550101","from-trunk","","PJSIP/carrier-{n:08x}","PJSIP/101-{n:08x}","Dial","PJSIP/101,25",'


def cdr(n, src, start, rang=10, talked=0, disposition=""):
    """A line of Master.csv; times are naive, as Asterisk writes them."""
    begun = datetime(2026, 11, 20, 12, 0) + timedelta(seconds=start)  # noqa: DTZ001  as in the file
    answer = f"{begun + timedelta(seconds=rang)}" if talked else ""
    end = begun + timedelta(seconds=rang + talked)
    said = disposition or ("ANSWERED" if talked else "NO ANSWER")
    times = f'"{begun}","{answer}","{end}",{rang + talked},{talked},"{said}","DOCUMENTATION","{1795300000 + n}.1",""'
    return CDR.format(src=src, n=n) + times + "\n"


@pytest.fixture
def master(tmp_path):
    def write(*rows, name="Master.csv"):
        file = tmp_path / name
        file.write_text("".join(rows))
        return str(file)

    return write


@pytest.fixture
def replayed(ringback):
    def run(*arguments):
        ran = ringback("replay", "--json", *map(str, arguments))
        assert ran.code == 0, ran.err
        return [json.loads(line) for line in ran.out.splitlines()]

    return run


def test_a_scene_field_by_field(replayed):
    (line,) = replayed(SCENES / "missed_ring_timeout.ami.txt.gz")
    assert line == {
        "v": 1,
        "call": "lab-1795297806.3",
        "linkedid": "lab-1795297806.3",
        "pbx": "",
        "at": "2026-11-21T21:50:16.173+00:00",
        "caller": "+15125550123",
        "did": "+12025550106",
        "queue": None,
        "outcome": "missed",
        "rang_s": 8,
        "waited_s": None,
        "rule": "example",
        "decision": "send",
        "reason": "allowed",
        "until": None,
        "text": TEXT,
    }
    assert list(line) == FIELDS


@pytest.mark.parametrize(
    ("scene", "fields"),
    [
        pytest.param(
            "queue_abandon.ami",
            {"outcome": "abandoned_queue", "queue": "support", "waited_s": 4, "decision": "send"},
            id="gave up in a queue",
        ),
        pytest.param(
            "answered.ami", {"decision": "none", "reason": "answered", "rule": None, "text": None}, id="answered"
        ),
        pytest.param(
            "told_withheld.ami",
            {"decision": "suppress", "reason": "withheld", "rule": "example", "text": None},
            id="the recording says the number is hidden",
        ),
        pytest.param(
            "anonymous_caller.ami", {"caller": None, "decision": "suppress", "reason": "withheld"}, id="no number"
        ),
    ],
)
def test_what_scenes_say(replayed, scene, fields):
    (line,) = replayed(SCENES / f"{scene}.txt.gz")
    assert {key: line[key] for key in fields} == fields


RECORDINGS = ["lab_stories.cdr.csv.gz", "lab_stories.cel.csv.gz", "big_mixed_200_calls.ami.txt.gz"]


@pytest.mark.parametrize("name", RECORDINGS)
def test_every_line_keeps_to_its_form(replayed, name):
    lines = replayed(SCENES / name)
    assert len(lines) > 50
    for line in lines:
        assert list(line) == FIELDS
        assert line["v"] == 1
        assert datetime.fromisoformat(line["at"]).tzinfo is not None
        assert line["caller"] is None or re.fullmatch(r"\+[1-9][0-9]{6,14}", line["caller"])
        assert isinstance(line["rang_s"], int)
        assert line["decision"] in ("send", "defer", "suppress", "none")
        assert (line["text"] is not None) == (line["decision"] == "send")
        assert (line["rule"] is None) == (line["decision"] == "none")
        assert (line["until"] is not None) == (line["reason"] == "cool_down")


@pytest.mark.parametrize("name", RECORDINGS)
def test_lines_stand_in_order_of_hang_up(replayed, name):
    moments = [line["at"] for line in replayed(SCENES / name)]
    assert moments == sorted(moments)


def test_several_files_are_one_story_whatever_their_order(replayed, master):
    older = master(cdr(1, "+15125550123", 0), name="Master.csv.1")
    newer = master(cdr(2, "+15125550123", 3600), name="Master.csv")
    assert [(line["call"], line["reason"]) for line in replayed(newer, older)] == [
        ("1795300001.1", "allowed"),
        ("1795300002.1", "cool_down"),
    ]


def test_the_cool_down_goes_by_the_clock_of_the_recording(replayed, master):
    day = 24 * 3600
    rows = [cdr(n, "+15125550123", start) for n, start in enumerate((0, day, day + 60))]
    lines = replayed(master(*rows))
    assert [line["reason"] for line in lines] == ["allowed", "cool_down", "allowed"]
    # ten seconds of ringing, twenty of delay, a day of rest
    assert lines[1]["until"] == "2026-11-21T12:00:30.000+00:00"


def test_the_table_for_people(ringback, master):
    rows = [cdr(1, "+15125550123", 0), cdr(2, "+15125550123", 60), cdr(3, "+15125550124", 90, talked=30)]
    assert ringback("replay", master(*rows)).lines == [
        "2026-11-20 12:00:10  +15125550123     -> +12025550101  missed           send      allowed [example]",
        "2026-11-20 12:01:10  +15125550123     -> +12025550101  missed           suppress  cool_down [example]",
        "2026-11-20 12:02:10  +15125550124     -> +12025550101  answered         none      answered",
        "",
        "       1  send allowed",
        "       1  suppress cool_down",
        "       1  none answered",
        "       3  calls, 1 text. Nothing was sent or stored. Times are UTC.",
        "Where a recording does not tell whether callers withheld their numbers, they count as shown.",
    ]


def test_what_cannot_be_read_goes_to_standard_error_and_reading_goes_on(ringback, master):
    file = master(cdr(1, "+15125550123", 0), "garbage\x1b[2J\n", cdr(2, "+15125550124", 60, disposition="WHO\x1b[2J"))
    ran = ringback("replay", "--json", file)
    assert ran.code == 0
    assert [json.loads(line)["call"] for line in ran.out.splitlines()] == ["1795300001.1"]
    assert ran.err.splitlines() == [
        f"{file}:2: left out: 1 column",
        f"{file}:3: left out: disposition 'WHO\\x1b[2J'",
    ]


def test_a_gzip_file_that_was_cut_tells_what_it_had(ringback, tmp_path):
    file = tmp_path / "cut.gz"
    rng = random.Random(7)
    rows = "".join(cdr(n, f"+1512555{rng.randrange(10000):04}", n * 60) for n in range(3000))
    packed = gzip.compress(rows.encode())
    file.write_bytes(packed[: len(packed) // 2])
    ran = ringback("replay", "--json", str(file))
    assert ran.code == 0
    assert len(ran.out.splitlines()) > 500
    assert "the gzip file is cut off or damaged" in ran.err


@pytest.mark.parametrize(
    ("make", "code", "says"),
    [
        pytest.param(lambda file: None, 2, "cannot be read: No such file or directory", id="not there"),
        pytest.param(Path.mkdir, 2, "cannot be read: Is a directory", id="a folder"),
        pytest.param(Path.touch, 1, "neither an AMI stream, nor CEL or CDR as CSV", id="empty"),
        pytest.param(lambda file: file.write_bytes(bytes(range(256)) * 99), 1, "neither an AMI stream", id="bytes"),
    ],
)
def test_a_file_that_is_none_is_an_error_in_one_line(ringback, master, tmp_path, make, code, says):
    file = tmp_path / "strange"
    make(file)
    ran = ringback("replay", "--json", master(cdr(1, "+15125550123", 0)), str(file))
    assert (ran.code, ran.out) == (code, "")
    assert says in ran.err
    assert ran.err.count("\n") == 1


def test_your_own_rules_zone_and_numbers(place, replayed, master):
    rows = [
        cdr(1, "+15125550123", 0),
        cdr(2, "+15125550124", 9 * 3600),
        cdr(3, "+15125550125", 60).replace("50101", "50199"),
    ]
    lines = replayed("--config", place.file, master(*rows))
    assert [(line["rule"], line["reason"], line["pbx"], line["at"]) for line in lines] == [
        ("missed", "allowed", "main", "2026-11-20T17:00:10.000+00:00"),
        ("missed", "number_unknown", "main", "2026-11-20T17:01:10.000+00:00"),
        ("evening", "allowed", "main", "2026-11-21T02:00:10.000+00:00"),
    ]
    assert lines[0]["text"] == "Sorry we missed you, Northlight. STOP to end"


def test_the_table_shows_the_time_of_the_business(place, ringback, master):
    ran = ringback("replay", "--config", str(place.file), master(cdr(1, "+15125550123", 0)))
    assert ran.lines[0].startswith("2026-11-20 12:00:10  ")
    assert "Times are America/New_York." in ran.out


def test_a_bad_configuration_is_told_before_anything_is_read(place, ringback, master):
    place.change('zone = "America/New_York"', 'zone = "Mars"')
    ran = ringback("replay", "--config", str(place.file), master(cdr(1, "+15125550123", 0)))
    assert (ran.code, ran.out) == (2, "")


def test_another_country_reads_its_own_numbers(replayed, master):
    (line,) = replayed("--country", "GB", master(cdr(1, "07400123456", 0)))
    assert line["caller"] == "+447400123456"


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["for people", "as JSON"])
def test_nothing_in_a_recording_moves_the_cursor_or_begins_a_line(ringback, master, form):
    row = cdr(1, "+15125550123", 0).replace("+12025550101", "9\x1b[2J\u2028\x9b1m\u202e")
    ran = ringback("replay", *form, master(row))
    assert ran.code == 0
    assert all(line.isprintable() for line in ran.out.splitlines())
    assert sum("missed" in line for line in ran.out.splitlines()) == 1


def test_nothing_is_sent_and_nothing_is_stored(place, replayed, master):
    before = sorted(place.folder.rglob("*"))
    file = master(cdr(1, "+15125550123", 0))
    replayed("--config", place.file, file)
    assert sorted(place.folder.rglob("*")) == sorted([*before, Path(file)])


def test_the_clock_of_the_machine_does_not_count(replayed, master):
    """Calls from last century are not too old, and those to come are not too new."""
    rows = [cdr(1, "+15125550123", 0).replace("2026-", "1999-"), cdr(2, "+15125550124", 0).replace("2026-", "2099-")]
    assert [line["reason"] for line in replayed(master(*rows))] == ["allowed", "allowed"]
    assert datetime.now(UTC).year < 2099
