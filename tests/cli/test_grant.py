"""`ringback grant`, `allowance` and `explain --user`: who may what, said and asked at the shell."""

import asyncio
import json
import sqlite3
from contextlib import closing

import pytest

from ringback.core.grants import Way
from ringback.core.permissions import Role
from ringback.store.database import peek
from tests.conftest import NOON
from tests.fakes.ami import FakePbx
from tests.flow.office import ANNA
from tests.flow.world import DID, OTHER_DID, PAT

WHO = "desk.anna"


async def office(world):
    """Anna is called 101, in Sales; two numbers stand in a group."""

    def step(tx):
        sales = tx.departments.add("Sales", None, NOON)
        tx.departments.join(ANNA.account, sales.id, NOON)
        boss = tx.accounts.add("boss", "The Boss", frozenset({Role.ADMINISTRATOR}), "x", "en", NOON)
        tx.numbers.know([DID, OTHER_DID], NOON)
        shops = tx.numbers.add_group("Shops", NOON)
        for card in tx.numbers.all():
            tx.numbers.describe(card.id, "", shops.id, NOON)
        return boss

    await world.store.commit(step)


@pytest.fixture
def lived(place):
    place.live(office)
    return place


def history(place) -> list[tuple]:
    with closing(sqlite3.connect(place.state / "ringback.db")) as database:
        return database.execute(
            "SELECT way, scope, class_, before, after, note FROM grant_change WHERE id > 5"
        ).fetchall()


@pytest.mark.parametrize(
    ("words", "said", "kept"),
    [
        pytest.param(
            [WHO, "send", "(202) 555-0101", "deny", "--note", "new here"],
            f"desk.anna: send {DID} says deny now, and said inherit before",
            ("send", DID, "", "", "deny", "new here"),
            id="a user, a number in any form",
        ),
        pytest.param(
            ["Sales", "bulk", "shops", "allow", "--class", "promotional"],
            "department Sales: bulk shops promotional says allow now, and said inherit before",
            ("bulk", "group:1", "promotional", "", "allow", ""),
            id="a department, a group, a class",
        ),
        pytest.param(
            ["everyone", "send", "all", "inherit"],
            "everyone: send all says inherit now, and said allow before",
            ("send", "*", "", "allow", "", ""),
            id="everyone, taken away",
        ),
    ],
)
def test_a_grant_is_written_and_in_the_history(lived, ringback, words, said, kept):
    ran = ringback("grant", *words)
    assert (ran.code, ran.out) == (0, f"{said}\n")
    assert history(lived) == [kept]
    assert "already" in ringback("grant", *words).out
    assert history(lived) == [kept]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(["zoe", "send", "all", "allow"], "'zoe' is nobody", id="nobody"),
        pytest.param([WHO, "send", "+12025550199", "allow"], "is none of our numbers", id="a number that is not ours"),
        pytest.param([WHO, "receive", "all", "allow", "--class", "promotional"], "only sending goes", id="no class"),
        pytest.param([WHO, "send", "all", "allow", "--note", "x" * 501], "five hundred", id="a long note"),
    ],
)
def test_what_makes_no_grant_is_said_and_changes_nothing(lived, ringback, words, says):
    ran = ringback("grant", *words)
    assert ran.code == 1
    assert says.casefold() in ran.err.casefold()
    assert history(lived) == []


def test_before_the_first_run_our_numbers_are_those_of_the_configuration(place, ringback):
    place.migrate()
    assert ringback("grant", "everyone", "send", OTHER_DID, "allow").code == 0


async def test_a_daemon_does_it_and_it_holds_at_once(lived, ringback):
    async with FakePbx() as pbx, lived.daemon(pbx):
        ran = await asyncio.to_thread(ringback, "grant", WHO, "send", DID, "deny")
        assert ran.out.splitlines()[-1] == f"desk.anna: send {DID} says deny now, and said inherit before"
        ran = await asyncio.to_thread(ringback, "allowance", WHO, "5", "10")
        assert ran.out.splitlines()[-1] == "desk.anna: 5 segments a month are free, no more than 10 go"
    book = peek(lived.url, lambda tx: tx.grants.book())
    assert not book.right(ANNA.account, Way.SEND, DID).allowed
    assert list(book.limits) == [f"used:user:{ANNA.account}"]


