"""The lab itself: each line does what lab/README.md says, side by side with all the others."""

import asyncio
import os
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from lab.ami import Ami, Message
from lab.asterisk import Asterisk, LabFault, Times
from lab.call import Call, CallOver
from lab.pbx import Pbx
from lab.phone import answer, busy, decline, redirect

FETCH = Path(__file__).parents[2] / "lab" / "fetch-asterisk"


async def call(pbx: Pbx, line: str, area: str = "212") -> Call:
    """A call to a line by a caller of its own: line NN is called by +1 512 555 01NN."""
    caller = await pbx.caller(f"+151255501{line}")
    return await caller.call(f"+1{area}55501{line}")


async def seen(ami: Ami, event: str, line: str, **headers: str) -> Message:
    """An event about the caller of that line."""
    return await ami.wait(event, CallerIDNum=f"+151255501{line}", **headers)


async def rings_and_gives_up(pbx: Pbx, ami: Ami) -> None:
    await pbx.phone("101")
    caller = await call(pbx, "01", area="202")
    await caller.ringing()
    await caller.over()
    await seen(ami, "VarSet", "01", Variable="DIALSTATUS", Value="NOANSWER")


async def group_member_answers(pbx: Pbx, ami: Ami) -> None:
    one, two, _ = await pbx.phones("120", "220", "320")
    caller = await call(pbx, "20")
    lifted = await two.incoming()
    await lifted.answer()
    await (await one.incoming()).over()
    await seen(ami, "BridgeEnter", "20")
    await lifted.hang_up()
    await caller.over()


async def queue_gives_up(pbx: Pbx, ami: Ami) -> None:
    caller = await call(pbx, "24", area="202")
    await caller.over()
    await seen(ami, "VarSet", "24", Variable="QUEUESTATUS", Value="TIMEOUT")


async def queue_is_closed(pbx: Pbx, ami: Ami) -> None:
    caller = await call(pbx, "25")
    await caller.over()
    await seen(ami, "VarSet", "25", Variable="QUEUESTATUS", Value="JOINEMPTY")


async def menu_connects(pbx: Pbx, ami: Ami) -> None:
    phone = await pbx.phone("126", answer())
    caller = await call(pbx, "26")
    await caller.answered()
    await caller.press("1")
    await phone.incoming()
    await seen(ami, "BridgeEnter", "26")
    await caller.hang_up()


async def voicemail_is_left(pbx: Pbx, ami: Ami) -> None:
    await pbx.phone("127", decline)
    caller = await call(pbx, "27")
    await caller.answered()
    await caller.speak(2)
    await caller.hang_up()
    assert (await ami.wait("MessageWaiting", Mailbox="127@default"))["New"] == "1"
    await seen(ami, "VarSet", "27", Variable="VMSTATUS", Value="SUCCESS")


async def follow_me_is_accepted(pbx: Pbx, ami: Ami) -> None:
    phone = await pbx.phone("128")
    caller = await call(pbx, "28")
    lifted = await phone.incoming()
    await lifted.answer()
    await ami.wait("DialEnd", DialStatus="ANSWER", DestCallerIDNum="128")
    await lifted.press("1")
    await seen(ami, "BridgeEnter", "28")
    await caller.hang_up()


async def phone_forwards(pbx: Pbx, ami: Ami) -> None:
    await pbx.phone("130", redirect("230"))
    await pbx.phone("230", answer())
    caller = await call(pbx, "30")
    await caller.answered()
    await seen(ami, "DialEnd", "30", Forward="230")
    await caller.hang_up()


async def exchange_forwards(pbx: Pbx, ami: Ami) -> None:
    await pbx.phone("129")
    caller = await call(pbx, "29")
    await caller.ringing()
    await caller.cancel()
    await seen(ami, "VarSet", "29", Variable="DIALSTATUS", Value="CANCEL")


async def everybody_is_busy_in_their_way(pbx: Pbx, ami: Ami) -> None:
    await pbx.phone("103", busy)
    await pbx.phone("104", decline)
    codes = {line: await (await call(pbx, line)).over() for line in ("03", "04", "31", "38", "41")}
    assert codes == {"03": 486, "04": 403, "31": 486, "38": 404, "41": 503}


async def blind_transfer(pbx: Pbx, ami: Ami) -> None:
    phone, target = await pbx.phones("135", "235")
    caller = await call(pbx, "35")
    first = await phone.incoming()
    await first.answer()
    await first.transfer("235")
    second = await target.incoming()
    await second.answer()
    await first.over()
    await ami.wait("BlindTransfer", TransfereeCallerIDNum="+15125550135", Result="Success")
    await caller.hang_up()
    await second.over()


async def attended_transfer(pbx: Pbx, ami: Ami) -> None:
    phone, target = await pbx.phones("105", "106")
    caller = await call(pbx, "05")
    first = await phone.incoming()
    await first.answer()
    asking = await phone.call("106")
    second = await target.incoming()
    await second.answer()
    await asking.answered()
    await first.transfer_to(asking)
    await ami.wait("AttendedTransfer", TransfereeCallerIDNum="+15125550105", Result="Success")
    await first.over()
    await caller.hang_up()
    await second.over()


