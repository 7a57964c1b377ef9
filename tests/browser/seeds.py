"""A day at a small business, lived through the real flows in a few seconds, and left in a database for a daemon."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path

from ringback.assembly import make_house
from ringback.carriers.loopback import Settings as Line
from ringback.config import Settings
from ringback.core.calls import FeedBack, FeedLost, Leg, Outcome, Presentation, Rang
from ringback.core.messages import Basis, MessageClass
from ringback.core.permissions import Principal, Role, Scope, at_the_shell
from ringback.core.tasks import TaskKind
from ringback.flow.bulks import Runs, Turn
from ringback.flow.delays import sweep
from ringback.flow.desk import Desk, Resolution
from ringback.flow.keys import NewKey, add_key, new_token, revoke_key
from ringback.flow.people import NewUser, add_user
from ringback.flow.session_desk import SessionDesk
from ringback.panel.logged_in import principal_of
from ringback.panel.passwords import Hasher
from ringback.ports import MediaLink, Piece
from ringback.ports.bulks import Item, Plan
from ringback.ports.handsets import Behaviour
from ringback.ports.storage import Tx
from ringback.store.database import Database
from tests.browser.house import MAIN, SERVICE
from tests.browser.office import MIA, change_office, open_office
from tests.fakes.hand_clock import HandClock
from tests.flow.world import World, a_call, answered, life_of

PASSWORD = "correct horse battery"
ANA, BEN, LONG_NAME = "ana", "ben", "wolfgang"
NAMES = {
    ANA: ("Ana Kovačević", Role.ADMINISTRATOR),
    BEN: ("Ben Okafor", Role.AGENT),
    LONG_NAME: ("Wolfgang Amadeus von Blumenthal-Wigglesworth zu Hohenlohe-Waldenburg, night desk", Role.AGENT),
}

TALK = "+15125550123"
UNDELIVERED = "+17135550124"
STOPPED = "+17135550131"
ALTO = "+13055550142"
ARRET = "+15145550111"
WINDOW = "+15125550144"
PARTIAL = "+14155550150"
PHOTO = "+16465550161"
ARABIC = "+14155550172"
HEBREW = "+14155550173"
FAILED = "+18085550184"
HELD = "+12125550195"
ANGRY = "+17185550123"
OLD = "+15035550106"
SPOKEN = "+12065550107"
VOICEMAIL = "+16175550108"
QUEUE = "+13125550109"

WORDS = {
    "Winter prices": "From Monday on our winter prices hold.",
    "Closed on Friday": "This Friday we are closed. On Monday we are back at eight.",
    "Service is due": "The yearly service of your heating is due. Call us for a date.",
}
"""What runs say, by their names."""
LONG = (
    "Hello, this is about the heating in the back office. It has been making a knocking noise since Monday, and since "
    "this morning it does not get warm at all. The display shows E17 and then goes dark. "
)


class Day:
    """Acts, one after the other; between them time passes."""

    def __init__(self, world: World) -> None:
        self.world = world
        carriers = {"main": world.carrier}
        self.desk = Desk(world.house, world.store, world.lanes, carriers, world.clock)
        self.sessions = SessionDesk(world.house, world.store, world.clock, self)
        self.people: dict[str, Principal] = {}
        self.hashed = ""
        self._calls = count(1)

    async def hire(self) -> None:
        """The people of the panel; all have one password, hashed once, since a hash takes a while."""
        self.hashed = await Hasher().hash(PASSWORD)
        for login, (name, role) in NAMES.items():
            new = NewUser(login, name, frozenset({role}), self.hashed)
            account = await self.world.store.commit(partial(add_user, new, "shell root", self.now))
            self.people[login] = principal_of(account)

    def touch(self) -> None:
        """Nobody keeps an eye on who is there."""

    async def staff(self) -> None:
        """Who takes sessions: all in one queue, which leaves them their time."""
        await self.world.store.commit(partial(_staff, self.now))

    async def hands_on(self, who: str, peer: str, to: str, note: str) -> None:
        """Somebody asks a colleague to take the session of a thread."""
        thread = await self.thread(peer)
        held = await self.world.store.commit(lambda tx: tx.sessions.of_thread(tx.pairs.thread(MAIN, peer, self.now).id))
        assert held is not None, thread
        await self.sessions.transfer(self.people[who], held.public_id, to_agent=self.people[to].id, note=note)
        await self.later(0.1)

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    async def until(self, moment: datetime) -> None:
        """Let the time pass until then."""
        assert self.now <= moment, "this part of the day has more in it than time"
        await self.world.passes(moment - self.now)

    async def later(self, minutes: float) -> None:
        await self.world.passes(timedelta(minutes=minutes))

    async def calls(self, caller: str, rang: float = 20, minutes: float = 6, **change: object) -> None:
        """Somebody calls and nobody answers."""
        uniqueid = f"{self.now:%s}.{next(self._calls)}"
        span = timedelta(seconds=rang)
        begun = self.now - span
        legs = (Leg("101", begun, self.now, Rang.NO_ANSWER), Leg("102", begun, self.now, Rang.NO_ANSWER))
        call = a_call(uniqueid, caller, self.now, started_at=begun, rang=span, legs=legs)
        await self.world.happens(*life_of(a_changed(call, **change)))
        await self.later(minutes)

    async def talks(self, caller: str, minutes: float = 4) -> None:
        """Somebody calls and is answered."""
        call = a_call(f"{self.now:%s}.{next(self._calls)}", caller, self.now)
        await self.world.happens(*life_of(answered(call)))
        await self.later(minutes)

    async def says(self, peer: str, words: str, minutes: float = 3, to: str = MAIN, **more: object) -> None:
        await self.world.says(words, peer, to, **more)
        await self.later(minutes)

    async def writes(self, who: str, peer: str, words: str, minutes: float = 3, did: str = MAIN) -> str:
        """Somebody at the panel answers; returns the text's id."""
        thread = await self.thread(peer, did)
        await self.desk.mark_read(self.people[who], thread)
        replied = await self.desk.reply(self.people[who], thread, words, f"seed-{peer}-{self.now.isoformat()}")
        await self.world.settled()
        await self.later(minutes)
        return replied.message

    async def thread(self, peer: str, did: str = MAIN) -> str:
        return (await self.world.store.commit(lambda tx: tx.pairs.thread(did, peer, self.now))).public_id

    def line(self, peer: str, behaviour: Behaviour) -> None:
        self.world.carrier.behave(peer, behaviour)


