"""The texts we suggest: each can be used, costs one part, and is there in every language we speak."""

import pytest

from ringback.core.note_texts import KIND_OF, SUGGESTED, read_note, suggested
from ringback.core.segments import Encoding, measure
from ringback.core.text_queues import Note

VALUES = {"business": "Northlight", "agent": "Ana", "minutes": "15", "did": "+12025550100", "queue": "Service"}
ALL = [(language, note) for language in SUGGESTED for note in Note]


@pytest.mark.parametrize(("language", "note"), ALL, ids=lambda one: str(one))
def test_a_suggestion_costs_one_part_in_letters_that_are_cheap(language: str, note: Note):
    text = read_note(note, SUGGESTED[language][note]).render(VALUES)
    found = measure(text)
    assert found.segments == 1
    assert found.encoding is (Encoding.UCS2 if language == "ru" else Encoding.GSM7)


@pytest.mark.parametrize("language", SUGGESTED)
@pytest.mark.parametrize("note", [Note.OPENING, Note.WAIT_TEXT, Note.TEXT_BACK])
def test_the_first_text_says_who_writes_and_how_to_stop(language: str, note: Note):
    text = read_note(note, SUGGESTED[language][note]).render(VALUES)
    assert text.startswith("Northlight")
    assert "STOP" in text


def test_what_is_not_known_leaves_no_hole():
    assert read_note(Note.TRANSFERRED, SUGGESTED["en"][Note.TRANSFERRED]).render({}) == (
        "A colleague goes on with this conversation."
    )
    closed = read_note(Note.OUT_OF_HOURS, SUGGESTED["en"][Note.OUT_OF_HOURS]).render({"business": "Northlight"})
    assert closed == "Northlight is closed now. We answer your text when we are open."


@pytest.mark.parametrize(
    ("languages", "spoken"),
    [
        pytest.param(("es", "en"), ["es", "en"], id="in the order of the business"),
        pytest.param(("pt-BR", "xx"), ["pt-BR"], id="a region speaks its language"),
        pytest.param(("xx",), ["en"], id="English where we speak none of them"),
    ],
)
def test_a_new_queue_says_all_of_them_in_the_languages_of_the_business(languages: tuple[str, ...], spoken: list[str]):
    made = suggested(languages)
    assert set(made) == set(Note) == set(KIND_OF)
    assert {tuple(texts) for texts in made.values()} == {tuple(spoken)}
