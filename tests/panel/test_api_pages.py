"""The pages of the API: a key is shown once and kept nowhere, a run is watched, paused and called off."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from hashlib import sha256

import pytest
from sqlalchemy import select

from ringback.core.grants import EVERYTHING
from ringback.core.messages import Basis, MessageClass
from ringback.core.permissions import Role, Scope, at_the_shell
from ringback.flow.bulks import Runs
from ringback.flow.holds import hold
from ringback.flow.keys import Because, NewKey, add_key, revoke_key
from ringback.panel import api_words
from ringback.panel.keys import KeyPages, Locksmith
from ringback.panel.runs import Office, RunPages
from ringback.panel.words import legible
from ringback.ports.bulks import Item, Plan, RunState
from ringback.store.accounts import Readers
from ringback.store.database import Database
from ringback.store.keys import Ring
from ringback.store.read_bulks import StoredBulks
from ringback.store.tables import api_key, audit
from tests.conftest import NOON
from tests.fakes.grants import move_in
from tests.fakes.hand_clock import HandClock
from tests.flow.world import DID
from tests.panel.hostile import HOSTILE
from tests.panel.reading import Page
from tests.panel.visiting import ANA, Visitor, client_as

SHOP = {"name": "shop", "scope": "send", "span": ""}
PLAN = Plan(
    asked_by="program key_1",
    did=DID,
    body="Hello {{ name }}, <b>sale</b>",
    class_=MessageClass.TRANSACTIONAL,
    basis=Basis.CONSENT,
    language="en",
    not_before=NOON - timedelta(hours=4),
    expires_at=NOON + timedelta(hours=4),
    name="Autumn",
)


@dataclass
class House:
    """The pages over a real database. `forgot` counts how often the door of programs was told to look anew."""

    visitor: Visitor
    store: Database
    runs: Runs
    clock: HandClock
    forgot: list[None] = field(default_factory=list)

    async def key(self, name: str = "shop", **change) -> str:
        new = NewKey(f"key_{name}", f"hash of {name}", name, frozenset({Scope.SEND, Scope.READ}), **change)
        return (await self.store.commit(partial(add_key, new, "shell root", self.clock.now()))).public_id

    async def run(self, people: int = 3, **change) -> str:
        coming = await self.runs.begin(at_the_shell("test"), replace(PLAN, **change))
        await coming.add([Item(n, f"+1512555{n:04d}", "") for n in range(1, people + 1)])
        await coming.open(people, 2, None, "")
        return coming.public_id

    async def record(self) -> list[tuple[str, str, str]]:
        query = select(audit.c.who, audit.c.action, audit.c.about)
        return [tuple(row) for row in await self.store.read(lambda c: c.execute(query).all())]


@asynccontextmanager
async def open_house(store: Database, clock: HandClock, role: Role = Role.ADMINISTRATOR) -> AsyncIterator[House]:
    ring, runs, forgot = Ring(store), Runs(store, clock), []
    smith = Locksmith(ring, Readers(store), store, clock, lambda: forgot.append(None))
    office = Office(StoredBulks(store), runs, ring, 60, clock)
    await move_in(store, replace(ANA, roles=frozenset({role})), clock.now())
    async with client_as(
        role, lambda shell: KeyPages(shell, smith), lambda shell: RunPages(shell, office), clock=clock
    ) as visitor:
        yield House(visitor, store, runs, clock, forgot)


@pytest.fixture
async def house(store: Database, clock: HandClock) -> AsyncIterator[House]:
    async with open_house(store, clock) as found:
        yield found


def words(element) -> str:
    return " ".join(element.words.split())


def rows(page: Page) -> list[list[str]]:
    return [[words(cell) for cell in row.inside if cell.tag in ("th", "td")] for row in page.by_tag("tr")[1:]]


async def test_before_the_first_key_the_page_says_how_to_make_one(house: House):
    page = await house.visitor.page("/api")
    assert "No program has a key yet" in words(page.by_class("empty")[0])


async def test_a_key_is_shown_once_and_only_its_hash_is_kept(house: House):
    answer = await house.visitor.post("/api/keys", SHOP)
    text = await answer.text()
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    (shown,) = Page(text).by_tag("pre")
    token = shown.words.strip()
    kept = await house.store.read(lambda c: c.execute(select(api_key)).mappings().one())
    assert kept["token_hash"] == sha256(token.encode()).hexdigest()
    assert token not in str(dict(kept))
    assert token not in str(await (await house.visitor.get("/api")).text())
    assert (await house.record())[0][:2] == ("user usr_01ana", "key_add")
    assert len(house.forgot) == 1


async def test_the_list_says_what_each_may_when_it_was_used_and_how_long_it_holds(house: House):
    await house.key("old")
    await house.store.commit(partial(revoke_key, "old", "shell root", NOON))
    await house.key("short", expires_at=house.clock.now() + timedelta(days=1))
    used = await house.key("till")
    key = next(key for key in await Ring(house.store).all() if key.public_id == used)
    await house.store.commit(lambda tx: tx.keys.seen(key.id, house.clock.now()))
    house.clock.move(timedelta(minutes=3))
    assert rows(await house.visitor.page("/api")) == [
        ["till", "Send, Read", "2026-11-20 10:00", "3 minutes ago", "Until revoked"],
        ["short", "Send, Read", "2026-11-20 10:00", "Never", "Until 2026-11-21 10:00"],
        ["old", "Send, Read", "2026-11-20 10:00", "Never", "Revoked"],
    ]
    house.clock.move(timedelta(days=2))
    house.visitor.crowd.enter(house.visitor.account, house.visitor.token, house.clock.now())
    assert [row[-1] for row in rows(await house.visitor.page("/api"))] == ["Until revoked", "Has run out", "Revoked"]


@pytest.mark.parametrize(
    ("form", "why"),
    [
        pytest.param({**SHOP, "name": " "}, Because.BAD_NAME, id="no name"),
        pytest.param({**SHOP, "name": "key_1"}, Because.BAD_NAME, id="a name that reads like an id"),
        pytest.param({**SHOP, "name": "taken"}, Because.TAKEN, id="a name that is taken"),
        pytest.param({"name": "shop", "span": ""}, Because.NO_SCOPE, id="a key that may nothing"),
        pytest.param({**SHOP, "scope": "everything"}, Because.NO_SCOPE, id="a scope there is none of"),
        pytest.param({**SHOP, "span": "-1"}, Because.STRANGE, id="a span of its own"),
    ],
)
async def test_what_cannot_be_a_key_is_said_at_its_field_and_makes_none(house: House, form, why: Because):
    await house.key("taken")
    answer = await house.visitor.post("/api/keys", form)
    page = Page(await answer.text())
    field_, says = api_words.WRONG[why]
    (error,) = [one for one in page.elements if one.attributes.get("id") == f"{field_}-wrong"]
    assert (answer.status, words(error)) == (422, says)
    assert [key.name for key in await Ring(house.store).all()] == ["taken"]
    assert house.forgot == []


@pytest.mark.parametrize("why", Because)
def test_every_refusal_has_its_words(why: Because):
    assert why in api_words.WRONG


@pytest.mark.parametrize("state", RunState)
def test_every_state_of_a_run_has_its_word(state: RunState):
    assert state in api_words.RUNS


async def test_a_key_is_revoked_after_a_question(house: House):
    key = await house.key()
    page = await house.visitor.page(f"/api/keys/{key}")
    assert "2026-11-20 10:00 by shell root" in words(page.by_tag("main")[0])
    assert "turned away from now on" in words(page.by_tag("main")[0])
    answer = await house.visitor.post(f"/api/keys/{key}/revoke")
    assert (answer.status, answer.headers["Location"]) == (303, "/api?done=revoked")
    again = await house.visitor.post(f"/api/keys/{key}/revoke")
    assert again.status == 303
    assert await Ring(house.store).not_revoked() == []
    assert [line for line in await house.record() if line[1] == "key_revoke"] == [("user usr_01ana", "key_revoke", key)]
    assert len(house.forgot) == 1
    assert "Revoke it?" not in words((await house.visitor.page(f"/api/keys/{key}")).by_tag("main")[0])


async def test_a_key_that_has_run_out_can_be_revoked_so_that_its_name_is_free(house: House):
    key = await house.key("shop", expires_at=house.clock.now() + timedelta(days=1))
    house.clock.move(timedelta(days=2))
    house.visitor.crowd.enter(house.visitor.account, house.visitor.token, house.clock.now())
    page = await house.visitor.page("/api")
    assert f"/api/keys/{key}" in [link.attributes.get("href") for link in page.by_tag("a")]
    assert (await house.visitor.post("/api/keys", SHOP)).status == 422
    await house.visitor.post(f"/api/keys/{key}/revoke")
    assert f"/api/keys/{key}" not in [
        link.attributes.get("href") for link in (await house.visitor.page("/api")).by_tag("a")
    ]
    assert (await house.visitor.post("/api/keys", SHOP)).status == 200


async def test_runs_say_who_asked_and_how_far_they_are(house: House):
    assert "There was no run yet" in words((await house.visitor.page("/api/runs")).by_class("empty")[0])
    await house.key("1")
    run, nameless = await house.run(), await house.run(name="", asked_by="shell root")
    assert rows(await house.visitor.page("/api/runs")) == [
        [nameless, "shell root", "+1 202 555 0101", "0 of 3", "Goes on", "2026-11-20 10:00"],
        ["Autumn", "1", "+1 202 555 0101", "0 of 3", "Goes on", "2026-11-20 10:00"],
    ]
    page = words((await house.visitor.page(f"/api/runs/{run}")).by_tag("main")[0])
    assert "Without a text yet3" in page
    assert "Turned away at the start2" in page
    assert "<b>sale</b>" in page


async def test_a_run_is_paused_resumed_and_called_off_by_whom_the_audit_says(house: House):
    run = await house.run()
    path = f"/api/runs/{run}"
    seen = []
    for way in ("pause", "resume", "cancel", "cancel", "pause"):
        answer = await house.visitor.post(f"{path}/{way}")
        assert (answer.status, answer.headers["Location"]) == (303, f"{path}?done={way}")
        seen.append((await StoredBulks(house.store).show(EVERYTHING, run)).run.state)
    assert seen == [RunState.PAUSED, RunState.OPEN, *[RunState.CANCELLING] * 3]
    assert await house.record() == [("user usr_01ana", f"{way}_run", run) for way in ("pause", "resume", "cancel")]


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        pytest.param(RunState.OPEN, {"Pause", "Call it off"}, id="open"),
        pytest.param(RunState.PAUSED, {"Resume", "Call it off"}, id="paused"),
        pytest.param(RunState.CANCELLED, set(), id="over"),
    ],
)
async def test_only_what_can_be_done_is_offered(house: House, state: RunState, shown: set[str]):
    run = await house.run()
    found = (await StoredBulks(house.store).show(EVERYTHING, run)).run
    await house.store.commit(lambda tx: tx.bulks.turn(found.id, RunState.OPEN, state, NOON))
    page = await house.visitor.page(f"/api/runs/{run}")
    offered = [*page.by_tag("button"), *page.by_tag("a")]
    assert {words(one) for one in offered} & {"Pause", "Resume", "Call it off"} == shown


async def test_it_says_what_was_done_only_as_long_as_it_is_so(house: House):
    path = f"/api/runs/{await house.run()}"
    for way, shown in (("resume", True), ("pause", True), ("resume", True), ("cancel", True), ("pause", False)):
        answer = await house.visitor.post(f"{path}/{way}")
        page = await house.visitor.page(answer.headers["Location"])
        assert [words(one) for one in page.by_class("ok") if one.tag == "div"] == [api_words.DONE[way]] * shown
    stale = await house.visitor.page(f"{path}?done=resume")
    assert api_words.DONE["resume"] not in words(stale.by_tag("main")[0])


async def test_a_run_that_has_not_begun_says_so(house: House):
    later = house.clock.now() + timedelta(hours=20)
    run = await house.run(not_before=later, expires_at=later + timedelta(hours=4))
    assert rows(await house.visitor.page("/api/runs"))[0][4] == "Waits for its time"
    assert "It has not begun yet." in words((await house.visitor.page(f"/api/runs/{run}")).by_tag("main")[0])


async def test_calling_off_asks_first(house: House):
    run = await house.run()
    page = await house.visitor.page(f"/api/runs/{run}?ask=cancel")
    assert "It cannot be taken back." in words(page.by_tag("main")[0])
    assert f"/api/runs/{run}/cancel" in [form.attributes.get("action") for form in page.by_tag("form")]


async def test_a_run_whose_number_is_paused_says_so(house: House):
    run = await house.run()
    await house.store.commit(lambda tx: tx.settings.put("pause:all", "", NOON, "ana"))
    (banner,) = (await house.visitor.page(f"/api/runs/{run}")).by_class("banner")
    assert words(banner).startswith("It makes no texts now. Automatic texts are paused.")


@pytest.mark.parametrize("path", ["/api", "/api/keys/key_shop", "/api/runs", "/api/runs/blk_1"])
async def test_an_agent_sees_none_of_it(store: Database, clock: HandClock, path: str):
    async with open_house(store, clock, Role.AGENT) as house:
        await house.key()
        assert (await house.visitor.get(path)).status == 403
        for form in ("/api/keys", "/api/keys/key_shop/revoke", "/api/runs/blk_1/pause", "/api/runs/blk_1/cancel"):
            assert (await house.visitor.post(form, SHOP)).status == 403
        assert [key.name for key in await Ring(store).not_revoked()] == ["shop"]


async def test_a_form_of_another_page_changes_nothing(house: House):
    key = await house.key()
    for path in ("/api/keys", f"/api/keys/{key}/revoke"):
        assert (await house.visitor.post(path, {**SHOP, "name": "other", "csrf": "guessed"})).status == 403
    assert [one.name for one in await Ring(house.store).not_revoked()] == ["shop"]


@pytest.mark.parametrize("path", ["/api/keys/key_nope", "/api/runs/blk_nope", "/api/runs/%00"])
async def test_what_is_not_there_is_no_page(house: House, path: str):
    assert (await house.visitor.get(path)).status == 404


@pytest.mark.parametrize("said", [said for said in HOSTILE if "\x00" not in said and "\ud800" not in said][:12])
async def test_names_and_texts_are_only_text(house: House, said: str):
    run = await house.run(name=said, body=said, campaign=said, asked_by=said)
    await house.store.commit(partial(hold, "main", said, said, NOON))
    for path in ("/api/runs", f"/api/runs/{run}"):
        page = await house.visitor.page(path)
        assert {"iframe", "img", "base", "style", "video", "math"} & {element.tag for element in page.elements} == set()
        assert legible(said) in "".join(element.words for element in page.by_tag("main"))


@pytest.mark.parametrize(("acts_for", "status"), [("", 422), ("ben", 422), ("ana", 200)])
async def test_an_integrator_makes_keys_for_themselves_alone(
    store: Database, clock: HandClock, acts_for: str, status: int
):
    async with open_house(store, clock, Role.INTEGRATOR) as house:
        agent = frozenset({Role.AGENT})
        await store.commit(lambda tx: tx.accounts.add("ben", "Ben", agent, "x", "", clock.now()))
        answer = await house.visitor.post("/api/keys", SHOP | {"acts_for": acts_for})
        assert answer.status == status
        assert ("write your own login" in await answer.text()) == (status == 422)
        assert len(await Ring(store).all()) == (status == 200)
