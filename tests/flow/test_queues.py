"""Text queues and agents on both databases: every change has its line with what was and what became, or is refused."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text

from ringback.core.permissions import Role
from ringback.core.presence import AtDesk
from ringback.core.queue_forms import Known
from ringback.core.sessions import SessionState, StartType, Why
from ringback.core.text_queues import Note, Plan, Strategy, VoiceName
from ringback.core.voice_queues import DeviceState, VoiceMember, VoiceQueue
from ringback.flow.agents import Load, put_at_desk, set_up_agent
from ringback.flow.people import disable_user, set_roles
from ringback.flow.queue_mapping import apply_sketch, sketch
from ringback.flow.queues import (
    Draft,
    add_queue,
    change_queue,
    known_queue,
    put_members,
    put_numbers,
    put_voice,
    remove_queue,
    rename_queue,
)
from ringback.flow.refusing import Because, Refused
from ringback.flow.sessions import assign
from ringback.ports.people import Contact
from ringback.ports.sessions import Opening

MAIN, SALES = "+12025550100", "+12025550142"
KNOWN = Known(("en", "es"), ("main",))
BY = "user usr_boss"
OF_QUEUES = """SELECT action, detail, "before", "after" FROM audit
    WHERE action LIKE 'queue%' OR action LIKE 'agent%' ORDER BY id"""


class Office:
    """An administrator, two agents and an auditor, two numbers, and a queue for sales that ana serves."""

    def __init__(self, store, clock) -> None:
        self.store, self.clock = store, clock

    async def open(self) -> "Office":
        now = self.clock.now()

        def step(tx):
            people = (("boss", Role.ADMINISTRATOR), ("ana", Role.AGENT), ("ben", Role.AGENT), ("aud", Role.AUDITOR))
            made = {
                login: tx.accounts.add(login, login.title(), frozenset({role}), "", "", now) for login, role in people
            }
            tx.numbers.know([MAIN, SALES], now)
            queue = add_queue("Sales", Plan(), KNOWN, BY, now, tx)
            put_members(queue.public_id, [made["ana"].id], BY, now, tx)
            return made

        self.people = await self.store.commit(step)
        return self

    def row(self, login: str) -> int:
        return self.people[login].id

    async def do(self, step, *args):
        return await self.store.commit(partial(step, *args, BY, self.clock.now()))

    async def queue(self, words: str = "sales"):
        return await self.store.commit(partial(known_queue, words))

    async def session(self, queue: str = "sales", peer: str = "+12025550150", agent: str = ""):
        now = self.clock.now()

        def step(tx):
            thread = tx.pairs.thread(MAIN, peer, now)
            opening = Opening(thread, known_queue(queue, tx).id, StartType.AUTO, Why.NUMBERS_QUEUE)
            made = tx.sessions.open(opening, SessionState.QUEUED, now)
            return assign(made, self.row(agent), Why.CLAIMED, BY, now, tx) if agent else made

        return await self.store.commit(step)

    async def again(self, session):
        return await self.store.commit(lambda tx: tx.sessions.get(session.public_id))

    async def lines(self) -> list[tuple[str, ...]]:
        return await self.store.read(lambda connection: [tuple(row) for row in connection.execute(text(OF_QUEUES))])


@pytest.fixture
async def office(store, clock):
    return await Office(store, clock).open()


async def test_a_new_queue_says_what_we_suggest_in_the_languages_of_the_business(office):
    queue = await office.queue()
    assert {note: list(texts) for note, texts in queue.plan.notes.items()} == {note: ["en", "es"] for note in Note}
    assert (await office.lines())[0] == ("queue_add", "Sales, manual", "", "Sales")


async def test_the_main_queue_says_nothing_by_itself_until_somebody_writes_it(office):
    queue = await office.queue("main")
    assert queue.main
    assert queue.plan.notes == {}


async def test_a_draft_changes_all_of_it_and_leaves_a_line_for_what_changed(office):
    queue = await office.queue()
    plan = replace(queue.plan, strategy=Strategy.BROADCAST, wrap_up=timedelta(seconds=20))
    draft = Draft("Selling", plan, (office.row("ana"), office.row("ben")), (VoiceName("main", "sales"),), (SALES,))
    changed = await office.do(change_queue, queue.public_id, draft, KNOWN)
    assert (changed.name, changed.plan, changed.members) == ("Selling", plan, draft.members)
    assert (changed.voice, changed.numbers) == (draft.voice, draft.numbers)
    assert (await office.lines())[2:] == [
        ("queue_rename", "Sales to Selling", "Sales", "Selling"),
        (
            "queue_change",
            "Selling: strategy, wrap_up",
            "strategy manual; wrap_up 0",
            "strategy broadcast; wrap_up 20s",
        ),
        ("queue_members", "Selling: ana to ana, ben", "ana", "ana, ben"),
        ("queue_voice", "Selling: nothing to main/sales", "nothing", "main/sales"),
        ("queue_numbers", f"Selling: nothing to {SALES}", "nothing", SALES),
    ]
    await office.do(change_queue, queue.public_id, draft, KNOWN)
    assert len(await office.lines()) == 7, "what is so already leaves no trace"


async def test_a_long_text_does_not_fill_the_record(office):
    queue = await office.queue()
    notes = {**queue.plan.notes, Note.WAIT: {"en": "word " * 200}}
    await office.do(
        change_queue, queue.public_id, Draft("Sales", replace(queue.plan, notes=notes), queue.members), KNOWN
    )
    (*_, last) = await office.lines()
    assert len(last[3]) < 300
    assert "word…" in last[3]


@pytest.mark.parametrize(
    ("step", "args", "why"),
    [
        pytest.param(
            add_queue, ("sales", Plan(), KNOWN), Because.QUEUE_TAKEN, id="a name twice, whatever its capitals"
        ),
        pytest.param(add_queue, (" ", Plan(), KNOWN), Because.BAD_QUEUE, id="no name"),
        pytest.param(add_queue, ("x" * 61, Plan(), KNOWN), Because.BAD_QUEUE, id="a name that is too long"),
        pytest.param(rename_queue, ("sales", "MAIN"), Because.QUEUE_TAKEN, id="the name of the main queue"),
        pytest.param(rename_queue, ("nothing", "x"), Because.NO_QUEUE, id="no such queue"),
        pytest.param(remove_queue, ("main",), Because.MAIN_STAYS, id="the main queue"),
        pytest.param(put_numbers, ("main", (SALES,)), Because.MAIN_HAS_REST, id="a number for the main queue"),
        pytest.param(put_numbers, ("sales", ("+12025550199",)), Because.NO_NUMBER, id="a number that is not ours"),
        pytest.param(put_members, ("sales", (10**6,)), Because.UNKNOWN, id="a member who is nobody"),
    ],
)
async def test_what_cannot_be_changes_nothing(office, step, args, why):
    before, lines = await office.queue(), await office.lines()
    with pytest.raises(Refused) as refused:
        await office.do(step, *args)
    assert refused.value.why is why
    assert (await office.queue(), await office.lines()) == (before, lines)


async def test_who_takes_no_sessions_cannot_become_a_member_and_may_stay_one(office):
    with pytest.raises(Refused) as refused:
        await office.do(put_members, "sales", (office.row("ana"), office.row("aud")))
    assert refused.value.values == {"who": "Aud"}
    await office.do(set_roles, office.people["ana"].public_id, frozenset({Role.AUDITOR}))
    await office.do(put_members, "sales", (office.row("ana"), office.row("ben")))
    assert (await office.queue()).members == (office.row("ana"), office.row("ben"))


async def test_a_queue_of_asterisk_stands_beside_one_text_queue(office):
    await office.do(put_voice, "sales", (VoiceName("main", "sales"),))
    await office.do(put_voice, "main", (VoiceName("main", "sales"),))
    assert ((await office.queue()).voice, (await office.queue("main")).voice) == ((), (VoiceName("main", "sales"),))


async def test_sessions_of_a_removed_queue_go_to_the_main_one_in_the_same_step(office):
    waits = await office.session()
    held = await office.session(peer="+12025550151", agent="ana")
    goes = await office.do(remove_queue, "sales")
    main = await office.queue("main")
    assert {one.public_id for one in goes.sessions} == {waits.public_id, held.public_id}
    now = await office.again(waits)
    assert (now.state, now.queue) == (SessionState.QUEUED, main.id)
    now = await office.again(held)
    assert (now.state, now.queue, now.agent) == (SessionState.ASSIGNED, main.id, office.row("ana"))
    (*_, last) = await office.lines()
    assert last[:3] == ("queue_remove", "Sales, with 2 open sessions", "Sales")
    with pytest.raises(Refused):
        await office.queue()


async def test_a_name_is_free_again_once_its_queue_is_removed(office):
    await office.do(remove_queue, "sales")
    made = await office.do(add_queue, "Sales", Plan(), KNOWN)
    assert made.public_id == (await office.queue()).public_id


async def test_whoever_is_disabled_has_no_sessions_any_more(office):
    held = await office.session(agent="ana")
    await office.do(disable_user, office.people["ana"].public_id)
    now = await office.again(held)
    assert (now.state, now.agent) == (SessionState.QUEUED, None)


@pytest.mark.parametrize(
    ("roles", "state"),
    [
        pytest.param({Role.AUDITOR}, SessionState.QUEUED, id="a role that takes none"),
        pytest.param({Role.SUPERVISOR}, SessionState.ASSIGNED, id="one that takes them too"),
    ],
)
async def test_sessions_stay_as_long_as_the_role_takes_them(office, roles, state):
    held = await office.session(agent="ana")
    await office.do(set_roles, office.people["ana"].public_id, frozenset(roles))
    assert (await office.again(held)).state is state


async def test_what_an_agent_carries_and_where_they_are_leaves_lines(office):
    ana = office.people["ana"]
    await office.do(set_up_agent, ana, Load(5, 2, follows_phone=False))
    await office.do(set_up_agent, ana, Load(5, 2, follows_phone=False))
    await office.do(put_at_desk, ana, AtDesk.AWAY)
    agent = await office.store.commit(lambda tx: tx.queues.agent(ana.id))
    assert (agent.capacity, agent.voice_weight, agent.follows_phone, agent.desk) == (5, 2, False, AtDesk.AWAY)
    three, five = (
        "3 sessions, a call counts as 1, follows the phone",
        "5 sessions, a call counts as 2, whatever the phone says",
    )
    assert (await office.lines())[2:] == [
        ("agent_set_up", f"ana: {three} to {five}", three, five),
        ("agent_desk", "ana: ready to away", "ready", "away"),
    ]


def voice(name: str, *phones: str) -> VoiceQueue:
    members = tuple(VoiceMember(f"PJSIP/{one}", one, one, DeviceState.NOT_INUSE) for one in phones)
    return VoiceQueue("main", name, members=members)


async def test_a_mapping_is_made_whole_or_not_at_all(office):
    await office.store.commit(
        lambda tx: tx.accounts.describe(office.row("ben"), "Ben", Contact(extension="102"), office.clock.now())
    )
    voices = [voice("sales", "102", "199"), voice("service", "102")]
    drawn = await office.store.commit(partial(sketch, voices, None))
    assert [(one.name, one.beside, [who.name for who in one.join]) for one in drawn.queues] == [
        ("Sales", False, ["Ben"]),
        ("service", False, ["Ben"]),
    ]
    await office.do(apply_sketch, voices, None, drawn.digest, KNOWN)
    sales, service = await office.queue(), await office.queue("service")
    assert sales.members == (office.row("ana"), office.row("ben"))
    assert (service.members, service.voice) == ((office.row("ben"),), (VoiceName("main", "service"),))
    assert service.plan.strategy is Strategy.LONGEST_IDLE
    assert not any(one.changes for one in (await office.store.commit(partial(sketch, voices, None))).queues)


async def test_a_mapping_that_is_another_meanwhile_is_shown_again(office):
    drawn = await office.store.commit(partial(sketch, [voice("service")], None))
    with pytest.raises(Refused) as refused:
        await office.do(apply_sketch, [voice("service"), voice("more")], None, drawn.digest, KNOWN)
    assert refused.value.why is Because.MAPPED_MEANWHILE
    with pytest.raises(Refused):
        await office.queue("service")