def _staff(now: datetime, tx: Tx) -> None:
    main = tx.queues.all().main
    members = [tx.accounts.find(login).id for login in (ANA, BEN, LONG_NAME, MIA)]
    tx.queues.put_members(main, members, now)
    tx.queues.change(main, replace(main.plan, transfer_for=timedelta(hours=6), customer_idle=timedelta(hours=20)), now)
    for account in members:
        tx.queues.set_up(account, 5, 1, follows_phone=True, now=now)


def a_changed(call: object, **change: object) -> object:
    return type(call)(**{**{name: getattr(call, name) for name in call.__slots__}, **change})


def with_nobody(_now: datetime, _tx: Tx) -> None:
    """Begin as a fresh installation does: nobody is there, and nobody may anything."""


async def last_week(day: Day) -> None:
    """What nobody heard of again."""
    day.line(OLD, Behaviour.NO_RECEIPTS)
    await day.calls(OLD)
    day.line(OLD, Behaviour.SILENT)
    await day.says(OLD, "Is the part for my stove there?")
    await day.writes(BEN, OLD, "It comes on Friday.")


async def morning(day: Day) -> None:
    await day.world.store.commit(partial(sweep, day.world.house, day.now))
    await change_office(day.world.store, day.people[ANA], day.world.house.zone, day.now)
    await day.calls(TALK, rang=22)
    await day.says(TALK, "Hi, our boiler shows E17 and goes dark. Can somebody come today?")
    await day.writes(ANA, TALK, "Good morning! We can be there at two. Is somebody at home?")
    await day.says(TALK, "Perfect. The key is with the neighbour, second door on the left 👍🏽")
    await day.writes(ANA, TALK, "Thank you, see you at two.")
    await day.calls(TALK, minutes=2)

    day.line(UNDELIVERED, Behaviour.UNDELIVERS)
    await day.calls(UNDELIVERED, outcome=Outcome.BUSY)
    await day.talks(SPOKEN)
    await day.calls("anonymous", presentation=Presentation.WITHHELD)

    await day.calls(STOPPED)
    await day.says(STOPPED, "STOP")
    await day.writes(BEN, STOPPED, "Sorry to bother you. May we call instead?")
    await day.calls(ALTO, did=SERVICE)
    await day.says(ALTO, "Alto", to=SERVICE)
    await day.calls(ARRET)
    await day.says(ARRET, "ARRÊT")


async def noon(day: Day) -> None:
    await day.calls(WINDOW)
    await day.says(WINDOW, "at 17:30")
    await day.says(PARTIAL, LONG, piece=Piece("77", 1, 3))
    await day.says(PARTIAL, "Can you come this week?", piece=Piece("77", 3, 3), minutes=12)
    await day.calls(PHOTO)
    photos = (MediaLink("https://carrier.example/photo/1", "image/jpeg"), MediaLink("https://carrier.example/2", ""))
    await day.says(PHOTO, "This is the sticker on it: https://example.com/manual?model=NL-20", media=photos)
    await day.calls(QUEUE, outcome=Outcome.ABANDONED_QUEUE, queue="service", waited=timedelta(seconds=104))

    await day.calls(ARABIC)
    await day.says(ARABIC, "هل يمكنكم المجيء اليوم؟ رقم العقد 4471-B.")
    day.line(ARABIC, Behaviour.SILENT)
    await day.writes(ANA, ARABIC, "نعم، بين الساعة 14:00 و 15:00.")
    await day.says(HEBREW, "שלום, המזגן (דגם NL-20) לא עובד מאז 8:30 \u202eבבוקר\u202c. תודה!")


