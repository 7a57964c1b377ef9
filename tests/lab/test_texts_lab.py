"""The routines we ship, on a real Asterisk: what each asks, what it makes of the answer, where the call goes.

Who answers here is a script. tests/stories has the same with the daemon.
"""

import asyncio
import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from lab.ami import Ami
from lab.asterisk import Asterisk
from lab.call import Call
from lab.pbx import Pbx
from tests.fakes.dialplan_listener import AgiListener, Listener, Listeners

CALLER = "+15125550123"
OFFER, TEXT, PLACE = "offer|40|of1", "msg_0000000000000000000000000a", "3"
OK = f"ok|{TEXT}|{PLACE}"
PAGE = "HTTP/1.1 404 Not Found\r\nContent-Length: 13\r\n\r\n<html>\"'</h>\n"
Answers = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class Said:
    """What a routine left behind, as the lab's lines tell it."""

    result: str
    reason: str = ""
    position: str = ""
    text: str = ""
    reply: str = ""


@dataclass(frozen=True)
class Row:
    """`number` is area and line, one for each row. `keys` are pressed one by one, a `,` waits for the next question."""

    number: str
    answers: Answers
    keys: str
    said: Said
    asked: tuple[str, ...]
    into: str = ""
    """The queue where the caller is afterwards."""
    ends: bool = False
    told: Mapping[str, str] = field(default_factory=dict)

    @property
    def did(self) -> str:
        return f"+1{self.number[:3]}55501{self.number[-2:]}"


def did(line: str) -> str:
    return f"+121255501{line}"


async def begins(pbx: Pbx, line: str, name: str = "Pat Example") -> Call:
    caller = await pbx.caller(CALLER, name)
    return await caller.call(did(line))


async def presses(ami: Ami, call: Call, keys: str, **of: str) -> None:
    """Each key when the dialplan reads it; a key before that would be thrown away."""
    start = 0
    for part in keys.split(",") if keys else ():
        seen = await ami.wait("Newexten", Application="Read", after=start, **of)
        start = ami.events.index(seen) + 1
        await call.answered()
        await call.press(part)


async def told(ami: Ami, **of: str) -> Said:
    said = await ami.wait("UserEvent", UserEvent="LabTexts", **of)
    return Said(said["Result"], said["Reason"], said["Position"], said["Text"], said["Reply"])


