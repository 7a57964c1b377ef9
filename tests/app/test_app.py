"""What the app makes of the settings, and which pauses it knows."""

from datetime import timedelta

import pytest

from ringback.assembly import expected_of, known_pause, make_carriers, make_house, make_reader
from ringback.carriers.loopback import Loopback
from ringback.config import read
from ringback.core.numbers import NumberKind
from ringback.errors import ConfigFault
from ringback.flow.house import Limits
from ringback.flow.pauses import Pause, Scope

TOML = """\
[business]
name = "Northlight"
zone = "America/New_York"
default_country = "US"
languages = ["en", "es"]

[[asterisk]]
name = "main"
user = "ringback"
inbound_contexts = ["from-trunk"]
extension_digits = 3

[[asterisk]]
name = "london"
host = "10.0.0.5"
port = 5039
user = "texts"
inbound_contexts = ["from-pstn", "from-carrier"]
number_format = "e164_no_plus"
trust_caller_id = true
allow_dangerous_account = true

[carriers.main]
type = "loopback"
validity = "30m"

[numbers."+12025550101"]
carrier = "main"

[numbers."+442079460101"]
carrier = "main"
language = "es"

[limits]
texts_per_minute = 7
automatic_per_hour = 2
per_number_per_minute = 9
max_segments = 4

[countries.GB]
caller_initiated = "off"

[countries.US]
caller_initiated = "allow"

[[rule]]
name = "missed"
when = ["missed"]
text = { en = "Sorry" }
"""
SECRETS = {f"RINGBACK_ASTERISK__{name}__SECRET": f"secret of {name}" for name in ("MAIN", "LONDON")}


@pytest.fixture
def settings(tmp_path):
    return read(TOML, tmp_path / "ringback.toml", SECRETS)


def test_the_house_has_what_the_owner_decided(settings):
    house = make_house(settings)
    assert house.business == "Northlight"
    assert [rule.name for rule in house.rules] == ["missed"]
    assert house.numbers == {"+12025550101", "+442079460101"}
    assert house.carrier("+12025550101") == "main"
    assert house.carrier("+12025550199") is None
    assert house.language_of == {"+12025550101": "en", "+442079460101": "es"}
    assert house.languages == ("en", "es")
    assert house.countries_off == {"GB"}
    assert house.limits == Limits(7, 2, 9, 4)
    assert house.validity("+12025550101") == timedelta(minutes=30)


@pytest.mark.parametrize(
    ("pbx", "text", "read"),
    [
        pytest.param("main", "2025550147", "+12025550147", id="as dialled at home"),
        pytest.param("main", "101", NumberKind.INTERNAL, id="three digits are a phone of the house"),
        pytest.param("main", "1010", NumberKind.SHORT, id="four are not"),
        pytest.param("london", "447400123456", "+447400123456", id="without the plus on that PBX"),
        pytest.param("london", "1010", NumberKind.INTERNAL, id="four are a phone there"),
        pytest.param("", "+12025550147", "+12025550147", id="under no PBX's name"),
        pytest.param("", "101", NumberKind.SHORT, id="under no PBX's name nothing is a phone of the house"),
    ],
)
def test_each_pbx_writes_numbers_its_own_way(settings, pbx, text, read):
    number = make_reader(settings)(pbx, text)
    assert (number.e164 or number.kind) == read


def test_what_check_expects_of_a_pbx(settings):
    expected = expected_of(settings.asterisk[1])
    account = expected.account
    assert (account.pbx, account.host, account.port, account.user) == ("london", "10.0.0.5", 5039, "texts")
    assert account.secret == "secret of LONDON"
    assert expected.inbound == ("from-pstn", "from-carrier")
    assert (expected.trust_caller_id, expected.allow_dangerous) == (True, True)


def test_carriers_are_made_by_their_type(settings, clock):
    carriers = make_carriers(settings, clock)
    assert list(carriers) == ["main"]
    assert isinstance(carriers["main"], Loopback)


NAMES = {Scope.NUMBER: frozenset({"+12025550101"}), Scope.RULE: frozenset({"missed", "busy"})}


@pytest.mark.parametrize(
    ("words", "what"),
    [
        pytest.param({}, Pause(Scope.ALL), id="nothing named: everything"),
        pytest.param({"scope": "all", "name": "whatever"}, Pause(Scope.ALL, "whatever"), id="everything needs no name"),
        pytest.param({"scope": "number", "name": "+12025550101"}, Pause(Scope.NUMBER, "+12025550101"), id="a number"),
        pytest.param({"scope": "rule", "name": "busy"}, Pause(Scope.RULE, "busy"), id="a rule"),
    ],
)
def test_pauses_that_are_known(words, what):
    assert known_pause(NAMES, words) == what


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param({"scope": "rule", "name": "x"}, "there is no rule 'x' to pause; known are busy", id="a rule"),
        pytest.param({"scope": "number"}, "there is no number '' to pause; known are +12025550101", id="no name"),
        pytest.param(
            {"scope": "rule", "name": "x\x1b[2J\n"}, "there is no rule 'x\\x1b[2J\\n' to pause", id="a hostile name"
        ),
        pytest.param({"scope": "planet"}, "nothing can be paused by 'planet'", id="a scope that is none"),
    ],
)
def test_pauses_that_are_not(words, says):
    with pytest.raises(ConfigFault) as fault:
        known_pause(NAMES, words)
    assert says in str(fault.value)


def test_with_no_rules_it_says_so():
    with pytest.raises(ConfigFault, match="known are none"):
        known_pause({Scope.RULE: frozenset()}, {"scope": "rule", "name": "x"})
