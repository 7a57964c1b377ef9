"""The shipped include and the shipped AMI account, on a real Asterisk with real SIP callers."""

import base64
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from lab.ami import Ami, AmiRefused, Message
from lab.asterisk import Asterisk
from lab.call import Call
from lab.pbx import Pbx
from lab.phone import answer
from lab.sip import Header

SHIPPED = Path(__file__).parents[2] / "dialplan"
CALLER = "+15125550123"
OURS = ["Did", "Pres", "Verstat", "Rdnis64", "Veto", "Lang"]
PAI = ("P-Asserted-Identity", f'"Pat Example" <sip:{CALLER}@127.0.0.1>')


@dataclass(frozen=True)
class Story:
    """What a caller sends on which line."""

    line: str = "10"
    number: str = CALLER
    name: str = "Pat Example"
    host: str = "127.0.0.1"
    headers: tuple[Header, ...] = ()
    parameters: str = ""

    @property
    def did(self) -> str:
        return f"+121255501{self.line}"

    async def call(self, pbx: Pbx) -> Call:
        caller = await pbx.caller(self.number, self.name, self.host)
        return await caller.call(self.did, self.headers, parameters=self.parameters)


def told(event: Message) -> list[Header]:
    """What the include itself said, without what Asterisk says of every channel."""
    return event.all[event.all.index(("UserEvent", "RingbackCall")) + 1 :]


def diverted(user: str) -> tuple[Header, ...]:
    return (("Diversion", f"<sip:{quote(user, safe='+')}@127.0.0.1>;reason=no-answer"),)


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        pytest.param(Story(), {}, id="an ordinary call"),
        pytest.param(Story("47"), {}, id="without an argument the calling extension is the number"),
        pytest.param(Story("48"), {}, id="from an s extension the dialled number is the number"),
        pytest.param(Story("40"), {}, id="called twice the first number holds"),
        pytest.param(Story("33"), {"Veto": "no"}, id="a veto from before"),
        pytest.param(
            Story("39", parameters=";verstat=TN-Validation-Passed-A"),
            {"Verstat": "TN-Validation-Passed-A", "Lang": "es-MX"},
            id="attestation and language the owner set",
        ),
        pytest.param(Story(number="anonymous", name="Anonymous", host="anonymous.invalid"), {}, id="no number at all"),
        pytest.param(
            Story(number="anonymous", headers=(PAI, ("Privacy", "id"))),
            {"Pres": "prohib_not_screened"},
            id="withheld, the trunk passes the number aside",
        ),
        pytest.param(Story(headers=(("Privacy", "id"),)), {"Pres": "prohib"}, id="withheld, the number is in From"),
        pytest.param(Story(headers=(("Privacy", "User;ID"),)), {"Pres": "prohib"}, id="withheld in other words"),
        pytest.param(Story(headers=(("Privacy", "none"),)), {}, id="privacy none is no privacy"),
        pytest.param(Story(headers=diverted("+12025550177")), {"Rdnis64": "+12025550177"}, id="sent on to us"),
        pytest.param(
            Story(headers=diverted("0177\r\nVeto: no")), {"Rdnis64": "0177Vetono"}, id="line break in Diversion"
        ),
        pytest.param(Story(headers=diverted("1),a(\"'$&")), {"Rdnis64": "1a"}, id="dialplan signs in Diversion"),
        pytest.param(Story(name="Doe,Did: +19995550100"), {}, id="comma in the caller's name"),
        pytest.param(Story(name='Doe",Veto: no,"'), {}, id="quotes in the caller's name"),
        pytest.param(Story(name="${SHELL(id)}$[1+1]),"), {}, id="dialplan code in the caller's name"),
        pytest.param(Story(number=quote("+1\r\nVeto: no", safe="+")), {}, id="line break in the caller's number"),
        pytest.param(Story(number=quote("+1),${EXTEN}:2", safe="+")), {}, id="dialplan signs in the caller's number"),
        pytest.param(
            Story("39", parameters=f";verstat={quote('A,Veto: no')}"),
            {"Verstat": "AVetono", "Lang": "es-MX"},
            id="comma in the attestation",
        ),
    ],
)
async def test_include_tells_of_a_call_in_harmless_words_lab(
    pbx: Pbx, ami: Ami, story: Story, expected: dict[str, str]
) -> None:
    await pbx.phone(f"1{story.line}")
    quiet = len(faults(pbx.asterisk.log))

    call = await story.call(pbx)
    await call.ringing()
    await call.cancel()

    event = await ami.wait("UserEvent", UserEvent="RingbackCall")
    plain = {"Did": story.did, "Pres": "allowed_not_screened", "Verstat": "", "Rdnis64": "", "Veto": "", "Lang": ""}
    said = told(event)
    assert [key for key, _ in said] == OURS
    assert dict(decoded(said)) == plain | expected
    assert await count(ami, "RingbackCall") == 1
    assert faults(pbx.asterisk.log)[quiet:] == []


