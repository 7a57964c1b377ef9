"""`ringback init` writes a configuration that loads, keeps secrets to itself, and leaves alone what is there."""

import grp
import os
import re
import stat
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from ringback.cli.init import Answers, Existing, guess_zone, init_command, run_init
from ringback.config import load
from ringback.errors import ConfigFault

ANSWERS = Answers(
    business='Müller & Söhne "Rohr"',
    country="DE",
    zone="Europe/Berlin",
    dids=("+493023125001", "+493023125002"),
    asterisk_port=5039,
    inbound_contexts=("from-trunk", "from-pstn"),
    state="state",
)
FILES = [
    "ringback.toml",
    "secrets/asterisk.main.secret",
    "secrets/dialplan.token",
    "asterisk/ringback_manager.conf",
    "asterisk/ringback_extensions.conf",
    "asterisk/ringback_texts.conf",
    "asterisk/ringback_offers.conf",
    "asterisk/ringback_settings.conf",
]
NO_GROUP = "no-such-group-here"


def start(folder: Path, answers: Answers = ANSWERS, existing: Existing = Existing.KEEP) -> list[Path]:
    return run_init(answers, folder, existing, group=NO_GROUP)


def secret_in(folder: Path) -> str:
    return (folder / FILES[1]).read_text().strip()


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_it_writes_loads_without_a_fault(tmp_path):
    assert start(tmp_path) == [tmp_path / name for name in FILES]
    settings = load(tmp_path / "ringback.toml", {})
    (pbx,) = settings.asterisk
    assert settings.business.name == ANSWERS.business
    assert settings.paths.state == tmp_path / "state"
    assert tuple(settings.numbers) == ANSWERS.dids
    assert (pbx.port, pbx.inbound_contexts) == (5039, ("from-trunk", "from-pstn"))
    assert pbx.secret.get_secret_value() == secret_in(tmp_path)
    assert [rule.name for rule in settings.rules] == ["missed"]


def test_its_commented_settings_work_when_uncommented(tmp_path):
    start(tmp_path)
    file = tmp_path / "ringback.toml"
    text, count = re.subn(r"(?m)^#(?! )", "", file.read_text("utf-8"))
    file.write_text(text, "utf-8")
    settings = load(file, {})
    assert count > 5
    assert [rule.name for rule in settings.rules] == ["closed", "missed"]
    assert "main" in settings.calendars


def test_the_manager_account_is_filled_in(tmp_path):
    start(tmp_path)
    text = (tmp_path / "asterisk/ringback_manager.conf").read_text()
    assert "\n[ringback]\n" in text
    assert f"\nsecret = {secret_in(tmp_path)}\n" in text
    assert "@" not in text


def test_the_dialplan_gets_the_token_of_the_daemon(tmp_path):
    start(tmp_path)
    token = (tmp_path / "secrets/dialplan.token").read_text().strip()
    text = (tmp_path / "asterisk/ringback_settings.conf").read_text()
    assert len(token) == 43
    assert load(tmp_path / "ringback.toml", {}).dialplan.token.get_secret_value() == token
    assert f"\nRINGBACK_TOKEN={token}\n" in text
    assert "\nRINGBACK_URL=http://127.0.0.1:8082\n" in text
    assert "@" not in text


