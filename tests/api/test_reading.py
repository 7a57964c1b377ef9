"""A program asks what became of a text, looks for some, and calls one off."""

from datetime import timedelta
from functools import partial

import pytest

from ringback.core.messages import State
from ringback.core.permissions import Scope
from ringback.flow.holds import hold
from tests.api.conftest import HOUR
from tests.conftest import NOON
from tests.flow.world import DID, OTHER_DID, PAT, SAM, a_call
from tests.store.rows import run

LATER = (NOON + HOUR).isoformat()


async def test_a_text_is_shown_with_all_that_happened_to_it(api, shop):
    sent = await shop.send(reference="order-1")
    await api.world.settled()
    seen = (await shop.get(sent.json["links"]["self"])).json
    attempts, receipts, events = (seen.pop(name) for name in ("attempts", "receipts", "events"))
    assert seen == {
        "id": sent.json["id"],
        "state": "delivered",
        "reason": None,
        "from": DID,
        "to": PAT,
        "text": "Your order is ready.",
        "segments": 1,
        "encoding": "gsm7",
        "class": "transactional",
        "basis": "none",
        "language": "en",
        "campaign": "",
        "reference": "order-1",
        "on_doubt": "once",
        "carrier": "main",
        "asked_by": shop.label,
        "created_at": "2026-11-20T17:00:00Z",
        "changed_at": "2026-11-20T17:00:00Z",
        "not_before": "2026-11-20T17:00:00Z",
        "expires_at": "2026-11-20T21:00:00Z",
        "links": {"self": sent.json["links"]["self"]},
    }
    (attempt,) = attempts
    assert (attempt["carrier"], attempt["outcome"]) == ("main", "accepted")
    assert attempt["id"].startswith("att_")
    assert [(one["attempt"], one["status"]) for one in receipts] == [
        (attempt["id"], "sent"),
        (attempt["id"], "delivered"),
    ]
    assert [one["state"] for one in events] == ["submitting", "accepted", "sent", "delivered"]
    assert {one["at"] for one in events} == {"2026-11-20T17:00:00Z"}


async def test_a_program_that_only_sends_sees_its_own_texts(api, shop):
    other = await api.program(Scope.SEND)
    theirs, ours = await shop.send(reference="r"), await other.send(reference="r", to=SAM)
    assert (await other.get(theirs.json["links"]["self"])).code == "not_found"
    found = await other.get("/v1/messages?reference=r")
    assert [one["id"] for one in found.json["messages"]] == [ours.json["id"]]
    assert (await other.get(f"/v1/messages?to={PAT[1:]}")).json["messages"] == []
    everything = (await shop.get("/v1/messages")).json["messages"]
    assert [one["id"] for one in everything] == [ours.json["id"], theirs.json["id"]]


async def test_a_program_that_reads_sees_the_texts_of_calls_too(api, shop):
    await api.world.happens(*_life())
    (text,) = (await shop.get("/v1/messages")).json["messages"]
    assert text["asked_by"] == "rule missed"


def _life():
    from tests.flow.world import life_of

    return life_of(a_call("1.1"))


@pytest.mark.parametrize("query", ["", "reference=r", f"to={PAT.replace('+', '%2B')}", "reference=r&to=5125550123"])
async def test_a_list_is_turned_page_by_page(api, shop, query):
    sent = [(await shop.send(text=f"{n}", reference="r", not_before=LATER)).json["id"] for n in range(7)]
    await shop.send(reference="other", to=SAM) if query else None
    seen, path = [], f"/v1/messages?limit=3&{query}"
    pages = []
    while path:
        page = (await shop.get(path)).json
        pages.append(len(page["messages"]))
        seen += [one["id"] for one in page["messages"]]
        path = page["next"]
    assert seen == sent[::-1]
    assert pages == [3, 3, 1]


async def test_a_list_to_one_person_has_all_our_numbers(api, shop):
    first = await shop.send(**{"from": OTHER_DID}, text="1")
    api.clock.move(timedelta(minutes=1))
    second = await shop.send(text="2")
    api.clock.move(timedelta(minutes=1))
    third = await shop.send(**{"from": OTHER_DID}, text="3")
    found = (await shop.get("/v1/messages", params={"to": PAT})).json["messages"]
    assert [one["id"] for one in found] == [third.json["id"], second.json["id"], first.json["id"]]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("limit=%D9%A3", "limit"),
        ("after=msg_1", "after"),
        ("to=Pat", "to"),
        ("state=held", "state"),
    ],
)
async def test_a_list_that_cannot_be_given(shop, query, field):
    answer = await shop.get(f"/v1/messages?{query}")
    assert (answer.status, answer.fields) == (422, [field])