MOBILE = "5125550177"
DEFLECTED = {"offer": OFFER, "accept": OK, "state": ("pending", "accepted"), "letgo": "ok"}
POLLED = ("offer", "accept", "state", "state", "letgo")
STAYS = ("offer", "accept", "state")
DECLINED = {"offer": OFFER, "decline": f"ok||{PLACE}"}
ASKED = {**DEFLECTED, "offer": "ask|40|of1"}
ROWS = {
    "deflection, refused by the carrier": Row(
        "212 64",
        {**DEFLECTED, "state": "no|not_textable"},
        "1",
        Said("failed", "not_textable", PLACE, TEXT),
        STAYS,
        into="text64",
    ),
    "deflection, unconfirmed": Row(
        "212 65",
        {**DEFLECTED, "state": "unconfirmed"},
        "1",
        Said("stayed", "unconfirmed", PLACE, TEXT),
        STAYS,
        "text65",
    ),
    "deflection, the session is not let go": Row(
        "212 66",
        {**DEFLECTED, "letgo": "no|invalid_number"},
        "1",
        Said("stayed", "unconfirmed", PLACE, TEXT),
        POLLED,
        "text66",
    ),
    "deflection, the gates say no": Row(
        "212 67",
        {**DEFLECTED, "accept": f"no|quiet_hours|{PLACE}"},
        "1",
        Said("failed", "quiet_hours", PLACE),
        ("offer", "accept"),
        "text67",
    ),
    "deflection, nobody answers the yes": Row(
        "212 68", {"offer": OFFER, "accept": PAGE}, "1", Said("failed", "no_answer"), ("offer", "accept"), "text68"
    ),
    "deflection, declined": Row(
        "212 69", DECLINED, "2", Said("declined", position=PLACE), ("offer", "decline"), "text69", told={"key": "2"}
    ),
    "deflection, wrong key and then yes": Row(
        "212 70",
        {**DEFLECTED, "state": "unconfirmed"},
        "7,1",
        Said("stayed", "unconfirmed", PLACE, TEXT),
        STAYS,
        "text70",
    ),
    "deflection, wrong key twice": Row(
        "212 71", DECLINED, "7,8", Said("declined", position=PLACE), ("offer", "decline"), "text71", told={"key": "8"}
    ),
    "nothing offered": Row(
        "202 64", {"offer": "no|wait_short"}, "", Said("not_offered", "wait_short"), ("offer",), "text64"
    ),
    "nothing offered, the place is kept": Row(
        "212 72",
        {"offer": f"no|asked_before|{PLACE}"},
        "",
        Said("not_offered", "asked_before", PLACE),
        ("offer",),
        "text72",
    ),
    "an answer of another kind": Row(
        "202 65", {"offer": "yes|40"}, "", Said("not_offered", "no_answer"), ("offer",), "text65"
    ),
    "a page instead of an answer": Row(
        "202 66", {"offer": PAGE}, "", Said("not_offered", "no_answer"), ("offer",), "text66"
    ),
    "wait-time text": Row(
        "212 73", {"offer": OFFER, "accept": OK}, "1", Said("texted", "", PLACE, TEXT), ("offer", "accept"), "text73"
    ),
    "wait-time text, declined": Row(
        "212 74", DECLINED, "2", Said("declined", position=PLACE), ("offer", "decline"), "text74"
    ),
    "text back": Row(
        "212 82", {"offer": OFFER, "accept": OK}, "1", Said("texted", "", PLACE, TEXT), ("offer", "accept"), ends=True
    ),
    "a landline gives a mobile": Row(
        "212 75",
        {"offer": "ask|40|of1", "accept": OK},
        f"1,{MOBILE}#,1",
        Said("texted", "", PLACE, TEXT),
        ("offer", "accept"),
        "text75",
        told={"to": MOBILE},
    ),
    "a landline gives it again": Row(
        "212 76",
        {"offer": "ask|40|of1", "accept": OK},
        f"1,5125550111#,2,{MOBILE}#,1",
        Said("texted", "", PLACE, TEXT),
        ("offer", "accept"),
        "text76",
        told={"to": MOBILE},
    ),
    "a landline gives none": Row(
        "212 77",
        {"offer": "ask|40|of1", "decline": f"ok||{PLACE}"},
        "1,#,12#",
        Said("declined", position=PLACE),
        ("offer", "decline"),
        "text77",
    ),
    "the wait is too long for an answer by text": Row(
        "202 84", {"send": f"ok|{TEXT}", "reply": "none"}, "", Said("timeout", text=TEXT), ("send",), ends=True
    ),
    "nothing goes, so nobody waits": Row(
        "212 84", {"send": "no|opted_out"}, "", Said("failed", "opted_out"), ("send",), ends=True
    ),
    "no more texts from this number": Row(
        "212 85", {"optout": "ok"}, "", Said("opted_out"), ("optout",), ends=True, told={"scope": "number"}
    ),
    "it cannot be noted": Row(
        "202 85", {"optout": "no|gate_error"}, "", Said("failed", "gate_error"), ("optout",), ends=True
    ),
}


@pytest.fixture(scope="module")
def played(asterisk: Asterisk) -> Mapping[str, tuple[Said, Listener] | BaseException]:
    """Every row at once: what its routine left behind, and what it asked. Asterisk found nothing wrong meanwhile."""
    before = len(asterisk.log)
    found = asyncio.run(play(asterisk))
    assert faults(asterisk.log[before:]) == []
    return found


async def play(asterisk: Asterisk) -> Mapping[str, tuple[Said, Listener] | BaseException]:
    async with Listeners({row.did: row.answers for row in ROWS.values()}) as listeners, asterisk.opened() as pbx:
        await pbx.asks(listeners.url)
        ami = await pbx.ami()
        await ami.action("Setvar", Variable="RINGBACK_KEY_WAIT", Value="2")

        async def one(place: int, row: Row) -> tuple[Said, Listener]:
            said = await play_one(pbx, ami, f"+1713555{place + 100:04}", row)
            return said, listeners.to(row.did)

        found = await asyncio.gather(*(one(*each) for each in enumerate(ROWS.values())), return_exceptions=True)
        await ami.action("Setvar", Variable="RINGBACK_KEY_WAIT", Value="")
    return dict(zip(ROWS, found, strict=True))


