"""The options of Twilio: read, refused in words, never shown if secret, and on the page."""

import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from ringback.carriers.twilio import KeywordReplies, Settings, read_settings
from ringback.carriers.twilio_words import REFUSALS
from ringback.errors import ConfigFault
from ringback.ports import OptionValue
from tests.carriers.twilio_parts import made
from tests.fakes.twilio import (
    ACCOUNT,
    API_KEY,
    API_SECRET,
    TOKEN,
    FakeTwilio,
)

NEEDED: dict[str, OptionValue] = {"account": ACCOUNT, "key": TOKEN}
FULL: dict[str, OptionValue] = {
    "account": ACCOUNT,
    "key": TOKEN,
    "api_key_sid": API_KEY,
    "api_key_secret": API_SECRET,
    "shared_key": "a shared key",
    "api": "https://api.ie1.twilio.com:8443/",
    "window": 3,
    "answer_within": "12s",
    "keyword_replies": "ringback",
}


@pytest.mark.parametrize(
    ("table", "settings"),
    [
        pytest.param(NEEDED, Settings(ACCOUNT, SecretStr(TOKEN)), id="only what is needed"),
        pytest.param(
            FULL,
            Settings(
                ACCOUNT,
                SecretStr(TOKEN),
                API_KEY,
                SecretStr(API_SECRET),
                SecretStr("a shared key"),
                "https://api.ie1.twilio.com:8443",
                3,
                timedelta(seconds=12),
                KeywordReplies.RINGBACK,
            ),
            id="everything said",
        ),
    ],
)
def test_settings(table: Mapping[str, OptionValue], settings: Settings):
    assert read_settings("main", table) == settings


KEY_HOME = "put it into secrets/carriers.main.key (mode 0640), or into RINGBACK_CARRIERS__MAIN__KEY in the environment"
NO_ADDRESS = 'api must be an https address without a path, as in "https://api.twilio.com"'
ACCOUNT_SHAPE = 'account must look like "AC0123456789abcdef0123456789abcdef"'


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        pytest.param(
            {"account": None},
            ['account is missing: add account = "AC0123456789abcdef0123456789abcdef"'],
            id="no account",
        ),
        pytest.param({"account": API_KEY}, [ACCOUNT_SHAPE], id="an API key for an account"),
        pytest.param({"account": 7}, [ACCOUNT_SHAPE], id="an account that is a number"),
        pytest.param({"key": None}, [f"key is missing: {KEY_HOME}"], id="no key"),
        pytest.param({"key": ""}, ["key is empty: write the secret itself"], id="an empty key"),
        pytest.param({"key": 4711}, ["key must be text"], id="a key that is a number"),
        pytest.param(
            {"key": "one\ntwo"},
            ["key holds a line break or another control character: write one line"],
            id="a key of two lines",
        ),
        pytest.param(
            {"api_key_sid": API_KEY},
            ["api_key_sid and api_key_secret belong together: set both or neither"],
            id="half an API key",
        ),
        pytest.param(
            {"api_key_secret": "x"},
            ["api_key_sid and api_key_secret belong together: set both or neither"],
            id="the other half",
        ),
        pytest.param(
            {"api_key_sid": ACCOUNT, "api_key_secret": "x"},
            ['api_key_sid must look like "SK0123456789abcdef0123456789abcdef"'],
            id="an account for an API key",
        ),
        pytest.param({"api": "http://api.twilio.com"}, [NO_ADDRESS], id="an address without TLS"),
        pytest.param({"api": "http://127.0.0.1.evil.example"}, [NO_ADDRESS], id="what only looks like this machine"),
        pytest.param({"api": "https://api.twilio.com/2010"}, [NO_ADDRESS], id="an address with a path"),
        pytest.param({"api": "https://api.twilio.com?x"}, [NO_ADDRESS], id="an address with a query"),
        pytest.param({"api": "https://me:pass@api.twilio.com"}, [NO_ADDRESS], id="an address with a password"),
        pytest.param({"api": "https://"}, [NO_ADDRESS], id="an address of nowhere"),
        pytest.param({"api": "api.twilio.com"}, [NO_ADDRESS], id="only a host"),
        pytest.param({"api": 7}, [NO_ADDRESS], id="an address that is a number"),
        pytest.param({"api": "https://api.twilio.com:99999"}, ["api has no port that exists"], id="no such port"),
        pytest.param({"window": 101}, ["window must be a whole number from 1 to 100"], id="too much at once"),
        pytest.param({"answer_within": "0s"}, ["answer_within must be at least 100ms"], id="no time to answer"),
        pytest.param({"answer_within": "2m"}, ["answer_within must be at most 1m50s"], id="longer than a lane waits"),
        pytest.param(
            {"keyword_replies": "both"},
            ["keyword_replies must be one of carrier, ringback"],
            id="two who answer",
        ),
        pytest.param(
            {"key": None, "window": 0, "colour": "red"},
            [
                f"key is missing: {KEY_HOME}",
                "window must be a whole number from 1 to 100",
                f"colour is not an option of this carrier; it knows {', '.join(FULL)}",
            ],
            id="three at once",
        ),
    ],
)
def test_faults_of_settings(change: Mapping[str, OptionValue | None], faults: list[str]):
    table = {key: value for key, value in {**NEEDED, **change}.items() if value is not None}
    with pytest.raises(ConfigFault) as caught:
        read_settings("main", table)
    assert caught.value.faults == [f"carriers.main.{fault}" for fault in faults]


@pytest.mark.parametrize(
    "api", ["http://127.0.0.1:8080", "http://[::1]:8080", "http://localhost", "https://api.twilio.com"]
)
def test_this_machine_needs_no_tls(api: str):
    assert read_settings("main", {**NEEDED, "api": api}).api == api


@pytest.mark.parametrize("secret", ["key", "api_key_secret", "shared_key"])
def test_a_secret_is_never_shown(secret: str):
    table = {**FULL, secret: "hush hush"}
    assert "hush" not in repr(read_settings("main", table))
    with pytest.raises(ConfigFault) as caught:
        read_settings("main", {**table, secret: "hush\nhush"})
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(("who", "answers"), [(KeywordReplies.CARRIER, True), (KeywordReplies.RINGBACK, False)])
def test_who_answers_stop(line: FakeTwilio, tmp_path: Path, who: KeywordReplies, answers: bool):
    assert made(line, tmp_path, keyword_replies=who).answers_commands == answers


PAGE = (Path(__file__).parents[2] / "docs" / "carriers.md").read_text(encoding="utf-8")
OURS_ON_THE_PAGE = PAGE.partition("\n## twilio\n")[2].partition("\n## ")[0]


def test_the_table_of_options_above_is_whole():
    assert set(FULL) == {field.name for field in fields(Settings)}


@pytest.mark.parametrize("option", FULL)
def test_every_option_is_documented(option: str):
    assert f"| `{option}` |" in OURS_ON_THE_PAGE


def test_every_code_we_act_on_is_documented():
    named = set(map(int, re.findall(r"\b\d{5}\b", OURS_ON_THE_PAGE)))
    assert set(REFUSALS) - named == set()