async def parked_and_fetched(pbx: Pbx, ami: Ami) -> None:
    phone, other = await pbx.phones("136", "236")
    caller = await call(pbx, "36")
    first = await phone.incoming()
    await first.answer()
    await first.transfer("700")
    space = (await ami.wait("ParkedCall", ParkeeCallerIDNum="+15125550136"))["ParkingSpace"]
    fetching = await other.call(space)
    await fetching.answered()
    await ami.wait("UnParkedCall", ParkeeCallerIDNum="+15125550136")
    await caller.hang_up()
    await fetching.over()


async def picked_up(pbx: Pbx, ami: Ami) -> None:
    phone, other = await pbx.phones("137", "237")
    caller = await call(pbx, "37")
    ringing = await phone.incoming()
    taking = await other.call("*8137")
    await taking.answered()
    await caller.answered()
    await ami.wait("Pickup", TargetCallerIDNum="137")
    await ringing.over()
    await caller.hang_up()


async def answered_upstream(pbx: Pbx, ami: Ami) -> None:
    await pbx.phone("107")
    caller = await call(pbx, "07")
    await caller.ringing()
    await caller.cancel('Q.850;cause=26;text="Answered elsewhere"')
    await seen(ami, "Hangup", "07", Cause="26")


async def call_to_outside(pbx: Pbx, ami: Ami) -> None:
    carrier = await pbx.carrier()
    carrier.behaviours["+15125550177"] = answer()
    phone = await pbx.phone("149")
    calling = await phone.call("+15125550177")
    await calling.answered()
    await calling.hang_up()
    await (await carrier.incoming()).over()


async def sipp_talks(pbx: Pbx, ami: Ami) -> None:
    await pbx.phone("109", answer())
    await (await pbx.sipp("talk", "+12125550109", pause="200", caller="+15125550109")).over()
    await seen(ami, "BridgeEnter", "09")


async def sipp_waits(pbx: Pbx, ami: Ami) -> None:
    await (await pbx.sipp("until_bye", "+12125550125")).over()


STORIES: tuple[Callable[[Pbx, Ami], Awaitable[None]], ...] = (
    rings_and_gives_up,
    group_member_answers,
    queue_gives_up,
    queue_is_closed,
    menu_connects,
    voicemail_is_left,
    follow_me_is_accepted,
    phone_forwards,
    exchange_forwards,
    everybody_is_busy_in_their_way,
    blind_transfer,
    attended_transfer,
    parked_and_fetched,
    picked_up,
    answered_upstream,
    call_to_outside,
    sipp_talks,
    sipp_waits,
)


async def test_all_lines_tell_their_stories_at_once_lab(pbx: Pbx, ami: Ami) -> None:
    told = await asyncio.gather(*(story(pbx, ami) for story in STORIES), return_exceptions=True)
    failed = {story.__name__: error for story, error in zip(STORIES, told, strict=True) if error}
    assert failed == {}


async def test_sipp_presses_a_key_lab(pbx: Pbx, ami: Ami) -> None:
    await (await pbx.sipp("press_2", "+12125550126")).over()
    await ami.wait("DTMFEnd", Digit="2")


async def test_waiting_for_what_cannot_come_ends_lab(pbx: Pbx) -> None:
    caller = await call(pbx, "31")
    with pytest.raises(CallOver, match="ended with 486 before it was up"):
        await caller.answered()


async def test_an_asterisk_comes_back_on_its_ports_lab(asterisk: Asterisk) -> None:
    with Asterisk.running(Times(ring=1)) as second:
        ports = (second.ami_port, second.sip_port)
        assert not set(ports) & {asterisk.ami_port, asterisk.sip_port}
        for end in (second.kill, second.stop):
            old = second.pid
            end()
            second.restart()
            assert second.pid != old
            assert (second.ami_port, second.sip_port) == ports
        async with second.opened() as pbx:
            caller = await call(pbx, "60", area="202")
            await caller.over()
        folder = second.run
    assert not folder.exists()


def test_an_asterisk_that_cannot_start_says_why_lab(asterisk: Asterisk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.asterisk.free_ports", lambda *kinds: [asterisk.ami_port, asterisk.sip_port, 9])
    with pytest.raises(LabFault, match="Address already in use"), Asterisk.running():
        pass


def fetch(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run fetch-asterisk on a machine that has only what the folder has."""
    environment = {"PATH": str(path), "HOME": "/nonexistent"}
    return subprocess.run(["/bin/sh", FETCH, *arguments], env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A PATH with nothing but mkdir."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "mkdir").symlink_to("/bin/mkdir")
    return tmp_path / "bin"


def test_a_fetched_asterisk_needs_no_apt_lab(asterisk: Asterisk, bare: Path) -> None:
    done = fetch(bare, str(asterisk.tree.parent))
    assert (done.returncode, done.stdout.strip()) == (0, str(asterisk.tree))


def test_fetch_names_what_is_missing_lab(bare: Path, tmp_path: Path) -> None:
    done = fetch(bare, str(tmp_path / "ast"))
    assert done.returncode == 1
    assert "as root: apt-get install apt" in done.stderr


def test_fetch_names_a_folder_it_cannot_use_lab(bare: Path) -> None:
    done = fetch(bare, f"{os.devnull}/ast")
    assert done.returncode == 1
    assert "set XDG_CACHE_HOME" in done.stderr
