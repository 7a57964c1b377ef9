"""Callers who keep waiting and write beside it, are texted back, or want no texts: the place in the queue, the agent's
page, and the policy for who hangs up."""

import asyncio
from collections.abc import Iterator, Mapping

import pytest

from lab.asterisk import Asterisk
from lab.phone import answer
from tests.stories.conftest import caller
from tests.stories.texting import ANNA, BOTH, CARA, MISSED, RULES, Ending, Scene, Story
from tests.stories.texting_house import House, opened

OTHER = "+15125550198"
STOPPED = "stopped delivered"


async def accepts_and_hangs_up(s: Scene) -> None:
    call = await s.call()
    await s.press(call, "1")
    await s.told()
    await s.queued()
    await s.texted()
    await call.hang_up()


async def declines_and_hangs_up(s: Scene) -> None:
    call = await s.call()
    await s.press(call, "2")
    await s.queued()
    await call.hang_up()


async def is_not_asked(s: Scene) -> None:
    call = await s.call()
    await s.queued()
    await call.end()


async def writes_and_is_answered(s: Scene) -> None:
    """Two texts while they wait, then Anna lifts; she hangs up, and the session stays hers."""
    phone = await s.pbx.phone("172")
    call = await s.call()
    await s.press(call, "1", tones=True)
    await s.queued()
    await s.texted()
    await s.writes("It is about my order")
    await s.writes("Number 4711")
    lifted = await phone.incoming()
    await lifted.answer()
    await s.saw("BridgeEnter")
    await lifted.hang_up()
    await call.over()


async def somebody_else_answers(s: Scene) -> None:
    """Whoever lifts has no account here."""
    await s.pbx.phone(f"1{s.line}", answer())
    call = await s.call()
    await s.press(call, "1")
    await s.queued()
    await s.saw("BridgeEnter")
    await call.hang_up()


async def keeps_their_place(s: Scene) -> None:
    """Two wait. The first presses the key and gets back in front of the second."""
    call = await s.call()
    await call.answered()
    await s.queued()
    other = await (await s.pbx.caller(OTHER)).call(s.did)
    await s.ami.wait("QueueCallerJoin", Queue=f"text{s.line}", CallerIDNum=OTHER)
    await call.press("1")
    await s.press(call, "1")
    await s.queued(2)
    await s.texted()
    await call.hang_up()
    await other.end()


async def keeps_their_place_without_an_offer(s: Scene) -> None:
    call = await s.call()
    await call.answered()
    await s.queued()
    other = await (await s.pbx.caller(OTHER)).call(s.did)
    await s.ami.wait("QueueCallerJoin", Queue=f"text{s.line}", CallerIDNum=OTHER)
    await call.press("1")
    await s.queued(2)
    await call.hang_up()
    await other.end()


async def asked_twice(s: Scene) -> None:
    call = await s.call()
    await s.press(call, "2")
    await s.queued()
    await call.hang_up()


async def said_stop_before(s: Scene) -> None:
    """They call and give up, get a text, answer STOP, and call again."""
    first = await s.call()
    await s.press(first, "2")
    await first.hang_up()
    await s.texted()
    await s.writes("STOP")
    await s.daemon.become(
        lambda: s.daemon.rows(
            f"SELECT count(*) FROM opt_out_event e JOIN thread t ON t.id = e.thread_id WHERE t.peer = '{s.number}'"
        ),
        [(1,)],
    )
    s.channel = ""
    await is_not_asked(s)


async def is_texted_back(s: Scene) -> None:
    call = await s.call()
    await s.press(call, "1")
    await call.over()


async def answers_by_text(s: Scene) -> None:
    call = await s.call()
    await s.texted()
    await s.writes("Order 4711, please")
    await call.over()


async def is_sent_one(s: Scene) -> None:
    await (await s.call()).over()


async def wants_no_more_texts(s: Scene) -> None:
    call = await s.call()
    await call.answered()
    await call.press("9")
    await call.over()


NO_OFFER = {"if_agents": "3"}
TEXTED = "wait_text delivered"
YES = ("wait_text allowed yes",)


def stays(line: str, said: str, offer: str) -> Ending:
    """Nothing by text but what the rule sends for a call that came to nothing."""
    return Ending(
        (said,), (f"text{line} 1",), "abandoned_queue send allowed", (MISSED,), offers=(f"wait_text {offer}",)
    )


