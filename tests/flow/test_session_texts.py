"""What a queue says by itself: in whose language, with what filled in, and nothing where it has no words."""

from dataclasses import replace
from datetime import time, timedelta
from zoneinfo import ZoneInfo

import pytest

from ringback.core.reasons import Reason
from ringback.core.schedules import Calendar, Span
from ringback.core.text_queues import Note, Plan, TextQueue
from ringback.flow.session_texts import compose, is_closed
from tests.conftest import NOON
from tests.flow.agents import NOTES, open_for
from tests.flow.world import DID, HOUSE, OTHER_DID, World

HOUSE_ES = replace(HOUSE, languages=("fr", "en"), language_of={OTHER_DID: "es"})
WORDS = {"en": "{{ business }}, {{ queue }}: wait", "es": "{{ queue }}: espere"}
DAYS = tuple(Span(day, time(8), time(12)) for day in range(7))


def queue(note: Note = Note.WAIT, texts=WORDS, **plan) -> TextQueue:
    return TextQueue(2, "que_2", "sales", Plan(notes={note: texts}, **plan))


@pytest.mark.parametrize(
    ("did", "language", "words"),
    [
        pytest.param(DID, "", "Northlight, sales: wait", id="the business's, of those there are"),
        pytest.param(DID, "es", "sales: espere", id="the caller's"),
        pytest.param(DID, "es-MX", "sales: espere", id="the caller's, as it is spoken elsewhere"),
        pytest.param(OTHER_DID, "", "sales: espere", id="the number's"),
        pytest.param(OTHER_DID, "en", "Northlight, sales: wait", id="the caller's before the number's"),
        pytest.param(DID, "ru", "Northlight, sales: wait", id="one that nobody wrote"),
    ],
)
def test_the_language(did, language, words):
    assert compose(HOUSE_ES, queue(), Note.WAIT, did, language, NOON).text == words


@pytest.mark.parametrize("language", ["pt-BR", "pt_BR"])
def test_a_channel_of_asterisk_writes_its_language_with_a_line_below(language):
    both = {"en": "Wait", "pt-BR": "Aguarde"}
    assert compose(HOUSE, queue(texts=both), Note.WAIT, DID, language, NOON).language == "pt-BR"


def test_the_first_that_was_written_is_the_last_resort():
    house = replace(HOUSE, languages=("ru",))
    assert compose(house, queue(texts={"it": "Attenda"}), Note.WAIT, DID, "", NOON).language == "it"


def test_what_has_no_words_is_not_said():
    assert compose(HOUSE, queue(), Note.CLOSED, DID, "", NOON) is None


def test_what_cannot_be_filled_in_is_not_said():
    nobody = replace(HOUSE, business="")
    assert compose(nobody, queue(texts={"en": "{{ business }}"}), Note.WAIT, DID, "", NOON) is None


@pytest.mark.parametrize(
    ("agent", "words"), [("Ana", "Ana goes on"), ("", "A colleague goes on")], ids=["by name", "without a name"]
)
def test_values_of_the_occasion(agent, words):
    texts = {"en": "{% if agent %}{{ agent }}{% else %}A colleague{% endif %} goes on"}
    found = compose(HOUSE, queue(Note.TRANSFERRED, texts), Note.TRANSFERRED, DID, "", NOON, {"agent": agent})
    assert found.text == words


def test_out_of_hours_offers_the_times_to_call_back_and_keeps_them():
    day = Calendar("day", ZoneInfo("UTC"), DAYS, callback=DAYS)
    house = replace(HOUSE, calendars={"day": day})
    texts = {"en": "Closed.{% if windows %} We call {{ windows }}.{% endif %}"}
    found = compose(house, queue(Note.OUT_OF_HOURS, texts, calendar="day"), Note.OUT_OF_HOURS, DID, "", NOON)
    assert found.text.startswith("Closed. We call tomorrow 08:00-12:00 or ")
    assert found.windows
    plain = compose(house, queue(Note.OUT_OF_HOURS, texts), Note.OUT_OF_HOURS, DID, "", NOON)
    assert (plain.text, plain.windows) == ("Closed.", "")


@pytest.mark.parametrize(
    ("calendar", "hour", "closed"),
    [
        pytest.param("day", 9, False, id="open"),
        pytest.param("day", 17, True, id="closed"),
        pytest.param("", 17, False, id="no calendar"),
        pytest.param("gone", 17, False, id="a calendar the file does not name any more"),
    ],
)
def test_is_closed(calendar, hour, closed):
    house = replace(HOUSE, calendars={"day": Calendar("day", ZoneInfo("UTC"), DAYS)})
    assert is_closed(house, queue(calendar=calendar), NOON.replace(hour=hour)) is closed


async def test_the_gates_are_asked_as_for_any_text_that_nobody_writes(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        office = await open_for(world, Plan(notes=NOTES))
        await world.says("Is it ready?")
        for _ in range(6):
            name = (await office.desk.claim(office.anna, (await office.session()).public_id)).public_id
            await office.desk.end(office.anna, name)
            await world.settled()
            await world.passes(timedelta(seconds=1))
            await world.says("One more")
        refused = await office.ask("SELECT reason FROM message WHERE state = 'refused' ORDER BY id")
        assert world.handset().count("closed of sales") == HOUSE.limits.automatic_per_hour
        assert {row["reason"] for row in refused} == {Reason.LOOP}
