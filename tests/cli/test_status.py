"""`ringback status` and `ringback erase`, with a daemon and without."""

import json

from ringback.cli.status import NOT_READY, READY, lines
from ringback.store.database import peek
from tests.flow.world import PAT, a_call, life_of

PART = {"name": "web", "state": "works", "detail": "", "fix": ""}


async def a_story(world):
    await world.happens(*life_of(a_call("1.1")))
    await world.says("STOP")


def test_without_a_daemon_it_says_so(place, ringback):
    ran = ringback("status")
    assert (ran.code, ran.out) == (1, f"no Ringback runs on {place.state}\n")
    ran = ringback("status", "--json")
    assert (ran.code, json.loads(ran.out)) == (1, {"running": False, "ready": False})


def test_the_screen_says_first_what_matters_most():
    finding = {"tone": "bad", "what": "the disk is full\x1b[2J", "means": "Calls are kept in memory.", "fix": "df -h"}
    away = {"name": "asterisk main", "state": "away", "detail": "nothing listens"}
    away |= {"since": "2026-11-20T15:00:00+00:00", "fix": "ringback check"}
    health = {"ready": False, "parts": [PART, away], "findings": [finding]}
    figures = {"texts_waiting": {"main": 3}, "held": {}, "backup": None, "start": 7}
    assert lines(health, figures) == [
        NOT_READY,
        "bad    the disk is full\\u001b[2J",
        "       Calls are kept in memory.",
        "       df -h",
        "web            works",
        "asterisk main  away       since 2026-11-20 15:00 UTC: nothing listens (ringback check)",
        "texts waiting: main 3",
        "held: none",
        "backup: never",
        "start: 7",
    ]


def test_one_that_is_ready_says_that():
    assert lines({"ready": True, "parts": [PART], "findings": []}, {}) == [READY, "web  works"]


def test_erase_asks_first_and_no_is_no(place, ringback, monkeypatch):
    place.live(a_story)
    monkeypatch.setattr("typer.confirm", _refuse)
    assert ringback("erase", PAT).code == 1
    assert peek(place.url, lambda tx: tx.retention.threads_of(PAT))


def test_erase_without_a_daemon_does_it_itself(place, ringback):
    place.live(a_story)
    ran = ringback("erase", "512 555 0123", "--yes")
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines[-2:] == [
        "erased: 3 texts, 1 call",
        "they had said STOP; that holds, under a hash of their number",
    ]
    assert not peek(place.url, lambda tx: tx.retention.threads_of(PAT))
    assert ringback("explain", PAT).code == 1


def test_what_is_no_number_is_not_erased(place, ringback):
    ran = ringback("erase", "somebody", "--yes")
    assert (ran.code, ran.err) == (2, "'somebody' is no phone number\n")


def _refuse(*_, **__):
    import typer

    raise typer.Abort
