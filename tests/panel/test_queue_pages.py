"""The pages of text queues over a real database: what they show, what they change, and what they refuse."""

import shutil

import pytest

from ringback.core.text_queues import Note, Strategy, VoiceName
from tests.fakes.hand_clock import HandClock
from tests.panel.permission_house import words
from tests.panel.queue_house import SALES, QueueHouse, member, queue_house, staffed
from tests.panel.reading import Page


@pytest.fixture
async def house(tmp_path, empty_sqlite, clock: HandClock):
    shutil.copy(empty_sqlite, tmp_path / "ringback.db")
    async with queue_house(tmp_path / "ringback.db", clock) as found:
        await staffed(found)
        yield found


@pytest.fixture
async def boss(house: QueueHouse):
    return await house.looker("boss")


def form_of(page) -> list[tuple[str, str]]:
    """What a browser would send of the form of a queue: what is ticked, chosen and written."""
    sent = []
    for one in page.by_tag("input"):
        kind, name = one.attributes.get("type", "text"), one.attributes.get("name")
        if name and name not in ("csrf", "theme", "back") and (kind != "checkbox" or "checked" in one.attributes):
            sent.append((name, one.attributes.get("value", "")))
    for one in page.by_tag("select"):
        options = [option for option in one.inside if option.tag == "option"]
        chosen = next((option for option in options if "selected" in option.attributes), options[0])
        sent.append((one.attributes["name"], chosen.attributes.get("value", "")))
    return sent + [(one.attributes["name"], one.words.strip("\n")) for one in page.by_tag("textarea")]


def others_said(page: Page) -> str:
    """What another changed meanwhile, as the page says it."""
    return " ".join(" ".join(one.words.split()) for one in page.by_class("meanwhile"))


async def send(who, path: str, pairs: list[tuple[str, str]], **other: str):
    kept = [(name, value) for name, value in pairs if name not in other]
    return await who.session.post(
        path,
        data=[("csrf", who.csrf), *kept, *other.items()],
        headers={"Origin": who.base},
        allow_redirects=False,
    )


async def test_the_main_queue_is_there_from_the_start(house, boss):
    told = words(await boss.page("/queues"))
    assert "Text queues" in told
    assert "main" in told
    assert "All that no other queue has" in told


async def test_a_queue_is_made_with_its_texts_and_opens_its_page(house, boss):
    answer = await boss.post("/queues/new", name="Sales", strategy="broadcast")
    queue = await house.queue("Sales")
    assert answer.headers["Location"] == f"/queues/{queue.public_id}?done=added"
    assert queue.plan.strategy is Strategy.BROADCAST
    told = words(await boss.page(answer.headers["Location"]))
    assert "The queue is there." in told
    assert "en : 1 part" in told


@pytest.mark.parametrize(
    ("form", "why"),
    [
        pytest.param({"name": " ", "strategy": "manual"}, "A text queue has a name of one to sixty", id="no name"),
        pytest.param({"name": "MAIN", "strategy": "manual"}, "a text queue of this name already", id="taken"),
        pytest.param({"name": "Sales", "strategy": "fast"}, "fast is none of these", id="no such strategy"),
    ],
)
async def test_a_new_queue_that_cannot_be_keeps_what_was_typed(house, boss, form, why):
    answer = await boss.post("/queues/new", **form)
    text = await answer.text()
    assert answer.status == 422
    assert why in text
    assert f'value="{form["name"]}"' in text


async def test_all_of_a_queue_is_changed_with_one_form(house, boss):
    queue = await house.queue("Sales", "ana")
    house.exchange.has("sales", member("PJSIP/101", "Ana"))
    path = f"/queues/{queue.public_id}"
    pairs = form_of(await boss.page(path))
    pairs += [("voice", "main/sales"), ("number", SALES)]
    answer = await send(boss, path, pairs, name="Selling", more_members="ben, 110", offer_for="45s", if_wait="2m")
    assert answer.status == 303, await answer.text()
    now = await house.queue("Selling")
    assert now.id == queue.id
    assert now.members == tuple(house.people[one].id for one in ("ana", "ben", "sup"))
    assert (now.voice, now.numbers) == ((VoiceName("main", "sales"),), (SALES,))
    assert (str(now.plan.offer_for), str(now.plan.offering.if_wait)) == ("0:00:45", "0:02:00")
    assert now.plan.notes == queue.plan.notes, "what was not touched stays"


