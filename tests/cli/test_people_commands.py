"""`ringback user`, `department` and `number` for people and numbers; with a daemon and without one."""

import asyncio

import pytest

from tests.fakes.ami import FakePbx

MAIN = "+12025550101"


@pytest.fixture
def town(place, ringback):
    """ana administers; Sales has East in it, where ben is."""
    for words in (
        ("user", "add", "ana", "--no-password"),
        ("user", "add", "ben", "--no-password", "--extension", "101"),
        ("department", "add", "Sales"),
        ("department", "add", "East", "--in", "Sales"),
        ("department", "join", "101", "Sales/East"),
    ):
        ran = ringback(*words)
        assert ran.code == 0, ran.err
    return place


def test_somebody_without_a_password_is_told_to_have_none(place, ringback):
    ran = ringback("user", "add", "ana", "--no-password", "--role", "administrator", "--role", "agent")
    assert ran.out == "added ana, administrator agent; without a password they cannot log in with one\n"


def test_what_is_said_of_somebody_is_changed(town, ringback):
    assert ringback("user", "edit", "ben", "--name", "Ben N.", "--mobile", "(202) 555-0147").out == "ben is changed\n"
    assert ringback("user", "edit", "ben", "--name", "Ben N.").out == "ben is as before\n"
    assert ringback("user", "role", "ben", "supervisor", "agent").out == (
        "ben is supervisor agent from the next login on\n"
    )
    (line,) = ringback("user", "list", "--role", "supervisor").lines
    assert line.split() == ["ben", "supervisor", "agent", "may", "log", "in", "101", "Ben", "N."]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        pytest.param(("user", "edit", "ben", "--mail", "x"), 1, "This is no mail address", id="no mail address"),
        pytest.param(
            ("user", "edit", "ana", "--extension", "101"), 1, "ben has this extension", id="one that is taken"
        ),
        pytest.param(("user", "role", "ana", "agent"), 1, "the last administrator", id="the last administrator"),
        pytest.param(("user", "role", "ben", "boss"), 2, "boss", id="no such role"),
        pytest.param(("user", "list", "--department", "West"), 2, "no department 'West'", id="no such department"),
        pytest.param(("department", "move", "Sales", "--in", "East"), 1, "Sales/East/Sales", id="a circle"),
        pytest.param(("department", "add", "east"), 1, "at Sales/East", id="a name twice"),
        pytest.param(("department", "join", "nobody", "East"), 1, "no such user", id="nobody to join"),
        pytest.param(("department", "remove", "West"), 1, "no such department", id="nothing to remove"),
        pytest.param(("number", "own", MAIN), 2, "--owner", id="an owner that is nobody"),
        pytest.param(("number", "own", MAIN, "--owner", "West"), 1, "no such user or department", id="no such owner"),
        pytest.param(("number", "label", "+12025550177", "x"), 1, "no such number", id="no number of ours"),
        pytest.param(("number", "outbound", "+12025550177"), 2, "not configured any more", id="nor to send from"),
        pytest.param(("number", "put", MAIN, "Miami"), 1, "no such group", id="no such group"),
        pytest.param(("user", "import", "nothing.csv"), 2, "No such file", id="no file"),
        pytest.param(
            ("user", "import", "asterisk", "--pbx", "x"), 2, "say which PBX with --pbx: main", id="no such PBX"
        ),
    ],
)
def test_what_cannot_be_says_why(town, ringback, words, code, says):
    ran = ringback(*words)
    assert (ran.code, says in ran.err + ran.out) == (code, True), ran


def test_the_tree_and_who_is_in_it(town, ringback):
    assert ringback("department", "list").lines == ["Sales  (1 person)", "  East  (1 person)"]
    assert [line.split()[0] for line in ringback("user", "list", "--department", "Sales").lines] == ["ben"]
    assert ringback("department", "rename", "East", "Coast").out == "East is called Coast now\n"
    assert ringback("department", "move", "Coast").out == "Coast stands at Coast\n"
    assert ringback("department", "leave", "ben", "Coast").out == "ben is not in Coast any more\n"


def test_removing_says_first_what_goes(town, ringback):
    assert ringback("department", "remove", "East").lines == [
        "0 grants of its own go with it",
        "1 member move up to Sales",
        "Nothing is removed yet: add --yes.",
    ]
    assert ringback("department", "remove", "East", "--yes").out == "removed East\n"
    assert ringback("department", "list").lines == ["Sales  (1 person)"]