def decoded(said: list[Header]) -> list[Header]:
    return [(key, base64.b64decode(value).decode() if key == "Rdnis64" else value) for key, value in said]


def faults(log: str) -> list[str]:
    """What Asterisk complained about while it ran the dialplan of a call (chan_pjsip's own lines are not ours)."""
    return re.findall(r"(?:WARNING|ERROR)\[\d+\]\[C-.*", log)


async def count(ami: Ami, name: str) -> int:
    """How often our event came, once the caller's channel is gone."""
    first = await ami.wait("UserEvent", UserEvent="RingbackCall")
    await ami.wait_for(
        lambda seen: seen["Event"] == "Hangup" and seen.get("Channel") == first["Channel"], "end of the call"
    )
    return sum(seen.get("UserEvent") == name for seen in ami.events)


@pytest.mark.parametrize(
    ("line", "vetoes"),
    [
        pytest.param("32", 1, id="set after the include was called"),
        pytest.param("33", 1, id="set before it"),
        pytest.param("46", 1, id="set by another leg of the call"),
        pytest.param("11", 0, id="not set"),
    ],
)
async def test_veto_is_told_before_the_hangup_lab(pbx: Pbx, ami: Ami, line: str, vetoes: int) -> None:
    await pbx.phone(f"1{line}")
    call = await Story(line).call(pbx)
    await call.ringing()
    await call.cancel()
    assert await count(ami, "RingbackEnd") == vetoes


async def test_a_global_variable_vetoes_every_call_lab(pbx: Pbx, ami: Ami) -> None:
    await pbx.phone("112")
    await ami.action("Setvar", Variable="RINGBACK", Value="No")
    try:
        call = await Story("12").call(pbx)
        await call.ringing()
        await call.cancel()
        assert await count(ami, "RingbackEnd") == 1
    finally:
        await ami.action("Setvar", Variable="RINGBACK", Value="")


async def test_veto_follows_the_caller_through_a_blind_transfer_lab(pbx: Pbx, ami: Ami) -> None:
    agent, target = await pbx.phone("132"), await pbx.phone("232")
    call = await Story("32").call(pbx)
    first = await agent.incoming()
    await first.answer()
    await call.answered()

    await first.transfer("232")
    second = await target.incoming()
    await second.answer()
    await call.hang_up()
    await second.over()

    assert await count(ami, "RingbackEnd") == 1
    names = [seen.get("UserEvent", seen["Event"]) for seen in ami.events]
    assert names.index("BlindTransfer") < names.index("RingbackEnd")


async def test_include_works_for_a_caller_without_sip_lab(pbx: Pbx, ami: Ami) -> None:
    await ami.action(
        "Originate",
        Channel="Local/+12025550162@from-trunk/n",
        Context="simulated",
        Exten="caller-1",
        Priority="1",
        CallerID=f'"Pat" <{CALLER}>',
        Async="true",
    )
    event = await ami.wait("UserEvent", UserEvent="RingbackCall")
    assert told(event)[:2] == [("Did", "+12025550162"), ("Pres", "allowed_not_screened")]
    assert event["Channel"].endswith(";2")


async def test_sipp_says_the_same_as_our_phone_lab(pbx: Pbx, ami: Ami) -> None:
    await pbx.phone("113")
    call = await pbx.sipp("cancel", "+12125550113", pause="100")
    await call.over()
    event = await ami.wait("UserEvent", UserEvent="RingbackCall")
    assert told(event)[:2] == [("Did", "+12125550113"), ("Pres", "allowed_not_screened")]


async def test_our_account_reads_the_version_and_a_live_call_lab(pbx: Pbx, ringback: Ami) -> None:
    lines = await ringback.listing("ShowDialPlan", Context="ringback-call")
    marker = [line["AppData"] for line in lines if line.get("Application") == "NoOp"]
    assert marker == ["ringback-dialplan 1"]

    await pbx.phone("114")
    call = await Story("14").call(pbx)
    await call.ringing()
    live = await ringback.listing("CoreShowChannels")
    caller = next(each for each in live if each["CallerIDNum"] == CALLER)
    for name, value in (("RINGBACK_DID", "+12125550114"), ("CALLERID(num-pres)", "allowed_not_screened")):
        said = await ringback.action("Getvar", Channel=caller["Channel"], Variable=name)
        assert said["Value"] == value