async def test_saving_what_is_shown_changes_nothing(house, boss):
    queue = await house.queue("Sales", "ana")
    lines = await house.record()
    path = f"/queues/{queue.public_id}"
    answer = await send(boss, path, form_of(await boss.page(path)))
    assert answer.status == 303, await answer.text()
    assert await house.queue("Sales") == queue
    assert await house.record() == lines


async def test_a_draft_with_faults_names_each_and_loses_nothing(house, boss):
    queue = await house.queue("Sales", "ana")
    path = f"/queues/{queue.public_id}"
    typed = {
        "name": "Selling",
        "offer_for": "soon",
        "more_members": "ben, nobody",
        "more_voice": "elsewhere/sales",
        "text.wait.en": "Hello {{ nobody }}",
    }
    answer = await send(boss, path, form_of(await boss.page(path)), **typed)
    text = await answer.text()
    assert answer.status == 422
    for said in (
        "soon is no span of time",
        "Nobody here has the login or extension nobody.",
        "There is no PBX elsewhere. Write one of main.",
        "The text in en cannot be used",
        "4 fields are not right",
    ):
        assert said in text.replace("&#39;", "'"), said
    for value in typed.values():
        assert value in text
    assert await house.queue("Sales") == queue
    assert [line[0] for line in await house.record()].count("queue_rename") == 0


async def test_a_role_that_takes_no_sessions_cannot_be_added(house, boss):
    queue = await house.queue("Sales")
    path = f"/queues/{queue.public_id}"
    answer = await send(boss, path, form_of(await boss.page(path)), more_members="aud")
    assert "An auditor cannot take sessions" in await answer.text()


async def test_what_another_changed_meanwhile_is_said_and_a_second_press_saves(house, boss):
    queue = await house.queue("Sales", "ana")
    path = f"/queues/{queue.public_id}"
    pairs, other = form_of(await boss.page(path)), form_of(await boss.page(path))
    assert (await send(boss, path, other, offer_for="45s", more_members="ben", name="Selling")).status == 303
    answer = await send(boss, path, pairs, wrap_up="20s", more_members="sup")
    text = await answer.text()
    page = Page(text)
    assert answer.status == 422
    told = others_said(page)
    for said in ("Name Selling", "An agent is asked for 45s", "Agents Ana Kovačević, Ben Okafor"):
        assert said in told, said
    assert "Time to finish" not in told, "that is what they typed"
    now = await house.queue("Selling")
    assert (now.members, str(now.plan.wrap_up)) == (tuple(house.people[one].id for one in ("ana", "ben")), "0:00:00")
    typed = dict(form_of(page))
    assert (typed["name"], typed["wrap_up"], typed["offer_for"], typed["more_members"]) == (
        "Sales",
        "20s",
        "30s",
        "sup",
    )
    assert (await send(boss, path, form_of(page))).status == 303
    now = await house.queue("Sales")
    assert (now.members, str(now.plan.wrap_up)) == (tuple(house.people[one].id for one in ("ana", "sup")), "0:00:20")


async def test_who_was_taken_out_meanwhile_still_stands_ticked_in_the_form_that_has_them(house, boss):
    queue = await house.queue("Sales", "ana", "ben")
    path = f"/queues/{queue.public_id}"
    pairs = form_of(await boss.page(path))
    await house.queue("Sales", "ana")
    answer = await send(boss, path, pairs)
    assert answer.status == 422
    page = Page(await answer.text())
    assert ("member", house.people["ben"].public_id) in form_of(page)
    assert (await send(boss, path, form_of(page))).status == 303
    assert len((await house.queue("Sales")).members) == 2


async def test_a_fault_does_not_make_a_form_forget_what_was_shown(house, boss):
    queue = await house.queue("Sales", "ana")
    path = f"/queues/{queue.public_id}"
    pairs = form_of(await boss.page(path))
    await house.queue("Sales", "ana", "ben")
    faulty = await send(boss, path, pairs, offer_for="soon")
    again = await send(boss, path, form_of(Page(await faulty.text())), offer_for="40s")
    assert again.status == 422
    assert "Ana Kovačević, Ben Okafor" in others_said(Page(await again.text()))
    assert len((await house.queue("Sales")).members) == 2


