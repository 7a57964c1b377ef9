"""People, departments and numbers as they are changed, on both databases: each change is one step, or none at all."""

from functools import partial

import pytest
from sqlalchemy import text

from ringback.core.department_tree import path_of
from ringback.core.grants import ALL_NUMBERS, Cell, Effect, Level, Subject, Way
from ringback.core.people_rows import read_rows
from ringback.core.permissions import Role
from ringback.flow import importing_people
from ringback.flow.departments import (
    add_department,
    join_department,
    leave_department,
    move_department,
    remove_department,
    rename_department,
    what_goes,
)
from ringback.flow.importing_people import Faulty, Ready, import_people
from ringback.flow.numbers import add_group, describe_number, own_number, remove_group, rename_group, send_from
from ringback.flow.owners import served_by
from ringback.flow.people import Details, NewUser, add_user, describe_user, disable_user, enable_user, set_roles
from ringback.flow.planning_people import Known, Merge, Origin
from ringback.flow.refusing import Because, Refused
from ringback.ports.directory import Sought
from ringback.ports.people import Contact
from ringback.store.database import Database
from ringback.store.read_people import StoredPeople
from ringback.store.tx import Runner
from tests.conftest import NOON

BY = "shell test"
MAIN, OTHER = "+12025550101", "+12025550102"
AGENT = frozenset({Role.AGENT})


def adds(login: str, *roles: Role, **contact: str):
    new = NewUser(login, login.title(), frozenset(roles) or AGENT, "", contact=Contact(**contact))
    return lambda tx: add_user(new, BY, NOON, tx)


class Town:
    """A house with ana, who administers, agents ben and eve, Sales with East in it, and two numbers."""

    def __init__(self, store: Database) -> None:
        self.store = store
        self.people: dict[str, str] = {}
        self.departments: dict[str, str] = {}

    async def settle(self) -> "Town":
        for login, roles in (("ana", (Role.ADMINISTRATOR,)), ("ben", ()), ("eve", ())):
            self.people[login] = (await self.store.commit(adds(login, *roles))).public_id
        await self.add("Sales")
        await self.add("East", "Sales")
        await self.store.commit(lambda tx: tx.numbers.know([MAIN, OTHER], NOON))
        return self

    async def add(self, name: str, parent: str = "") -> None:
        above = self.departments[parent] if parent else ""
        made = await self.store.commit(lambda tx: add_department(name, above, BY, NOON, tx))
        self.departments[name] = made.public_id

    async def do(self, change, *args: object):
        known = {**self.people, **self.departments}
        words = [known.get(one, one) if isinstance(one, str) else one for one in args]
        return await self.store.commit(lambda tx: change(*words, BY, NOON, tx))

    async def refused(self, why: Because, change, *args: object) -> Refused:
        with pytest.raises(Refused) as problem:
            await self.do(change, *args)
        assert problem.value.why is why
        return problem.value

    async def book(self):
        return await self.store.commit(lambda tx: tx.grants.book())

    async def card(self, e164: str = MAIN):
        return await self.store.commit(lambda tx: next(one for one in tx.numbers.all() if one.e164 == e164))

    async def owner(self, e164: str = MAIN) -> tuple[str, str]:
        names = {id_: name for name, id_ in {**self.people, **self.departments}.items()}
        card = await self.card(e164)
        return names.get(card.owner, ""), names.get(card.fallback, "")

    async def of(self, login: str) -> tuple[str, ...]:
        book = await self.book()
        account = await self.store.commit(lambda tx: tx.accounts.find(login))
        return tuple(path_of(book.departments, one) for one in book.members.get(account.id, ()))

    async def record(self) -> list[tuple[str, str, str, str]]:
        query = text('SELECT action, detail, "before", "after" FROM audit ORDER BY id')
        rows = await self.store.read(lambda db: db.execute(query).fetchall())
        return [tuple(row) for row in rows]


@pytest.fixture
async def town(store: Database) -> Town:
    return await Town(store).settle()


