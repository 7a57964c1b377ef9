"""What the words of a form or a command make of a queue's plan, and what is said of words that make nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.core.queue_forms import SENTENCES, WORDS, Known, changes, parts_of, read_plan, text_word, write_plan
from ringback.core.text_queues import AfterHangUp, ForLandlines, Note, Offering, Plan, Strategy

KNOWN = Known(("en", "es"), ("main", "summer"))
MINUTES = st.integers(1, 1440).map(lambda n: timedelta(minutes=n))
OR_NEVER = st.just(timedelta(0)) | MINUTES
OFFERINGS = st.builds(
    Offering,
    if_wait=st.none() | st.integers(1, 360).map(lambda n: timedelta(minutes=n)),
    if_waiting=st.integers(0, 500),
    agents=st.integers(0, 500),
    unknown=st.booleans(),
    calendar=st.sampled_from(("", "main", "summer")),
    every=st.integers(1, 600).map(lambda n: timedelta(seconds=n)),
    margin=st.integers(0, 90).map(lambda n: n / 100),
    landline=st.sampled_from(ForLandlines),
)
PLANS = st.builds(
    Plan,
    strategy=st.sampled_from(Strategy),
    offer_for=st.integers(5, 600).map(lambda n: timedelta(seconds=n)),
    at_once=st.booleans(),
    queued_expiry=OR_NEVER,
    agent_idle=OR_NEVER,
    customer_idle=MINUTES.map(lambda span: span + timedelta(days=1)),
    warn_before=OR_NEVER,
    dismissed_for=OR_NEVER,
    wrap_up=st.integers(0, 3600).map(lambda n: timedelta(seconds=n)),
    transfer_for=st.integers(10, 3600).map(lambda n: timedelta(seconds=n)),
    agent_gone=st.just(timedelta(0)) | st.integers(5, 3600).map(lambda n: timedelta(seconds=n)),
    calendar=st.sampled_from(("", "main", "summer")),
    after_hang_up=st.sampled_from(AfterHangUp),
    offering=OFFERINGS,
    notes=st.dictionaries(
        st.sampled_from(Note), st.fixed_dictionaries({"en": st.sampled_from(("Hello", "Wait"))}), max_size=9
    ),
)


@given(PLANS)
def test_what_is_written_is_read_back_as_the_same_plan(plan: Plan):
    assert read_plan(write_plan(plan, KNOWN), Plan(), KNOWN) == (plan, ())


@given(st.dictionaries(st.sampled_from((*WORDS, "text.wait.en", "text.x.en", "nonsense")), st.text(max_size=12)))
def test_any_words_make_a_plan_or_faults_that_name_their_word(words):
    plan, faults = read_plan(words, Plan(), KNOWN)
    again, none = read_plan(write_plan(plan, KNOWN), Plan(), KNOWN)
    assert again == plan or any(fault.word == "warn_before" for fault in none)
    for fault in faults:
        assert fault.word in words or fault.word == "warn_before"
        assert fault.why in SENTENCES
        assert str(fault).startswith(f"{fault.word}: ")


@pytest.mark.parametrize(
    ("word", "text", "said"),
    [
        pytest.param("offer_for", "1s", "1s is too short or too long: write 5s to 10m.", id="too short to be asked"),
        pytest.param("offer_for", "", '"" is no span of time: write', id="a span that must be there"),
        pytest.param("offer_for", "1500ms", "1500ms is no span of time", id="no whole seconds"),
        pytest.param("agent_idle", "30", "30 is no span of time", id="a number without a unit"),
        pytest.param("queued_expiry", "31d", "write 1m to 30d, or 0 for never.", id="too long"),
        pytest.param("if_agents", "-1", "-1 is no number: write one of 0 to 500.", id="below nought"),
        pytest.param("if_agents", "１", "is no number", id="digits of another script"),
        pytest.param("margin", "91", "91 is no number: write one of 0 to 90.", id="a share that is too large"),
        pytest.param("strategy", "fastest", "fastest is none of these: longest_idle,", id="no such strategy"),
        pytest.param("at_once", "maybe", "maybe is none of these: yes, no.", id="neither yes nor no"),
        pytest.param(
            "calendar", "winter", "no calendar winter in ringback.toml. Write one of main, summer", id="hours"
        ),
        pytest.param("text.wait.fr", "Bonjour", "fr is no language of this business", id="a foreign language"),
        pytest.param("text.wave.en", "Hello", "says nothing of the kind wave", id="no such text"),
        pytest.param("text.wait.en", "{{ agent }}", "use one of business, queue, did.", id="a name of another text"),
        pytest.param("text.wait.en", "{% if x", "The text in en cannot be used:", id="half a tag"),
        pytest.param("speed", "1", "speed is nothing that a queue has.", id="no such word"),
        pytest.param("warn_before", "5h", "The warning must come later", id="warned before the last text"),
    ],
)
def test_a_word_that_cannot_be_taken_says_what_to_write_and_changes_nothing(word: str, text: str, said: str):
    plan, faults = read_plan({word: text}, Plan(), KNOWN)
    assert [fault.word for fault in faults] == [word]
    assert said in str(faults[0])
    assert plan == Plan() or word == "warn_before"


def test_there_is_nothing_to_warn_of_where_sessions_never_end():
    _, faults = read_plan({"warn_before": "5m", "customer_idle": "0"}, Plan(), KNOWN)
    assert [(fault.word, "nothing to warn of" in str(fault)) for fault in faults] == [("warn_before", True)]


def test_a_business_without_calendars_is_told_where_they_are_made():
    _, faults = read_plan({"calendar": "main"}, Plan(), Known(("en",)))
    assert "Add one there first" in str(faults[0])


def test_what_is_not_among_the_words_stays():
    old = replace(Plan(), strategy=Strategy.BROADCAST, notes={Note.WAIT: {"en": "Wait"}})
    plan, _ = read_plan({"agent_idle": "10m"}, old, KNOWN)
    assert plan == replace(old, agent_idle=timedelta(minutes=10))


def test_the_first_language_of_the_business_is_the_first_of_a_text():
    words = {text_word(Note.WAIT, "es"): "Espere", text_word(Note.WAIT, "en"): "Wait"}
    plan, faults = read_plan(words, Plan(), KNOWN)
    assert (list(plan.notes[Note.WAIT]), faults) == (["en", "es"], ())


def test_an_empty_text_is_taken_out():
    old = replace(Plan(), notes={Note.WAIT: {"en": "Wait", "fr": "Attendez"}})
    plan, faults = read_plan({"text.wait.en": " ", "text.wait.fr": ""}, old, KNOWN)
    assert (plan.notes, faults) == ({}, ())


def test_changes_name_what_was_and_what_became():
    before, after = write_plan(Plan(), KNOWN), write_plan(replace(Plan(), wrap_up=timedelta(seconds=20)), KNOWN)
    assert changes(before, after) == [("wrap_up", "0", "20s")]


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        pytest.param("", 0, id="nothing"),
        pytest.param("{{ nobody }}", 0, id="what cannot be used"),
        pytest.param("Wait", 1, id="a short one"),
        pytest.param("x" * 161, 2, id="one letter too many"),
    ],
)
def test_how_many_parts_a_text_takes(source: str, parts: int):
    assert parts_of(Note.WAIT, source, "Northlight") == parts