# Allowances


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        pytest.param(WHO, "desk.anna", id="a user"),
        pytest.param("Sales", "department Sales", id="a department"),
        pytest.param(DID, DID, id="a number"),
        pytest.param("everyone", "everyone", id="the business"),
    ],
)
def test_an_allowance_is_set_shown_and_taken_away(lived, ringback, subject, name):
    assert ringback("allowance", subject).out == f"{name}: no allowance\n"
    ran = ringback("allowance", subject, "200", "300")
    assert ran.out == f"{name}: 200 segments a month are free, no more than 300 go\n"
    shown = ringback("allowance", subject).out
    assert shown == f"{name}: 0 segments sent this month; 200 segments a month are free, no more than 300 go\n"
    assert ringback("allowance", subject, "0", "0").out == f"{name}: no soft limit, no hard limit\n"
    assert "there are no allowances" in ringback("allowance").out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param([WHO, "5"], "say both", id="one limit"),
        pytest.param([WHO, "5", "x"], "'x' is no number of segments", id="no number"),
        pytest.param([WHO, "5", "-1"], "", id="less than nothing"),
        pytest.param([WHO, "5", "4"], "cannot be larger", id="soft above hard"),
        pytest.param(["zoe", "1", "2"], "'zoe' is nobody", id="nobody"),
        pytest.param(["zoe"], "'zoe' is nobody", id="nobody is shown"),
    ],
)
def test_what_makes_no_allowance_is_said(lived, ringback, words, says):
    ran = ringback("allowance", *words)
    assert ran.code in (1, 2)
    assert says in ran.err


# Why


def explained(ringback, *words) -> dict:
    ran = ringback("explain", "--user", WHO, "--number", DID, "--json", *words)
    assert ran.code == 0, ran
    return json.loads(ran.out)


def test_why_not_names_who_decided_when_and_with_what_note(lived, ringback):
    ringback("grant", "Sales", "send", "Shops", "deny", "--note", "see the handbook")
    lines = ringback("explain", "--user", WHO, "--number", DID).out.splitlines()
    assert lines[0] == (
        f"No: desk.anna may not send from {DID}. The department Sales denies it for the numbers of Shops."
    )
    assert lines[1].startswith("  set by shell ")
    assert lines[1].endswith("UTC: see the handbook")
    assert lines[2:7] == [
        "Asked, the nearest first:",
        "  send the user: says nothing",
        "  send department Sales: deny, and decides",
        "  send everyone: allow",
        "  send their roles: says nothing",
    ]
    assert lines[7:] == [
        "The smallest change, which 1 person notices:",
        f"  ringback grant {WHO} send {DID} allow --class conversational",
    ]


@pytest.mark.parametrize("way", ["send", "bulk", "receive", "export", "mms"])
def test_the_change_that_is_named_does_alter_it(lived, ringback, way):
    ringback("grant", "Sales", way, DID, "deny")
    before = explained(ringback, "--way", way)
    lines = ringback("explain", "--user", WHO, "--number", DID, "--way", way).out.splitlines()
    changes = [line.split()[1:] for line in lines if line.startswith("  ringback grant")]
    assert bool(changes) is (before["change"] is not None)
    for change in changes:
        assert ringback(*change).code == 0
    assert explained(ringback, "--way", way)["allowed"] is (not before["allowed"] if changes else before["allowed"])


def test_what_no_grant_can_change_is_said(lived, ringback):
    found = explained(ringback, "--way", "bulk")
    assert (found["allowed"], found["change"]) == (False, None)
    assert found["why"].endswith("No role of theirs includes it.")


def test_with_a_number_to_text_the_other_gates_are_asked_and_nothing_is_stored(lived, ringback):
    found = explained(ringback, "--to", "512 555 0123")
    assert (found["to"], found["reason"]) == (PAT, None)
    assert list(found["gates"].values()) == [None] * len(found["gates"])
    ringback("pause")
    assert explained(ringback, "--to", "911")["reason"] in ("emergency", "short_code")
    ringback("grant", WHO, "send", DID, "deny")
    found = explained(ringback, "--to", PAT)
    assert (found["reason"], found["gates"]) == ("permission_denied", {"permission": "permission_denied"})
    said = ringback("explain", "--user", WHO, "--number", DID, "--to", PAT).out
    assert "  permission: permission_denied. " in said
    assert said.endswith("Nothing was sent or stored.\n")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(["--user", "zoe", "--number", DID], "'zoe' is nobody", id="nobody"),
        pytest.param(["--user", "Sales", "--number", DID], "is no user", id="a department"),
        pytest.param(["--user", WHO, "--number", "+12025550199"], "is none of our numbers", id="another's number"),
        pytest.param(["--user", WHO], "say what to explain", id="no number"),
        pytest.param(["msg_1", "--user", WHO, "--number", DID], "say what to explain", id="both at once"),
        pytest.param([], "say what to explain", id="nothing"),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(lived, ringback, words, says):
    ran = ringback("explain", *words)
    assert ran.code in (1, 2)
    assert says in ran.err
