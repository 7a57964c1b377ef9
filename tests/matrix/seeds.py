"""The house that the matrix asks: three numbers with something of each kind, and people who have their rights by every
way one can have them."""

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from ringback.assembly import make_house
from ringback.carriers.loopback import Settings as Line
from ringback.config import Settings
from ringback.core.grants import ALL_NUMBERS, EVERYONE, Cell, Effect, Level, Subject, Way
from ringback.core.ids import Kind, make_id
from ringback.core.messages import Basis, MessageClass
from ringback.core.permissions import Role, Scope, at_the_shell
from ringback.core.tasks import TaskKind
from ringback.core.text_queues import Plan as QueuePlan
from ringback.flow.bulks import Runs
from ringback.flow.keys import NewKey, add_key, revoke_key
from ringback.flow.keys import hash_of as key_hash
from ringback.panel.tokens import hash_of
from ringback.ports.bulks import Item, Plan
from ringback.ports.storage import Tx
from ringback.store.database import Database
from tests.fakes.hand_clock import HandClock
from tests.flow.world import World, a_call, life_of
from tests.matrix.oracle import NUMBERS, PEOPLE, A, B, C

PEERS = {A: "+15125550123", B: "+15125550124", C: "+15125550125"}
CANARY = {A: "canary alpha", B: "canary bravo", C: "canary charlie"}
LASTS = timedelta(hours=12)
BROWSERS = 3
"""So many each of them is logged in with; logging out uses one up."""
VICTIM = "victim"
"""Somebody to whom things may be done."""
ALLOW, DENY = Effect.ALLOW, Effect.DENY
SEND, RECEIVE, BULK = Way.SEND, Way.RECEIVE, Way.BULK
PLACES = (("Sales", ""), ("East", "Sales"), ("North", ""))
MEMBERS = {
    "supervisor": ("Sales",),
    "agent of a department": ("East",),
    "agent denied by herself": ("Sales",),
    "agent of two departments": ("Sales", "North"),
}
OF_DEPARTMENTS = (
    ("Sales", SEND, A, ALLOW),
    ("Sales", RECEIVE, A, ALLOW),
    ("Sales", RECEIVE, B, ALLOW),
    ("Sales", BULK, A, ALLOW),
    ("East", SEND, A, DENY),
    ("North", SEND, A, DENY),
    ("North", SEND, B, ALLOW),
)
OF_USERS = (
    ("administrator", Way.EXPORT, ALL_NUMBERS, ALLOW),
    ("denied administrator", SEND, B, DENY),
    ("denied administrator", RECEIVE, C, DENY),
    ("agent", SEND, A, ALLOW),
    ("agent", RECEIVE, A, ALLOW),
    ("agent", RECEIVE, B, ALLOW),
    ("agent denied by herself", RECEIVE, A, DENY),
    ("agent denied by herself", SEND, A, DENY),
    ("agent of a number group", SEND, "group", ALLOW),
    ("agent of a number group", RECEIVE, "group", ALLOW),
    ("auditor", SEND, A, ALLOW),
    ("auditor", RECEIVE, A, ALLOW),
    ("integrator", SEND, A, ALLOW),
    ("integrator", RECEIVE, A, ALLOW),
    ("auditor who works", RECEIVE, A, ALLOW),
)


def login_of(name: str) -> str:
    return name.replace(" ", "-")


def token_of(name: str, use: int = 0) -> str:
    """The cookie of one of somebody's browsers."""
    return f"token-of-{login_of(name)}-{use}"


def victim_of(name: str) -> str:
    """A department, and a group of numbers, that this one may take away if they may."""
    return f"victim of {name}"


async def seed(path: Path, settings: Settings) -> None:
    """Fill the database that a daemon is then started on."""
    clock = HandClock(datetime.now(UTC) - timedelta(minutes=30))
    database = Database(f"sqlite:///{path}", clock)
    await database.open()
    try:
        world = World(database, clock, path.parent.parent, make_house(settings), Line(texts_per_handset=100))
        await database.commit(lambda tx: tx.numbers.know(NUMBERS, clock.now()))
        async with world.running():
            for number in NUMBERS:
                await _things(world, number)
            await world.settled()
        await _runs(world)
        clock.move(timedelta(minutes=29))
        await database.commit(partial(_people, clock.now()))
        await database.commit(partial(_grants, clock.now()))
        await database.commit(partial(_keys, clock.now()))
    finally:
        await database.close()


async def _things(world: World, number: str) -> None:
    """A call that nobody answered, its text, what they wrote back, and a task."""
    peer, now = PEERS[number], world.clock.now()
    await world.happens(*life_of(a_call(f"call-{number}", peer, now, did=number)))
    await world.says(CANARY[number], peer, number)

    def task(tx: Tx) -> None:
        thread = tx.pairs.thread(number, peer, now)
        tx.tasks.add(TaskKind.OPT_OUT, now, CANARY[number], thread_id=thread.id, about=thread.id)

    await world.store.commit(task)


