"""Durations and addresses are read back as they were written; rules have versions."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.config import example_rules, read_duration, write_duration
from ringback.config.addresses import Address, read_address, read_public_url
from ringback.config.rules import RuleTable, version_of
from ringback.config.values import LONGEST
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


@pytest.mark.parametrize(
    ("raw", "url"),
    [
        pytest.param("", "", id="nowhere"),
        pytest.param("https://sms.example.com", "https://sms.example.com", id="a host"),
        pytest.param("https://sms.example.com/", "https://sms.example.com", id="a last slash is taken off"),
        pytest.param("https://SMS.Example.com", "https://SMS.Example.com", id="as it is written at the carrier"),
        pytest.param(
            "https://xn--bcher-kva.example", "https://xn--bcher-kva.example", id="other letters, as DNS has them"
        ),
        pytest.param("https://example.com:8443/sms/in", "https://example.com:8443/sms/in", id="a port and a path"),
        pytest.param("https://example.com/sms/", "https://example.com/sms", id="a path with a last slash"),
        pytest.param("https://192.0.2.7", "https://192.0.2.7", id="an address"),
        pytest.param("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443", id="an address of IPv6"),
        pytest.param("http://localhost:8081", "http://localhost:8081", id="plain, on this machine"),
        pytest.param("http://127.0.0.1:8081/a", "http://127.0.0.1:8081/a", id="plain, by its number"),
        pytest.param("http://[::1]:8081", "http://[::1]:8081", id="plain, in IPv6"),
    ],
)
def test_public_addresses(raw, url):
    assert read_public_url(raw) == url


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param("sms.example.com", id="no scheme"),
        pytest.param("//sms.example.com", id="half a scheme"),
        pytest.param("ftp://sms.example.com", id="another scheme"),
        pytest.param("HTTPS://sms.example.com", id="capitals"),
        pytest.param("https://", id="no host"),
        pytest.param("https://sms.example.com?a=b", id="a query"),
        pytest.param("https://sms.example.com/?", id="an empty query"),
        pytest.param("https://sms.example.com/#here", id="a fragment"),
        pytest.param("https://user@sms.example.com", id="a user"),
        pytest.param("https://user:hush@sms.example.com", id="a password"),
        pytest.param("https://sms.example.com:0", id="port 0"),
        pytest.param("https://sms.example.com:65536", id="no port"),
        pytest.param("https://sms.example.com:", id="a port left out"),
        pytest.param("https://sms.example.com//a", id="a double slash"),
        pytest.param("https://sms.example.com/a/../b", id="dots"),
        pytest.param("https://sms.example.com/a%20b", id="escapes"),
        pytest.param("https://sms.example.com/a b", id="a space"),
        pytest.param("https://sms..example.com", id="two dots"),
        pytest.param("https://bücher.example", id="letters that DNS has not"),
        pytest.param(" https://sms.example.com", id="a space before"),
        pytest.param("https://sms.example.com\n", id="a line break"),
        pytest.param(8081, id="a number"),
        pytest.param(["https://sms.example.com"], id="a list"),
    ],
)
def test_what_is_no_public_address(raw):
    with pytest.raises(ValueError, match="is not a public address") as caught:
        read_public_url(raw)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("raw", ["http://sms.example.com", "http://128.0.0.1", "http://localhost.example.com"])
def test_a_public_address_without_tls(raw):
    with pytest.raises(ValueError, match="is not https"):
        read_public_url(raw)


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