async def test_a_text_that_waits_is_called_off(api, shop):
    sent = await shop.send(not_before=LATER)
    path = sent.json["links"]["self"]
    off = await shop.ask("POST", f"{path}/cancel")
    assert (off.status, off.json["state"]) == (200, State.CANCELLED)
    assert off.json["events"][-1]["detail"] == f"called off by {shop.label}"
    again = await shop.ask("POST", f"{path}/cancel")
    assert (again.status, again.body) == (200, off.body)
    await api.world.passes(HOUR)
    assert api.world.handset() == []


@pytest.mark.parametrize(
    ("not_before", "state", "reason"),
    [
        pytest.param(None, "queued", "held_back", id="it would go now"),
        pytest.param(LATER, "held", "scheduled", id="its time has not come anyway"),
    ],
)
async def test_a_text_whose_carrier_is_held_says_so(api, shop, not_before, state, reason):
    api.world.lane.hold("Their line is bad.")
    sent = await shop.send(reference="r", not_before=not_before)
    await api.store.commit(partial(hold, "main", "Their line is bad.", "ana", api.clock.now()))
    seen = (await shop.get(sent.json["links"]["self"])).json
    assert (seen["state"], seen["reason"]) == (state, reason)
    (listed,) = (await shop.get("/v1/messages?reference=r")).json["messages"]
    assert (listed["state"], listed["reason"]) == (state, reason)


async def test_a_text_whose_time_came_while_its_carrier_is_held_says_so(api, shop):
    api.world.lane.hold("Their line is bad.")
    await api.store.commit(partial(hold, "main", "Their line is bad.", "ana", api.clock.now()))
    sent = await shop.send(not_before=LATER)
    api.clock.move(HOUR)
    assert (await shop.get(sent.json["links"]["self"])).json["reason"] == "held_back"


async def test_what_left_says_nothing_of_its_carrier(api, shop):
    sent = await shop.send()
    await api.world.settled()
    await api.store.commit(partial(hold, "main", "Their line is bad.", "ana", api.clock.now()))
    seen = (await shop.get(sent.json["links"]["self"])).json
    assert (seen["state"], seen["reason"]) == ("delivered", None)


async def test_a_text_that_left_is_never_said_to_be_called_off(api, shop):
    sent = await shop.send()
    await api.world.settled()
    off = await shop.ask("POST", f"{sent.json['links']['self']}/cancel")
    assert (off.status, off.code, off.json["state"]) == (409, "too_late", "delivered")
    assert off.json["message"] == sent.json["id"]


async def test_a_refused_text_is_not_called_off(shop):
    sent = await shop.send(to="911")
    off = await shop.ask("POST", f"/v1/messages/{sent.json['message']}/cancel")
    assert (off.code, off.json["state"]) == ("too_late", "refused")


async def test_nobody_calls_off_what_another_asked_for(api, shop):
    other = await api.program(Scope.SEND, Scope.READ)
    stranger = await api.program(Scope.SEND)
    reader = await api.program(Scope.READ)
    path = (await shop.send(not_before=LATER)).json["links"]["self"]
    codes = [(await each.ask("POST", f"{path}/cancel")).code for each in (other, stranger, reader)]
    assert codes == ["permission_denied", "not_found", "permission_denied"]
    assert (await shop.get(path)).json["state"] == "held"


async def test_a_key_that_is_held_to_other_numbers_knows_nothing_of_a_text(api, shop):
    sent = (await shop.send(reference="r")).json
    other = await api.program(Scope.READ)
    run(api.store.url, f"UPDATE api_key SET numbers = '{OTHER_DID}' WHERE public_id = '{other.key.public_id}'")
    api.door.forget()
    unknown = "msg_01jd3v8k6s9xq2m4n7p0r5t8wz"
    foreign, nothing = [await other.get(f"/v1/messages/{one}") for one in (sent["id"], unknown)]
    assert (foreign.status, foreign.code) == (nothing.status, nothing.code) == (404, "not_found")
    assert foreign.body.replace(sent["id"].encode(), b"") == nothing.body.replace(unknown.encode(), b"")
    assert (await other.get("/v1/messages?reference=r")).json == {"messages": [], "next": None}
    assert (await other.get(f"/v1/messages?to={PAT.replace('+', '%2B')}")).json["messages"] == []
    assert (await other.get(f"/v1/messages?reference=r&after={sent['id']}")).fields == ["after"]
    assert (await other.get("/v1/messages")).fields == ["reference"]
    run(api.store.url, f"UPDATE api_key SET numbers = '{DID}' WHERE public_id = '{other.key.public_id}'")
    api.door.forget()
    assert (await other.get(f"/v1/messages/{sent['id']}")).status == 200
    assert len((await other.get("/v1/messages?reference=r")).json["messages"]) == 1