async def test_what_is_said_of_somebody_is_changed_and_recorded(town: Town):
    contact = Contact("101", "PJSIP/101", "ben@example.com", "+12025550147")
    await town.do(describe_user, "ben", Details("Ben N.", contact, "es"))
    ben = await town.store.commit(lambda tx: tx.accounts.find("ben"))
    assert (ben.name, ben.extension, ben.endpoint, ben.mail, ben.mobile, ben.language) == (
        "Ben N.",
        "101",
        "PJSIP/101",
        "ben@example.com",
        "+12025550147",
        "es",
    )
    action, detail, before, after = (await town.record())[-1]
    assert (action, detail) == ("user_describe", "ben: name, extension, endpoint, mail, mobile, language")
    assert before == "name Ben; extension nothing; endpoint nothing; mail nothing; mobile nothing; language nothing"
    assert after == "name Ben N.; extension 101; endpoint PJSIP/101; mail ben@example.com; mobile …147; language es"
    await town.do(describe_user, "ben", Details("Ben N.", contact, "es"))
    assert len([row for row in await town.record() if row[0] == "user_describe"]) == 1


async def test_an_extension_is_one_s_alone_while_they_may_log_in(town: Town):
    ext = Contact("101")
    await town.do(describe_user, "ben", Details("Ben", ext))
    refused = await town.refused(Because.EXTENSION_TAKEN, describe_user, "eve", Details("Eve", ext))
    assert str(refused) == "Ben has this extension already. Take it from them first."
    with pytest.raises(Refused):
        await town.store.commit(adds("kim", extension="101"))
    await town.do(disable_user, "ben")
    await town.do(describe_user, "eve", Details("Eve", ext))
    await town.refused(Because.EXTENSION_TAKEN, enable_user, "ben")


async def test_departments_are_added_renamed_and_moved(town: Town):
    await town.refused(Because.DEPARTMENT_TAKEN, add_department, "SALES", "")
    await town.refused(Because.BAD_DEPARTMENT, add_department, "A/B", "")
    await town.refused(Because.NO_DEPARTMENT, add_department, "A", "dep_none")
    circle = await town.refused(Because.CIRCLE, move_department, "Sales", "East")
    assert str(circle) == "It would be part of itself: Sales/East/Sales."
    await town.do(rename_department, "East", "Coast")
    await town.do(move_department, "East", "")
    tree = (await town.book()).departments
    assert sorted(path_of(tree, one) for one in tree) == ["Coast", "Sales"]
    assert [row[:1] + row[2:] for row in (await town.record())[-2:]] == [
        ("department_rename", "East", "Coast"),
        ("department_move", "Sales/Coast", "Coast"),
    ]


async def test_the_tree_is_not_deeper_than_it_may_be(town: Town):
    above = "East"
    for n in range(3, 9):
        await town.add(f"D{n}", above)
        above = f"D{n}"
    await town.refused(Because.TOO_DEEP, add_department, "D9", "D8")
    await town.add("Top")
    await town.refused(Because.TOO_DEEP, move_department, "Sales", "Top")


async def test_somebody_is_in_several_departments_and_stands_under_one(town: Town):
    await town.do(join_department, "ben", "East", "")
    assert await town.of("ben") == ("Sales/East",)
    await town.do(join_department, "ben", "Sales", "main")
    assert await town.of("ben") == ("Sales", "Sales/East")
    await town.do(leave_department, "ben", "Sales")
    assert await town.of("ben") == ("Sales/East",)
    await town.refused(Because.NO_MEMBER, leave_department, "ben", "Sales")


async def test_a_department_that_goes_takes_its_grants_along_and_sends_the_rest_up(town: Town):
    await town.do(join_department, "ben", "East", "")
    await town.do(join_department, "eve", "East", "")
    await town.do(join_department, "eve", "Sales", "")
    await town.add("Night", "East")
    row = (await town.book()).departments
    east = next(one.id for one in row.values() if one.name == "East")
    cell = Cell(Subject(Level.DEPARTMENT, east), Way.SEND, ALL_NUMBERS)
    await town.store.commit(lambda tx: tx.grants.put(cell, Effect.ALLOW, "", "chg_1", BY, NOON))
    goes = await town.store.commit(partial(what_goes, town.departments["East"]))
    assert (goes.grants, len(goes.members), [one.name for one in goes.children]) == (1, 2, ["Night"])
    await town.do(remove_department, "East")
    book = await town.book()
    assert sorted(path_of(book.departments, one) for one in book.departments) == ["Sales", "Sales/Night"]
    assert (await town.of("ben"), await town.of("eve")) == (("Sales",), ("Sales",))
    assert book.grants == ()
    assert (await town.record())[-1][:2] == ("department_remove", "Sales/East, with 1 grant and 2 members")


async def owned(town: Town, owner: str = "East", fallback: str = "") -> None:
    await town.do(join_department, "ben", "East", "")
    await town.do(own_number, MAIN, owner, fallback)


