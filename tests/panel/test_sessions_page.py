"""My work: what an agent has, what is offered and handed to them, and what waits, as a page and live."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import pytest

from ringback.core.permissions import Role
from ringback.core.presence import AtDesk, Presence
from ringback.core.sessions import Due, Origin, SessionState, WaitingOn
from ringback.core.text_queues import Plan, Strategy
from ringback.panel.live import MOST_OF_ONE
from ringback.ports.changes import SESSIONS, Touch
from ringback.ports.sessions import MOST_MORE
from tests.fakes.hand_clock import HandClock
from tests.fakes.sessions import AGENTS, BEN, MAIN, ME, SERVICE, asked, row
from tests.fakes.threads import NOON, at
from tests.panel.desks import WORK, Room, room
from tests.panel.events import listening
from tests.panel.inbox import by_id, stream_of, words
from tests.panel.reading import Page

_S = SessionState


@pytest.fixture
async def desk() -> AsyncIterator[Room]:
    async with room(HandClock(NOON + timedelta(minutes=10))) as found:
        yield found


def box(page: Page, name: str) -> list[str]:
    return [words(item) for item in by_id(page, name).inside if item.tag == "li"]


def buttons(page: Page, name: str) -> list[str]:
    return [words(one) for one in by_id(page, name).inside if one.tag == "button"]


async def test_an_agent_with_nothing_to_do_is_told_what_will_stand_here(desk: Room):
    page = await desk.page()
    said = " ".join(words(one) for one in page.by_class("nothing"))
    assert said == "You have no session. What you claim, take or answer stands here. Nobody waits."


async def test_each_session_stands_in_the_list_of_what_can_be_done_with_it(desk: Room):
    desk.sessions.rows = [
        row(1, _S.ASSIGNED, ME, waiting_on=WaitingOn.AGENT, unread=2, last="Is it ready?"),
        row(2, _S.QUEUED, caller_name="Grace"),
        row(3, _S.OFFERED, offered_to=ME, due=Due.OFFER_OVER, due_at=at(11)),
        row(4, _S.DISMISSED, ME),
        row(5, _S.ASSIGNED, BEN),
    ]
    page = await desk.page()
    assert {name: len(box(page, name)) for name in ("mine", "queued", "offered", "dismissed", "handed")} == {
        "mine": 1,
        "queued": 1,
        "offered": 1,
        "dismissed": 1,
        "handed": 0,
    }
    (mine,) = box(page, "mine")
    assert "+1 202 555 0147" in mine
    assert "Is it ready?" in mine
    assert "Your turn 2 unread" in mine
    assert "Grace" in box(page, "queued")[0]
    assert buttons(page, "offered") == ["Take it", "Not now"]
    assert buttons(page, "queued") == ["Claim"]
    assert buttons(page, "mine") == []


async def test_who_is_in_a_call_says_so(desk: Room):
    desk.sessions.rows = [row(1, _S.ASSIGNED, ME, call=3, origin=Origin.WAIT_TEXT)]
    assert "In a call now" in box(await desk.page(), "mine")[0]
    desk.sessions.rows = [row(1, _S.ASSIGNED, ME, call=3, released_at=at(1))]
    assert "In a call now" not in box(await desk.page(), "mine")[0]


async def test_a_request_shows_who_asks_and_their_note(desk: Room):
    desk.sessions.rows = [row(5, _S.ASSIGNED, BEN, transfer=asked(5))]
    desk.sessions.handed = [asked(5, note="Speaks <b>Dutch</b>")]
    page = await desk.page()
    (handed,) = box(page, "handed")
    assert "Ben Okafor asks you to take it over. Speaks <b>Dutch</b>" in handed
    assert buttons(page, "handed") == ["Take it over", "I cannot"]


async def test_a_request_that_stands_for_ever_has_no_time(desk: Room):
    desk.sessions.rows = [row(5, _S.ASSIGNED, BEN, transfer=asked(5))]
    desk.sessions.handed = [asked(5)]
    assert "until" in box(await desk.page(), "handed")[0]
    desk.sessions.handed = [replace(asked(5), due_at=NOON + timedelta(days=3_660))]
    assert "until" not in box(await desk.page(), "handed")[0]


async def test_a_request_to_a_queue_is_everybodys_there_and_nobody_declines_it_for_all(desk: Room):
    request = asked(5, to="Service desk", to_queue=True)
    desk.sessions.rows = [row(5, _S.ASSIGNED, BEN, transfer=request)]
    desk.sessions.handed = [request]
    page = await desk.page()
    assert "Ben Okafor asks whoever serves Service desk to take it over." in box(page, "handed")[0]
    assert buttons(page, "handed") == ["Take it over"]


async def test_a_request_about_what_is_not_theirs_to_see_is_not_shown(desk: Room):
    desk.sessions.handed = [asked(5)]
    assert box(await desk.page(), "handed") == []


@pytest.mark.parametrize(
    ("presence", "said"),
    [
        (Presence.READY, "Ready"),
        (Presence.ON_CALL, "On a call"),
        (Presence.PAUSED, "Paused"),
        (Presence.DND, "Do not disturb"),
        (Presence.UNREGISTERED, "Phone away"),
        (Presence.AWAY, "Away"),
    ],
)
async def test_an_agent_reads_how_they_are_and_why(desk: Room, presence: Presence, said: str):
    desk.staff.is_in(ME, presence)
    desk.sessions.rows = [row(1, _S.ASSIGNED, ME), row(2, _S.OFFERED, offered_to=ME)]
    me = words(by_id(await desk.page(), "me"))
    assert me.startswith(said)
    assert "You carry 2 of 3 sessions." in me
    assert "Phone 101." in me


async def test_a_call_beside_another_presence_is_said_too(desk: Room):
    desk.staff.is_in(ME, Presence.AWAY, on_call=True)
    me = words(by_id(await desk.page(), "me"))
    assert me.startswith("Away On a call")
    assert "Your call counts as 1." in me


@pytest.mark.parametrize(
    ("says", "button", "sent"), [(AtDesk.READY, "I am away", "away"), (AtDesk.AWAY, "I am ready", "ready")]
)
async def test_the_switch_offers_the_other_one(desk: Room, says: AtDesk, button: str, sent: str):
    desk.staff.who[ME] = replace(AGENTS[ME], desk=says)
    assert button in buttons(await desk.page(), "me")
    answer = await desk.visitor.post(f"{WORK}/at-desk", {"desk": sent})
    assert (answer.status, answer.headers["Location"]) == (303, WORK)
    assert desk.desk.done == [("be", AtDesk(sent))]


async def test_a_switch_that_says_neither_is_no_request(desk: Room):
    assert (await desk.visitor.post(f"{WORK}/at-desk", {"desk": "gone"})).status == 400
    assert desk.desk.done == []


async def test_somebody_in_no_queue_is_told_so(desk: Room):
    desk.staff.who.pop(ME)
    assert words(by_id(await desk.page(), "me")).startswith("You are in no queue yet")


async def test_who_takes_no_sessions_finds_no_such_page():
    async with room(HandClock(NOON), Role.AUDITOR) as found:
        assert (await found.visitor.get(WORK)).status == 403
        page = await found.page("/more")
        assert not [link for link in page.by_tag("a") if link.attributes.get("href") == WORK]


async def test_what_is_there_for_whoever_is_first_says_so_and_is_counted(desk: Room):
    desk.staff.all = (replace(MAIN, plan=Plan(Strategy.BROADCAST)), SERVICE)
    desk.sessions.rows = [row(2), row(3, queue_row=SERVICE.id)]
    first, other = box(await desk.page(), "queued")
    assert "For whoever is first" in first
    assert "For whoever is first" not in other
    async with listening(desk.visitor, "/sessions/events") as reader:
        assert (await reader.next("counts")).data == {WORK: "1"}


@pytest.mark.parametrize(("more", "said"), [(0, ""), (37, "and 37 more"), (MOST_MORE, f"and {MOST_MORE}+ more")])
async def test_who_waits_beyond_the_list_is_counted(desk: Room, more: int, said: str):
    desk.sessions.rows, desk.sessions.more = [row(2)], more
    counted = by_id(await desk.page(), "queued-more")
    assert words(counted) == said
    assert ("hidden" in counted.attributes) is (not more)


async def test_how_many_more_wait_is_kept_on_an_open_page(desk: Room):
    desk.sessions.rows, desk.sessions.more = [row(2)], 37
    async with listening(desk.visitor, stream_of(await desk.page())) as reader:
        await reader.next("order")
        desk.sessions.more = 36
        desk.bells.ring(SESSIONS)
        data = (await reader.next("message")).data
        while data["id"] != "queued-more":
            data = (await reader.next("message")).data
        assert "and 36 more" in data["html"]


# Live


async def test_an_open_page_says_that_its_agent_is_there(desk: Room):
    assert desk.staff.inside == []
    async with listening(desk.visitor, stream_of(await desk.page())) as reader:
        await reader.next("order")
        assert desk.staff.inside == [ME]
    desk.bells.ring(SESSIONS)


async def test_what_another_was_given_leaves_the_queue_at_once(desk: Room):
    desk.sessions.rows = [row(2), row(3)]
    async with listening(desk.visitor, stream_of(await desk.page())) as reader:
        assert [(await reader.next("order")).data["box"] for _ in range(5)][:1] == ["offered"]
        desk.sessions.rows = [row(3)]
        desk.bells.ring(SESSIONS)
        data = (await reader.next("order")).data
        assert data == {"box": "queued", "ids": [f"queued-ses_{3:026}"]}


async def test_an_offer_comes_to_the_page_and_is_said(desk: Room):
    async with listening(desk.visitor, stream_of(await desk.page())) as reader:
        await reader.next("order")
        desk.sessions.rows = [row(2, _S.OFFERED, offered_to=ME, due=Due.OFFER_OVER, due_at=at(11))]
        desk.bells.ring(SESSIONS)
        found = {}
        while "for-you" not in found or f"offered-ses_{2:026}" not in found:
            data = (await reader.next("message")).data
            found[data["id"]] = data["html"]
        assert "A session is offered to you." in found["for-you"]
        assert f'action="/sessions/ses_{2:026}/accept"' in found[f"offered-ses_{2:026}"]
        assert (await reader.next("counts")).data == {WORK: "1"}


async def test_a_text_in_ones_session_is_on_the_page(desk: Room):
    desk.sessions.rows = [row(1, _S.ASSIGNED, ME)]
    async with listening(desk.visitor, stream_of(await desk.page())) as reader:
        await reader.next("order")
        desk.sessions.rows = [row(1, _S.ASSIGNED, ME, last="at 17:30", unread=1)]
        desk.bells.ring(Touch("thread", 1))
        data = (await reader.next("message")).data
        while data["id"] != f"mine-ses_{1:026}":
            data = (await reader.next("message")).data
        assert "at 17:30" in data["html"]


async def test_any_page_of_an_agent_is_live_and_says_what_waits(desk: Room):
    desk.sessions.rows = [row(1, _S.ASSIGNED, ME, waiting_on=WaitingOn.AGENT), row(2, _S.OFFERED, offered_to=ME)]
    (beside,) = [one for one in (await desk.page("/more")).elements if "data-live-else" in one.attributes]
    path = beside.attributes["data-live-else"]
    assert path == "/sessions/events"
    async with listening(desk.visitor, path) as reader:
        assert "A session is offered to you." in (await reader.next("message")).data["html"]
        assert (await reader.next("counts")).data == {WORK: "2"}
        assert desk.staff.inside == [ME]


async def test_what_is_counted_is_read_once_until_a_session_moves(desk: Room):
    async with listening(desk.visitor, "/sessions/events") as one, listening(desk.visitor, "/sessions/events") as other:
        for reader in (one, other):
            assert (await reader.next("counts")).data == {WORK: ""}
        assert desk.sessions.reads == 1
        desk.sessions.rows = [row(2, _S.OFFERED, offered_to=ME)]
        desk.bells.ring(SESSIONS)
        for reader in (one, other):
            assert (await reader.next("counts")).data == {WORK: "1"}
        assert desk.sessions.reads == 2


async def test_of_too_many_pages_one_that_shows_nothing_else_ends_first(desk: Room):
    async with AsyncExitStack() as stack:
        live = await stack.enter_async_context(listening(desk.visitor, stream_of(await desk.page())))
        quiet = [
            await stack.enter_async_context(listening(desk.visitor, "/sessions/events")) for _ in range(MOST_OF_ONE - 1)
        ]
        await stack.enter_async_context(listening(desk.visitor, stream_of(await desk.page())))
        assert "too many live pages" in (await quiet[0].next("ended")).data["why"]
        desk.sessions.rows = [row(2)]
        desk.bells.ring(SESSIONS)
        while (await live.next("order")).data != {"box": "queued", "ids": [f"queued-ses_{2:026}"]}:
            pass