async def afternoon(day: Day) -> None:
    await day.says(FAILED, "👩🏽‍🔧🔥❄️ 👨‍👩‍👧‍👦 🏳️‍🌈 e\u0301 ½ ﷽ 🇺🇳")
    day.line(FAILED, Behaviour.REFUSES)
    await day.writes(LONG_NAME, FAILED, "We do not read smileys well: is it too hot or too cold?")
    await day.says(ANGRY, "My daughter gave you this number by mistake")
    await day.writes(BEN, ANGRY, "Understood, we take it off our list.")
    await day.says(ANGRY, "Stop, I am not your customer")

    await day.calls("+12065550190", rang=1.5, minutes=1)
    await day.world.happens(*life_of(a_call("late.1", "+12065550191", day.now - timedelta(hours=1))))
    await day.world.happens(*life_of(a_call("lost.1", "+12065550192", day.now))[:1])
    await day.later(1)
    await day.world.happens(FeedLost("main", day.now), FeedBack("main", day.now, frozenset()))
    await day.world.arrivals.quarantine(
        "main", b"From=%2B1&Body=%FF%FE", "a text in no known character set: Body=%FF%FE"
    )
    await day.world.store.commit(lambda tx: tx.tasks.add(TaskKind.STORM, day.now, "missed"))

    second = await day.writes(BEN, PHOTO, "Thank you, we order the part today.")
    day.line(PHOTO, Behaviour.SILENT)
    second = await day.writes(BEN, PHOTO, "It should be there on Tuesday.")
    await day.desk.resolve(day.people[BEN], second, Resolution.SENT)
    await day.later(1)


async def just_now(day: Day) -> None:
    """What still waits when the daemon starts."""
    await day.calls(VOICEMAIL, outcome=Outcome.VOICEMAIL_LEFT, minutes=1)
    await day.says(HELD, "Do you also repair chimneys? Asking for a friend.", minutes=0.5)
    await day.hands_on(BEN, PHOTO, ANA, "Wants to know when we come; you ordered the part")
    day.line(HELD, Behaviour.THROTTLES)
    await day.writes(ANA, HELD, "We do! Which one is it?", minutes=0)


async def programs(day: Day) -> None:
    """Keys of the API, and runs: one that waits for its hour, one that is paused, one that was called off."""
    store, now = day.world.store, day.now
    by = day.people[ANA].label
    for name, scopes in (("ticket system", (Scope.SEND,)), ("till", (Scope.SEND,)), ("shop", tuple(Scope))):
        new = NewKey(new_token(now).public_id, f"hash of {name}", name, frozenset(scopes))
        key = await store.commit(partial(add_key, new, by, now - timedelta(days=40)))
        seen = now - timedelta(minutes=len(name))
        await store.commit(lambda tx, key=key, seen=seen: tx.keys.seen(key.id, seen))
    await store.commit(partial(revoke_key, "till", by, now - timedelta(days=9)))
    held = NewKey(
        *(new_token(now).public_id, "hash of the app", "app on Mia's phone", frozenset({Scope.SEND, Scope.READ})),
        *(now + timedelta(days=90), MIA, frozenset({MAIN})),
    )
    await store.commit(partial(add_key, held, by, now - timedelta(hours=1)))
    runs, shop = Runs(store, day.world.clock), key.principal
    for name, people, hours in (("Winter prices", 1_940, 0), ("Closed on Friday", 412, 20), ("Service is due", 86, 0)):
        plan = Plan(
            asked_by=shop.label,
            did=MAIN,
            body="Hello {{ name }}, this is Northlight Heating. " + WORDS[name],
            class_=MessageClass.TRANSACTIONAL,
            basis=Basis.CONSENT,
            language="en",
            not_before=now + timedelta(hours=hours),
            expires_at=now + timedelta(hours=hours + 8),
            name=name,
        )
        coming = await runs.begin(at_the_shell("test"), plan)
        for first in range(0, people, 1_000):
            ends = min(people, first + 1_000)
            await coming.add([Item(n + 1, f"+1415555{n:04d}", '{"name": "you"}') for n in range(first, ends)])
        await coming.open(people, people // 90, None, "")
        if hours == 0:
            await runs.turn(shop, coming.public_id, Turn.PAUSE)
        if people > 1_000:
            await runs.call_off(shop, coming.public_id)


async def a_day(path: Path, settings: Settings) -> None:
    """Fill a database with the last days, up to now."""
    now = datetime.now(UTC)
    clock = HandClock(now - timedelta(days=4))
    database = Database(f"sqlite:///{path}", clock)
    await database.open()
    try:
        line = Line(answer_within=timedelta(seconds=30), throttle_wait=timedelta(minutes=15))
        world = World(database, clock, path.parent.parent, make_house(settings), line, begin=with_nobody)
        async with world.running():
            day = Day(world)
            await day.hire()
            await open_office(world.store, day.people[ANA], day.hashed, day.now)
            await day.staff()
            await last_week(day)
            for part, hours in ((morning, 8), (noon, 5.5), (afternoon, 3)):
                await day.until(now - timedelta(hours=hours))
                await part(day)
            await day.until(now - timedelta(minutes=2))
            await programs(day)
            await just_now(day)
            await day.until(now)
    finally:
        await database.close()
