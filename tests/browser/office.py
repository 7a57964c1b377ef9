"""Who may text whom at the small business: people of every role, departments, grants, drafts, and three lists."""

from datetime import datetime, timedelta, tzinfo
from functools import partial

from ringback.core.allowances import key_of, month_of, uses
from ringback.core.grants import EVERYONE, Cell, Effect, Level, Subject, Way
from ringback.core.messages import MessageClass
from ringback.core.permissions import Principal, Role
from ringback.core.queue_forms import Known
from ringback.core.text_queues import Offering, Plan, Strategy, VoiceName
from ringback.flow import allowances, lists
from ringback.flow.departments import add_department, join_department
from ringback.flow.granting import Wanted, apply, have_in_mind
from ringback.flow.numbers import add_group, describe_number, own_number, send_from
from ringback.flow.people import Details, NewUser, add_user, describe_user
from ringback.flow.queues import add_queue, put_members, put_numbers, put_voice
from ringback.ports.lists import ListName
from ringback.ports.people import Contact
from ringback.ports.storage import Store, Tx
from tests.browser.house import MAIN, SERVICE

SALES, MIAMI, RENTALS, NIGHT = "+12025550142", "+13055550120", "+13055550121", "+12025550143"
NUMBERS = {MAIN: "Front desk", SERVICE: "Servicio en español", SALES: "Sales", MIAMI: "Miami desk"}
NUMBERS |= {RENTALS: "Rentals, heaters and generators", NIGHT: ""}
GROUPS = {"Washington": (MAIN, SERVICE, SALES), "Miami": (MIAMI, RENTALS)}
MORE_NUMBERS = "".join(
    f'[numbers."{number}"]\ncarrier = "main"\n' for number in NUMBERS if number not in (MAIN, SERVICE)
)
"""What a configuration says for them beside the two that every house has."""

MIA, OLGA, IVO, JOERG, LIAT, GRETA = "mia", "olga", "ivo", "joerg", "liat", "greta"
HIRED = {
    MIA: ("Mia Nguyễn", {Role.AGENT}),
    OLGA: ("Олена Шевченко-Бондаренко", {Role.ADMINISTRATOR}),
    IVO: ("Ivo Brzęczyszczykiewicz", {Role.ADMINISTRATOR}),
    JOERG: ("Jörg Müller-Lüdenscheidt", {Role.SUPERVISOR, Role.AGENT}),
    LIAT: ("ליאת כהן", {Role.AGENT}),
    GRETA: ("Greta Ní Dhomhnaill", {Role.AUDITOR}),
    "tycho": ("Tycho, who looks after the programs", {Role.INTEGRATOR}),
}
EXTENSIONS = {MIA: "101", "ben": "102", "wolfgang": "103", LIAT: "104", JOERG: "105", "ana": "110", OLGA: "111"}
TREE = {"Service": "", "Front desk": "Service", "Night desk": "Service", "Sales": "", "Miami crew": "Sales"}
MEMBERS = {
    "Front desk": (MIA, "ben", LIAT),
    "Night desk": ("wolfgang",),
    "Service": ("ana",),
    "Sales": (JOERG,),
    "Miami crew": (LIAT, IVO),
}
"""Who is in two stands under the first."""
LISTED = {
    ListName.NEVER: (
        ("+12025550171", "Ana’s mother"),
        ("+12025550172", "The parts supplier; call them"),
        ("+18005550199", ""),
    ),
    ListName.ONLY: (("+12025550181", "Our own test phone"), ("+12025550182", "Ben’s mobile")),
    ListName.STOPPED: (("+14155550166", "Said so at the counter: no texts at all"),),
}
ASKED_OFTEN = 360
"""Segments that Sales have sent this month, of the four hundred they have."""

QUEUE = "Heating and repairs"
"""A text queue beside the main one, with a number of its own."""

ALLOW, DENY = Effect.ALLOW, Effect.DENY
Said = tuple[str, Way, str, str, Effect]
FIRST: tuple[Said, ...] = (
    ("everyone", Way.RECEIVE, "*", "", ALLOW),
    ("everyone", Way.SEND, "Washington", "", ALLOW),
    ("Sales", Way.SEND, "Miami", "", ALLOW),
    ("Sales", Way.BULK, "*", "", ALLOW),
    ("Front desk", Way.MMS, "Washington", "", ALLOW),
    ("joerg", Way.EXPORT, "*", "", ALLOW),
)
THEN: tuple[Said, ...] = (
    ("Night desk", Way.SEND, SALES, "", DENY),
    ("Night desk", Way.RECEIVE, "Miami", "", DENY),
    ("Front desk", Way.SEND, MAIN, MessageClass.PROMOTIONAL, DENY),
    ("Miami crew", Way.SEND, RENTALS, "", DENY),
    ("liat", Way.SEND, RENTALS, "", ALLOW),
    ("wolfgang", Way.RECEIVE, NIGHT, "", DENY),
)
IN_MIND: tuple[Said, ...] = (
    ("Night desk", Way.SEND, MIAMI, "", ALLOW),
    ("ben", Way.SEND, NIGHT, "", ALLOW),
    ("liat", Way.RECEIVE, SALES, "", DENY),
)
"""What Ana means to change."""


