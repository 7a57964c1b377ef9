"""Deciding who may text whom, on both databases: all or nothing, with a line in the audit each, and taken back."""

from datetime import timedelta
from functools import partial

import pytest

from ringback.core.grants import ALL_NUMBERS, EVERYONE, Cell, Effect, Level, Subject, Way
from ringback.core.permissions import Role
from ringback.flow.granting import (
    LONGEST_NOTE,
    SENTENCES,
    UNDO_FOR,
    Applied,
    Meanwhile,
    Unfit,
    Unsuitable,
    Wanted,
    apply,
    copied,
    for_all,
    have_in_mind,
    own_loss,
    undo,
    wanted_of,
)
from ringback.ports.grants import Draft
from ringback.ports.people import Account
from ringback.store.tx import Runner
from tests.conftest import NOON

MAIN, SALES = "+12025550100", "+12025550142"
ALLOW, DENY = Effect.ALLOW, Effect.DENY
BY = "user usr_boss"


class Office:
    """Two people, a department with one of them in it, two numbers of which one is in a group."""

    def __init__(self, store, clock) -> None:
        self.store = store
        self.clock = clock

    async def open(self) -> "Office":
        now = self.clock.now()

        def step(tx):
            boss = tx.accounts.add("boss", "Jörg", frozenset({Role.ADMINISTRATOR}), "", "", now)
            ana = tx.accounts.add("ana", "Ana", frozenset({Role.AGENT}), "", "", now)
            desk = tx.departments.add("Service desk", None, now)
            tx.departments.join(ana.id, desk.id, now, main="yes")
            tx.numbers.know([MAIN, SALES], now)
            group = tx.numbers.add_group("Washington", now)
            card = next(card for card in tx.numbers.all() if card.e164 == MAIN)
            tx.numbers.describe(card.id, "Main line", group.id, now)
            return boss, ana, desk, group

        self.boss, self.ana, self.desk, self.group = await self.store.commit(step)
        self.of_ana = Subject(Level.USER, self.ana.id)
        self.of_desk = Subject(Level.DEPARTMENT, self.desk.id)
        return self

    async def apply(self, *wanted: Wanted, note: str = "", by: str = BY, over: Meanwhile = Meanwhile.ASK) -> Applied:
        return await self.store.commit(partial(apply, wanted, note, by, self.clock.now(), meanwhile=over))

    async def undo(self, batch: str) -> Applied:
        return await self.store.commit(partial(undo, batch, BY, self.clock.now()))

    async def said(self) -> dict[Cell, Effect]:
        written = await self.store.commit(lambda tx: tx.grants.book().written)
        return {cell: grant.effect for cell, grant in written.items()}

    async def record(self) -> list[tuple[str, ...]]:
        asked = "SELECT who, about, detail, before, after FROM audit WHERE action = 'grant' ORDER BY id"
        return await self.store.read(lambda db: [tuple(row) for row in db.exec_driver_sql(asked)])


@pytest.fixture
async def office(store, clock) -> Office:
    return await Office(store, clock).open()


def send(subject: Subject, scope: str = MAIN, kind: str = "") -> Cell:
    return Cell(subject, Way.SEND, scope, kind)


async def test_changes_are_made_at_once_with_a_line_in_the_audit_each(office: Office):
    first, second = send(office.of_ana), send(EVERYONE, f"group:{office.group.id}")
    done = await office.apply(Wanted(first, DENY, None), Wanted(second, ALLOW, None), note="storm  week")
    assert await office.said() == {first: DENY, second: ALLOW}
    assert [(change.before, change.after, change.note, change.batch) for change in done.changes] == [
        (None, DENY, "storm week", done.batch),
        (None, ALLOW, "storm week", done.batch),
    ]
    told = await office.record()
    assert told == [
        (BY, office.ana.public_id, f"send {MAIN}, {done.batch}: storm week", "inherit", "deny"),
        (BY, "everyone", f"send group:{office.group.id}, {done.batch}: storm week", "inherit", "allow"),
    ]