@pytest.mark.parametrize(
    "mark", ["", "members=0", "x" * 9000, "\x00=\u202e name"], ids=["none", "a part", "huge", "odd"]
)
async def test_a_form_whose_mark_is_lost_changes_nothing_without_a_second_press(house, boss, mark):
    queue = await house.queue("Sales", "ana")
    path = f"/queues/{queue.public_id}"
    answer = await send(boss, path, form_of(await boss.page(path)), offer_for="45s", seen=mark)
    assert answer.status == 422
    assert await house.queue("Sales") == queue
    assert (await send(boss, path, form_of(Page(await answer.text())))).status == 303
    assert str((await house.queue("Sales")).plan.offer_for) == "0:00:45"


async def test_a_press_that_comes_twice_is_no_change_of_another(house, boss):
    queue = await house.queue("Sales", "ana")
    path = f"/queues/{queue.public_id}"
    pairs = form_of(await boss.page(path))
    for _ in range(2):
        assert (await send(boss, path, pairs, offer_for="45s", more_members="ben")).status == 303


async def test_a_new_queue_begins_by_giving_to_whoever_had_nothing_for_longest(house, boss):
    page = await boss.page("/queues/new")
    assert dict(form_of(page))["strategy"] == "longest_idle"
    (chosen,) = [one for one in page.by_tag("option") if "selected" in one.attributes]
    assert chosen.attributes["value"] == "longest_idle"


async def test_removing_a_queue_says_first_what_becomes_of_its_sessions(house, boss):
    queue = await house.queue("Sales", "ana")
    waits = await house.session("Sales")
    path = f"/queues/{queue.public_id}/remove"
    assert "1 open session goes to the main queue." in words(await boss.page(path))
    answer = await boss.post(path)
    assert answer.headers["Location"] == "/queues?done=removed"
    main = await house.queue("main")
    assert (await house.session_now(waits)).queue == main.id
    assert (await boss.get(f"/queues/{queue.public_id}")).status == 404


async def test_the_main_queue_cannot_be_removed(house, boss):
    main = await house.queue("main")
    told = words(await boss.page(f"/queues/{main.public_id}/remove", 422))
    assert "it cannot be removed" in told
    assert (await boss.post(f"/queues/{main.public_id}/remove")).status == 422
    assert (await house.queue("main")).main


async def test_the_mapping_shows_what_would_be_made_and_makes_it_at_once(house, boss):
    stranger = member("PJSIP/199", "Night phone")
    house.exchange.has("sales", member("PJSIP/101", "Ana"), member("Local/104@x", "An auditor"), stranger)
    house.exchange.has("service", member("PJSIP/103", "Ben"))
    page = await boss.page("/queues/map")
    told = words(page)
    for said in ("Ana Kovačević", "Ben Okafor", "PJSIP/199", "Their role takes no sessions: An auditor"):
        assert said in told, said
    answer = await send(boss, "/queues/map", form_of(page))
    assert answer.headers["Location"] == "/queues?done=mapped"
    sales, service = await house.queue("sales"), await house.queue("service")
    assert (sales.members, service.members) == ((house.people["ana"].id,), (house.people["ben"].id,))
    assert (sales.voice, set(sales.plan.notes)) == ((VoiceName("main", "sales"),), set(Note))


async def test_only_what_is_ticked_is_made(house, boss):
    house.exchange.has("sales")
    house.exchange.has("service")
    pairs = [pair for pair in form_of(await boss.page("/queues/map")) if pair != ("voice", "main/service")]
    await send(boss, "/queues/map", pairs)
    assert [one.name for one in (await house.do(lambda tx: tx.queues.all())).all] == ["main", "sales"]


async def test_a_mapping_that_changed_meanwhile_is_shown_again(house, boss):
    house.exchange.has("sales")
    pairs = form_of(await boss.page("/queues/map"))
    house.exchange.has("sales", member("PJSIP/101", "Ana"))
    answer = await send(boss, "/queues/map", pairs)
    text = await answer.text()
    assert answer.status == 422
    assert "The queues or their members are others now." in text
    assert "Ana Kovačević" in text


