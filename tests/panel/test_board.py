"""The board over a real database: what a supervisor sees, what changes while they look, and whom they give what."""

import json
import shutil
from datetime import timedelta

import pytest

from ringback.core.presence import Presence
from ringback.core.sessions import SessionState, Why
from ringback.core.text_queues import VoiceName
from ringback.core.voice_queues import DeviceState, VoiceCaller
from ringback.flow.queues import put_voice
from ringback.flow.sessions import dismiss
from ringback.ports.changes import PRESENCE
from tests.fakes.hand_clock import HandClock
from tests.panel.permission_house import words
from tests.panel.queue_house import MAIN, PEERS, SALES, QueueHouse, member, queue_house, staffed
from tests.panel.visiting import SITE


@pytest.fixture
async def house(tmp_path, empty_sqlite, clock: HandClock):
    shutil.copy(empty_sqlite, tmp_path / "ringback.db")
    async with queue_house(tmp_path / "ringback.db", clock) as found:
        await staffed(found)
        await found.queue("Sales", "ana", "ben")
        found.is_in("ana")
        yield found


@pytest.fixture
async def sup(house: QueueHouse):
    return await house.looker("sup")


def row_of(page, public_id: str) -> str:
    """The words of one row."""
    (found,) = [one for one in (*page.by_tag("tr"), *page.by_tag("li")) if one.attributes.get("id") == public_id]
    return " ".join(found.words.split())


def sessions_of(page) -> list[str]:
    return [one.attributes["id"] for one in page.by_tag("tr") if one.attributes.get("id", "").startswith("ses_")]


async def test_a_board_shows_queues_agents_and_sessions_as_they_are(house, sup):
    waits = await house.session("Sales")
    held = await house.session("main", peer=PEERS[1], agent="ana")
    page = await sup.page("/board")
    told = words(page)
    assert "Waiting by text 1" in told
    assert "Sessions open 2" in told
    assert "Agents free 1 of 1 here" in told
    assert "Waits for an agent" in row_of(page, waits)
    assert "Ana Kovačević" in row_of(page, held)
    ana = row_of(page, house.people["ana"].public_id)
    assert "Carries 1 of 3" in ana
    assert "Ready" in ana
    assert "Not here" in row_of(page, house.people["ben"].public_id)


async def test_a_call_counts_beside_what_an_agent_has(house, sup):
    await house.session("main", agent="ana")
    house.is_in("ana", Presence.ON_CALL, on_call=True)
    ana = row_of(await sup.page("/board"), house.people["ana"].public_id)
    assert "Carries 2 of 3" in ana
    assert "On a call" in ana


async def test_the_queue_of_asterisk_stands_beside(house, sup):
    queue, now = await house.queue("Sales"), house.clock.now()
    await house.do(lambda tx: put_voice(queue.public_id, (VoiceName("main", "sales"),), "test", now, tx))
    callers = tuple(VoiceCaller(f"c{n}", n, now - timedelta(minutes=n)) for n in (1, 2))
    busy = member("PJSIP/102", "Ben", DeviceState.INUSE)
    house.exchange.has("sales", member("PJSIP/101", "Ana"), busy, callers=callers)
    told = row_of(await sup.page("/board"), queue.public_id)
    assert "2 callers" in told
    assert "1 of 2 can take a call" in told
    assert "wait not known" in told
    house.waits["sales"] = timedelta(seconds=93)
    assert "1 min 35 s to wait" in row_of(await sup.page("/board"), queue.public_id)
    house.exchange.heard = False
    assert "not heard" in row_of(await sup.page("/board"), queue.public_id)


