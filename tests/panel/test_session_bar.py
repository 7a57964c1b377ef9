"""The session over its thread: who has it, what can be done, the call that goes on, and its steps between the texts."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from ringback.core.permissions import Role
from ringback.core.presence import Presence
from ringback.core.sessions import Due, Origin, SessionState, WaitingOn, Why
from ringback.panel import session_words
from ringback.ports.changes import VOICE, Touch
from ringback.ports.threads import InLine, Point
from tests.fakes.hand_clock import HandClock
from tests.fakes.sessions import AGENTS, BEN, ME, asked, row, step
from tests.fakes.threads import HEAD, NOON, at, came, rang
from tests.panel.desks import Room, room
from tests.panel.events import listening
from tests.panel.inbox import PATH, by_id, stream_of, words
from tests.panel.reading import Page

_S = SessionState


@pytest.fixture
async def desk() -> AsyncIterator[Room]:
    async with room(HandClock(NOON + timedelta(minutes=10))) as found:
        yield found


def buttons(page: Page) -> list[str]:
    return [words(one) for one in by_id(page, "session-bar").inside if one.tag == "button"]


def bar(page: Page) -> str:
    return words(by_id(page, "session-bar"))


def said(words: str, minutes: float, number: int = 1) -> InLine:
    """A text whose place in the line is its time."""
    text = came(words, minutes, number)
    return replace(text, point=Point(round(text.at.timestamp() * 1_000_000), 1, number))


def call_of(desk: Room, **more: object) -> None:
    """Their call goes on."""
    live = rang(9, ended_at=None, outcome=None, reason=None, decision=None, pbx="main", uniqueid="77.1", **more)
    desk.threads.first = replace(HEAD, calls=(live,))


def test_every_step_and_state_has_its_words():
    assert set(session_words.STEPS) == set(Why)
    assert set(session_words.STATES) == set(session_words.HOLDS) == set(SessionState)
    assert set(session_words.PRESENCE) == set(session_words.MEANS) == set(Presence)
    assert set(session_words.NEXT) == set(Due) - {Due.NONE}


async def test_a_thread_without_a_session_has_no_bar(desk: Room):
    page = await desk.page(PATH)
    for name in ("session-bar", "live-call"):
        assert "hidden" in by_id(page, name).attributes
        assert words(by_id(page, name)) == ""


@pytest.mark.parametrize(
    ("held", "tells", "can"),
    [
        (row(1, queued_at=at(3)), "Waits for an agent It waits in main. since 10:03", ["Claim"]),
        (
            row(1, _S.ASSIGNED, ME, waiting_on=WaitingOn.AGENT),
            "You have it. Your turn since 10:00 · Queue: main",
            ["Ask them", "Back to the queue", "Dismiss", "End"],
        ),
        (row(1, _S.ASSIGNED, BEN, waiting_on=WaitingOn.CUSTOMER), "With an agent Their turn Ben Okafor has it.", []),
        (row(1, _S.OFFERED, offered_to=ME), "Offered It is offered to you.", ["Take it", "Not now"]),
        (row(1, _S.OFFERED, offered_to=BEN), "Offered It is offered to Ben Okafor.", []),
        (row(1, _S.DISMISSED, BEN), "Dismissed It was dismissed. When they write again, it comes back.", ["Claim"]),
        (row(1, _S.WRAP_UP, ME), "Being finished You are finishing it.", ["Back to the queue", "Dismiss", "End"]),
    ],
    ids=["waits", "mine", "another's", "offered to me", "offered to another", "dismissed", "being finished"],
)
async def test_the_bar_says_what_holds_and_offers_what_can_be_done(desk: Room, held, tells: str, can: list[str]):
    desk.sessions.rows = [held]
    page = await desk.page(PATH)
    assert bar(page).startswith(tells)
    assert buttons(page) == can


async def test_what_happens_by_itself_is_said_with_its_time(desk: Room):
    desk.sessions.rows = [row(1, _S.ASSIGNED, ME, due=Due.CUSTOMER_IDLE, due_at=at(240))]
    assert "Is dismissed at 14:00 if they do not write." in bar(await desk.page(PATH))


async def test_it_can_be_handed_to_colleagues_with_how_they_are_and_to_queues(desk: Room):
    desk.sessions.rows = [row(1, _S.ASSIGNED, ME)]
    desk.staff.is_in(BEN, Presence.ON_CALL)
    desk.staff.who[9] = replace(AGENTS[BEN], account=9, public_id="usr_gone", name="Gone", disabled=True)
    page = await desk.page(PATH)
    options = {one.attributes["value"]: words(one) for one in by_id(page, "session-bar").by_tag("option")}
    assert options == {
        "": "Choose somebody",
        AGENTS[BEN].public_id: "Ben Okafor · On a call",
        f"que_{1:026}": "main",
        f"que_{2:026}": "Service desk",
    }


async def test_a_request_stands_on_both_sides(desk: Room):
    desk.sessions.rows = [row(1, _S.ASSIGNED, ME, transfer=asked(1, by="Ana", to="Ben Okafor", to_me=False))]
    page = await desk.page(PATH)
    assert "Ben Okafor is asked to take it over. The request holds until 10:02." in bar(page)
    assert "Keep it" in buttons(page)
    assert "Ask them" not in buttons(page)
    desk.sessions.rows = [row(1, _S.ASSIGNED, BEN, transfer=asked(1, note="Speaks Dutch"))]
    page = await desk.page(PATH)
    assert "Ben Okafor asks you to take it over. The request holds until 10:02. Speaks Dutch" in bar(page)
    assert buttons(page) == ["Take it over", "I cannot"]


async def test_who_writes_where_another_has_it_is_told_and_may(desk: Room):
    desk.sessions.rows = [row(1, _S.ASSIGNED, BEN)]
    page = await desk.page(PATH)
    assert words(by_id(page, "elsewhere")).startswith("Ben Okafor has this session.")
    assert next(words(one) for one in by_id(page, "end").inside if one.tag == "button") == "Send"
    desk.sessions.rows = [row(1, _S.ASSIGNED, ME)]
    assert words(by_id(await desk.page(PATH), "elsewhere")) == ""


async def test_who_may_take_none_reads_and_presses_nothing(desk: Room, monkeypatch: pytest.MonkeyPatch):
    desk.sessions.rows = [row(1)]
    async with room(HandClock(NOON), Role.SUPERVISOR) as found:
        found.sessions.rows = [row(1)]
        assert buttons(await found.page(PATH)) == ["Claim"]


@pytest.mark.parametrize(
    ("call", "waits", "words_of_it"),
    [
        ({"answered_at": at(9.5), "answered_by": "102"}, "", "On the phone with Ben Okafor"),
        ({"answered_at": at(9.5), "answered_by": "101"}, "", "On the phone with you"),
        ({"answered_at": at(9.5), "answered_by": "333"}, "", "On the phone with 333"),
        ({"answered_at": at(9.5)}, "", "On the phone"),
        ({}, "service", "Waits in service, on the phone"),
        ({}, "", "Calls now, nobody has answered"),
    ],
    ids=["a colleague", "me", "a phone of nobody's", "nobody knows who", "in a queue", "rings"],
)
async def test_a_call_that_goes_on_stands_on_top(desk: Room, call: dict[str, object], waits: str, words_of_it: str):
    call_of(desk, **call)
    desk.staff.waits["main", "77.1"] = waits
    top = by_id(await desk.page(PATH), "live-call")
    assert words(top).startswith(f"{words_of_it} since 10:09")
    assert "hidden" not in top.attributes


async def test_what_they_chose_by_key_stands_beside_the_call(desk: Room):
    call_of(desk)
    desk.sessions.rows = [row(1, _S.NEW, call=1, origin=Origin.WAIT_TEXT, ivr_path="sales > boilers")]
    top = words(by_id(await desk.page(PATH), "live-call"))
    assert "By key they chose to be texted while they wait. In the menu: sales > boilers." in top


async def test_a_call_that_ended_is_not_on_top(desk: Room):
    desk.threads.first = replace(HEAD, calls=(rang(9),))
    assert "hidden" in by_id(await desk.page(PATH), "live-call").attributes


# Steps


def line(page: Page) -> list[str]:
    return [words(one) for one in page.elements if one.classes & {"bubble", "note", "event"}]


async def test_steps_stand_between_calls_and_texts(desk: Room):
    desk.threads.entries = [said("first", 0), said("second", 5, 2)]
    desk.sessions.rows = [row(1, _S.ASSIGNED, ME)]
    desk.sessions.steps[1] = [
        step(Why.NUMBERS_QUEUE, _S.QUEUED, 0),
        step(Why.OFFERED, _S.OFFERED, 1, agent="Ben Okafor"),
        step(Why.DECLINED, _S.QUEUED, 2, agent="Ben Okafor"),
        step(Why.CLAIMED, _S.ASSIGNED, 3, "Ana Kovačević", "Ana Kovačević"),
        step(Why.CLAIMED_BEFORE, _S.ASSIGNED, 5, agent="Ana Kovačević"),
        step(Why.REPLIED, _S.ASSIGNED, 5.5, "Ana Kovačević", "Ana Kovačević"),
        step(Why.TRANSFER_ASKED, _S.ASSIGNED, 6, "Ana Kovačević", "Ana Kovačević", detail="Service desk"),
    ]
    assert line(await desk.page(PATH)) == [
        "first",
        "They wrote, and nobody had it: it went to main. 10:00",
        "Offered to Ben Okafor. 10:01",
        "Ben Okafor could not take it. 10:02",
        "Ana Kovačević claimed it. 10:03",
        "second",
        "Ana Kovačević asked Service desk to take it. 10:06",
    ]


async def test_an_older_page_has_the_steps_of_its_time(desk: Room):
    desk.threads.entries = [said("first", 2)]
    desk.sessions.rows = [row(1)]
    desk.sessions.steps[1] = [step(Why.CLAIMED, _S.ASSIGNED, minutes, agent=f"A{minutes}") for minutes in (1, 3, 8)]
    before = said("later", 5).point
    page = await desk.page(f"{PATH}?before={'-'.join(map(str, before))}")
    assert line(page) == ["first", "A3 claimed it. 10:03"]


async def test_a_session_that_nobody_takes_does_not_fill_the_line(desk: Room):
    desk.threads.entries = [said("first", 0)]
    desk.sessions.rows = [row(1)]
    desk.sessions.steps[1] = [
        step((Why.OFFERED, Why.OFFER_OVER)[n % 2], (_S.OFFERED, _S.QUEUED)[n % 2], n, agent="Ben") for n in range(20)
    ]
    assert line(await desk.page(PATH)) == [
        "first",
        "Offered to Ben. 10:00",
        "Ben did not take it in time. 10:01",
        "Offered to Ben. 10:02",
        "Shown to agents 10 times in all. 10:03–10:19",
    ]


async def test_steps_that_were_not_read_are_said_to_be_left_out(desk: Room):
    desk.threads.entries = [said("first", 0)]
    desk.sessions.rows, desk.sessions.skipped = [row(1, _S.ASSIGNED, BEN)], 300
    desk.sessions.steps[1] = [
        step((Why.OFFER_OVER, Why.OFFERED)[n % 2], (_S.QUEUED, _S.OFFERED)[n % 2], n, agent="Ben") for n in range(20)
    ]
    desk.sessions.steps[1].append(step(Why.CLAIMED, _S.ASSIGNED, 30, "Ben Okafor", "Ben Okafor"))
    page = await desk.page(PATH)
    assert line(page) == [
        "first",
        "300 earlier steps are left out; `ringback explain` has them. 10:00",
        "Then shown to agents 10 times. 10:00–10:19",
        "Ben Okafor claimed it. 10:30",
    ]
    assert by_id(page, f"ses_{1:026}-320"), "a step keeps its name when earlier ones are left out"


# Live


async def test_what_another_does_is_on_an_open_page(desk: Room):
    desk.threads.entries = [came()]
    desk.sessions.rows = [row(1)]
    async with listening(desk.visitor, stream_of(await desk.page(PATH))) as reader:
        await reader.next("order")
        desk.sessions.rows = [row(1, _S.ASSIGNED, BEN)]
        desk.sessions.steps[1] = [step(Why.CLAIMED, _S.ASSIGNED, 3, agent="Ben Okafor")]
        desk.bells.ring(Touch("thread", 1))
        found = {}
        while len(found) < 3:
            data = (await reader.next("message")).data
            found[data["id"]] = Page(data["html"]).elements[0]
        found.pop("for-you", None)
        assert words(found[f"ses_{1:026}-0"]) == "Ben Okafor claimed it. 10:03"
        assert "Ben Okafor has it." in words(found["session-bar"])


async def test_a_phone_that_is_answered_is_on_an_open_page(desk: Room):
    desk.threads.entries = [came()]
    call_of(desk)
    desk.staff.waits["main", "77.1"] = "service"
    async with listening(desk.visitor, stream_of(await desk.page(PATH))) as reader:
        await reader.next("order")
        call_of(desk, answered_at=at(9.5), answered_by="101")
        desk.bells.ring(VOICE)
        data = (await reader.next("message")).data
        while data["id"] != "live-call":
            data = (await reader.next("message")).data
        assert "On the phone with you" in data["html"]