async def _runs(world: World) -> None:
    """A run on each number that waits for tomorrow."""
    runs, now = Runs(world.store, world.clock), world.clock.now()
    for number in NUMBERS:
        plan = Plan(
            asked_by="program key_of_nobody",
            did=number,
            body=CANARY[number],
            class_=MessageClass.TRANSACTIONAL,
            basis=Basis.CONSENT,
            language="en",
            not_before=now + timedelta(hours=20),
            expires_at=now + timedelta(hours=30),
            name=CANARY[number],
        )
        coming = await runs.begin(at_the_shell("test"), plan)
        await coming.add([Item(1, PEERS[number], "")])
        await coming.open(1, 0, None, "")


def _people(now: datetime, tx: Tx) -> None:
    """Everybody, each logged in with a few browsers, and somebody to whom things may be done."""
    for one in PEOPLE:
        if one.roles:
            account = tx.accounts.add(login_of(one.name), one.name, frozenset(map(Role, one.roles)), "", "en", now)
            assert account is not None
            for use in range(BROWSERS):
                tx.accounts.begin(account.id, hash_of(token_of(one.name, use)), now + LASTS, "127.0.0.1", "", now)
    victim = tx.accounts.add(VICTIM, "Victor Victim", frozenset({Role.AGENT}), "", "en", now)
    assert victim is not None
    tx.queues.set_up(victim.id, 3, 1, follows_phone=True, now=now)


KEYS: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("a revoked key", "send bulk read", (), ""),
    ("a key for the disabled", "send bulk read", (), "disabled"),
    ("a key that sends", "send", (), ""),
    ("a key that reads", "read", (), ""),
    ("a key for everything", "send bulk read", (), ""),
    ("a key held to alpha", "send bulk read", (A,), ""),
    ("a key for the agent", "send bulk read", (), "agent"),
    ("a key for the supervisor", "send bulk read", (), "supervisor"),
    ("a key for the supervisor held to bravo", "send bulk read", (B,), "supervisor"),
    ("a key for the agent without a right", "send bulk read", (), "agent without a right"),
)
"""By name: scopes, numbers, whom it acts for."""


def secret_of(name: str) -> str:
    """What a program shows."""
    return f"rb_{login_of(name)}"


def _keys(now: datetime, tx: Tx) -> None:
    """The programs, and one that is kept out again; then somebody leaves."""
    for name, scopes, numbers, user in KEYS:
        public_id = make_id(Kind.KEY, now, name.encode()[-10:])
        held = frozenset(Scope(word) for word in scopes.split())
        new = NewKey(public_id, key_hash(secret_of(name)), name, held, None, login_of(user), frozenset(numbers))
        add_key(new, "shell test", now, tx)
    revoke_key("a revoked key", "shell test", now, tx)
    gone = tx.accounts.find("disabled")
    assert gone is not None
    tx.accounts.disable(gone.id, now)


def _grants(now: datetime, tx: Tx) -> None:
    """What the people of the oracle may do, by grants of every level and scope."""
    departments: dict[str, int] = {}
    for name, parent in PLACES:
        made = tx.departments.add(name, departments.get(parent), now)
        assert made is not None
        departments[name] = made.id
    for one in PEOPLE:
        tx.departments.add(victim_of(one.name), None, now)
        tx.numbers.add_group(victim_of(one.name), now)
        tx.queues.make(victim_of(one.name), QueuePlan(), now)
    group = tx.numbers.add_group("desk", now)
    assert group is not None
    cards = {card.e164: card for card in tx.numbers.all()}
    tx.numbers.describe(cards[B].id, "Service", group.id, now)
    accounts = {account.login: account for account in tx.accounts.all()}
    for name, joined in MEMBERS.items():
        for place in joined:
            tx.departments.join(
                accounts[login_of(name)].id, departments[place], now, "main" if place == joined[0] else ""
            )
    tx.numbers.own(cards[C].id, accounts["agent-who-owns"].public_id, "", now)

    def say(subject: Subject, way: Way, number: str, effect: Effect) -> None:
        scope = f"group:{group.id}" if number == "group" else number
        tx.grants.put(Cell(subject, way, scope), effect, "for the matrix", "chg_matrix", "test", now)

    for place, way, number, effect in OF_DEPARTMENTS:
        say(Subject(Level.DEPARTMENT, departments[place]), way, number, effect)
    for name, way, number, effect in OF_USERS:
        say(Subject(Level.USER, accounts[login_of(name)].id), way, number, effect)
    for way in Way:  # the world of the flows lets everyone do everything
        tx.grants.put(Cell(EVERYONE, way, ALL_NUMBERS), None, "", "chg_matrix", "test", now)
    say(EVERYONE, SEND, C, DENY)
    say(EVERYONE, Way.EXPORT, ALL_NUMBERS, DENY)