async def play_one(pbx: Pbx, ami: Ami, caller: str, row: Row) -> Said:
    call = await (await pbx.caller(caller)).call(row.did)
    if row.number.endswith("85"):
        await call.answered()
        await call.press("9")
    await presses(ami, call, row.keys, CallerIDNum=caller)
    said = await told(ami, CallerIDNum=caller)
    if row.into:
        await ami.wait("QueueCallerJoin", Queue=row.into, CallerIDNum=caller)
    if row.ends:
        await call.over()
    await call.end()
    return said


@pytest.mark.parametrize("name", ROWS)
def test_routine_lab(
    asterisk: Asterisk, played: Mapping[str, tuple[Said, Listener] | BaseException], name: str
) -> None:
    found, row = played[name], ROWS[name]
    if isinstance(found, BaseException):
        raise found
    said, listener = found
    assert said == row.said
    assert tuple(verb for verb in listener.verbs if verb != "reply") == row.asked
    assert {one.token for one in listener.asked} == {asterisk.token}
    assert all(listener.asked[-1].told[key] == value for key, value in row.told.items())


def faults(log: str) -> list[str]:
    """What Asterisk found wrong with our dialplan; that nobody answered is said by func_curl."""
    return re.findall(r"(?:WARNING|ERROR)\[\d+\]\[C-.*(?:pbx|ast_expr|func_(?!curl)|app_stack|app_read|file\.c).*", log)


@pytest.fixture
def quiet(pbx: Pbx) -> Iterator[None]:
    """Asterisk finds nothing wrong with our dialplan; that nobody answered is said by func_curl."""
    before = len(pbx.asterisk.log)
    yield
    assert faults(pbx.asterisk.log[before:]) == []


async def test_who_is_let_go_hears_so_and_is_hung_up_on_lab(pbx: Pbx, ami: Ami) -> None:
    async with Listener(**DEFLECTED) as listener:
        await pbx.asks(listener.url)
        call = await begins(pbx, "64")
        await presses(ami, call, "1")
        await call.over()

    assert tuple(listener.verbs) == POLLED
    event = await ami.wait("UserEvent", UserEvent="RingbackDeflect")
    assert event["Text"] == TEXT
    played = [seen["AppData"] for seen in ami.events if seen.get("Application") in ("Read", "Playback")]
    assert [re.search(r"ringback/([a-z-]+)", data)[1] for data in played] == ["deflect", "sending", "deflected"]
    assert (await ami.wait("Hangup", Uniqueid=event["Uniqueid"]))["Cause"] == "16"
    assert not any(seen["Event"] == "QueueCallerJoin" for seen in ami.events)