async def open_office(store: Store, by: Principal, hashed: str, now: datetime) -> None:
    """People, departments and numbers, and the first grants, in the order in which an administrator would do it."""
    await store.commit(lambda tx: tx.numbers.know(NUMBERS, now))
    for step in (
        partial(_hire, hashed),
        _arrange,
        _name_numbers,
        _open_queue,
        partial(_say, FIRST, "As it was before"),
    ):
        await store.commit(partial(step, by, now))


async def change_office(store: Store, by: Principal, zone: tzinfo, now: datetime) -> None:
    """What was thought of later, and what is only thought of."""
    later = partial(_say, THEN, "Night desk answers, Sales sells; agreed with Jörg on Monday")
    for step in (later, partial(_limit, zone), _list, _mean):
        await store.commit(partial(step, by, now))


def _hire(hashed: str, by: Principal, now: datetime, tx: Tx) -> None:
    for login, (name, roles) in HIRED.items():
        add_user(NewUser(login, name, frozenset(roles), hashed), by.label, now, tx)
    for login, extension in EXTENSIONS.items():
        account = tx.accounts.find(login)
        contact = Contact(extension, f"PJSIP/{extension}", f"{login}@northlight.example", "")
        describe_user(account.public_id, Details(account.name, contact), by.label, now, tx)


def _arrange(by: Principal, now: datetime, tx: Tx) -> None:
    for name, parent in TREE.items():
        add_department(name, _department(parent, tx).public_id if parent else "", by.label, now, tx)
    for name, logins in MEMBERS.items():
        for login in logins:
            user, department = tx.accounts.find(login).public_id, _department(name, tx).public_id
            join_department(user, department, "", by.label, now, tx)


def _name_numbers(by: Principal, now: datetime, tx: Tx) -> None:
    group_of: dict[str, str] = {}
    for name, numbers in GROUPS.items():
        group_of |= dict.fromkeys(numbers, add_group(name, by.label, now, tx).public_id)
    for number, label in NUMBERS.items():
        describe_number(number, label, group_of.get(number, ""), by.label, now, tx)
    own_number(MIAMI, _department("Miami crew", tx).public_id, _department("Sales", tx).public_id, by.label, now, tx)
    send_from(MAIN, by.label, now, tx)


def _open_queue(by: Principal, now: datetime, tx: Tx) -> None:
    offering = Offering(if_wait=timedelta(minutes=2), if_waiting=5)
    known = Known(("en", "es"))
    plan = Plan(strategy=Strategy.LONGEST_IDLE, offering=offering)
    queue = add_queue(QUEUE, plan, known, by.label, now, tx)
    put_members(queue.public_id, [tx.accounts.find(login).id for login in (MIA, LIAT, JOERG)], by.label, now, tx)
    put_voice(queue.public_id, [VoiceName("main", "repairs")], by.label, now, tx)
    put_numbers(queue.public_id, [RENTALS], by.label, now, tx)


def _say(cells: tuple[Said, ...], note: str, by: Principal, now: datetime, tx: Tx) -> None:
    apply(_wanted(cells, tx), note, by.label, now, tx)


def _mean(by: Principal, now: datetime, tx: Tx) -> None:
    have_in_mind(by.account, _wanted(IN_MIND, tx), now, tx)


def _wanted(cells: tuple[Said, ...], tx: Tx) -> list[Wanted]:
    return [
        Wanted(Cell(_subject(who, tx), way, _scope(numbers, tx), class_), effect, None)
        for who, way, numbers, class_, effect in cells
    ]


def _limit(zone: tzinfo, by: Principal, now: datetime, tx: Tx) -> None:
    """Sales have used nearly all of what they may send a month."""
    sales, joerg = _department("Sales", tx).id, tx.accounts.find(JOERG).id
    tx.grants.allow_segments(Level.DEPARTMENT, sales, 300, 400, by.label, now)
    tx.grants.allow_segments("number", _card(MIAMI, tx), 0, 2_000, by.label, now)
    counted = uses(tx.grants.book(), joerg, MAIN, month_of(now, zone))
    assert [use.key for use in counted] == [key_of(Level.DEPARTMENT, sales)]
    tx.pairs.read_counters(counted)
    allowances.count(counted, ASKED_OFTEN, now, tx)


def _list(by: Principal, now: datetime, tx: Tx) -> None:
    for list_, rows in LISTED.items():
        for number, reason in rows:
            lists.add(by, list_, number, reason, now, tx)


def _department(name: str, tx: Tx):
    return next(one for one in tx.grants.book().departments.values() if one.name == name)


def _group(name: str, tx: Tx):
    return next(one for one in tx.grants.book().groups.values() if one.name == name)


def _card(number: str, tx: Tx) -> int:
    return next(one.id for one in tx.numbers.all() if one.e164 == number)


def _scope(numbers: str, tx: Tx) -> str:
    return f"group:{_group(numbers, tx).id}" if numbers in GROUPS else numbers


def _subject(who: str, tx: Tx) -> Subject:
    if who == "everyone":
        return EVERYONE
    if who in TREE:
        return Subject(Level.DEPARTMENT, _department(who, tx).id)
    return Subject(Level.USER, tx.accounts.find(who).id)
