"""A program asks for a text: what it is told, what is stored, and what the handset gets."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from ringback.core.messages import Urgency
from ringback.core.permissions import Scope, at_the_shell
from ringback.core.reasons import Reason
from ringback.errors import StoreBusy
from ringback.flow.house import Limits
from ringback.flow.pauses import Pause, Turn, turn
from ringback.flow.pauses import Scope as PauseScope
from tests.api.conftest import HOUR
from tests.conftest import NOON
from tests.flow.world import DID, HOUSE, PAT, SAM


async def test_a_text_that_is_accepted_goes_to_the_handset(api, shop):
    answer = await shop.send(reference="order-1001", campaign="orders")
    assert answer.status == 201
    assert answer.json == {
        "id": answer.json["id"],
        "status": "accepted",
        "reason": None,
        "until": None,
        "from": DID,
        "to": PAT,
        "carrier": "main",
        "segments": 1,
        "encoding": "gsm7",
        "created_at": "2026-11-20T17:00:00Z",
        "links": {"self": f"/v1/messages/{answer.json['id']}"},
    }
    await api.world.settled()
    assert api.world.handset() == ["Your order is ready."]


async def test_what_is_stored_is_what_was_asked_for(api, shop):
    moment = (NOON + HOUR).isoformat()
    asked = {"class": "conversational", "basis": "consent", "reference": "r-1", "campaign": "c-1", "language": "es"}
    answer = await shop.send(**asked, not_before=moment, validity=7200, on_doubt="deliver")
    row = await api.store.read(
        lambda c: c.exec_driver_sql(
            "SELECT class_, basis, reference, campaign, language, doubt, urgency, cause, automatic, state, reason, "
            "not_before, expires_at FROM message"
        ).one()
    )
    due = int((NOON + HOUR).timestamp()) * 1_000_000
    assert tuple(row) == (
        *asked.values(),
        "deliver",
        Urgency.TRANSACTIONAL,
        shop.label,
        False,
        "held",
        "scheduled",
        due,
        due + 7_200_000_000,
    )
    assert (answer.json["status"], answer.json["reason"], answer.json["until"]) == (
        "deferred",
        "scheduled",
        "2026-11-20T18:00:00Z",
    )


async def test_a_scheduled_text_goes_when_its_time_has_come(api, shop):
    await shop.send(not_before=(NOON + HOUR).isoformat())
    assert api.world.handset() == []
    await api.world.passes(HOUR)
    assert api.world.handset() == ["Your order is ready."]


@pytest.mark.parametrize(
    "to", ["+15125550123", "(512) 555-0123", "512-555-0123", "1 512 555 0123", "tel:+1-512-555-0123"]
)
async def test_a_number_is_read_as_people_write_it(shop, to):
    answer = await shop.send(to=to)
    assert (answer.status, answer.json["to"]) == (201, PAT)


async def test_words_are_cleaned_as_a_persons_are(api, shop):
    await shop.send(text="  caf\u0065\u0301 \u0007ok\r\nbye ")
    await api.world.settled()
    assert api.world.handset() == ["café ok\nbye"]


@pytest.mark.parametrize(
    ("to", "code"),
    [
        pytest.param("911", "emergency", id="an emergency number"),
        pytest.param("+19005550123", "premium", id="a premium number"),
        pytest.param(DID, "own_number", id="one of our own"),
        pytest.param("12345", "short_code", id="a short number"),
    ],
)
async def test_a_text_that_a_gate_refuses_is_told_so_and_kept(api, shop, to, code):
    answer = await shop.send(to=to, key="once")
    assert (answer.status, answer.code) == (422, code)
    kept = await shop.get(f"/v1/messages/{answer.json['message']}")
    assert (kept.json["state"], kept.json["reason"]) == ("refused", code)
    again = await shop.send(to=to, key="once")
    assert (again.status, again.body, again.headers["Idempotent-Replay"]) == (422, answer.body, "true")
    await api.world.settled()
    assert api.world.handset(to) == []


async def test_a_stop_holds_for_programs(api, shop):
    await api.world.says("STOP")
    answer = await shop.send()
    assert (answer.status, answer.code) == (422, "opted_out")
    await api.world.settled()
    assert "Your order is ready." not in api.world.handset()


@pytest.mark.parametrize("what", [Pause(PauseScope.ALL), Pause(PauseScope.NUMBER, DID)], ids=str)
async def test_a_pause_holds_for_programs_before_and_after_they_asked(api, shop, what):
    waiting = await shop.send(to=SAM, not_before=(NOON + HOUR).isoformat())
    await api.store.commit(lambda tx: turn(what, Turn.PAUSE, at_the_shell("test"), api.clock.now(), tx))
    assert (await shop.send()).code == "paused"
    await api.world.passes(HOUR)
    assert (await shop.get(waiting.json["links"]["self"])).json["reason"] == Reason.PAUSED
    assert api.world.handset(SAM) == api.world.handset() == []


async def test_the_guards_of_automatic_texts_do_not_count_what_programs_ask(api, shop):
    """Three an hour to a pair is for what nobody asked for."""
    assert [(await shop.send(text=f"number {n}")).status for n in range(5)] == [201] * 5
    await api.world.settled()
    assert api.world.handset() == [f"number {n}" for n in range(5)]


async def test_texts_of_one_program_to_one_person_go_in_order(api, shop):
    for number in range(12):
        await shop.send(text=f"{number}")
    await api.world.settled()
    assert api.world.handset() == [str(number) for number in range(12)]


@pytest.mark.parametrize("house", [replace(HOUSE, limits=Limits(per_number_per_minute=1))], ids=["one a minute"])
async def test_what_waits_for_a_rate_says_until_when(api, shop):
    await shop.send()
    await api.world.settled()
    answer = await shop.send(to=SAM)
    assert (answer.status, answer.json["status"], answer.json["reason"]) == (201, "deferred", "rate_number")
    assert answer.json["until"] == "2026-11-20T17:01:00Z"


async def test_a_text_is_not_stored_while_ringback_stops(api, shop):
    api.asking._open = False
    answer = await shop.send()
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "busy", "2")
    assert await api.count("message") == 0


async def test_a_database_that_cannot_write_is_told_as_busy(api, shop, monkeypatch):
    async def busy(_steps):
        raise StoreBusy("the disk is full")

    monkeypatch.setattr(api.store, "commit_all", busy)
    answer = await shop.send()
    assert (answer.status, answer.code) == (503, "busy")
    assert "disk" not in answer.body.decode()


async def test_a_program_that_hangs_up_does_not_keep_others_from_being_served(api, shop):
    """A request that goes away takes its answer with it, and nothing else."""
    with pytest.raises(asyncio.TimeoutError):
        async with asyncio.timeout(0):
            await shop.send(text="gone")
    assert (await shop.send(to=SAM)).status == 201
    assert api.world.lane.in_flight <= api.world.carrier.window


async def test_a_validity_of_the_carrier_holds_where_the_program_names_none(api, shop):
    answer = await shop.send()
    kept = await shop.get(answer.json["links"]["self"])
    assert kept.json["expires_at"] == (NOON + timedelta(hours=4)).isoformat().replace("+00:00", "Z")


async def test_a_key_without_the_scope_cannot_send(api):
    reader = await api.program(Scope.READ)
    answer = await reader.send()
    assert (answer.status, answer.code) == (403, "permission_denied")
    assert await api.count("message") == 0