@pytest.mark.parametrize(
    ("narrowed", "shown"),
    [
        pytest.param("?queue={sales}", ["waits"], id="by queue"),
        pytest.param("?agent={ana}", ["held"], id="by agent"),
        pytest.param("?state=queued", ["waits"], id="by state"),
        pytest.param("?start=auto", ["held", "waits"], id="by how they began"),
        pytest.param("?start=api", [], id="by a way that none began in"),
        pytest.param("?queue=que_nothing", [], id="by a queue that is not there"),
        pytest.param("?state=nonsense", ["held", "waits"], id="by a state that is none"),
    ],
)
async def test_sessions_are_narrowed(house, sup, narrowed, shown):
    found = {"waits": await house.session("Sales")}
    house.clock.move(timedelta(seconds=1))
    found["held"] = await house.session("main", peer=PEERS[1], agent="ana")
    places = {"sales": (await house.queue("Sales")).public_id, "ana": house.people["ana"].public_id}
    page = await sup.page("/board" + narrowed.format(**places))
    assert sessions_of(page) == [found[name] for name in shown]


async def test_a_supervisor_takes_a_session_over(house, sup):
    held = await house.session("main", agent="ana")
    answer = await sup.post(f"/board/sessions/{held}/take-over")
    assert answer.headers["Location"] == "/board?done=taken"
    assert (await house.session_now(held)).agent == house.people["sup"].id
    assert ("session_take_over", held) in {line[:2] for line in await house.record()}


async def test_a_supervisor_gives_a_session_to_an_agent(house, sup):
    waits = await house.session("Sales")
    told = words(await sup.page(f"/board/sessions/{waits}"))
    assert "Give it to them" in told
    ben = house.people["ben"]
    answer = await sup.post(f"/board/sessions/{waits}/give", to=ben.public_id)
    assert answer.headers["Location"] == "/board?done=given"
    now = await house.session_now(waits)
    assert (now.state, now.agent) == (SessionState.ASSIGNED, ben.id)
    assert "gave it to Ben Okafor" in words(await sup.page(f"/board/sessions/{waits}"))


async def test_a_session_is_not_given_to_somebody_who_may_not_answer(house, sup):
    waits = await house.session("Sales")
    answer = await sup.post(f"/board/sessions/{waits}/give", to=house.people["aud"].public_id)
    assert answer.headers["Location"] == "/board?done=unwritten"
    assert (await house.session_now(waits)).agent is None
    assert "Nothing was changed" in words(await sup.page("/board?done=unwritten"))


async def test_a_session_is_put_back_into_its_queue(house, sup):
    held = await house.session("Sales", agent="ana")
    answer = await sup.post(f"/board/sessions/{held}/queue")
    assert answer.headers["Location"] == "/board?done=queued"
    now = await house.session_now(held)
    assert (now.state, now.agent) == (SessionState.QUEUED, None)


async def test_who_is_sent_away_keeps_nothing(house, sup):
    held = await house.session("Sales", agent="ana")
    answer = await sup.post(f"/board/agents/{house.people['ana'].public_id}/away")
    assert answer.headers["Location"] == "/board?done=away"
    assert (await house.session_now(held)).state is SessionState.QUEUED


async def test_an_act_on_a_session_that_is_over_says_what_holds_now(house, sup):
    held = await house.session("main", agent="ana")

    def end(tx):
        from ringback.core.sessions import Why
        from ringback.flow.sessions import finish

        return finish(tx.sessions.get(held), SessionState.ENDED, Why.ENDED, "test", house.clock.now(), tx)

    await house.do(end)
    answer = await sup.post(f"/board/sessions/{held}/take-over")
    assert answer.headers["Location"] == f"/board?missed={held}"
    assert "Nothing was changed" in words(await sup.page(f"/board?missed={held}"))


async def test_sessions_of_numbers_beyond_reach_are_not_there(house):
    from ringback.core.grants import Effect, Way

    await house.grant("sup", Way.RECEIVE, SALES, Effect.DENY)
    house.guard.forget()
    sup = await house.looker("sup")
    hidden, seen = await house.session(did=SALES), await house.session(did=MAIN, peer=PEERS[2])
    page = await sup.page("/board")
    assert sessions_of(page) == [seen]
    assert "Sessions open 1" in words(page)
    for act in ("take-over", "give", "queue"):
        assert (await sup.post(f"/board/sessions/{hidden}/{act}", to="x")).status == 404
    assert (await sup.get(f"/board/sessions/{hidden}")).status == 404