LEAVING = [
    pytest.param(disable_user, ("ben",), id="disabled"),
    pytest.param(leave_department, ("ben", "East"), id="taken out"),
    pytest.param(set_roles, ("ben", frozenset({Role.AUDITOR})), id="working with no texts any more"),
    pytest.param(remove_department, ("East",), id="their department removed"),
]


@pytest.mark.parametrize(("change", "args"), LEAVING)
async def test_the_last_of_an_owner_cannot_go_without_a_fallback(town: Town, change, args):
    await owned(town)
    refused = await town.refused(Because.LAST_OF_NUMBER, change, *args)
    assert MAIN in str(refused)
    assert (await town.of("ben"), await town.owner()) == (("Sales/East",), ("East", ""))


@pytest.mark.parametrize(("change", "args"), LEAVING)
async def test_with_a_fallback_the_number_falls_to_it(town: Town, change, args):
    await owned(town, fallback="eve")
    await town.do(change, *args)
    assert await town.owner() == ("eve", "")
    (row,) = [row for row in await town.record() if "since nobody is left" in row[1]]
    assert (row[0], row[3]) == ("number_owner", "Eve")


@pytest.mark.parametrize(("change", "args"), LEAVING[:1])
async def test_the_owning_user_cannot_go_either(town: Town, change, args):
    await owned(town, owner="ben")
    await town.refused(Because.LAST_OF_NUMBER, change, *args)


async def test_a_fallback_with_nobody_in_it_saves_nothing(town: Town):
    await owned(town, fallback="eve")
    await town.do(disable_user, "eve")
    await town.refused(Because.LAST_OF_NUMBER, disable_user, "ben")


async def test_moving_what_holds_the_members_away_counts_as_well(town: Town):
    await owned(town, owner="Sales")
    await town.refused(Because.LAST_OF_NUMBER, move_department, "East", "")
    await town.do(own_number, MAIN, "Sales", "ana")
    await town.do(move_department, "East", "")
    assert await town.owner() == ("ana", "")


async def test_members_of_what_is_part_of_the_owner_see_its_number(town: Town):
    await owned(town, owner="Sales")
    book, ben = await town.book(), await town.store.commit(lambda tx: tx.accounts.find("ben"))
    assert await town.store.commit(partial(served_by, town.departments["Sales"])) == (ben.id,)
    assert book.right(ben.id, Way.RECEIVE, MAIN).allowed
    assert not book.right(ben.id, Way.RECEIVE, OTHER).allowed


@pytest.mark.parametrize(
    ("owner", "fallback", "why"),
    [
        pytest.param("Sales", "", Because.NOBODY_THERE, id="a department with nobody in it"),
        pytest.param("dep_none", "", Because.NO_OWNER, id="no department"),
        pytest.param("ben", "ben", Because.SAME_FALLBACK, id="a fallback that is the owner"),
        pytest.param("ben", "Sales", Because.NOBODY_THERE, id="a fallback with nobody in it"),
    ],
)
async def test_who_cannot_own_a_number(town: Town, owner, fallback, why):
    await town.refused(why, own_number, MAIN, owner, fallback)


async def test_numbers_have_labels_groups_and_one_sends_new_texts(town: Town):
    group = await town.do(add_group, "Miami")
    await town.refused(Because.GROUP_TAKEN, add_group, "MIAMI")
    await town.do(describe_number, MAIN, "Main line", group.public_id)
    await town.do(rename_group, group.public_id, "Florida")
    for e164 in (MAIN, OTHER):
        await town.do(send_from, e164)
    card, other = await town.card(), await town.card(OTHER)
    assert (card.label, card.group, card.outbound, other.outbound) == ("Main line", group.id, False, True)
    await town.do(remove_group, group.public_id)
    assert ((await town.card()).label, (await town.card()).group) == ("Main line", None)
    await town.refused(Because.NO_NUMBER, describe_number, "+12025550199", "x", "")
    await town.refused(Because.BAD_LABEL, describe_number, MAIN, "x" * 61, "")
    await town.refused(Because.NO_GROUP, describe_number, MAIN, "x", group.public_id)


SAYS, FILLS = Origin("file", Merge.SAYS, "US", ("en", "es")), Origin("asterisk:main", Merge.FILLS, "US")
HEAD = ["login", "name", "extension", "mail", "mobile", "roles", "departments"]


def brought(rows, origin=SAYS, head=HEAD):
    return lambda tx: import_people(read_rows([head, *rows]), origin, BY, NOON, tx)


async def everybody(town: Town):
    return await town.store.commit(lambda tx: tx.accounts.all())