@pytest.mark.usefixtures("quiet")
async def test_what_is_told_with_a_yes_lab(pbx: Pbx, ami: Ami) -> None:
    async with Listener(**DEFLECTED) as listener:
        await pbx.asks(listener.url)
        call = await begins(pbx, "65", name='Zoë, "(${EXTEN}' + "$[1+1])&x=1")
        await presses(ami, call, "1")
        await call.over()

    uniqueid = (await ami.wait("UserEvent", UserEvent="RingbackDeflect"))["Uniqueid"]
    who = {"call": uniqueid, "from": CALLER, "did": did("65"), "pres": "allowed_not_screened"}
    about = {"kind": "deflection", "queue": "text65", "lang": "en", "ivr": "sales/returns"}
    assert listener.of("offer") == [who | about]
    (accept,) = listener.of("accept")
    assert base64.b64decode(accept["name64"]).decode() == 'Zoë, \\"(${EXTEN}$[1+1])&x=1'
    yes = {"prompt": "deflect.en.1", "key": "1", "to": ""}
    assert accept == who | about | yes | {"name64": accept["name64"]}
    assert listener.of("state")[0] == {"call": uniqueid, "text": TEXT}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param(
            {"textable": "yes", "consent": "yes", "agents": "ok|4", "wait": "ok|75|6"},
            ("yes", "", "yes", "4", "75", "6"),
            id="all is known",
        ),
        pytest.param(
            {"textable": "no|landline", "consent": "no|consent_missing", "agents": "ok|0", "wait": "unknown||2"},
            ("no", "landline", "no", "0", "unknown", "2"),
            id="no, none, unknown",
        ),
        pytest.param(
            dict.fromkeys(("textable", "consent", "agents", "wait"), PAGE),
            ("unknown", "", "unknown", "0", "unknown", ""),
            id="pages instead of answers",
        ),
        pytest.param(
            dict.fromkeys(("textable", "consent", "agents", "wait"), '"yes"|"4"'),
            ("unknown", "", "unknown", "0", "unknown", ""),
            id="quotes in the answer",
        ),
        pytest.param({}, ("unknown", "", "unknown", "0", "unknown", ""), id="no answer within a second"),
    ],
)
@pytest.mark.usefixtures("quiet")
async def test_questions_lab(pbx: Pbx, ami: Ami, answers: Answers, expected: tuple[str, ...]) -> None:
    async with Listener(**answers) as listener:
        await pbx.asks(listener.url)
        call = await begins(pbx, "86")
        said = await ami.wait("UserEvent", UserEvent="LabQuestions")
        await call.over()
    names = ("Textable", "Reason", "Consent", "Agents", "Wait", "Waiting")
    assert tuple(said[name] for name in names) == expected
    assert listener.verbs == ["textable", "consent", "agents", "wait"]


@pytest.mark.usefixtures("quiet")
async def test_nobody_answers_at_all_and_the_call_goes_on_lab(pbx: Pbx, ami: Ami) -> None:
    await pbx.asks("http://127.0.0.1:1")
    await begins(pbx, "65")
    assert await told(ami) == Said("not_offered", "no_answer")
    await ami.wait("QueueCallerJoin", Queue="text65")


async def test_without_its_settings_nobody_is_asked_and_the_log_says_why_lab(pbx: Pbx, ami: Ami) -> None:
    async with Listener(offer=OFFER) as listener:
        await pbx.asks(listener.url)
        await ami.action("Setvar", Variable="RINGBACK_TOKEN", Value="")
        await begins(pbx, "66")
        assert await told(ami) == Said("not_offered", "no_answer")
    assert listener.asked == []
    assert "RINGBACK_URL or RINGBACK_TOKEN is not set" in pbx.asterisk.log


@pytest.mark.usefixtures("quiet")
async def test_a_text_with_commas_and_a_colon_goes_out_as_it_is_lab(pbx: Pbx, ami: Ami) -> None:
    async with Listener(send=f"ok|{TEXT}") as listener:
        await pbx.asks(listener.url)
        await begins(pbx, "83")
        assert (await told(ami)).text == TEXT
    (send,) = listener.of("send")
    assert base64.b64decode(send["body64"]).decode() == "The way to us: first left, then right. Open 9:00?"


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        pytest.param("Order 4711, please", "Order 4711 please", id="words"),
        pytest.param('x",1)${SHELL(id)}\n$[1+1]\\;é', "x1SHELLid1+1", id="dialplan code"),
    ],
)
@pytest.mark.usefixtures("quiet")
async def test_an_answer_by_text_becomes_a_harmless_variable_lab(pbx: Pbx, ami: Ami, reply: str, shown: str) -> None:
    coded = base64.b64encode(reply.encode()).decode()
    async with Listener(send=f"ok|{TEXT}", reply=["none", f"text|{coded}"]) as listener:
        await pbx.asks(listener.url)
        call = await begins(pbx, "84")
        assert await told(ami) == Said("reply", text=TEXT, reply=shown)
        await call.over()
    whole = [seen["Value"] for seen in ami.events if seen.get("Variable") == "TEXT_REPLY64"]
    assert whole[-1] == coded
    assert listener.of("reply")[0]["text"] == TEXT


