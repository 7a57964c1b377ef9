"""People of a real Asterisk, with the account we ship: phones, names of mailboxes and of FreePBX, queue members."""

import pytest

from lab.asterisk import Asterisk
from lab.lines import TEXT_LINES
from lab.pbx import Pbx
from ringback.asterisk.ami import Account
from ringback.asterisk.checks import line_to
from ringback.asterisk.people import ask_people
from ringback.clock import SystemClock
from ringback.core.permissions import Role
from ringback.errors import PbxRefused
from ringback.flow.importing_people import import_people
from ringback.flow.imports import origin_of_pbx, sheet_of_pbx
from ringback.flow.people import NewUser, add_user
from ringback.store.database import Database
from tests.conftest import NOON


@pytest.fixture
async def line(asterisk: Asterisk, pbx: Pbx):
    shipped = asterisk.account
    account = Account("main", "127.0.0.1", asterisk.ami_port, shipped.user, shipped.secret)
    async with line_to(account, SystemClock()) as ami:
        await ami.settled(8)
        yield ami


async def test_lab_tells_who_is_there_with_the_rights_we_ask_for(asterisk: Asterisk, line):
    asterisk.cli('database put AMPUSER 110/cidname "Kim Núñez"')
    try:
        asked = await ask_people(line)
    finally:
        asterisk.cli("database del AMPUSER 110/cidname")
    people = {one.extension: one for one in asked.people}
    assert asked.refused == ()
    assert asked.left_out == ("PJSIP/trunk",)
    assert {f"{n}" for n in (*range(101, 150), *range(201, 250), *range(301, 350))} <= set(people)
    assert (people["101"].name, people["101"].endpoint) == ("Phone 101", "PJSIP/101")
    assert (people["110"].name, people["127"].name) == ("Kim Núñez", "Phone 127")
    assert [people[one].queues for one in ("122", "222", "123", "101")] == [("support",), ("support",), ("sales",), ()]


async def test_lab_does_not_let_our_account_ask_for_endpoints_themselves(line):
    with pytest.raises(PbxRefused, match="ermission"):
        await line.ask_list("PJSIPShowEndpoints")


async def test_lab_people_come_in_once_and_again_nothing_changes(line, store: Database):
    ana = NewUser("ana", "Ana", frozenset({Role.ADMINISTRATOR}), "")
    await store.commit(lambda tx: add_user(ana, "test", NOON, tx))
    origin = origin_of_pbx("main", "US")
    sheet = sheet_of_pbx(await ask_people(line))
    first = await store.commit(lambda tx: import_people(sheet, origin, "test", NOON, tx))
    queues = {"support", "sales", *(f"text{line}" for line in TEXT_LINES)}
    assert (len(first.new), first.changed, set(first.departments)) == (len(sheet.rows), (), queues)
    again = sheet_of_pbx(await ask_people(line))
    second = await store.commit(lambda tx: import_people(again, origin, "test", NOON, tx))
    assert (second.new, second.changed, second.same) == ((), (), len(sheet.rows))
    kim = await store.commit(lambda tx: tx.accounts.find("122"))
    assert (kim.name, kim.endpoint, kim.source, kim.password) == ("Phone 122", "PJSIP/122", "asterisk:main", "")
    book = await store.commit(lambda tx: tx.grants.book())
    assert [book.departments[one].name for one in book.members[kim.id]] == ["support"]