async def test_people_come_in_with_their_departments(town: Town):
    plan = await town.store.commit(
        brought(
            [
                ["kim", "Kim", "102", "kim@example.com", "(202) 555-0148", "agent auditor", "Sales/West; East"],
                ["", "Lee", "103", "", "", "", "West"],
            ]
        )
    )
    assert (len(plan.new), plan.departments) == (2, ("Sales/West",))
    kim, lee = (await everybody(town))[-2:]
    assert (kim.mobile, kim.roles, kim.source, kim.password) == (
        "+12025550148",
        {Role.AGENT, Role.AUDITOR},
        "file",
        "",
    )
    assert (lee.login, lee.roles) == ("103", AGENT)
    assert (await town.of("kim"), await town.of("103")) == (("Sales/West", "Sales/East"), ("Sales/West",))
    actions = [row[0] for row in await town.record()]
    assert actions[-4:] == ["department_add", "user_add", "user_add", "people_import"]


async def test_the_same_again_changes_nothing(town: Town):
    rows = [["kim", "Kim", "102", "kim@example.com", "+12025550148", "agent", "Sales"]]
    await town.store.commit(brought(rows))
    before = await everybody(town)
    plan = await town.store.commit(brought(rows))
    assert (plan.new, plan.changed, plan.same) == ((), (), 1)
    assert await everybody(town) == before


async def test_a_file_says_and_a_pbx_only_fills(town: Town):
    await town.do(describe_user, "ben", Details("Ben N.", Contact("101")))
    head = ["extension", "name", "mail"]
    await town.store.commit(brought([["101", "Phone 101", "ben@example.com"]], FILLS, head))
    ben = await town.store.commit(lambda tx: tx.accounts.find("ben"))
    assert (ben.name, ben.mail) == ("Ben N.", "ben@example.com")
    await town.store.commit(brought([["101", "Benedict", ""]], SAYS, head))
    ben = await town.store.commit(lambda tx: tx.accounts.find("ben"))
    assert (ben.name, ben.mail) == ("Benedict", "ben@example.com")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        pytest.param(["k m", "", "", "", "", "", ""], "line 3, login: A login is made of", id="what is no login"),
        pytest.param(["kim", "x" * 81, "", "", "", "", ""], "line 3, name: A name has", id="a name far too long"),
        pytest.param(["kim", "", "1 2", "", "", "", ""], "line 3, extension: An extension is", id="no extension"),
        pytest.param(["kim", "", "101", "", "", "", ""], "line 3, extension: Ben has this", id="one that is taken"),
        pytest.param(["kim", "", "", "a@b", "", "", ""], "line 3, mail: This is no mail", id="no mail address"),
        pytest.param(["kim", "", "", "", "12", "", ""], "line 3, mobile: This is no phone", id="no number"),
        pytest.param(["kim", "", "", "", "", "boss", ""], "line 3, roles: Say what they work", id="no such role"),
        pytest.param(["kim", "", "", "", "", "", "East/Sales"], "line 3, departments: There is a", id="upside down"),
        pytest.param(["kim", "", "", "", "", "", "A/B/C/D/E/F/G/H/I"], "line 3, departments: No more", id="too deep"),
        pytest.param(["kim", "=A1", "", "", "", "", ""], "line 3, name: The cell begins with", id="a formula"),
        pytest.param(["fin", "", "", "", "", "", ""], "line 3, login: fin stands in line 2", id="twice in the file"),
        pytest.param(["ana", "", "", "", "", "agent", ""], "No administrator would be left.", id="the last of them"),
    ],
)
async def test_one_wrong_line_and_nothing_is_stored(town: Town, row, says):
    await town.do(describe_user, "ben", Details("Ben", Contact("101")))
    before = (await everybody(town), await town.book(), await town.record())
    with pytest.raises(Faulty, match="Nothing was stored") as problem:
        await town.store.commit(brought([["fin", "Fin", "", "", "", "", "New one"], row]))
    assert str(problem.value).startswith(says)
    after = (await everybody(town), await town.book(), await town.record())
    assert after == before


async def test_two_people_swap_their_extensions_in_one_file(town: Town):
    await town.do(describe_user, "ben", Details("Ben", Contact("101")))
    await town.do(describe_user, "eve", Details("Eve", Contact("102")))
    await town.store.commit(brought([["ben", "", "102"], ["EVE", "", "101"]], head=["login", "name", "extension"]))
    assert {one.login: one.extension for one in await everybody(town)} == {"ana": "", "ben": "102", "eve": "101"}
    with pytest.raises(Faulty, match="Eve has this extension"):
        await town.store.commit(brought([["ben", "", "101"]], head=["login", "name", "extension"]))