def test_what_the_dialplan_asks_with_can_be_written_alone(app, tmp_path):
    start(tmp_path)
    kept = (tmp_path / "secrets/asterisk.main.secret").read_text()
    toml = (tmp_path / "ringback.toml").read_text() + '\n[dialplan]\nlisten = "[::1]:9082"\n'
    (tmp_path / "ringback.toml").write_text(toml)
    for name in ("secrets/dialplan.token", "asterisk/ringback_settings.conf"):
        (tmp_path / name).unlink()
    result = CliRunner().invoke(app, ["--dialplan", "--folder", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert [line.rpartition("/")[2] for line in result.output.splitlines()] == [
        "dialplan.token",
        "ringback_settings.conf",
    ]
    token = (tmp_path / "secrets/dialplan.token").read_text().strip()
    assert token in (tmp_path / "asterisk/ringback_settings.conf").read_text()
    assert "=http://[::1]:9082\n" in (tmp_path / "asterisk/ringback_settings.conf").read_text()
    assert token not in result.output
    assert (tmp_path / "ringback.toml").read_text() == toml
    assert (tmp_path / "secrets/asterisk.main.secret").read_text() == kept


def test_a_token_of_the_environment_is_the_one_the_dialplan_asks_with(app, tmp_path, monkeypatch):
    start(tmp_path)
    (tmp_path / "secrets/dialplan.token").unlink()
    monkeypatch.setenv("RINGBACK_DIALPLAN__TOKEN", "of-the-environment-0123456789")
    result = CliRunner().invoke(app, ["--dialplan", "--folder", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "=of-the-environment-0123456789\n" in (tmp_path / "asterisk/ringback_settings.conf").read_text()
    assert not (tmp_path / "secrets/dialplan.token").exists()


def test_without_a_configuration_there_is_nothing_to_add_to(app, tmp_path):
    result = CliRunner().invoke(app, ["--dialplan", "--folder", str(tmp_path)])
    assert result.exit_code == 2
    assert not list(tmp_path.iterdir())


def test_each_installation_has_its_own_secret(tmp_path):
    start(tmp_path / "one")
    start(tmp_path / "two")
    assert secret_in(tmp_path / "one") != secret_in(tmp_path / "two")
    assert len(secret_in(tmp_path / "one")) == 32


def test_nobody_else_can_read_the_secrets(tmp_path):
    start(tmp_path)
    assert mode_of(tmp_path / "secrets") == 0o700
    assert {mode_of(tmp_path / name) for name in FILES} == {0o600}


def test_the_group_of_the_daemon_can_read_them_if_there_is_one(tmp_path):
    run_init(ANSWERS, tmp_path, group=grp.getgrgid(os.getgid()).gr_name)
    assert mode_of(tmp_path / "secrets") == 0o750
    assert {mode_of(tmp_path / name) for name in FILES} == {0o640}
    assert load(tmp_path / "ringback.toml", {}).asterisk[0].secret.get_secret_value() == secret_in(tmp_path)


def test_it_writes_over_nothing(tmp_path):
    start(tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in FILES}
    with pytest.raises(ConfigFault) as caught:
        start(tmp_path, replace(ANSWERS, business="Other"))
    assert caught.value.faults == [
        f"{tmp_path / name}: is there already: move it away, or use --force" for name in FILES
    ]
    assert {name: (tmp_path / name).read_bytes() for name in FILES} == before


def test_by_force_it_writes_again_and_keeps_the_secret(tmp_path):
    start(tmp_path)
    secret = secret_in(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    start(tmp_path, replace(ANSWERS, business="Other"), Existing.REPLACE)
    assert load(tmp_path / "ringback.toml", {}).business.name == "Other"
    assert secret_in(tmp_path) == secret
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert not list(tmp_path.rglob("*.new"))


def test_answers_that_make_no_configuration_write_nothing(tmp_path):
    with pytest.raises(ConfigFault) as caught:
        start(tmp_path / "new", replace(ANSWERS, zone="Mars/Base", carrier="pigeon"))
    assert [line.partition(" is ")[0] for line in caught.value.faults] == [
        "ringback.toml: business.zone",
        'ringback.toml: carriers.main.type = "pigeon"',
    ]
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_made_is_a_fault(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigFault, match="cannot be written: Not a directory"):
        start(tmp_path / "file" / "below")


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer()
    made.command()(init_command)
    return made


OPTIONS = ["--business", "Acme", "--country", "US", "--zone", "America/New_York", "--did", "202-555-0101,+12025550102"]
REST = ["--asterisk-host", "10.0.0.5", "--asterisk-port", "5038", "--ami-user", "rb", "--inbound-context", "from-trunk"]


def test_with_every_option_nothing_is_asked(app, tmp_path):
    result = CliRunner().invoke(app, [*OPTIONS, *REST, "--folder", str(tmp_path)])
    assert result.exit_code == 0, result.output
    settings = load(tmp_path / "ringback.toml", {})
    assert tuple(settings.numbers) == ("+12025550101", "+12025550102")
    assert (settings.asterisk[0].host, settings.asterisk[0].user) == ("10.0.0.5", "rb")
    assert f"wrote {tmp_path / 'ringback.toml'}" in result.output


def test_it_says_what_to_add_for_each_kind_of_asterisk(app, tmp_path):
    result = CliRunner().invoke(app, [*OPTIONS, *REST, "--folder", str(tmp_path)])
    for word in (
        "manager.conf:",
        "manager.d",
        "manager_custom.conf:",
        "extensions_custom.conf:",
        "([from-trunk])",
        "s,1(${EXTEN})",
    ):
        assert word in result.output
    assert secret_in(tmp_path) not in result.output


def test_a_wrong_answer_is_asked_again(app, tmp_path):
    answers = [
        "Germany",
        "US",
        "",
        "Acme",
        "Mars",
        "America/New_York",
        "12",
        "2025550101",
        "",
        "99999",
        "",
        "a b",
        "",
        "",
    ]
    result = CliRunner().invoke(app, ["--folder", str(tmp_path)], input="\n".join(answers) + "\n")
    assert result.exit_code == 0, result.output
    assert "is not a country" in result.output
    assert "is not a time zone" in result.output
    assert "12 is not a number of United States" in result.output
    assert "write a number from 1 to 65535" in result.output
    assert "write letters, digits, - and _ only" in result.output
    settings = load(tmp_path / "ringback.toml", {})
    assert (settings.asterisk[0].port, settings.asterisk[0].user) == (5038, "ringback")


def test_a_country_in_small_letters_is_understood(app, tmp_path):
    small = ["us" if word == "US" else word for word in OPTIONS]
    result = CliRunner().invoke(app, [*small, *REST, "--folder", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert load(tmp_path / "ringback.toml", {}).business.default_country == "US"


def test_with_nobody_to_ask_it_names_the_question(app, tmp_path):
    result = CliRunner().invoke(app, ["--folder", str(tmp_path)], input="")
    assert result.exit_code == 2
    assert "no answer to: Country of your numbers" in result.output
    assert not list(tmp_path.iterdir())


def test_files_that_are_there_end_it_with_exit_code_2(app, tmp_path):
    (tmp_path / "ringback.toml").write_text("mine")
    result = CliRunner().invoke(app, [*OPTIONS, *REST, "--folder", str(tmp_path)])
    assert result.exit_code == 2
    assert "use --force" in result.output
    assert (tmp_path / "ringback.toml").read_text() == "mine"


def test_the_zone_is_guessed_from_the_machine(tmp_path):
    assert guess_zone(tmp_path) == ""
    (tmp_path / "localtime").symlink_to("/usr/share/zoneinfo/Europe/Rome")
    assert guess_zone(tmp_path) == "Europe/Rome"
    (tmp_path / "timezone").write_text("Asia/Tokyo\n")
    assert guess_zone(tmp_path) == "Asia/Tokyo"
