"""Where settings come from, which source wins, and what is filled in."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from ringback.config import Address, CallerInitiated, load
from ringback.core.calls import Outcome
from ringback.core.numbers import NumberFormat
from ringback.core.triggers import Hours
from ringback.errors import ConfigFault

SECRET = "RINGBACK_ASTERISK__MAIN__SECRET"


def test_what_the_file_says_is_what_is_set(place):
    settings = place.load()
    (pbx,) = settings.asterisk
    (rule,) = settings.rules
    assert settings.business.name == "Acme Plumbing"
    assert settings.business.zone.key == "America/New_York"
    assert (pbx.name, pbx.host, pbx.port, pbx.inbound_contexts) == ("main", "127.0.0.1", 5038, ("from-trunk",))
    assert settings.carriers["main"].table == {"type": "loopback"}
    assert rule.when == {Outcome.MISSED, Outcome.BUSY}
    assert rule.did == {"+12025550101"}
    assert (rule.hours, rule.delay, rule.cool_down) == (Hours.OPEN, timedelta(seconds=20), timedelta(hours=24))
    assert list(rule.text) == ["en", "es"]
    assert settings.calendars["main"].closed == {date(2026, 12, 24), date(2026, 12, 25)}


def test_what_is_not_said_is_filled_in(place):
    settings = place.load()
    assert settings.database.url == "sqlite:////var/lib/ringback/ringback.db"
    assert settings.web.listen == Address("127.0.0.1", 8080)
    assert {did: number.language for did, number in settings.numbers.items()} == {
        "+12025550101": "en",
        "+12025550102": "es",
    }
    assert settings.asterisk[0].number_format is NumberFormat.AS_IS
    assert settings.calendars["main"].zone.key == "America/New_York"
    assert settings.rules[0].calendar == settings.calendars["main"]
    assert settings.country("GB").caller_initiated is CallerInitiated.ALLOW


def test_hooks_are_below_the_public_address(place, good):
    assert place.load().hooks.of("main") == ""
    place.write(f'{good}\n[hooks]\npublic_url = "https://example.com/sms/"\n')
    assert place.load().hooks.of("main") == "https://example.com/sms/hooks/main"


def test_a_country_can_be_switched_off(place, good):
    place.write(f'{good}\n[countries.GB]\ncaller_initiated = "off"\n')
    assert place.load().country("GB").caller_initiated is CallerInitiated.OFF


def test_relative_folders_start_beside_the_file(place, good):
    place.write(f'{good}\n[paths]\nstate = "state"\n')
    settings = place.load()
    assert settings.paths.state == place.file.parent / "state"
    assert settings.database.url == f"sqlite:///{place.file.parent}/state/ringback.db"


@pytest.mark.parametrize(
    ("url", "read"),
    [
        pytest.param(
            "postgresql://me@db/ringback", "postgresql+psycopg://me@db/ringback", id="the driver is filled in"
        ),
        pytest.param("postgresql+psycopg:///ringback", "postgresql+psycopg:///ringback", id="the driver is named"),
        pytest.param("sqlite:////srv/texts.db", "sqlite:////srv/texts.db", id="another SQLite file"),
    ],
)
def test_database_addresses(place, good, url, read):
    place.write(f'{good}\n[database]\nurl = "{url}"\n')
    assert place.load().database.url == read


@pytest.mark.parametrize(
    ("name", "value", "see"),
    [
        pytest.param("RINGBACK_WEB__LISTEN", "[::1]:0", lambda s: str(s.web.listen) == "[::1]:0", id="an address"),
        pytest.param(
            "RINGBACK_BUSINESS__LANGUAGES", "es, en", lambda s: s.business.languages == ("es", "en"), id="a list"
        ),
        pytest.param("RINGBACK_BUSINESS__NAME", "007", lambda s: s.business.name == "007", id="digits stay text"),
        pytest.param("RINGBACK_LIMITS__MAX_SEGMENTS", "3", lambda s: s.limits.max_segments == 3, id="a number"),
        pytest.param(
            "RINGBACK_ASTERISK__MAIN__PORT", "5039", lambda s: s.asterisk[0].port == 5039, id="a PBX by its name"
        ),
        pytest.param(
            "RINGBACK_ASTERISK__MAIN__TRUST_CALLER_ID", "true", lambda s: s.asterisk[0].trust_caller_id, id="a switch"
        ),
        pytest.param(
            "RINGBACK_CARRIERS__MAIN__WINDOW", "4", lambda s: s.carriers["main"].options["window"] == 4, id="an option"
        ),
        pytest.param(
            "RINGBACK_RULE__SALES_MISSED__DELAY",
            "1m",
            lambda s: s.rules[0].delay == timedelta(minutes=1),
            id="a name with a dash is written with _",
        ),
        pytest.param(
            "RINGBACK_RULE__SALES_MISSED__TEXT__ES",
            "Hola",
            lambda s: s.rules[0].text["es"].source == "Hola",
            id="a text by its language",
        ),
        pytest.param(
            "RINGBACK_COUNTRIES__GB__CALLER_INITIATED",
            "off",
            lambda s: s.country("GB").caller_initiated is CallerInitiated.OFF,
            id="a country in capitals",
        ),
        pytest.param(SECRET, "0123456789", lambda s: secret_of(s) == "0123456789", id="a secret of digits stays text"),
    ],
)
def test_the_environment_wins_over_the_file(place, good, name, value, see):
    place.write(f'{good}\n[countries.GB]\ncaller_initiated = "allow"\n')
    assert see(place.load({name: value}))


@pytest.mark.parametrize(
    ("name", "line"),
    [
        pytest.param("RINGBACK_ASTERISK__MIAN__PORT", "asterisk of the file: did you mean main?", id="a misspelt PBX"),
        pytest.param(
            "RINGBACK_COUNTRIES__GB__CALLER_INITIATED", "countries of the file: known are none", id="no table"
        ),
        pytest.param("RINGBACK_CARRIERS__", "carriers of the file: known are main", id="no name"),
    ],
)
def test_the_environment_adds_no_tables(place, name, line):
    assert place.faults({name: "1"}) == [f"{name}: belongs to no {line}"]


def test_a_fault_from_the_environment_names_its_variable(place):
    assert place.faults({"RINGBACK_LIMITS__MAX_SEGMENTS": "many", "RINGBACK_WEBB__LISTEN": "x"}) == [
        "RINGBACK_WEBB__LISTEN: belongs to no section: did you mean web?",
        "RINGBACK_LIMITS__MAX_SEGMENTS: limits.max_segments must be a whole number: write digits only",
    ]


def test_variables_that_are_no_settings_are_left_alone(place):
    assert place.load({"RINGBACK_CONFIG": "/nowhere", "RINGBACK_DEBUG": "1", "HOME": "/"}).business.name


def secret_of(settings):
    return settings.asterisk[0].secret.get_secret_value()


def test_the_environment_wins_over_credentials_and_these_over_the_secrets_folder(place, tmp_path):
    assert secret_of(place.load()) == "x7Qd-long-enough"
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "asterisk.main.secret").write_text("from systemd\n")
    (credentials / "asterisk.main.secret").chmod(0o400)
    (credentials / "other-program").write_text("not ours")
    assert secret_of(place.load({"CREDENTIALS_DIRECTORY": str(credentials)})) == "from systemd"
    both = {"CREDENTIALS_DIRECTORY": str(credentials), SECRET: "from outside"}
    assert secret_of(place.load(both)) == "from outside"


def test_a_carriers_key_comes_from_the_secrets_folder_as_text(place, good, monkeypatch):
    """A carrier from outside the tree may have no check of its own; it is asked when it is built."""
    monkeypatch.setattr("ringback.carriers.load", lambda name: secret_of)
    place.put_secret("carriers.main.key", "0042")
    place.write(good.replace('type = "loopback"', 'type = "faraway"\nport = 99'))
    assert place.load().carriers["main"].table == {"type": "faraway", "port": 99, "key": "0042"}


def test_secrets_do_not_show(place):
    place.put_secret("database.url", "postgresql://me:hunter2@db/ringback")
    settings = place.load()
    assert settings.database.url == "postgresql+psycopg://me:hunter2@db/ringback"
    assert "hunter2" not in repr(settings)
    assert "x7Qd" not in repr(settings)


@pytest.mark.parametrize(
    "mode",
    [pytest.param(0o600, id="owner"), pytest.param(0o640, id="owner and group"), pytest.param(0o400, id="read only")],
)
def test_a_secret_may_be_read_by_owner_and_group(place, mode):
    place.put_secret("asterisk.main.secret", "quiet", mode)
    assert secret_of(place.load()) == "quiet"


@pytest.mark.parametrize(
    ("mode", "who"),
    [
        pytest.param(0o644, "others", id="everybody reads"),
        pytest.param(0o602, "others", id="everybody writes"),
        pytest.param(0o660, "its group", id="the group writes"),
    ],
)
def test_a_secret_that_is_open_is_a_fault(place, mode, who):
    place.put_secret("asterisk.main.secret", "loud", mode)
    file = place.secrets / "asterisk.main.secret"
    assert place.faults() == [f"secrets/asterisk.main.secret: is open to {who} (mode {mode:04o}): chmod 0640 {file}"]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        pytest.param(
            b"", "secrets/asterisk.main.secret: asterisk.main.secret is empty: write the secret itself", id="empty"
        ),
        pytest.param(
            b"one\r\nAction: Command\r\n",
            "secrets/asterisk.main.secret: asterisk.main.secret holds a line break or another control character: "
            "write one line",
            id="two lines",
        ),
    ],
)
def test_a_secret_that_cannot_be_one(place, content, line):
    (place.secrets / "asterisk.main.secret").write_bytes(content)
    assert place.faults() == [line]


def test_a_secret_that_is_not_text(place):
    file = place.secrets / "asterisk.main.secret"
    file.write_bytes(b"\xff\xfe\x00")
    assert place.faults() == [f"ringback.toml: asterisk.main.secret is not UTF-8 in {file}: write it as text"]


def test_a_missing_secret_says_where_it_belongs(place):
    (place.secrets / "asterisk.main.secret").unlink()
    (line,) = place.faults()
    home = f"put it into secrets/asterisk.main.secret (mode 0640), or into {SECRET} in the environment"
    assert line == f"ringback.toml: asterisk.main.secret is missing: {home}"


def test_a_secret_that_belongs_nowhere_is_a_fault(place):
    place.put_secret("asterix.main.secret", "x")
    place.put_secret(".asterisk.main.secret.swp", "an editor's")
    assert place.faults() == ["secrets/asterix.main.secret: belongs to no section: did you mean asterisk?"]


def test_ten_faults_give_ten_lines(place):
    place.put_secret("asterisk.main.secret", "loud", 0o644)
    place.write("""\
