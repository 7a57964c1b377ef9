"""`ringback check` beside a real Asterisk, and an account that the daemon refuses to use."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lab.asterisk import Asterisk
from tests.stories.daemon import Daemon, configuration, daemon_for, running

OTHER_CONTEXT = 'inbound_contexts = ["from-internal"]'


async def test_check_finds_all_well_lab(asterisk: Asterisk, tmp_path: Path) -> None:
    daemon = daemon_for(tmp_path, main=asterisk)
    alone = await daemon.do("check")
    assert (alone.code, alone.out.splitlines()[-1]) == (0, "all well"), alone
    with running(daemon):
        await daemon.until(ready=True)
        beside = await daemon.do("check")
    assert (beside.code, beside.out.splitlines()[-1]) == (0, "all well"), beside
    assert "the daemon uses it" in beside.out
    assert "include version 1, called from from-trunk" in beside.out


def another_password(folder: Path, asterisk: Asterisk) -> Daemon:
    return Daemon(folder, configuration({"main": asterisk}), {"main": "not-the-password-there"})


def another_context(folder: Path, asterisk: Asterisk) -> Daemon:
    return daemon_for(folder, more=OTHER_CONTEXT, main=asterisk)


def another_port(folder: Path, asterisk: Asterisk) -> Daemon:
    daemon = daemon_for(folder, main=asterisk)
    daemon.file.write_text(daemon.file.read_text().replace(f"port = {asterisk.ami_port}", "port = 1"))
    return daemon


def too_mighty(folder: Path, asterisk: Asterisk) -> Daemon:
    who = asterisk.lab_account
    return Daemon(folder, configuration({"main": asterisk}, who=who), {"main": who.secret})


@pytest.mark.parametrize(
    ("faulty", "found", "fix"),
    [
        pytest.param(another_password, "wrong password", "compare user ringback and its secret", id="wrong password"),
        pytest.param(
            another_context, "no call of ringback-call in from-internal", "add Gosub(ringback-call,s,1", id="no Gosub"
        ),
        pytest.param(another_port, "nothing listens at 127.0.0.1:1", "see that Asterisk runs", id="nobody there"),
        pytest.param(too_mighty, "may write system, command, config", "take system, command", id="too many rights"),
    ],
)
async def test_check_names_the_fault_and_its_fix_lab(
    asterisk: Asterisk, tmp_path: Path, faulty: Callable[[Path, Asterisk], Daemon], found: str, fix: str
) -> None:
    checked = await faulty(tmp_path, asterisk).do("check")
    assert checked.code == 1
    faults = [line for line in checked.out.splitlines() if line.startswith("FIX ")]
    assert len(faults) == 1
    assert found in faults[0]
    assert fix in checked.out
    assert checked.out.splitlines()[-1] == "1 to fix"


async def test_check_finds_an_include_that_is_not_loaded_lab(tmp_path: Path) -> None:
    with Asterisk.running() as asterisk:
        asterisk.cli("dialplan remove context ringback-call")
        checked = await daemon_for(tmp_path, main=asterisk).do("check")
    assert checked.code == 1
    assert "the include is not loaded" in checked.out
    assert "#include it in extensions.conf" in checked.out


async def test_the_daemon_refuses_an_account_that_may_do_too_much_lab(asterisk: Asterisk, tmp_path: Path) -> None:
    ended = await too_mighty(tmp_path, asterisk).do("run")
    assert ended.code == 2
    assert "ringback.toml: asterisk main: the AMI user lab may write system, command, config, originate" in ended.err
    assert "allow_dangerous_account = true" in ended.err


async def test_the_daemon_takes_such_an_account_when_told_to_lab(asterisk: Asterisk, tmp_path: Path) -> None:
    daemon = too_mighty(tmp_path, asterisk)
    text = daemon.file.read_text()
    daemon.file.write_text(text.replace('user = "lab"', 'user = "lab"\nallow_dangerous_account = true'))
    with running(daemon):
        parts = await daemon.until(ready=True)
        assert parts["asterisk main"] == "works"


async def test_a_wrong_password_needs_a_person_lab(asterisk: Asterisk, tmp_path: Path) -> None:
    with running(another_password(tmp_path, asterisk)) as daemon:
        parts = await daemon.until(ready=False)
        while parts["asterisk main"].startswith("starting"):
            parts = await daemon.until(ready=False)
    assert parts["asterisk main"].startswith("needs_you wrong password for user ringback")