@pytest.mark.usefixtures("quiet")
async def test_music_ends_with_the_caller_lab(pbx: Pbx, ami: Ami) -> None:
    async with Listener(send=f"ok|{TEXT}", reply="none") as listener:
        await pbx.asks(listener.url)
        call = await begins(pbx, "84")
        await ami.wait("MusicOnHoldStart")
        await call.hang_up()
        await ami.wait("Hangup", CallerIDNum=CALLER)
        assert len(listener.of("reply")) <= 1


async def test_a_missing_prompt_offers_nothing_and_is_named_in_the_log_lab(pbx: Pbx, ami: Ami) -> None:
    prompt = pbx.run / "data/sounds/ringback/deflect.sln"
    aside = prompt.rename(prompt.with_suffix(".aside"))
    try:
        async with Listener(offer=OFFER) as listener:
            await pbx.asks(listener.url)
            await begins(pbx, "67")
            assert await told(ami) == Said("not_offered", "no_prompt")
            await ami.wait("QueueCallerJoin", Queue="text67")
    finally:
        aside.rename(prompt)
    assert listener.verbs == ["offer"]
    assert "the prompt ringback/deflect is missing for language en" in pbx.asterisk.log
    missing = await ami.action("Getvar", Variable="RINGBACK_PROMPT_MISSING")
    assert missing["Value"] == "ringback/deflect (en)"
    await ami.action("Setvar", Variable="RINGBACK_PROMPT_MISSING", Value="")


async def test_a_key_from_before_the_question_is_no_yes_lab(pbx: Pbx, ami: Ami) -> None:
    await ami.action("Setvar", Variable="RINGBACK_KEY_WAIT", Value="0.5")
    async with Listener(offer=OFFER, decline=f"ok||{PLACE}", accept=OK) as listener:
        await pbx.asks(listener.url)
        call = await begins(pbx, "88")
        await presses(ami, call, "2")
        await ami.wait("UserEvent", UserEvent="LabTexts")
        listener.held.clear()
        await call.press("1")
        listener.held.set()
        await ami.wait("QueueCallerJoin", Queue="text88")
    await ami.action("Setvar", Variable="RINGBACK_KEY_WAIT", Value="")
    assert listener.verbs == ["offer", "decline", "offer", "decline"]
    assert listener.of("decline")[1]["key"] == ""


@pytest.mark.parametrize("keys", ["5", "*"])
async def test_the_keys_may_be_others_lab(pbx: Pbx, ami: Ami, keys: str) -> None:
    await ami.action("Setvar", Variable="RINGBACK_KEY_YES", Value=keys)
    await ami.action("Setvar", Variable="RINGBACK_PROMPTS", Value="ours-7")
    try:
        async with Listener(offer=OFFER, accept=OK) as listener:
            await pbx.asks(listener.url)
            call = await begins(pbx, "73")
            await presses(ami, call, keys)
            assert (await told(ami)).result == "texted"
    finally:
        for name in ("RINGBACK_KEY_YES", "RINGBACK_PROMPTS"):
            await ami.action("Setvar", Variable=name, Value="")
    (accept,) = listener.of("accept")
    assert (accept["key"], accept["prompt"]) == (keys, "wait-text.en.ours-7")


@pytest.mark.usefixtures("quiet")
async def test_by_fastagi_lab(pbx: Pbx, ami: Ami) -> None:
    async with AgiListener(**DEFLECTED) as listener:
        await pbx.asks(listener.url, way="agi")
        call = await begins(pbx, "66", name='Zoë, "(${EXTEN}' + "$[1+1])&x=1")
        await presses(ami, call, "1")
        await call.over()
    assert tuple(listener.verbs) == POLLED
    (accept,) = listener.of("accept")
    assert accept["from"] == CALLER
    assert {one.token for one in listener.asked} == {pbx.asterisk.token}


@pytest.mark.parametrize("nobody", [False, True], ids=["the line is closed without an answer", "nobody listens"])
async def test_by_fastagi_without_an_answer_the_call_goes_on_lab(pbx: Pbx, ami: Ami, nobody: bool) -> None:
    async with AgiListener() as listener:
        await pbx.asks("agi://127.0.0.1:1" if nobody else listener.url, way="agi")
        await begins(pbx, "67")
        assert await told(ami) == Said("not_offered", "no_answer")
        await ami.wait("QueueCallerJoin", Queue="text67")