STORIES: dict[str, Story] = {
    "writes while waiting, and the agent answers": Story(
        "212 72",
        writes_and_is_answered,
        Ending(
            ("texted",),
            ("text72 1", "Phone 172"),
            "answered none answered",
            (TEXTED,),
            "assigned: call_accepted text_sent live_call agent_answered call_ended",
            (f"{ANNA}: mine, 2 unread",),
            YES,
        ),
    ),
    "somebody without an account answers": Story(
        "212 73",
        somebody_else_answers,
        Ending(
            ("texted",),
            ("text73 1", "Phone 173"),
            "answered none answered",
            (TEXTED,),
            "ended: call_accepted text_sent agent_answered call_ended",
            offers=YES,
        ),
    ),
    "hangs up, and goes on in the queue of texts": Story(
        "202 73",
        accepts_and_hangs_up,
        Ending(
            ("texted",),
            ("text73 1",),
            "abandoned_queue suppress on_text",
            (TEXTED,),
            "queued: call_accepted text_sent caller_hung_up",
            BOTH,
            YES,
        ),
    ),
    "hangs up, and it is closed by policy": Story(
        "202 74",
        accepts_and_hangs_up,
        Ending(
            ("texted",),
            ("text74 1",),
            "abandoned_queue suppress on_text",
            (TEXTED,),
            "ended: call_accepted text_sent caller_hung_up",
            offers=YES,
        ),
        queue={"after_hang_up": "close"},
    ),
    "declines the text": Story("202 75", declines_and_hangs_up, stays("75", "declined", "allowed no")),
    "too few agents": Story(
        "202 76", is_not_asked, stays("76", "not_offered no_text_agents", "no_text_agents"), queue=NO_OFFER
    ),
    "who said STOP is not asked": Story(
        "212 77",
        said_stop_before,
        Ending(
            ("not_offered opted_out",),
            ("text77 1",),
            "abandoned_queue suppress opted_out",
            (MISSED, STOPPED),
            offers=("wait_text opted_out",),
        ),
    ),
    "the key keeps the place": Story(
        "212 78",
        keeps_their_place,
        Ending(
            ("texted",),
            ("text78 1", "text78 1"),
            "abandoned_queue suppress on_text",
            (TEXTED,),
            "queued: call_accepted text_sent caller_hung_up",
            BOTH,
            YES,
        ),
    ),
    "the key keeps the place where nothing is offered": Story(
        "212 79",
        keeps_their_place_without_an_offer,
        Ending(
            ("not_offered no_text_agents",),
            ("text79 1", "text79 1"),
            "abandoned_queue send allowed",
            (MISSED,),
            offers=("wait_text no_text_agents",),
        ),
        queue=NO_OFFER,
    ),
    "offered once a call": Story(
        "212 88",
        asked_twice,
        Ending(
            ("declined", "not_offered asked_before"),
            ("text88 1",),
            "abandoned_queue send allowed",
            (MISSED,),
            offers=("deflection allowed no",),
        ),
    ),
    "texted back": Story(
        "202 82",
        is_texted_back,
        Ending(
            ("texted",),
            (),
            "abandoned_ivr suppress on_text",
            ("text_back delivered",),
            "queued: call_accepted text_sent caller_hung_up",
            BOTH,
            ("text_back allowed yes",),
        ),
    ),
    "a text from the dialplan": Story(
        "202 83",
        is_sent_one,
        Ending(
            ("",),
            (),
            "abandoned_ivr send allowed",
            ("The way to us: first left, then right. Open 9:00? delivered", MISSED),
        ),
    ),
    "an answer by text becomes a variable": Story(
        "212 84",
        answers_by_text,
        Ending(
            ("reply Order 4711 please",),
            (),
            "abandoned_ivr suppress on_text",
            ("Which order is it? Answer by text delivered",),
            "queued: live_call caller_hung_up",
            (f"{ANNA}: queued, 1 unread", f"{CARA}: queued, 1 unread"),
        ),
    ),
    "no answer by text in time": Story(
        "202 84",
        is_sent_one,
        Ending(
            ("timeout",),
            (),
            "abandoned_ivr send allowed",
            ("Which order is it? Answer by text delivered", MISSED),
        ),
    ),
    "no more texts, by key": Story(
        "202 85", wants_no_more_texts, Ending(("opted_out",), (), "abandoned_ivr suppress opted_out")
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
def test_waiting_lab(told: Mapping[str, Ending | BaseException], name: str) -> None:
    ending = told[name]
    if isinstance(ending, BaseException):
        raise ending
    assert ending == STORIES[name].ending