[business]
name = "Acme"
zone = "Europe/Pariss"
default_country = "USA"

[web]
listen = "8080"
colour = "red"

[[asterisk]]
name = "main"
user = "ringback"
inbound_contexts = ["from-trunk"]

[carriers.main]
type = "pigeon"

[numbers."2025550101"]
carrier = "other"

[[rule]]
name = "sales"
when = ["mist"]
delay = "20"
text = { en = "{% for x in y %}{% endfor %}" }
""")
    faults = place.faults()
    assert [line.split(" ")[1] for line in faults] == [
        "is",
        "business.zone",
        "business.default_country",
        "rule.sales.when",
        "rule.sales.delay",
        "rule.sales.text.en",
        "web.listen",
        "web.colour",
        "carriers.main.type",
        "numbers.2025550101.carrier",
        "numbers.2025550101",
    ]


def test_a_syntax_error_names_line_and_column(place):
    place.write('[business]\nname = "Acme\n')
    (line,) = place.faults()
    assert line.startswith("ringback.toml: is not TOML: ")
    assert "line 2, column" in line


def test_a_file_in_another_encoding_is_a_fault(place):
    place.file.write_bytes("# café".encode("latin-1"))
    assert place.faults() == ["ringback.toml: byte 5 is not UTF-8: save the file as UTF-8"]


def test_a_file_that_is_not_there_is_a_fault(tmp_path):
    with pytest.raises(ConfigFault, match=r"ringback\.toml: cannot be read at .*: No such file or directory"):
        load(tmp_path / "ringback.toml", {})


def test_the_environment_names_the_file(place):
    assert load(environ={"RINGBACK_CONFIG": str(place.file)}).file == place.file


def test_without_a_path_the_folder_we_are_in_comes_first(place, monkeypatch):
    monkeypatch.chdir(place.file.parent)
    assert load(environ={}).file == place.file


def test_without_any_file_the_places_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ringback.config.sources.PLACES", (Path("ringback.toml"),))
    with pytest.raises(ConfigFault) as caught:
        load(environ={})
    assert caught.value.faults == [
        "ringback.toml: not found at ringback.toml: write one with `ringback init`, or set RINGBACK_CONFIG"
    ]
