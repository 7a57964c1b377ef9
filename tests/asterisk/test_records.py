"""The end of a file of CEL or CDR: only what a gap needs is read, whatever stands before it."""

import gzip
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ringback.asterisk import records
from ringback.asterisk.records import CallFile
from ringback.asterisk.rows import Layout
from ringback.core.calls import Presentation
from ringback.ports.callings import RecordsAway
from tests.asterisk.scenes import LAB_INBOUND, SCENES

LAB = Layout("lab", LAB_INBOUND, UTC, trust_caller_id=False)
START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def uid(number: int) -> str:
    return f"pbx-{1772000000 + number}.0"


def call(number: int, at: datetime, name: str = "Pat", told: str = "") -> str:
    """A missed call of ten seconds as CEL writes it; each takes three lines or four."""
    uniqueid, channel = uid(number), f"PJSIP/carrier-{number:08x}"
    caller = name.replace('"', '""')
    tail = f'"{uniqueid}","{uniqueid}","","","RingbackCall",'
    shown = f'"RingbackCall","{at:%F %T}","","","","","","","","","","","","",{tail}"{{""extra"":""{told}""}}"\n'
    rest = f'"{caller}","+15125550123","","","","+12025550101","from-carrier","{channel}"'

    def line(kind: str, seconds: int, extra: str = "") -> str:
        when = f"{at + timedelta(seconds=seconds):%F %T}"
        return f'"{kind}","{when}",{rest},"","","3","","{uniqueid}","{uniqueid}","","","","{extra}"\n'

    return line("CHAN_START", 0) + (shown if told else "") + line("HANGUP", 10, "{}") + line("CHAN_END", 10)


def written(path: Path, *texts: str) -> CallFile:
    path.write_text("".join(texts), "utf-8")
    return CallFile(path, LAB)


@pytest.fixture
def year(tmp_path: Path) -> CallFile:
    """A call an hour for four months."""
    return written(tmp_path / "Master.csv", *[call(hour, START + timedelta(hours=hour)) for hour in range(2880)])


@pytest.mark.parametrize("day", [0, 1, 59, 119], ids=lambda day: f"day {day}")
def test_the_calls_of_a_time_are_found_wherever_they_stand(year, day):
    found = year.ended_between(START + day * DAY, START + day * DAY + timedelta(hours=3))
    assert [call.uniqueid for call in found.calls] == [uid(24 * day + hour) for hour in range(3)]
    assert (found.faults, found.whole) == (0, True)


@pytest.mark.parametrize(
    "since",
    [pytest.param(START - 30 * DAY, id="before the first line"), pytest.param(START + 200 * DAY, id="behind the last")],
)
def test_a_time_without_calls_has_none(year, since):
    assert year.ended_between(since, since + DAY).calls == ()


def test_only_the_end_of_the_file_is_read(year, monkeypatch):
    taken = []
    whole = records._copy_end
    monkeypatch.setattr(
        records, "_copy_end", lambda path, part, *rest: (whole(path, part, *rest), taken.append(part.tell()))[0]
    )
    year.ended_between(START + 119 * DAY, START + 120 * DAY)
    assert max(taken) < year.path.stat().st_size / 50


def test_of_too_much_the_end_is_read_and_that_is_said(year, monkeypatch):
    monkeypatch.setattr(records, "MOST", 20_000)
    found = year.ended_between(START, START + 120 * DAY)
    assert found.whole is False
    assert found.calls[-1].uniqueid == uid(2879)
    assert 0 < len(found.calls) < 100


def test_a_caller_cannot_name_themselves_a_time(tmp_path):
    name = '2099-01-01 00:00:00","HANGUP","2099-01-01 00:00:00'
    file = written(
        tmp_path / "Master.csv",
        *[call(hour, START + timedelta(hours=hour), name=name) for hour in range(500)],
    )
    found = file.ended_between(START + 10 * DAY, START + 10 * DAY + timedelta(hours=1))
    assert [call.uniqueid for call in found.calls] == [uid(240)]


def test_a_file_that_was_rotated_in_the_gap_is_read_on(tmp_path):
    written(tmp_path / "Master.csv.1", call(1, START))
    file = written(tmp_path / "Master.csv", call(2, START + timedelta(minutes=1)))
    found = file.ended_between(START, START + timedelta(hours=1))
    assert [call.uniqueid for call in found.calls] == [uid(1), uid(2)]


def test_a_line_that_is_still_being_written_costs_nothing_else(tmp_path):
    file = written(tmp_path / "Master.csv", call(1, START), call(2, START + timedelta(minutes=1))[:-20])
    found = file.ended_between(START, START + timedelta(hours=1))
    assert [call.uniqueid for call in found.calls] == [uid(1), uid(2)]
    assert found.faults <= 1


@pytest.mark.parametrize(
    ("told", "presentation"),
    [
        pytest.param("", Presentation.UNKNOWN, id="nothing was told"),
        pytest.param("+12025550101|allowed_not_screened|||", Presentation.SHOWN, id="shown"),
        pytest.param("+12025550101|prohib_not_screened|||", Presentation.WITHHELD, id="withheld"),
        pytest.param("|||||||", Presentation.UNKNOWN, id="an empty telling"),
    ],
)
def test_what_the_include_told_is_read(tmp_path, told, presentation):
    (found,) = written(tmp_path / "Master.csv", call(1, START, told=told)).ended_between(START, START + DAY).calls
    assert found.presentation is presentation


@pytest.mark.parametrize("kind", ["cel", "cdr"])
def test_the_recorded_files_of_the_lab_give_the_same_calls_as_a_replay(tmp_path, kind):
    path = tmp_path / "Master.csv"
    with gzip.open(SCENES / f"lab_stories.{kind}.csv.gz") as packed, path.open("wb") as file:
        shutil.copyfileobj(packed, file)
    day = datetime(2026, 11, 21, tzinfo=UTC)
    all_of_them = CallFile(path, LAB).ended_between(day, day + 2 * DAY).calls
    replayed = list(records.calls(path, LAB, lambda fault: None))
    assert len(all_of_them) == len(replayed) > 20
    middle = sorted(call.ended_at for call in replayed)[len(replayed) // 2]
    later = CallFile(path, LAB).ended_between(middle, day + 2 * DAY).calls
    assert {call.uniqueid for call in later} == {call.uniqueid for call in replayed if call.ended_at >= middle}


@pytest.mark.parametrize(
    ("make", "why"),
    [
        pytest.param(lambda path: None, "there is no", id="no file"),
        pytest.param(lambda path: path.mkdir(), "cannot be read", id="a folder"),
        pytest.param(lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" * 9), "cannot be read", id="a picture"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path, make, why):
    make(tmp_path / "Master.csv")
    with pytest.raises(RecordsAway, match=why):
        CallFile(tmp_path / "Master.csv", LAB).ended_between(START, START + DAY)


def test_an_empty_file_has_no_calls(tmp_path):
    assert written(tmp_path / "Master.csv").ended_between(START, START + DAY).calls == ()