async def test_a_grant_is_taken_away_again(office: Office):
    cell = send(office.of_desk)
    await office.apply(Wanted(cell, ALLOW, None))
    await office.apply(Wanted(cell, None, ALLOW))
    assert await office.said() == {}
    book = await office.store.commit(lambda tx: tx.grants.book())
    assert not book.right(office.ana.id, Way.SEND, MAIN).allowed


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        pytest.param(lambda o: send(Subject(Level.USER, 999)), Unfit.SUBJECT, id="a user who is not there"),
        pytest.param(lambda o: send(Subject(Level.DEPARTMENT, 999)), Unfit.SUBJECT, id="a department that is not"),
        pytest.param(lambda o: send(Subject(Level.EVERYONE, 1)), Unfit.SUBJECT, id="an everyone that is none"),
        pytest.param(lambda o: send(Subject(Level.ROLE, 0)), Unfit.SUBJECT, id="a level that has no grants"),
        pytest.param(lambda o: send(o.of_ana, "+12025559999"), Unfit.SCOPE, id="a number that is not ours"),
        pytest.param(lambda o: send(o.of_ana, "group:999"), Unfit.SCOPE, id="a group that is not there"),
        pytest.param(lambda o: send(o.of_ana, "group:²"), Unfit.SCOPE, id="a group whose id is no number"),
        pytest.param(lambda o: send(o.of_ana, ""), Unfit.SCOPE, id="no number at all"),
        pytest.param(lambda o: send(o.of_ana, MAIN, "gossip"), Unfit.CLASS, id="a kind of text there is not"),
        pytest.param(
            lambda o: Cell(o.of_ana, Way.RECEIVE, MAIN, "promotional"), Unfit.CLASS, id="a kind for what has none"
        ),
    ],
)
async def test_one_that_makes_no_sense_keeps_the_others_from_being_made(office: Office, cell, why: Unfit):
    with pytest.raises(Unsuitable) as problem:
        await office.apply(Wanted(send(office.of_desk), ALLOW, None), Wanted(cell(office), ALLOW, None))
    assert problem.value.why is why
    assert await office.said() == {}
    assert await office.record() == []


async def test_a_note_has_an_end(office: Office):
    with pytest.raises(Unsuitable) as problem:
        await office.apply(Wanted(send(office.of_desk), ALLOW, None), note="x" * (LONGEST_NOTE + 1))
    assert problem.value.why is Unfit.NOTE


async def test_two_administrators_and_the_same_cell(office: Office):
    cell = send(office.of_ana)
    await office.apply(Wanted(cell, ALLOW, None), by="user usr_first", note="for the storm")
    other = send(office.of_desk)
    late = await office.apply(Wanted(other, ALLOW, None), Wanted(cell, DENY, None))
    assert late.batch == ""
    (conflict,) = late.conflicts
    assert (conflict.now, conflict.last.by, conflict.last.note) == (ALLOW, "user usr_first", "for the storm")
    assert await office.said() == {cell: ALLOW}, "nothing of it was applied"
    done = await office.apply(Wanted(other, ALLOW, None), Wanted(cell, DENY, None), over=Meanwhile.GO_OVER)
    assert done.conflicts == ()
    assert await office.said() == {other: ALLOW, cell: DENY}


async def test_who_wants_what_the_other_set_has_no_conflict(office: Office):
    cell = send(office.of_ana)
    await office.apply(Wanted(cell, ALLOW, None))
    same = await office.apply(Wanted(cell, ALLOW, None))
    assert (same.batch, same.changes, same.conflicts) == ("", (), ())


async def test_changes_are_taken_back(office: Office):
    kept, changed, new = send(EVERYONE), send(office.of_desk), send(office.of_ana)
    await office.apply(Wanted(kept, ALLOW, None), Wanted(changed, ALLOW, None))
    before = await office.said()
    done = await office.apply(Wanted(changed, DENY, ALLOW), Wanted(new, ALLOW, None))
    office.clock.move(UNDO_FOR)
    back = await office.undo(done.batch)
    assert await office.said() == before
    assert len(back.changes) == 2
    assert len(await office.record()) == 6


async def test_only_what_nobody_changed_since_is_taken_back(office: Office):
    first, second = send(office.of_ana), send(office.of_desk)
    done = await office.apply(Wanted(first, ALLOW, None), Wanted(second, ALLOW, None))
    await office.apply(Wanted(second, DENY, ALLOW), by="user usr_other")
    back = await office.undo(done.batch)
    assert await office.said() == {second: DENY}
    assert [change.cell for change in back.kept] == [second]


