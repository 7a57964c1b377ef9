"""`ringback check`: each class of fault is found and told with its cure; asked by the daemon when one runs."""

import asyncio
import socket
from datetime import UTC, datetime

import pytest

from ringback.asterisk.checks import DIALPLAN_VERSION
from ringback.store.schema import HEAD
from tests.fakes.ami import FakePbx


def line(application, data):
    return [("Context", "x"), ("Application", application), ("AppData", data)]


GOSUB = [line("Gosub", "ringback-call,s,1(${EXTEN})")]
INCLUDE = {"ringback-call": [line("NoOp", f"ringback-dialplan {DIALPLAN_VERSION}")], "from-trunk": GOSUB}


class Pbx(FakePbx):
    """A fake whose clock goes right, unless `ahead`."""

    ahead = 0.0

    def _answers(self, name, action, action_id):
        if name == "Ping":
            stamp = datetime.now(UTC).timestamp() + self.ahead
            return f"Response: Success\r\n{': '.join(action_id)}\r\nPing: Pong\r\nTimestamp: {stamp}\r\n\r\n".encode()
        return super()._answers(name, action, action_id)


@pytest.fixture
async def pbx():
    async with Pbx(dialplan=dict(INCLUDE)) as pbx:
        yield pbx


@pytest.fixture
def checked(place, pbx, ringback):
    """Run the command beside the fake PBX."""
    place.change("port = 5038", f"port = {pbx.port}")

    async def run():
        return await asyncio.to_thread(ringback, "check")

    return run


async def test_all_is_well(place, checked, ringback):
    await asyncio.to_thread(ringback, "migrate")
    said = await checked()
    assert said.code == 0, said.out
    assert said.lines == [
        f"ok   configuration: {place.file}: 2 rules, 2 numbers",
        f"ok   state: {place.state} can be written",
        f"ok   database: schema {HEAD}, no daemon runs",
        "ok   carrier main: loopback, window 16",
        f"--   daemon: none runs on {place.state}",
        "     not looked at: its parts, carriers that are held back, and whether hooks arrive",
        f"ok   asterisk main: logged in at 127.0.0.1:{checked_port(place)} as ringback",
        "ok   account ringback: may do what is needed and no more",
        "ok   dialplan: include version 1, called from from-trunk",
        "ok   clock: within 0.1 s of asterisk main",
        "all well",
    ]


def checked_port(place):
    return next(line for line in place.file.read_text().splitlines() if line.startswith("port")).split()[-1]


def spoil(pbx, place, what):
    match what:
        case "the password":
            place.put_secret("wrong")
        case "the rights":
            pbx.commands.pop("ShowDialPlan")
        case "too many rights":
            pbx.commands["Command"] = "Execute Asterisk CLI Command.  (Priv: command,all)"
        case "the include":
            pbx.dialplan.clear()
        case "the version of the include":
            pbx.dialplan["ringback-call"] = [line("NoOp", "ringback-dialplan 0")]
        case "the call of the include":
            pbx.dialplan["from-trunk"] = [line("Dial", "PJSIP/101")]
        case "the clock":
            pbx.ahead = 100.0
        case "the database":
            place.state.mkdir()
            (place.state / "ringback.db").write_bytes(b"no database" * 200)
        case "the state folder":
            place.state.write_text("a file")
        case "the rules":
            text = place.file.read_text()
            place.write(text.partition("[[rule]]")[0])


@pytest.mark.parametrize(
    ("what", "found", "cure"),
    [
        pytest.param(
            "the password", "asterisk main:", "compare user ringback and its secret with manager.conf", id="password"
        ),
        pytest.param(
            "the rights", "account ringback: may not send", "add write = reporting to the account", id="rights"
        ),
        pytest.param(
            "too many rights", "may write command", "take command out of the account's write line", id="too many rights"
        ),
        pytest.param(
            "the include", "dialplan: the include is not loaded", "copy ringback_extensions.conf again", id="include"
        ),
        pytest.param(
            "the version of the include",
            "dialplan: the include is version 0, not 1",
            "copy ringback_extensions.conf again",
            id="old include",
        ),
        pytest.param(
            "the call of the include",
            "dialplan: no call of ringback-call in from-trunk",
            "add Gosub(ringback-call,s,1(${EXTEN})) as the first step there",
            id="include not called",
        ),
        pytest.param("the clock", "clock: asterisk main is 100 s away from ours", "run NTP", id="clock"),
        pytest.param("the database", "file is not a database", "see database.url and that it runs", id="database"),
        pytest.param("the state folder", "FIX  state:", "and give it to Ringback's user", id="state folder"),
        pytest.param("the rules", "configuration: there is no rule", "add rule to ringback.toml", id="no rules"),
    ],
)
async def test_a_fault_is_told_with_its_cure(place, pbx, checked, what, found, cure):
    spoil(pbx, place, what)
    said = await checked()
    assert said.code == 1, said.out
    faults = dict(zip(said.lines, said.lines[1:], strict=False))
    (fault,) = (line for line in faults if line.startswith("FIX ") and found in line)
    assert cure in faults[fault]
    assert said.lines[-1].endswith(" to fix")