async def test_an_import_leaves_no_number_to_nobody(town: Town):
    await owned(town)
    with pytest.raises(Refused, match=r"Nobody would be left who sees what comes in at \+12025550101"):
        await town.store.commit(brought([["ben", "", "", "", "", "auditor", ""]]))


def planned(sheet):
    """A plan that was made before the step."""
    return lambda tx: Ready.make(sheet, SAYS, Known(tx.accounts.all(), tx.grants.book()))


async def test_a_plan_that_was_made_before_counts_as_long_as_nobody_changed(town: Town, monkeypatch):
    sheet = read_rows([HEAD, ["kim", "Kim", "102", "", "", "", "Sales"], ["ben", "Benedict", "", "", "", "", ""]])
    ready = await town.store.commit(planned(sheet))
    made_anew = []
    plan_people = importing_people.plan_people
    monkeypatch.setattr(importing_people, "plan_people", lambda *of: made_anew.append(of) or plan_people(*of))
    plan = await town.store.commit(lambda tx: import_people(sheet, SAYS, BY, NOON, tx, ready=ready))
    assert (len(plan.new), len(plan.changed), made_anew) == (1, 1, [])
    again = await town.store.commit(lambda tx: import_people(sheet, SAYS, BY, NOON, tx, ready=ready))
    assert (again.same, len(made_anew)) == (2, 1)


async def test_somebody_who_took_an_extension_meanwhile_keeps_it(town: Town):
    sheet = read_rows([HEAD, ["kim", "Kim", "102", "", "", "", ""]])
    ready = await town.store.commit(planned(sheet))
    await town.do(describe_user, "ben", Details("Ben", Contact("102")))
    with pytest.raises(Faulty, match="Ben has this extension"):
        await town.store.commit(lambda tx: import_people(sheet, SAYS, BY, NOON, tx, ready=ready))


async def test_many_people_take_no_more_statements_than_few(town: Town, monkeypatch):
    counts = []
    for few in (3, 60):
        for word in ("a name", "another name"):
            asked = []
            await town.store.commit(lambda tx: tx.grants.book())
            with monkeypatch.context() as patch:
                for name in ("one", "all", "change", "many"):
                    patch.setattr(Runner, name, counting(getattr(Runner, name), asked))
                await town.store.commit(brought([[f"u{few}-{n}", word, "", "", "", "", "Sales"] for n in range(few)]))
            counts.append(len(asked))
    assert counts[:2] == counts[2:]
    checked = await town.store.commit(lambda tx: tx.audit.look(None, (), NOON))
    assert (checked.fault, checked.rows) == (None, len(await town.record()))


def counting(method, asked):
    return lambda *words, **values: asked.append(words) or method(*words, **values)


async def test_the_list_is_found_by_words_department_role_and_source(town: Town):
    await town.store.commit(brought([["kim", "Kímberly Núñez", "102", "", "", "auditor", "East"]]))
    book, people = await town.book(), StoredPeople(town.store)
    east = next(one.id for one in book.departments.values() if one.name == "East")
    for sought, logins in (
        (Sought(), ["ana", "ben", "eve", "kim"]),
        (Sought("nunez"), ["kim"]),
        (Sought("KIM 102"), ["kim"]),
        (Sought(departments=frozenset({east})), ["kim"]),
        (Sought(departments=frozenset({0})), []),
        (Sought(role=Role.ADMINISTRATOR), ["ana"]),
        (Sought(source="file"), ["kim"]),
        (Sought(disabled="yes"), []),
        (Sought(disabled="no", words="e"), ["ben", "eve", "kim"]),
    ):
        page = await people.page(sought, "", 50)
        assert ([one.login for one in page.people], page.after) == (logins, "")


@pytest.mark.parametrize("words", ["", "user"])
async def test_everybody_is_on_one_page_of_many(town: Town, words: str):
    await town.store.commit(brought([[f"u{n:04}", "User", "", "", "", "", ""] for n in range(1_203)]))
    people, seen, after = StoredPeople(town.store), [], ""
    while True:
        page = await people.page(Sought(words), after, 50)
        seen += [one.login for one in page.people]
        after = page.after
        if not after:
            break
    assert len(seen) == len(set(seen)) == (1_203 if words else 1_206)
    assert seen == sorted(seen)