async def test_a_pbx_that_is_not_heard_is_said_and_nothing_is_made_of_it(house, boss):
    house.exchange.has("sales")
    house.exchange.heard = False
    told = words(await boss.page("/queues/map"))
    assert "PBX main is not heard now." in told
    assert "No queue of Asterisk is known" in told


async def test_what_an_agent_carries_is_changed_and_a_wrong_number_stays_in_its_field(house, boss):
    await house.queue("Sales", "ana", "ben")
    ana = house.people["ana"].public_id
    answer = await boss.post("/queues/agents", user=ana, capacity="5", voice_weight="2")
    assert answer.status == 303
    agent = await house.do(lambda tx: tx.queues.agent(house.people["ana"].id))
    assert (agent.capacity, agent.voice_weight, agent.follows_phone) == (5, 2, False)
    answer = await boss.post("/queues/agents", user=ana, capacity="99", voice_weight="2", follows="yes")
    text = await answer.text()
    assert (answer.status, "An agent carries 1 to 50 sessions at once." in text, 'value="99"' in text) == (
        422,
        True,
        True,
    )


async def test_a_supervisor_reads_queues_and_changes_none(house):
    sup, queue = await house.looker("sup"), await house.queue("Sales", "ana")
    page = await sup.page(f"/queues/{queue.public_id}")
    assert "Ana Kovačević" in words(page)
    assert "Nobody; agents take them from the list" in words(page)
    assert not [one for one in page.by_tag("form") if one.attributes.get("action", "").startswith("/queues")]
    for path in (f"/queues/{queue.public_id}", f"/queues/{queue.public_id}/remove", "/queues/new", "/queues/map"):
        assert (await sup.post(path, name="x")).status == 403
    assert (await sup.post("/queues/agents", user="x")).status == 403
    assert "3 at once; a call counts as 1" in words(await sup.page("/queues/agents"))


@pytest.mark.parametrize("login", ["ana", "aud"])
async def test_agents_and_auditors_see_no_queues(house, login):
    who = await house.looker(login)
    for path in ("/queues", "/queues/agents", "/board"):
        assert (await who.get(path)).status == 403


async def test_a_queue_that_is_not_there_is_no_page(house, boss):
    for path in ("/queues/que_01jd3v8k6s9xq2m4n7p0r5t8wz", "/queues/x%22%3E", "/queues/que_x/remove"):
        assert (await boss.get(path)).status == 404
    assert (await boss.post("/queues/que_x", name="x")).status == 404


async def test_a_name_from_outside_is_only_text(house, boss):
    queue = await house.queue("<b>Sales</b>")
    text = await (await boss.get(f"/queues/{queue.public_id}")).text()
    assert "<b>Sales</b>" not in text
    assert "&lt;b&gt;Sales&lt;/b&gt;" in text


@pytest.mark.parametrize(
    ("ticked", "why"),
    [
        pytest.param("\r\n", "is no queue of Asterisk", id="only the end of a line"),
        pytest.param("elsewhere/sales", "There is no PBX elsewhere", id="of a PBX that is not there"),
        pytest.param("main/" + "a" * 81, "is no queue of Asterisk", id="longer than Asterisk has any"),
        pytest.param("main/a\x00b", "is no queue of Asterisk", id="with a NUL"),
        pytest.param("/", "is no queue of Asterisk", id="nothing at all"),
    ],
)
async def test_what_is_sent_as_ticked_is_read_like_what_is_written(house, boss, ticked, why):
    queue = await house.queue("Sales")
    path = f"/queues/{queue.public_id}"
    answer = await send(boss, path, [*form_of(await boss.page(path)), ("voice", ticked)])
    assert answer.status == 422
    assert why in await answer.text()
    assert await house.queue("Sales") == queue


async def test_a_queue_of_a_pbx_that_is_gone_stays_until_it_is_unticked(house, boss):
    queue = await house.queue("Sales")
    gone = VoiceName("old", "sales")
    await house.do(lambda tx: tx.queues.put_voice(queue, [gone], house.clock.now()))
    path = f"/queues/{queue.public_id}"
    pairs = form_of(await boss.page(path))
    assert ("voice", "old/sales") in pairs
    assert (await send(boss, path, pairs)).status == 303
    assert (await house.queue("Sales")).voice == (gone,)
    assert (await send(boss, path, [pair for pair in pairs if pair[0] != "voice"])).status == 303
    assert (await house.queue("Sales")).voice == ()