async def test_asterisk_away_is_told_with_its_cure_and_once(place, pbx, checked, caplog):
    await pbx.stop()
    said = await checked()
    assert said.code == 1
    assert "see that Asterisk runs, that manager.conf has enabled = yes and bindaddr and port" in said.out
    fault, cure, unseen = said.lines[-4:-1]
    assert fault == f"FIX  asterisk main: nothing listens at 127.0.0.1:{checked_port(place)}"
    assert cure.endswith("and that nobody else uses ringback")
    assert unseen == "     not looked at: account, dialplan, clock"
    assert [record for record in caplog.records if record.name.startswith("ringback.asterisk")] == []


async def test_a_configuration_with_faults_ends_it(place, checked):
    place.change('type = "loopback"', 'type = "lopback"')
    said = await checked()
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("ringback.toml: carriers.main.type ")


async def test_a_running_daemon_asks_over_its_own_line(place, pbx, ringback):
    async with place.daemon(pbx):
        said = await asyncio.to_thread(ringback, "check")
        assert pbx.connections == 1
    assert said.code == 0, said.out
    assert f"ok   database: schema {HEAD}, the daemon uses it" in said.lines
    assert "ok   daemon: runs, and its parts work" in said.lines
    assert "ok   dialplan: include version 1, called from from-trunk" in said.lines


async def test_a_port_in_use_is_told_while_the_daemon_lives(place, pbx, ringback):
    with socket.create_server(("127.0.0.1", 0)) as other:
        place.change('"127.0.0.1:0"', f'"127.0.0.1:{other.getsockname()[1]}"')
        async with place.daemon(pbx):
            said = await asyncio.to_thread(ringback, "check")
    assert said.code == 1
    assert "FIX  daemon, web: OSError: [Errno 98]" in said.out
    assert "ok   asterisk main: logged in" in said.out


TWILIO = f"""type = "twilio"
account = "AC{"0" * 32}"
"""


@pytest.mark.parametrize(
    ("public_url", "lines"),
    [
        pytest.param(
            "https://sms.example.com",
            [
                "ok   carrier main: texts that come in are POSTed to https://sms.example.com/hooks/main/inbound",
                "ok   carrier main: receipts are POSTed to https://sms.example.com/hooks/main/receipt",
            ],
            id="a public address",
        ),
        pytest.param(
            "http://127.0.0.1:8081",
            [
                "FIX  carrier main: texts that come in are POSTed to http://127.0.0.1:8081/hooks/main/inbound",
                "     only this machine can call that: set hooks.public_url to the https address of your proxy",
                "ok   carrier main: receipts are POSTed to http://127.0.0.1:8081/hooks/main/receipt",
            ],
            id="one that only this machine can call",
        ),
        pytest.param(
            "",
            [
                "FIX  carrier main: hooks.public_url is empty, so replies and receipts do not arrive",
                "     set hooks.public_url to the address of your proxy, as docs/hooks.md shows",
            ],
            id="none",
        ),
    ],
)
async def test_a_carrier_that_calls_us_gets_its_addresses_to_paste(place, checked, public_url, lines):
    place.change('type = "loopback"\n', TWILIO)
    place.change("[paths]", f'[hooks]\npublic_url = "{public_url}"\n\n[paths]')
    secret = place.folder / "secrets" / "carriers.main.key"
    secret.write_text("a key")
    secret.chmod(0o600)
    said = await checked()
    first = said.lines.index("ok   carrier main: twilio, window 8") + 1
    assert said.lines[first : first + len(lines)] == lines