@pytest.mark.parametrize(
    ("action", "headers"),
    [
        pytest.param("Originate", {"Channel": "Local/60@story", "Application": "NoOp"}, id="start a call"),
        pytest.param("Command", {"Command": "core show uptime"}, id="run a console command"),
        pytest.param("GetConfig", {"Filename": "manager.conf"}, id="read a configuration file"),
        pytest.param("UpdateConfig", {"SrcFilename": "x", "DstFilename": "x"}, id="write a configuration file"),
        pytest.param("ModuleLoad", {"Module": "app_dial.so", "LoadType": "reload"}, id="load a module"),
        pytest.param("Filter", {"Operation": "Add", "Filter": "Newexten"}, id="widen its own filter"),
        pytest.param("Setvar", {"Variable": "RINGBACK", "Value": "no"}, id="set a variable"),
        pytest.param("Redirect", {"Channel": "x", "Context": "x", "Exten": "1", "Priority": "1"}, id="move a call"),
        pytest.param("Hangup", {"Channel": "x"}, id="end a call"),
        pytest.param("UserEvent", {"UserEvent": "RingbackEnd"}, id="forge our own event"),
        pytest.param("QueueAdd", {"Queue": "support", "Interface": "PJSIP/101"}, id="change a queue"),
        pytest.param("MessageSend", {"To": "pjsip:101", "From": "x", "Body": "x"}, id="send a message"),
    ],
)
async def test_our_account_may_not_lab(ringback: Ami, action: str, headers: dict[str, str]) -> None:
    with pytest.raises(AmiRefused, match="Permission denied"):
        await ringback.action(action, **headers)


async def test_our_account_may_look_lab(ringback: Ami) -> None:
    assert (await ringback.wait("FullyBooted"))["Status"] == "Fully Booted"
    assert (await ringback.action("Ping"))["Ping"] == "Pong"
    assert (await ringback.action("CoreStatus"))["Response"] == "Success"
    queues = await ringback.listing("QueueStatus", Queue="support")
    assert {each.get("Name") for each in queues} == {None, "Phone 122", "Phone 222"}


async def test_only_listed_events_reach_our_account_lab(pbx: Pbx, ami: Ami, ringback: Ami) -> None:
    text = (SHIPPED / "ringback_manager.conf").read_text()
    listed = set(re.findall(r"name\((\w+)\)\) =", text))
    variables = set(re.findall(r"name\(VarSet\),.* = (\w+)", text))

    agent, _ = await pbx.phone("122", answer()), await pbx.phone("222")
    queued = await Story("22").call(pbx)
    await (await agent.incoming()).answered()
    await queued.hang_up()
    dialled = await Story("11").call(pbx)  # nobody is registered there
    await dialled.over()

    await ringback.wait("VarSet", Variable="DIALSTATUS", Value="CHANUNAVAIL")
    await ami.wait("VarSet", Variable="DIALSTATUS", Value="CHANUNAVAIL")
    got = {seen["Event"] for seen in ringback.events}
    assert got <= listed | {"VarSet"}
    assert {"Newchannel", "QueueCallerJoin", "AgentConnect", "BridgeEnter", "UserEvent", "Hangup"} <= got
    assert {seen["Variable"] for seen in ringback.events if seen["Event"] == "VarSet"} <= variables
    assert len(ami.events) > 3 * len(ringback.events)


async def test_our_account_is_for_one_login_at_a_time_lab(pbx: Pbx, asterisk: Asterisk) -> None:
    async with Ami(asterisk.ami_port, asterisk.account.user, asterisk.account.secret):
        with pytest.raises(AmiRefused, match="Login Already In Use"):
            await pbx.login(asterisk.account)
    await pbx.login(asterisk.account)


async def test_our_account_is_for_this_machine_only_lab(asterisk: Asterisk) -> None:
    with socket.create_connection(("127.0.0.1", asterisk.ami_port), 5, ("127.0.0.2", 0)) as stranger:
        login = f"Action: Login\r\nUsername: {asterisk.account.user}\r\nSecret: {asterisk.account.secret}\r\n\r\n"
        stranger.sendall(login.encode())
        said = b""
        while more := stranger.recv(4096):
            said += more
    assert b"Authentication failed" in said
