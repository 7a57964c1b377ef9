"""`ringback list` and `ringback staging` as their user meets them: files in, lines out, nothing half done."""

import json

import pytest

from ringback.core.list_rows import Row
from ringback.flow.lists import staged
from ringback.list_parcels import NoParcel, packed, unpack
from ringback.ports.lists import ListName
from ringback.store.database import peek
from tests.conftest import NOON

PAT = "+15125550123"


class Ready:
    """A place with a database, and commands in it."""

    def __init__(self, place, ringback) -> None:
        place.migrate()
        self.folder, self.url, self.run = place.folder, place.url, ringback


@pytest.fixture
def ready(place, ringback):
    return Ready(place, ringback)


def test_a_number_is_put_on_a_list_and_taken_off(ready):
    assert (
        ready.run("list", "add", "never", "(512) 555-0123", "--why", "my brother\x1b[2J").out
        == f"{PAT} is on the list never\n"
    )
    shown = ready.run("list", "show", PAT)
    assert PAT in shown.out
    assert "my brother" in shown.out
    assert "\x1b" not in shown.out
    assert ready.run("list", "show", "never").out == shown.out
    assert ready.run("list", "remove", "never", PAT).out == f"{PAT} is off the list never\n"
    gone = ready.run("list", "show", PAT)
    assert (gone.code, gone.err) == (1, f"{PAT} is on no list\n")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        pytest.param(["remove", "never", PAT], 1, "is not on the list never", id="not on it"),
        pytest.param(["add", "never", "12 34"], 2, "is no phone number", id="no number"),
        pytest.param(["add", "friends", PAT], 2, "", id="no such list"),
        pytest.param(["import", "never", "none.csv"], 2, "No such file", id="no such file"),
    ],
)
def test_what_cannot_be_done_says_why(ready, words, code, says):
    done = ready.run("list", *words)
    assert done.code == code
    assert says in done.err


def test_taking_back_what_somebody_said_takes_a_word(ready):
    assert ready.run("list", "add", "stopped", PAT).code == 0
    refused = ready.run("list", "remove", "stopped", PAT)
    assert (refused.code, "how this person asked" in refused.err) == (1, True)
    assert ready.run("list", "remove", "stopped", PAT, "--why", "a letter").code == 0


def test_an_import_says_what_it_would_do_and_then_does_it(ready):
    file = ready.folder / "old.csv"
    file.write_text(f"phone;date;reason\n{PAT};2024-05-06;STOP\n5125550123;2024-05-07;again\n5125550124;;\n", "utf-8")
    first = ready.run("list", "import", "stopped", str(file))
    assert first.out == (
        "3 lines: 2 new on the list stopped, 0 there already, 1 said twice\nnothing is stored yet; --apply does it\n"
    )
    assert ready.run("list", "show", PAT).code == 1
    done = ready.run("list", "import", "stopped", str(file), "--apply")
    assert done.out.endswith("2 numbers put on the list stopped, 0 there already\n")
    assert "since 2024-05-07" in ready.run("list", "show", PAT).out
    again = ready.run("list", "import", "stopped", str(file), "--apply")
    assert "1 new on the list stopped, 1 there already" in again.out, "one without a date is of just now"


def test_a_file_with_one_wrong_line_stores_nothing(ready):
    file = ready.folder / "old.csv"
    file.write_text(f"number\n{PAT}\n=1+1\n12 34\n", "utf-8")
    done = ready.run("list", "import", "never", str(file), "--apply")
    assert done.code == 1
    assert done.err.splitlines() == [
        "line 3, number: The cell begins with a formula (=1+1). Write what it shall say.",
        "line 4, number: 12 34 is no phone number.",
    ]
    assert "2 faults: nothing is imported" in done.out
    assert ready.run("list", "show", "never").out == ""


def test_staging_is_turned_and_audited(ready):
    assert ready.run("staging", "on").out == "staging is on: only numbers on the list only are texted\n"
    assert peek(ready.url, staged) is not None
    assert ready.run("staging", "off").out == "staging is off\n"
    assert peek(ready.url, staged) is None


def test_explain_tells_of_the_lists_somebody_is_on(ready):
    ready.run("list", "add", "never", PAT, "--why", "my brother")
    told = ready.run("explain", PAT)
    assert told.out.splitlines()[0] == f"{PAT} is on the list never: never texted"
    assert "my brother" in told.out
    (listed,) = json.loads(ready.run("explain", PAT, "--json").out)["lists"]
    assert (listed["number"], listed["reason"]) == (PAT, "my brother")


def test_a_parcel_comes_out_as_it_went_in_and_is_gone(tmp_path):
    rows = [Row(2, PAT, NOON, 'say "no"\n', "x"), Row(3, "+15125550124", None, "", "")]
    with packed(tmp_path, ListName.STOPPED, rows, "file old.csv") as name:
        assert unpack(tmp_path, name) == (ListName.STOPPED, rows, "file old.csv")
        assert (tmp_path / name).stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "list-import-" + "0" * 32 + ".jsonl"])
def test_a_file_that_is_no_parcel_is_not_read(tmp_path, name):
    with pytest.raises(NoParcel):
        unpack(tmp_path, name)