def test_a_number_is_labelled_grouped_and_owned(town, ringback):
    for words in (
        ("number", "label", MAIN, "Main line"),
        ("number", "group", "add", "Miami"),
        ("number", "put", MAIN, "miami"),
        ("number", "group", "rename", "Miami", "Florida"),
        ("number", "own", MAIN, "--owner", "Sales/East"),
        ("number", "outbound", MAIN),
    ):
        ran = ringback(*words)
        assert ran.code == 0, ran.err
    first, second = (line.split() for line in ringback("number", "list").lines)
    assert first[:5] == [MAIN, "Main", "line", "Florida", "Sales/East"]
    assert " ".join(first[5:]) == "2 may send, 2 may read new texts go out from it"
    assert second[:4] == ["+12025550102", "-", "-", "nobody"]
    ran = ringback("user", "disable", "ben")
    assert (ran.code, "Nobody would be left who sees what comes in at +12025550101" in ran.err) == (1, True)
    ringback("number", "own", MAIN, "--fallback", "ana")
    assert ringback("user", "disable", "ben").code == 0
    assert ringback("number", "list").lines[0].split()[4] == "ana"
    assert ringback("number", "group", "remove", "Florida").out == "removed Florida; its numbers stay\n"


CSV = "login,name,departments\nkim,Kim,Sales/West\nben,Ben,\n"


def test_a_file_is_shown_first_and_stored_with_apply(town, ringback):
    (town.folder / "people.csv").write_text(CSV)
    assert ringback("user", "import", "people.csv").lines == [
        "Sales/West: a new department",
        "ben: name: nothing to Ben",
        "kim: new, agent, Kim, Sales/West",
        "1 new, 1 changed, 0 as before. Nothing is stored yet: add --apply.",
    ]
    assert len(ringback("user", "list").lines) == 2
    assert ringback("user", "import", "people.csv", "--apply").lines[-1] == (
        "1 new, 1 changed, 0 as before. Everything is stored."
    )
    ringback("user", "export", "out.csv")
    assert ringback("user", "import", "out.csv").lines == [
        "0 new, 0 changed, 3 as before. Nothing is stored yet: add --apply."
    ]
    ringback("user", "export", "out.xlsx")
    assert ringback("user", "import", "out.xlsx").out.startswith("0 new, 0 changed, 3 as before")


def test_a_file_with_a_wrong_line_stores_nothing(town, ringback):
    (town.folder / "people.csv").write_text("login,mail\nkim,kim@\nlee,\n")
    ran = ringback("user", "import", "people.csv")
    assert ran.lines == ["line 2, mail: This is no mail address. Write it as in ana@example.com.", "Nothing is stored."]
    ran = ringback("user", "import", "people.csv", "--apply")
    assert (ran.code, ran.err.splitlines()[-1]) == (1, "Nothing was stored.")
    assert len(ringback("user", "list").lines) == 2


def test_a_long_list_is_printed_in_parts(place, ringback):
    ringback("user", "add", "ana", "--no-password")
    (place.folder / "people.csv").write_text("login\n" + "".join(f"u{n:03}\n" for n in range(250)))
    ringback("user", "import", "people.csv", "--apply")
    ran = ringback("user", "list")
    assert (len(ran.lines), ran.err) == (200, "and 51 more: --after u198\n")
    assert len(ringback("user", "list", "--after", "u198").lines) == 51


async def test_a_daemon_does_it_all(town, ringback):
    rows = "".join(f"u{n:04},Person {n},Sales\n" for n in range(1_500))
    (town.folder / "people.csv").write_text(f"login,name,departments\n{rows}")
    async with FakePbx() as pbx, town.daemon(pbx):
        for words, says in (
            (("department", "add", "West"), "added West\n"),
            (("number", "label", MAIN, "Main"), f"{MAIN} is changed\n"),
            (("number", "own", MAIN, "--owner", "East"), f"{MAIN} is changed\n"),
            (("user", "edit", "ben", "--extension", ""), "ben is changed\n"),
        ):
            assert (await asyncio.to_thread(ringback, *words)).lines[-1] == says.rstrip()
        ran = await asyncio.to_thread(ringback, "user", "import", "people.csv", "--apply")
        assert ran.lines[-2:] == ["and 1300 more", "1500 new, 0 changed, 0 as before. Everything is stored."]
    assert ringback("department", "list").lines == ["Sales  (1501 people)", "  East  (1 person)", "West  (0 people)"]