async def test_a_session_that_was_set_aside_is_so_since_then(house):
    held = await house.session("main", agent="ana")
    house.clock.move(timedelta(days=3))

    def set_aside(tx):
        return dismiss(tx.sessions.get(held), Why.CUSTOMER_IDLE, "test", house.clock.now(), tx)

    await house.do(set_aside)
    (row,) = [
        one
        for one in (await (await house.looker("sup")).page("/board")).by_tag("tr")
        if one.attributes.get("id") == held
    ]
    (time,) = [one for one in row.inside if one.tag == "time"]
    assert time.attributes["datetime"] == house.clock.now().isoformat()


async def test_what_is_days_old_says_its_day(house):
    held = await house.session("main", agent="ana")
    house.clock.move(timedelta(days=3))
    opened = (await house.session_now(held)).assigned_at.astimezone(SITE.zone)
    assert f"{opened:%a}" in row_of(await (await house.looker("sup")).page("/board"), held)


async def test_an_agent_sees_no_board_and_acts_on_nothing(house):
    ana, held = await house.looker("ana"), await house.session("main", agent="ben")
    assert (await ana.get("/board")).status == 403
    assert (await ana.get(f"/board/sessions/{held}")).status == 403
    assert (await ana.post(f"/board/sessions/{held}/take-over")).status == 403
    assert (await ana.post(f"/board/agents/{house.people['ben'].public_id}/away")).status == 403


async def events(stream, wanted: str) -> list[dict[str, object]]:
    """What comes until something about `wanted` does."""
    found = []
    async for line in stream.content:
        if line.startswith(b"data: "):
            data = json.loads(line[6:])
            if isinstance(data, dict):
                found.append(data)
                if wanted in str(data.get("id", "")):
                    return found
    raise AssertionError(f"the stream ended without {wanted}")


def stream_of(page) -> str:
    (box,) = [one for one in page.by_tag("div") if "data-live" in one.attributes]
    return box.attributes["data-live"]


async def test_the_board_follows_sessions_and_agents(house, sup):
    stream = await sup.get(stream_of(await sup.page("/board")))
    new = await house.session("Sales")
    (*_, row) = await events(stream, new)
    assert row["box"] == "board-sessions"
    house.is_in("ben")
    house.database.changes.tell(frozenset({PRESENCE}))
    ben = house.people["ben"].public_id
    (*_, agent) = await events(stream, ben)
    assert "Ready" in str(agent["html"])
    stream.close()


async def test_boards_share_one_look_at_the_database_until_a_session_moves(house, sup, monkeypatch):
    read, looks = house.board._parts.sessions, []

    async def board(*args, real=read.board):
        looks.append(args)
        return await real(*args)

    monkeypatch.setattr(read, "board", board)
    for _ in range(3):
        await sup.page("/board")
    assert len(looks) == 1
    new = await house.session("Sales")
    assert sessions_of(await sup.page("/board")) == [new]
    assert len(looks) == 2


async def test_no_more_than_two_hundred_sessions_are_shown(house, sup):
    for n in range(205):
        await house.session("main", peer=f"+1305555{n:04}")
    page = await sup.page("/board")
    assert len(sessions_of(page)) == 200
    assert "These are the 200 that moved last." in words(page)
    assert "Sessions open 205" in words(page)


async def test_a_hundred_agents_stand_on_a_page(house, sup):
    logins = [f"agent{n:03}" for n in range(105)]
    for login in logins:
        await house.add(login, login.title())
    await house.queue("Sales", *logins)
    first, second = await sup.page("/board"), await sup.page("/board?agents=1")
    count = [
        len([one for one in page.by_tag("li") if "agent" in one.attributes.get("class", "").split()])
        for page in (first, second)
    ]
    assert count == [100, 5]
