"""What an agent presses: each form does its one thing and leads on; who comes too late is told what holds now."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from ringback.core.permissions import Role
from ringback.core.reasons import Reason
from ringback.core.sessions import SessionState
from ringback.errors import StoreBusy
from ringback.flow.permits import Denied, NotThere, Unwritten
from ringback.flow.session_desk import Gone
from tests.fakes.hand_clock import HandClock
from tests.fakes.sessions import AGENTS, BEN, ME, row, session
from tests.fakes.threads import NOON, THREAD
from tests.panel.desks import WORK, Room, room
from tests.panel.inbox import by_id, stream_of, words
from tests.panel.reading import Page

_S = SessionState
SESSION = f"ses_{1:026}"
IN_THREAD = f"/threads/{THREAD}"


@pytest.fixture
async def desk() -> AsyncIterator[Room]:
    async with room(HandClock(NOON + timedelta(minutes=10))) as found:
        found.sessions.rows = [row(1)]
        yield found


@pytest.mark.parametrize(
    ("press", "does", "from_work", "from_thread"),
    [
        ("claim", "claim", IN_THREAD, IN_THREAD),
        ("accept", "accept", IN_THREAD, IN_THREAD),
        ("accept-transfer", "accept_transfer", IN_THREAD, IN_THREAD),
        ("decline", "decline", WORK, IN_THREAD),
        ("decline-transfer", "decline_transfer", WORK, IN_THREAD),
        ("take-back", "take_back", WORK, IN_THREAD),
        ("give-back", "give_back", WORK, IN_THREAD),
        ("dismiss", "dismiss", WORK, IN_THREAD),
        ("end", "end", WORK, IN_THREAD),
    ],
)
async def test_a_press_does_its_thing_and_leads_on(desk: Room, press: str, does: str, from_work: str, from_thread: str):
    assert await desk.press(press) == (303, from_work)
    assert await desk.press(press, **{"from": "thread"}) == (303, from_thread)
    assert desk.desk.done == [(does, SESSION)] * 2


@pytest.mark.parametrize("to", [AGENTS[BEN].public_id, f"que_{2:026}"], ids=["an agent", "a queue"])
async def test_it_is_handed_on_with_a_note(desk: Room, to: str):
    assert await desk.press("transfer", to=to, note="Speaks Dutch", **{"from": "thread"}) == (303, IN_THREAD)
    assert desk.desk.done == [("transfer", SESSION, to, "Speaks Dutch")]


@pytest.mark.parametrize("problem", [Unwritten("choose"), NotThere("no such queue")], ids=["nobody named", "gone"])
async def test_whom_it_cannot_be_handed_to_is_said_and_the_note_is_kept(desk: Room, problem: Exception):
    desk.sessions.rows = [row(1, _S.ASSIGNED, ME)]
    desk.desk.says = problem
    form = {"to": AGENTS[BEN].public_id, "note": "Speaks <b>Dutch</b>", "from": "thread"}
    answer = await desk.visitor.post(f"{WORK}/{SESSION}/transfer", form)
    page = Page(await answer.text())
    assert answer.status == 422
    (said,) = page.by_class("error")
    assert words(said).startswith("Nobody was asked. Choose a colleague")
    assert by_id(page, "hand-note").attributes["value"] == form["note"]
    (chosen,) = [one for one in by_id(page, "hand-to").inside if "selected" in one.attributes]
    assert chosen.attributes["value"] == form["to"]
    (open_,) = page.by_class("hand-on")
    assert "open" in open_.attributes
    assert stream_of(page).startswith(f"{IN_THREAD}/events?")


async def test_what_cannot_be_handed_on_any_more_still_shows_the_note(desk: Room):
    desk.sessions.rows = [row(1, _S.ASSIGNED, BEN)]
    desk.desk.says = Unwritten("choose")
    answer = await desk.visitor.post(f"{WORK}/{SESSION}/transfer", {"to": "", "note": "Speaks Dutch"})
    text = words(next(iter(Page(await answer.text()).by_class("error"))))
    assert "Nobody was asked." in text
    assert "Speaks Dutch" in text


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (row(1, _S.ASSIGNED, BEN), "Ben Okafor was quicker, and has it now."),
        (row(1, _S.OFFERED, offered_to=BEN), "The offer is over: it is shown to Ben Okafor now."),
        (row(1, _S.QUEUED, queue="Service desk"), "That came too late: it waits in Service desk now."),
        (row(1, _S.DISMISSED), "That came too late: it was dismissed."),
        (row(1, _S.ENDED), "That came too late: it has ended."),
        (row(1, _S.OPTED_OUT), "That came too late: they want no more texts, so it ended."),
        (row(1, _S.ASSIGNED, ME), "You have it."),
    ],
    ids=["another was quicker", "the offer is over", "back in a queue", "dismissed", "ended", "opted out", "mine"],
)
@pytest.mark.parametrize("place", ["thread", "work"])
async def test_who_came_too_late_reads_what_holds_now(desk: Room, now, said: str, place: str):
    desk.desk.says = Gone(session(1), "Ben Okafor")
    status, where = await desk.press("claim", **{"from": place})
    desk.sessions.rows = [now]
    assert status == 303
    assert where.startswith({"thread": IN_THREAD, "work": WORK}[place])
    (banner,) = (await desk.page(where)).by_class("banner")
    assert words(banner) == said


async def test_what_is_not_theirs_any_more_is_said_without_a_name(desk: Room):
    desk.sessions.rows = []
    (banner,) = (await desk.page(f"{WORK}?missed={SESSION}")).by_class("banner")
    assert words(banner) == "That did not happen: it is not there for you any more."


async def test_what_they_may_not_see_is_not_there(desk: Room):
    assert (await desk.press("claim", 5))[0] == 404
    desk.sessions.rows = [row(1, did="+19995550100")]
    desk.desk.says = NotThere("never asked")
    assert (await desk.press("claim"))[0] == 404


@pytest.mark.parametrize(
    ("problem", "status"),
    [(Denied(Reason.PERMISSION_DENIED), 403), (NotThere("gone"), 404), (StoreBusy("busy"), 503)],
    ids=["a right is gone", "the session is gone", "a busy database"],
)
async def test_what_cannot_be_done_is_an_error_page_that_says_why(desk: Room, problem: Exception, status: int):
    desk.desk.says = problem
    assert (await desk.press("claim"))[0] == status


async def test_who_takes_no_sessions_presses_nothing():
    async with room(HandClock(NOON), Role.AUDITOR) as found:
        found.sessions.rows = [row(1)]
        assert (await found.press("claim"))[0] == 403
        assert found.desk.done == []