async def test_what_was_changed_and_changed_back_since_is_somebody_else_s(office: Office):
    cell = send(office.of_ana)
    done = await office.apply(Wanted(cell, ALLOW, None))
    await office.apply(Wanted(cell, None, ALLOW))
    await office.apply(Wanted(cell, ALLOW, None))
    back = await office.undo(done.batch)
    assert (back.batch, len(back.kept)) == ("", 1)
    assert await office.said() == {cell: ALLOW}


async def test_after_ten_minutes_nothing_is_taken_back(office: Office):
    cell = send(office.of_ana)
    done = await office.apply(Wanted(cell, ALLOW, None))
    office.clock.move(UNDO_FOR + timedelta(seconds=1))
    with pytest.raises(Unsuitable) as problem:
        await office.undo(done.batch)
    assert problem.value.why is Unfit.OVER
    with pytest.raises(Unsuitable) as problem:
        await office.undo("chg_nothing")
    assert problem.value.why is Unfit.BATCH
    assert await office.said() == {cell: ALLOW}


async def test_a_department_that_is_gone_is_left_out_of_an_undo(office: Office):
    cell, other = send(office.of_desk), send(office.of_ana)
    await office.apply(Wanted(cell, ALLOW, None))
    done = await office.apply(Wanted(cell, None, ALLOW), Wanted(other, ALLOW, None))
    await office.store.commit(lambda tx: tx.departments.remove(office.desk.id, office.clock.now()))
    back = await office.undo(done.batch)
    assert [change.cell for change in back.kept] == [cell]
    assert await office.said() == {}


async def test_somebody_disabled_may_still_be_granted_things(office: Office):
    await office.store.commit(lambda tx: tx.accounts.disable(office.ana.id, office.clock.now()))
    await office.apply(Wanted(send(office.of_ana), ALLOW, None))
    assert await office.said() == {send(office.of_ana): ALLOW}


async def test_what_somebody_has_in_mind_is_kept_with_what_they_saw_first(office: Office):
    cell, now = send(office.of_ana), office.clock.now()

    async def think(effect: Effect | None, seen: Effect | None) -> list[tuple]:
        step = partial(have_in_mind, office.boss.id, [Wanted(cell, effect, seen)], now)
        await office.store.commit(step)
        drafts = await office.store.commit(lambda tx: tx.grants.drafts(office.boss.id))
        return [(one.cell, one.effect, one.seen) for one in drafts]

    assert await think(ALLOW, None) == [(cell, ALLOW, None)]
    await office.apply(Wanted(cell, DENY, None), by="user usr_other")
    assert await think(ALLOW, DENY) == [(cell, ALLOW, None)], "the first look counts"
    drafts = await office.store.commit(lambda tx: wanted_of(tx.grants.drafts(office.boss.id)))
    assert (await office.apply(*drafts)).conflicts
    assert await think(DENY, None) == [], "what it says already is no change"


async def test_what_makes_no_sense_is_not_kept_in_mind(office: Office):
    step = partial(
        have_in_mind, office.boss.id, [Wanted(send(office.of_ana, "+1999"), ALLOW, None)], office.clock.now()
    )
    with pytest.raises(Unsuitable):
        await office.store.commit(step)


async def test_others_get_what_one_has_and_nothing_else(office: Office):
    await office.apply(
        Wanted(send(office.of_ana), ALLOW, None),
        Wanted(Cell(office.of_ana, Way.RECEIVE, ALL_NUMBERS), DENY, None),
        Wanted(send(office.of_desk, SALES), ALLOW, None),
        Wanted(send(office.of_desk), ALLOW, None),
    )
    owner = office.ana.public_id
    await office.store.commit(lambda tx: tx.numbers.own(tx.numbers.all()[1].id, owner, "", office.clock.now()))
    book = await office.store.commit(lambda tx: tx.grants.book())
    wanted = copied(office.of_ana, [office.of_desk, office.of_desk, office.of_ana], book)
    assert {one.cell: (one.effect, one.seen) for one in wanted} == {
        Cell(office.of_desk, Way.RECEIVE, ALL_NUMBERS): (DENY, None),
        send(office.of_desk, SALES): (None, ALLOW),
    }
    await office.apply(*wanted)
    said = await office.said()
    assert {cell[1:]: effect for cell, effect in said.items() if cell.subject == office.of_desk} == {
        cell[1:]: effect for cell, effect in said.items() if cell.subject == office.of_ana
    }


