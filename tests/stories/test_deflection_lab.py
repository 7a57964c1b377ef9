"""Callers in front of a queue go on by text, or do not: where each call goes, what is sent, what agents see."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace

import pytest

from lab.asterisk import Asterisk
from ringback import control
from tests.stories.conftest import caller
from tests.stories.texting import BOTH, MISSED, RULES, Ending, Scene, Story
from tests.stories.texting_house import House, opened

LANDLINE = "+442079460018"
MOBILE = "+15125550177"


async def accepts(s: Scene) -> None:
    call = await s.call()
    await s.press(call, "1", tones=True)
    await call.over()


async def accepts_by_info(s: Scene) -> None:
    call = await s.call()
    await s.press(call, "1")
    await call.over()


async def declines(s: Scene) -> None:
    call = await s.call()
    await s.press(call, "2")
    await call.over()


async def says_nothing(s: Scene) -> None:
    call = await s.call()
    await s.asked(call)
    await call.over()


async def presses_wrong_keys(s: Scene) -> None:
    call = await s.call()
    await s.press(call, "7", "8")
    await call.over()


async def hangs_up_while_asked(s: Scene) -> None:
    call = await s.call()
    await s.asked(call)
    await call.hang_up()


async def hangs_up_after_the_yes(s: Scene) -> None:
    await s.line_to_handset("away")
    call = await s.call()
    await s.press(call, "1")
    await s.saw("Newexten", Application="Playback")
    await call.hang_up()
    await s.line_to_handset("delivers")


async def is_not_asked(s: Scene) -> None:
    call = await s.call()
    await s.told()
    await s.queued()
    await call.end()


async def ends_by_itself(s: Scene) -> None:
    await (await s.call()).over()


def line_behaves(how: str) -> Callable[[Scene], Awaitable[None]]:
    async def act(s: Scene) -> None:
        await s.line_to_handset(how)
        call = await s.call()
        await s.press(call, "1")
        await s.told()
        await s.queued()
        await call.hang_up()

    return act


async def gives_a_mobile(s: Scene) -> None:
    call = await s.call()
    await s.press(call, "1", f"{MOBILE[2:]}#", "1")
    await call.over()


async def somebody_waits_already(s: Scene) -> None:
    other = await (await s.pbx.caller("+15125550199")).call("+12125550171")
    await s.ami.wait("QueueCallerJoin", Queue="text71", CallerIDNum="+15125550199")
    await accepts(s)
    await other.end()


async def the_queue_goes_while_they_listen(s: Scene) -> None:
    call = await s.call()
    await s.asked(call)
    said = await control.ask(s.daemon.state, "queue", change="remove", queue="Text 88", by="shell test")
    assert said is not None
    await call.press("1")
    await s.queued()
    await call.hang_up()


async def by_sipp(s: Scene) -> None:
    scenario = "press_1_rtp" if os.geteuid() == 0 else "press_1"
    start = len(s.ami.events)
    call = await s.pbx.sipp(scenario, s.did, caller=s.number, pause="900")
    begun = await s.ami.wait_for(
        lambda said: said["Event"] == "Newchannel" and said["Exten"] == s.did, "its channel", after=start
    )
    s.channel = begun["Channel"]
    await call.over()


LET_GO = Ending(
    (),
    ("let go",),
    "deflected none no_rule",
    ("opening delivered",),
    "queued: call_accepted text_sent call_ended",
    BOTH,
    ("deflection allowed yes",),
)


def stays(said: str, line: str, offer: str, outcome: str = "abandoned_queue") -> Ending:
    """Who did not go on by text waits in the queue, and is texted by the rule when that comes to nothing."""
    return Ending((said,), (f"text{line} 1",), f"{outcome} send allowed", (MISSED,), offers=(f"deflection {offer}",))


def withheld(said: str, line: str) -> Ending:
    return Ending((said,), (f"text{line} 1",), "abandoned_queue suppress withheld", offers=("deflection withheld",))


LANDLINED = Ending(
    ("not_offered landline",), ("text64 1",), "abandoned_queue suppress landline", offers=("deflection landline",)
)
STORIES: dict[str, Story] = {
    "accepted by a tone": Story("202 64", accepts, LET_GO),
    "accepted by SIP INFO": Story("202 66", accepts_by_info, LET_GO),
    "accepted by SIPp": Story("202 68", by_sipp, LET_GO),
    "declined": Story("202 65", declines, stays("declined", "65", "allowed no", "queue_gave_up")),
    "no key": Story("202 70", says_nothing, stays("declined", "70", "allowed no", "queue_gave_up")),
    "wrong keys": Story("202 67", presses_wrong_keys, stays("declined", "67", "allowed no", "queue_gave_up")),
    "hangs up while asked": Story(
        "212 68",
        hangs_up_while_asked,
        Ending((), (), "abandoned_ivr send allowed", (MISSED,), offers=("deflection allowed",)),
    ),
    "hangs up between the yes and the text": Story(
        "212 67",
        hangs_up_after_the_yes,
        Ending(
            (),
            (),
            "abandoned_ivr suppress on_text",
            ("opening delivered",),
            "queued: call_accepted caller_hung_up text_sent",
            BOTH,
            ("deflection allowed yes",),
        ),
    ),
    "the carrier refuses": Story(
        "212 70",
        line_behaves("refuses"),
        Ending(
            ("failed failed",),
            ("text70 1",),
            "abandoned_queue send allowed",
            ("opening failed", "sorry failed"),
            "ended: call_accepted text_not_sent",
            (),
            ("deflection allowed yes",),
        ),
    ),
    "the carrier says nothing": Story(
        "212 66",
        line_behaves("silent"),
        Ending(
            ("stayed unconfirmed",),
            ("text66 1",),
            "abandoned_queue suppress on_text",
            ("opening unconfirmed",),
            "queued: call_accepted text_unconfirmed caller_hung_up",
            BOTH,
            ("deflection allowed yes",),
        ),
    ),
    "a landline is not asked": Story("212 64", is_not_asked, LANDLINED, caller=LANDLINE),
    "withheld, and not asked": Story(
        "212 69", is_not_asked, withheld("not_offered withheld", "69"), anonymous=True, queue={"if_wait": "1m"}
    ),
    "withheld, and gives a mobile": Story(
        "212 65", gives_a_mobile, LET_GO, to=MOBILE, anonymous=True, queue={"landline": "ask"}
    ),
    "nobody knows how long it takes": Story(
        "202 69", is_not_asked, stays("not_offered wait_unknown", "69", "wait_unknown"), queue={"if_wait": "1m"}
    ),
    "nobody waits": Story(
        "202 71", is_not_asked, stays("not_offered wait_short", "71", "wait_short"), queue={"if_waiting": "1"}
    ),
    "enough wait": Story("212 71", somebody_waits_already, LET_GO, queue={"if_waiting": "1"}),
    "no text queue beside the queue": Story(
        "212 87",
        ends_by_itself,
        Ending(("not_offered no_text_queue",), (), "failed none no_rule", offers=("deflection no_text_queue",)),
    ),
    "the text queue is removed while they listen": Story(
        "212 88",
        the_queue_goes_while_they_listen,
        Ending(
            ("failed no_text_queue", "not_offered asked_before"),
            ("text88 1",),
            "abandoned_queue send allowed",
            (MISSED,),
            offers=("deflection allowed not_sent",),
        ),
    ),
}


@pytest.fixture(scope="module")
def house(asterisk: Asterisk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with opened(tmp_path_factory.mktemp("daemon"), asterisk, STORIES, RULES) as house:
        yield house


@pytest.fixture(scope="module")
def told(house: House) -> Mapping[str, Ending | BaseException]:
    numbers = {name: caller(index) for index, name in enumerate(STORIES)}
    return asyncio.run(house.tell(STORIES, numbers))


@pytest.mark.parametrize("name", STORIES)
def test_deflection_lab(told: Mapping[str, Ending | BaseException], name: str) -> None:
    ending = told[name]
    if isinstance(ending, BaseException):
        raise ending
    assert ending == STORIES[name].ending


async def dies_after_the_yes(s: Scene) -> None:
    """The daemon is killed between the yes and the text, and comes back while the caller waits."""
    await s.line_to_handset("away")
    call = await s.call()
    await s.press(call, "1")
    await s.saw("Newexten", Application="Playback")
    s.daemon.kill()
    await s.told()
    await s.queued()
    s.daemon.start()
    await s.daemon.until(ready=True)
    await s.texted()
    await call.hang_up()


async def test_the_daemon_is_killed_between_the_yes_and_the_text_lab(house: House, told: object) -> None:
    story = Story("212 64", dies_after_the_yes, LET_GO)
    wanted = Ending(
        ("stayed unconfirmed",),
        ("text64 1",),
        "abandoned_queue suppress on_text",
        ("opening delivered",),
        "queued: call_accepted text_sent caller_hung_up",
        BOTH,
        ("deflection allowed yes",),
    )
    assert await house.tell_one(replace(story, ending=wanted), caller(90)) == wanted


async def test_with_the_daemon_away_nothing_is_offered_and_the_call_goes_on_lab(house: House, told: object) -> None:
    async with house.asterisk.opened() as pbx:
        ami = await pbx.ami()
        await pbx.asks("http://127.0.0.1:1")
        call = await (await pbx.caller(caller(91))).call("+12025550165")
        said = await ami.wait("UserEvent", UserEvent="LabTexts")
        assert (said["Result"], said["Reason"]) == ("not_offered", "no_answer")
        await ami.wait("QueueCallerJoin", Queue="text65")
        await call.over()
