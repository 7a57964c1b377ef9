"""The packs hold together, the page shows them all, and the answers are short and right."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.core import keyword_table
from ringback.core.folding import fold
from ringback.core.keyword_forms import read_sentence
from ringback.core.keyword_packs import EVERYWHERE, PACKS
from ringback.core.keyword_table import ASKING, KEYWORDS, POLITE
from ringback.core.keywords import LANGUAGES, WORDS_LIMIT, Command, answer, hear, language_of_answer
from ringback.core.segments import Encoding, measure

LINES = [
    (code, field, line)
    for code, pack in PACKS.items()
    for field in ("stop_sentences", "smells")
    for line in getattr(pack, field)
]


@pytest.mark.parametrize(("code", "field", "line"), LINES, ids=[f"{code} {line[:40]!a}" for code, _, line in LINES])
def test_every_sentence_of_a_pack_is_heard_in_its_longest_and_its_shortest_form(code, field, line):
    slots = read_sentence(line)
    longest = [max((choice for choices in slot.choices.values() for choice in choices), key=len) for slot in slots]
    shortest = [choice for choice, slot in zip(longest, slots, strict=True) if not slot.optional]
    for form in (longest, shortest):
        heard = hear(" ".join(word for choice in form for word in choice))
        assert heard is not None
        assert heard.command is Command.STOP
        assert heard.sure or field == "smells"
        assert code in heard.languages


def test_a_sentence_with_all_its_politeness_is_shorter_than_the_limit():
    for _, _, line in LINES:
        longest = sum(
            max(len(each) for choices in slot.choices.values() for each in choices) for slot in read_sentence(line)
        )
        assert longest + 6 <= WORDS_LIMIT


def test_no_word_orders_two_things():
    kinds = {}
    for pack in (EVERYWHERE, *PACKS.values()):
        for name, command, bond, only_if_opted_out in keyword_table._KINDS:
            for word in map(fold, getattr(pack, name)):
                kinds.setdefault(word, set()).add((command, bond, only_if_opted_out))
    assert [word for word, found in kinds.items() if len(found) > 1] == []
    assert not set(KEYWORDS) & {" ".join(each) for courtesy in (POLITE, ASKING) for each in courtesy.languages}


REQUIRED = "STOP STOPALL UNSUBSCRIBE CANCEL END QUIT REVOKE OPTOUT OPT-OUT REMOVE TD ARRET ARRETE ARRETT"


@pytest.mark.parametrize("word", REQUIRED.split())
def test_what_regulators_and_carriers_name_is_heard(word):
    heard = hear(word)
    assert heard is not None
    assert (heard.command, heard.sure) == (Command.STOP, True)


NAME = "Martinez & Sons Plumbing (NYC)"
CONTACT = "+1 202-555-0101"


@pytest.mark.parametrize("command", Command)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("contact", ["", CONTACT])
def test_an_answer_is_short_and_names_the_business(language, command, contact):
    assert len(NAME) == 30
    text = answer(command, language, NAME, contact)
    size = measure(text)
    assert text.startswith(NAME)
    assert (CONTACT in text) == (command is Command.HELP and contact == CONTACT)
    assert ("STOP" in text, "START" in text) == (command is not Command.STOP, command is Command.STOP)
    assert size.segments == 1 if size.encoding is Encoding.GSM7 else size.segments <= 2
    assert (size.encoding is Encoding.UCS2) == (language == "ru")


@pytest.mark.parametrize(
    ("language", "business", "text"),
    [
        ("en", "Acme", "Acme: You are unsubscribed and we will not text you again. Reply START to hear from us."),
        ("en-US", "", "You are unsubscribed and we will not text you again. Reply START to hear from us."),
        ("de", "Acme", "Acme: You are unsubscribed and we will not text you again. Reply START to hear from us."),
        ("it", "A{0}%\nB\u202e", "A{0}% B: Fatto, non riceverà altri messaggi. Risponda START per riceverli di nuovo."),
    ],
    ids=["English", "no name", "a language that is not spoken", "a name with anything in it"],
)  # fmt: skip
def test_what_an_answer_says(language, business, text):
    assert answer(Command.STOP, language, business) == text


def test_an_answer_gives_the_contact_if_there_is_one():
    assert answer(Command.HELP, "en", "Acme") == "Acme: We text people who call us. Reply STOP to end."
    told = answer(Command.HELP, "en", "Acme", "acme.example")
    assert told == "Acme: We text people who call us. Contact: acme.example. Reply STOP to end."


@given(st.sampled_from(Command), st.sampled_from(LANGUAGES), st.text(), st.text())
def test_no_name_breaks_an_answer(command, language, business, contact):
    assert measure(answer(command, language, business, contact)).segments <= 5


@pytest.mark.parametrize("text", [answer(command, language, "Acme") for command in Command for language in LANGUAGES])
def test_our_own_answer_sent_back_orders_nothing(text):
    assert hear(text) is None


@pytest.mark.parametrize(
    ("text", "fallback", "language"),
    [
        pytest.param("arrêt", "en", "fr", id="a French word is answered in French"),
        pytest.param("STOP", "es", "es", id="STOP in the language of the thread"),
        pytest.param("STOP", "de", "de", id="whatever that is"),
        pytest.param("UNSUBSCRIBE", "es", "en", id="an English word in English"),
        pytest.param("CANCELAR", "pt-BR", "pt-BR", id="a word that the thread's language has too"),
        pytest.param("CANCELAR", "en", "es", id="else the first that has it"),
        pytest.param("stop merci", "en", "fr", id="politeness tells"),
        pytest.param("sì", "it", "it", id="Italian yes"),
    ],
)
def test_people_are_answered_in_the_language_of_their_word(text, fallback, language):
    heard = hear(text)
    assert heard is not None
    assert language_of_answer(heard, fallback) == language


PAGE = (Path(__file__).parents[2] / "docs" / "keywords.md").read_text("utf-8")
ROWS = {
    "STOP, alone or politely": "stop",
    "STOP, only alone": "stop_alone",
    "STOP, a sentence": "stop_sentences",
    "a suggestion, alone": "doubtful",
    "a suggestion, anywhere": "smells",
    "START": "start",
    "START, if opted out": "start_if_opted_out",
    "HELP": "help",
    "politeness": "polite",
    "asking": "asking",
}
NAMES = {"English": "en", "Spanish": "es", "French": "fr", "Portuguese": "pt", "Russian": "ru", "Italian": "it"}


@pytest.mark.parametrize(
    ("heading", "pack"),
    [("Everywhere", EVERYWHERE), *((name, PACKS[code]) for name, code in NAMES.items())],
    ids=["everywhere", *LANGUAGES],
)
def test_the_page_has_all_words_and_no_other(heading, pack):
    part = PAGE.partition(f"\n### {heading}\n")[2].partition("\n##")[0]
    told = dict(re.findall(r"^\| ([^|]+?) \| (.+) \|$", part, re.MULTILINE))
    words = {row: tuple(re.findall(r"`([^`]+)`", cell)) for row, cell in told.items() if row in ROWS}
    assert words == {row: getattr(pack, field) for row, field in ROWS.items() if getattr(pack, field)}


def test_the_page_shows_the_answers():
    told = re.findall(r"^\| (\w\w) \| (\w+) \| (.+?) \|$", PAGE, re.MULTILINE)
    assert told == [
        (code, command.name, answer(command, code, "Acme", CONTACT)) for code in LANGUAGES for command in Command
    ]