async def test_many_get_the_same_and_who_has_it_is_left_out(office: Office):
    await office.apply(Wanted(send(office.of_ana), ALLOW, None))
    book = await office.store.commit(lambda tx: tx.grants.book())
    wanted = for_all([office.of_ana, office.of_desk, office.of_desk], [(Way.SEND, MAIN, "")], ALLOW, book)
    assert [one.cell for one in wanted] == [send(office.of_desk)]


async def test_five_thousand_cells_go_at_once(office: Office):
    now = office.clock.now()

    def people(tx):
        return [tx.accounts.add(f"u{n}", "", frozenset({Role.AGENT}), "", "", now).id for n in range(1250)]

    ids = await office.store.commit(people)
    ways = (Way.SEND, Way.RECEIVE, Way.BULK, Way.MMS)
    cells = [Cell(Subject(Level.USER, one), way, MAIN) for one in ids for way in ways]
    done = await office.apply(*(Wanted(cell, ALLOW, None) for cell in cells))
    assert len(done.changes) == len(await office.said()) == len(await office.record()) == 5_000
    await office.undo(done.batch)
    assert await office.said() == {}


def test_who_takes_from_themselves_is_told():
    account = Account(7, "usr_7", "boss", "", frozenset({Role.ADMINISTRATOR}), "", "", NOON, None)
    own = Wanted(send(Subject(Level.USER, 7)), DENY, None)
    assert own_loss([own], account)
    assert not own_loss([Wanted(own.cell, ALLOW, None)], account)
    assert not own_loss([Wanted(send(Subject(Level.USER, 8)), DENY, None)], account)
    assert not own_loss([own], None)


def test_every_refusal_has_its_sentence():
    assert set(SENTENCES) == set(Unfit)


async def test_much_about_somebody_who_cannot_act_takes_no_more_statements_than_little(office: Office, monkeypatch):
    """A step of thousands of cells keeps every text waiting as long as it lasts."""
    await office.store.commit(lambda tx: tx.accounts.disable(office.ana.id, NOON))
    numbers = [f"+1305555{n:04}" for n in range(60)]
    await office.store.commit(lambda tx: tx.numbers.know(numbers, NOON))
    counts = []
    for few in (numbers[:2], numbers[2:]):
        asked: list[str] = []
        await office.store.commit(lambda tx: tx.grants.book())
        with monkeypatch.context() as patch:
            for name in ("one", "all", "change", "many"):
                patch.setattr(Runner, name, counting(getattr(Runner, name), asked))
            await office.apply(*(Wanted(Cell(office.of_ana, Way.SEND, number, ""), ALLOW, None) for number in few))
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert len(await office.record()) == len(numbers)


def counting(method, asked: list[str]):
    return lambda *words, **values: asked.append(str(words[1])) or method(*words, **values)


async def test_what_somebody_had_in_mind_for_a_department_or_a_group_goes_with_it(store):
    """The next one may get its row, and would find changes for it that nobody meant."""

    def step(tx):
        ana = tx.accounts.add("ana2", "Ana", frozenset({Role.ADMINISTRATOR}), "", "", NOON)
        shop, home = (tx.departments.add(name, None, NOON) for name in ("Shop 2", "Home 2"))
        group = tx.numbers.add_group("Coast 2", NOON)
        cells = [
            Cell(Subject(Level.DEPARTMENT, shop.id), Way.SEND, "*"),
            Cell(Subject(Level.DEPARTMENT, home.id), Way.SEND, f"group:{group.id}"),
            Cell(Subject(Level.DEPARTMENT, home.id), Way.SEND, "*"),
        ]
        tx.grants.draft_all(ana.id, [Draft(cell, Effect.ALLOW, None) for cell in cells], NOON)
        tx.departments.remove(shop.id, NOON)
        tx.numbers.remove_group(group.id, NOON)
        return [draft.cell for draft in tx.grants.drafts(ana.id)], cells[2:]

    left, expected = await store.commit(step)
    assert left == expected
