"""Durations and addresses are read back as they were written; rules have versions."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.config import example_rules, read_duration, write_duration
from ringback.config.rules import RuleTable, version_of
from ringback.config.values import LONGEST, Address, read_address
from ringback.core.calls import UNANSWERED
from ringback.core.triggers import Hours

TEXT = {"en": "Sorry. STOP to end"}
RULE = {"name": "sales", "when": ["missed", "busy"], "text": TEXT}


@given(st.integers(0, int(LONGEST.total_seconds()) * 1000).map(lambda count: timedelta(milliseconds=count)))
def test_a_duration_is_read_back_as_written(span):
    assert read_duration(write_duration(span)) == span


@given(st.text(max_size=12))
def test_any_text_is_a_duration_or_a_value_error(text):
    try:
        span = read_duration(text)
    except ValueError as problem:
        assert "duration" in str(problem) or "ten years" in str(problem)
    else:
        assert timedelta() <= span <= LONGEST


@pytest.mark.parametrize(
    ("text", "span"),
    [
        pytest.param("20s", timedelta(seconds=20), id="seconds"),
        pytest.param("15m", timedelta(minutes=15), id="minutes"),
        pytest.param("24h", timedelta(days=1), id="hours"),
        pytest.param("2d", timedelta(days=2), id="days"),
        pytest.param("250ms", timedelta(milliseconds=250), id="milliseconds are not minutes"),
        pytest.param("1.5s", timedelta(seconds=1.5), id="half a second more"),
        pytest.param("1h30m", timedelta(minutes=90), id="a chain"),
        pytest.param("0s", timedelta(), id="nothing"),
    ],
)
def test_durations(text, span):
    assert read_duration(text) == span


@pytest.mark.parametrize("text", ["", "20", "s", "-5s", "30m1h", "1h 30m", "1 h", "20S", "٢٠s", None, True, 20])
def test_what_is_no_duration(text):
    with pytest.raises(ValueError, match="is not a duration"):
        read_duration(text)


@given(st.sampled_from(["127.0.0.1", "localhost", "::1", "2001:db8::5"]), st.integers(0, 65_535))
def test_an_address_is_read_back_as_written(host, port):
    assert read_address(str(Address(host, port))) == Address(host, port)


def version(**changes):
    return version_of(RuleTable.model_validate(RULE | changes))


def test_a_version_is_twelve_hex_digits():
    assert len(version()) == 12
    assert int(version(), 16) >= 0


@pytest.mark.parametrize(
    "same",
    [
        pytest.param({"when": ["busy", "missed"]}, id="outcomes have no order"),
        pytest.param({"delay": "20s"}, id="a default is the same written out"),
        pytest.param({"cool_down": "1d"}, id="24 hours are a day"),
    ],
)
def test_the_version_stays_when_the_rule_says_the_same(same):
    assert version(**same) == version()


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"name": "other"}, id="name"),
        pytest.param({"when": ["missed"]}, id="outcome"),
        pytest.param({"did": ["+12025550101"]}, id="number"),
        pytest.param({"queue": ["support"]}, id="queue"),
        pytest.param({"extension": ["101"]}, id="extension"),
        pytest.param({"hours": "closed"}, id="hours"),
        pytest.param({"min_ring": "1s"}, id="ring time"),
        pytest.param({"delay": "21s"}, id="delay"),
        pytest.param({"cool_down": "2d"}, id="cool-down"),
        pytest.param({"age_limit": "1h"}, id="age limit"),
        pytest.param({"group": "sales"}, id="group"),
        pytest.param({"text": {"en": "Sorry"}}, id="text"),
        pytest.param({"text": {"es": "Hola", "en": TEXT["en"]}}, id="another language"),
    ],
)
def test_the_version_changes_with_what_the_rule_says(other):
    assert version(**other) != version()


def test_the_version_changes_with_the_order_of_languages():
    texts = {"en": "Sorry", "es": "Hola"}
    assert version(text=texts) != version(text=dict(reversed(texts.items())))


def test_the_example_texts_after_every_unanswered_call_at_any_hour():
    (rule,) = example_rules()
    assert rule.when == UNANSWERED
    assert (rule.did, rule.hours, rule.cool_down) == (frozenset(), Hours.ANY, timedelta(hours=24))
    assert "STOP" in rule.text["en"].render({})
