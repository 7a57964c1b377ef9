"""Fills a database with hostile texts and names, in every place that takes some, through the flows that store them."""

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from ringback.assembly import make_house
from ringback.carriers.loopback import Settings as Line
from ringback.config import Settings
from ringback.core.calls import Leg, Outcome, Rang
from ringback.core.permissions import Role
from ringback.core.writing import clean
from ringback.flow.inbound import storable
from ringback.flow.people import NewUser, Refused, add_user, read_name
from ringback.panel.words import legible
from ringback.ports import Incoming
from ringback.store.database import Database
from tests.browser.enemies_office import besiege
from tests.browser.hostile import HOSTILE
from tests.browser.house import MAIN
from tests.browser.seeds import ANA, Day, with_nobody
from tests.fakes.grants import let_everyone
from tests.fakes.hand_clock import HandClock
from tests.flow.world import World, a_call, life_of

EACH = 15
"""Hostile texts in one thread, three times: from them, from us, and as a note. All of it fits on one page."""
GROUPS = {
    f"+1{(404, 503)[start // EACH // 50]}55501{start // EACH % 50:02}": HOSTILE[start : start + EACH]
    for start in range(0, len(HOSTILE), EACH)
}
BUSINESS = "\"><img src=x onerror=ran(0)>'"


def shown(text: str) -> str:
    """What a browser has of a text that a page shows as it is: parsers take every line end for a line feed."""
    return legible(text).replace("\r\n", "\n").replace("\r", "\n")


def named() -> list[tuple[str, str]]:
    """The texts that may be names of people, each with the login that gets it."""
    found = []
    for number, text in enumerate(HOSTILE, 1):
        try:
            found.append((f"h{number}", read_name(text)))
        except Refused:
            continue
    return found


async def enemies(path: Path, settings: Settings) -> None:
    """Everything hostile at once."""
    clock = HandClock(datetime.now(UTC) - timedelta(hours=8))
    database = Database(f"sqlite:///{path}", clock)
    await database.open()
    try:
        world = World(
            database, clock, path.parent.parent, make_house(settings), Line(texts_per_handset=1), begin=with_nobody
        )
        async with world.running():
            day = Day(world)
            await day.hire()
            await world.store.commit(partial(let_everyone, day.now))
            await _people(day)
            await besiege(world.store, day.people[ANA], [login for login, _ in named()], day.now)
            for peer, texts in GROUPS.items():
                await _talk(day, peer, texts)
            for number, text in enumerate(HOSTILE):
                await _from_outside(day, number, text)
            await world.settled()
    finally:
        await database.close()


async def _people(day: Day) -> None:
    account = await day.world.store.commit(lambda tx: tx.accounts.find(ANA))
    news = [NewUser(login, name, frozenset({Role.AGENT}), account.password) for login, name in named()]
    await day.world.store.commit(lambda tx: [add_user(new, "shell root", day.now, tx) for new in news])


async def _talk(day: Day, peer: str, texts: tuple[str, ...]) -> None:
    """They write it, we write it back, and it is noted as the words of an opt-out, or of its end."""
    ana, world = day.people[ANA], day.world
    came = [Incoming(f"{peer}-{number}", peer, MAIN, text, day.now) for number, text in enumerate(texts)]
    await world.arrivals.take("main", came, b"")
    thread = await day.thread(peer)
    for number, text in enumerate(texts):
        world.clock.move(timedelta(milliseconds=50))
        await day.desk.reply(ana, thread, text, f"{peer}-{number}")
    for number, text in enumerate(texts):
        world.clock.move(timedelta(milliseconds=50))
        await (day.desk.opt_in if number % 2 else day.desk.opt_out)(ana, thread, text)


async def _from_outside(day: Day, number: int, text: str) -> None:
    """A sender, a caller with a queue and a phone, and a thing nobody can read, all called so."""
    world, name = day.world, storable(text)
    # of what cannot be read there is one task a minute
    world.clock.move(timedelta(minutes=1))
    await world.arrivals.take("main", [Incoming(f"from-{number}", text, MAIN, f"from {number}", day.now)], b"")
    await world.arrivals.quarantine("main", str(number).encode(), text)
    leg = Leg(name, day.now, day.now, Rang.NO_ANSWER)
    call = a_call(f"h.{number}", name, day.now, queue=name, legs=(leg,), outcome=Outcome.ABANDONED_QUEUE)
    world.script.feed(*life_of(call))


def sent(text: str) -> str:
    """What is left of a text when it is sent."""
    return shown(clean(text))
