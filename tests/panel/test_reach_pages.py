"""Pages, counters and streams show what whoever looks may see, and stop showing it when that is taken away."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from ringback.carriers.loopback import Loopback
from ringback.core.book import Book
from ringback.core.grants import ALL_NUMBERS, EVERYONE, Effect, Grant, Level, Reach, Subject, Way
from ringback.core.permissions import Asker, Principal, Role
from ringback.core.rights import Rights
from ringback.core.tasks import TaskKind
from ringback.findings import findings
from ringback.flow.pauses import Pause, Paused, Scope
from ringback.flow.permits import Permits
from ringback.panel.calls import CallPages
from ringback.panel.carriers import Reins
from ringback.panel.dashboard import HealthPages, Switch
from ringback.panel.handsets import HandsetPages
from ringback.panel.health import Health
from ringback.panel.live import Streams
from ringback.panel.search import SearchPages
from ringback.panel.shell import Shell
from ringback.panel.tasks import TaskPages
from ringback.panel.thread_acts import ThreadActs
from ringback.panel.threads import ThreadPages
from ringback.ports import Clock
from ringback.ports.changes import GRANTS
from ringback.ports.overview import Day, Past
from ringback.ports.search import Side
from ringback.waiting import Waiting
from tests.fakes.grants import Shelf
from tests.fakes.hand_clock import HandClock
from tests.fakes.threads import ANA, DID, NOON, THREAD, Bells, FakeDesk, FakeThreads, came, row
from tests.panel.conftest import Text
from tests.panel.events import Reader, listening
from tests.panel.inbox import read, stream_of, words
from tests.panel.made_up import STORY, US, Tasks, a_line, a_task, call_id, task_id
from tests.panel.made_up import Book as Calls
from tests.panel.reading import Page
from tests.panel.test_search import FakeSearch, hit
from tests.panel.visiting import ANA as ACCOUNT
from tests.panel.visiting import TOKEN, Visitor, client_as

OTHER = "+12025550102"
FOREIGN = f"thr_{2:026}"
UNKNOWN = f"thr_{9:026}"
ME = Subject(Level.USER, ACCOUNT.id)


def book(*allowed: tuple[Way, str], version: str = "1", roles: frozenset[Role] = ACCOUNT.roles) -> Book:
    """What Ana may: these ways with these numbers of two."""
    grants = tuple(Grant(ME, way, number, "", Effect.ALLOW) for way, number in allowed)
    return Book(version=version, grants=grants, roles={ACCOUNT.id: roles}, numbers=(DID, OTHER))


ASKED = a_task(TaskKind.ASKED)
READS = book((Way.RECEIVE, DID))
NOTHING_ANY_MORE = book(version="2")


def text_of(page: Page) -> str:
    """All that is on a page, without the blanks that make numbers readable."""
    return " ".join(f"{element.words} {element.attributes}" for element in page.elements).replace("\u202f", "")


async def administrators() -> list[str]:
    return ["Mira Novak", "Jo <b>"]


@dataclass
class House:
    """Two numbers of ours and what there is about each, with somebody who may see what the shelf says."""

    visitor: Visitor
    shelf: Shelf
    permits: Permits
    threads: FakeThreads
    bells: Bells

    async def status(self, path: str) -> tuple[int, str]:
        """What is answered, without what is another in each answer."""
        answer = await self.visitor.get(path)
        return answer.status, re.sub(r"[a-z]+_[0-9a-z]{26}|/(calls|tasks|threads)/[^\"]*", "", await answer.text())

    async def second(self) -> None:
        """A second goes by."""
        await self.visitor.clock.until_somebody_sleeps()
        self.visitor.clock.move(timedelta(seconds=1))

    @asynccontextmanager
    async def live(self, path: str) -> AsyncIterator[Reader]:
        async with listening(self.visitor, stream_of(await self.visitor.page(path))) as reader:
            await reader.next("order")
            yield reader


@asynccontextmanager
async def opened(kept: Book = READS, account=ACCOUNT) -> AsyncIterator[House]:
    clock, bells, desk, threads = HandClock(), Bells(), FakeDesk(), FakeThreads()
    shelf, made, known = Shelf(kept), [], []
    threads.rows = [row(1, waits_since=NOON), row(2, did=OTHER, waits_since=NOON)]
    threads.entries = [came("mine")]
    calls = Calls((a_line(did=DID), a_line(did=OTHER, public_id=call_id(2))), (STORY, replace(STORY, did=OTHER)))
    calls.stories = (STORY, replace(STORY, did=OTHER, public_id=call_id(2)))
    mine, foreign = a_task(TaskKind.CALL_BACK), a_task(TaskKind.PARTIAL)
    assert mine.thread is not None and foreign.thread is not None
    tasks = Tasks((mine, replace(foreign, thread=replace(foreign.thread, did=OTHER)), ASKED))
    search = FakeSearch(replace(FakeSearch().page, rows=(hit("found", side=Side.IN),)))

    def permits(clock: Clock) -> Permits:
        known.append(Permits(shelf, clock))
        known[0].on_change(lambda: bells.ring(GRANTS))
        return known[0]

    def inbox(shell: Shell) -> ThreadPages:
        streams = Streams(shell, bells, calm=timedelta())
        made.append(ThreadPages(shell, threads, desk, streams, read, clock, administrators))
        return made[0]

    sets: list[Callable[[Shell], object]] = [
        inbox,
        lambda shell: ThreadActs(shell, made[0], desk),
        lambda shell: SearchPages(shell, search, threads, read, (DID, OTHER)),
        lambda shell: CallPages(shell, calls, lambda text: read(text).e164),
        lambda shell: TaskPages(shell, tasks, desk, Streams(shell, bells, calm=timedelta())),
    ]
    async with client_as(account, *sets, clock=clock, permits=permits) as visitor:
        yield House(visitor, shelf, known[0], threads, bells)


FOREIGN_AND_UNKNOWN = [
    pytest.param(f"/threads/{FOREIGN}", f"/threads/{UNKNOWN}", id="a thread"),
    pytest.param(f"/threads/{FOREIGN}/events", f"/threads/{UNKNOWN}/events", id="its stream"),
    pytest.param(f"/threads/search?q=x&thread={FOREIGN}", f"/threads/search?q=x&thread={UNKNOWN}", id="a search in it"),
    pytest.param(f"/calls/{call_id(2)}", f"/calls/{call_id(9)}", id="a call"),
]


@pytest.mark.parametrize(("foreign", "unknown"), FOREIGN_AND_UNKNOWN)
async def test_what_is_anothers_is_answered_as_what_is_not(foreign, unknown):
    async with opened(book((Way.RECEIVE, OTHER))) as house:
        # the thread there is belongs to the first number, which is the one they may not see now
        house.threads.first = replace(house.threads.first, public_id=FOREIGN)
        house.shelf.kept = book((Way.RECEIVE, US), version="2") if "calls" in foreign else house.shelf.kept
        house.permits.forget()
        assert await house.status(foreign) == await house.status(unknown)
        assert (await house.status(foreign))[0] == 404


@pytest.mark.parametrize("path", ["close", "reopen", "opt-out", "resolve", "check"])
async def test_a_task_of_another_number_is_not_there(path):
    async with opened() as house:
        for task in (task_id(8), task_id(99)):
            assert (await house.visitor.post(f"/tasks/{task}/{path}", {"how": "sent"})).status == 404


async def test_lists_have_what_is_theirs():
    async with opened() as house:
        inbox = await house.visitor.page("/threads?view=all")
        assert [words(item).count("hi") for item in inbox.by_class("item")] == [1]
        calls = await house.visitor.page("/calls")
        assert OTHER[-4:] not in "".join(words(cell) for cell in calls.by_tag("table"))
        tasks = await house.visitor.page("/tasks")
        assert len(tasks.by_class("task")) == 1


async def test_numbers_they_may_not_see_are_not_named_in_a_filter():
    async with opened() as house:
        page = await house.visitor.page("/threads/search?q=found")
        assert OTHER not in text_of(page)
        assert DID in text_of(page) or len(page.by_tag("option")) == 0


async def test_a_task_that_asks_for_rights_is_for_who_decides_them():
    grants = [(Way.RECEIVE, DID)]
    boss = replace(ACCOUNT, roles=frozenset({Role.ADMINISTRATOR}))
    async with opened(book(*grants, roles=boss.roles), boss) as house:
        assert len((await house.visitor.page("/tasks")).by_class("task")) == 3


async def test_who_may_not_write_reads_why_and_whom_to_ask():
    async with opened() as house:
        page = await house.visitor.page(f"/threads/{THREAD}")
        assert page.by_tag("textarea") == []
        (composer,) = page.by_class("composer")
        said = words(composer)
        assert f"You may not send from {DID}." in said
        assert "Nobody has granted it." in said
        assert "Ask Mira Novak, Jo <b>." in said
        answer = await house.visitor.post(f"/threads/{THREAD}/texts", {"text": "lost?", "key": "k"})
        assert answer.status in (303, 403, 409)
        house.shelf.kept = book((Way.RECEIVE, DID), (Way.SEND, DID), version="2")
        house.permits.forget()
        assert len((await house.visitor.page(f"/threads/{THREAD}")).by_tag("textarea")) == 1


# Streams


async def test_a_stream_ends_with_the_reason_when_its_thread_is_taken_away():
    async with opened() as house, house.live(f"/threads/{THREAD}") as reader:
        house.shelf.kept = NOTHING_ANY_MORE
        house.threads.entries.append(came("secretword", minutes=1, number=2))
        await house.second()
        ended = await reader.next()
        assert ended.kind == "ended"
        assert "Your rights changed." in ended.data["why"]
        assert (await house.visitor.get(f"/threads/{THREAD}")).status == 404


async def test_a_stream_goes_on_with_what_is_left():
    both = book((Way.RECEIVE, DID), (Way.RECEIVE, OTHER))
    async with opened(both) as house, house.live("/threads") as reader:
        house.shelf.kept = replace(READS, version="2")
        await house.second()
        assert (await reader.next("order")).data["ids"] == [f"row-thr_{1:026}"]
        house.shelf.kept = replace(both, version="3")
        await house.second()
        assert f"thr_{2:026}" in (await reader.next("message")).data["id"]


async def test_a_change_in_this_process_reaches_a_stream_without_any_time():
    both = book((Way.RECEIVE, DID), (Way.RECEIVE, OTHER))
    async with opened(both) as house, house.live("/threads") as reader:
        house.shelf.kept = replace(READS, version="2")
        house.visitor.guard.forget()
        house.bells.ring(GRANTS)
        assert (await reader.next("order")).data["ids"] == [f"row-thr_{1:026}"]


async def test_the_badge_of_another_page_is_counted_anew():
    both = book((Way.RECEIVE, DID), (Way.RECEIVE, OTHER))
    async with opened(both) as house, listening(house.visitor, "/threads/events") as reader:
        assert (await reader.next("counts")).data == {"/threads": "2"}
        house.shelf.kept = NOTHING_ANY_MORE
        await house.second()
        assert (await reader.next("counts")).data == {"/threads": ""}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param({"roles": frozenset({Role.AUDITOR})}, "Your rights changed.", id="another role"),
        pytest.param({"disabled_at": NOON}, "You were logged out.", id="the account is disabled"),
    ],
)
@pytest.mark.parametrize("path", [f"/threads/{THREAD}", "/threads", "/tasks"])
async def test_a_stream_ends_within_two_seconds_of_a_change_of_the_account(path, change, why):
    async with opened(book((Way.RECEIVE, DID), (Way.RECEIVE, OTHER))) as house, house.live(path) as reader:
        crowd = house.visitor.crowd
        crowd.logins = {
            key: replace(login, account=replace(login.account, **change)) for key, login in crowd.logins.items()
        }
        await house.second()
        await asyncio.sleep(0)
        await house.second()
        ended = await reader.next()
        assert (ended.kind, ended.data["why"][: len(why)]) == ("ended", why)
        assert TOKEN not in ended.data["why"]


async def test_nothing_that_was_taken_away_is_sent_by_a_look_that_comes_later():
    """What makes a stream look is a change of a thread; it looks with the rights of that moment."""
    async with opened() as house, house.live(f"/threads/{THREAD}") as reader:
        house.shelf.kept = NOTHING_ANY_MORE
        house.permits.forget()
        house.threads.entries.append(came("secretword", minutes=1, number=2))
        house.bells.ring()
        ended = await reader.next()
        assert ended.kind == "ended"
        assert await reader.answer.content.read() == b""


# Counters


def someone(kept: Book, *roles: Role) -> Rights:
    return Rights(Principal(Asker.USER, "usr_1", "Ana", frozenset(roles or {Role.AGENT}), account=ACCOUNT.id), kept)


@pytest.mark.parametrize(
    ("rights", "counts"),
    [
        pytest.param(someone(READS), {"/threads": 3, "/tasks": 5}, id="one number"),
        pytest.param(someone(NOTHING_ANY_MORE), {"/threads": 0, "/tasks": 1}, id="no number"),
        pytest.param(
            someone(book((Way.RECEIVE, DID), (Way.RECEIVE, OTHER))), {"/threads": 99, "/tasks": 12}, id="both"
        ),
        pytest.param(someone(READS, Role.ADMINISTRATOR), {"/threads": 3, "/tasks": 45}, id="who decides"),
        pytest.param(someone(READS, Role.AUDITOR), {}, id="no texts at all"),
    ],
)
def test_badges_count_what_is_theirs(rights, counts):
    waiting = Waiting(Bells(), None, HandClock())
    waiting._threads = {DID: 3, OTHER: 98}
    waiting._tasks = {
        TaskKind.CALL_BACK: {DID: 4, OTHER: 7},
        TaskKind.STORM: {"": 1},
        TaskKind.ASKED: {"": 40},
    }
    assert waiting.counts(rights) == counts


# The health page


@dataclass
class Figures:
    """Figures of a day, by reach."""

    asked: list[Reach]

    async def day(self, reach: Reach, since: object) -> Day:
        self.asked.append(reach)
        return Day(1, 2, 3, 4)

    async def past(self) -> Past:
        return Past(called=True, texted=True)


async def test_the_health_page_names_no_number_that_they_may_not_see():
    figures, turned = Figures([]), []

    async def turn(what: Pause, _way: object, _who: Principal) -> None:
        turned.append(what)

    paused = [Paused(Pause(Scope.NUMBER, OTHER), NOON, "Mira"), Paused(Pause(Scope.NUMBER, DID), NOON, "Mira")]
    free = {Scope.NUMBER: (DID, OTHER, "+12025550103")}
    switch = Switch(free, lambda: tuple(paused), turn)
    tasks: Mapping[str, int] = {DID: 2, OTHER: 3}
    said = findings("", lambda reach: {TaskKind.UNSEEN: sum(n for d, n in tasks.items() if d in reach)}, paused, {})

    def pages(shell: Shell) -> HealthPages:
        return HealthPages(shell, lambda: Health(True, (), said), figures, switch, Reins((), tuple, turn))

    def permits(clock: Clock) -> Permits:
        return Permits(Shelf(READS), clock)

    async with client_as(ACCOUNT, pages, permits=permits, health=lambda: Health(True, (), said)) as visitor:
        page = await visitor.page("/health")
        assert "5550102" not in text_of(page).replace(" ", "")
        assert "5550103" not in text_of(page).replace(" ", "")
        assert "2 calls ended unseen" in " ".join(words(banner) for banner in page.by_class("banner"))
        assert figures.asked == [Reach(everything=False, numbers=frozenset({DID}))]
        assert OTHER not in await (await visitor.get("/readyz")).text()
        assert (await visitor.post("/pause", {"scope": "number", "name": OTHER, "off": "yes"})).status == 400
        assert (await visitor.post("/pause", {"scope": "number", "name": DID, "off": "yes"})).status == 303
    assert [what.name for what in turned] == [DID]


# Handsets


async def test_a_handset_shows_texts_of_numbers_that_they_may_see(line: Loopback, text: Text):
    await text("of mine", sender=DID)
    await text("of another", sender=OTHER)
    await text("of another alone", to="+12025550148", sender=OTHER)

    def permits(clock: Clock) -> Permits:
        return Permits(Shelf(READS), clock)

    async with client_as(ACCOUNT, lambda shell: HandsetPages(shell, line), permits=permits) as visitor:
        index = await visitor.page("/handset")
        assert "of another" not in text_of(index)
        assert "0148" not in text_of(index)
        page = await visitor.page(f"/handset/{ANA}")
        assert "of mine" in text_of(page)
        assert "of another" not in text_of(page)
        async with listening(visitor, f"/handset/{ANA}/events") as reader:
            await text("of another again", sender=OTHER)
            await text("the next of mine", sender=DID)
            found = ""
            while "the next of mine" not in found:
                found += (await reader.next()).data["html"]
            assert "of another" not in found


async def test_who_is_allowed_everything_sees_numbers_of_before_too():
    everyone = Book(
        version="1",
        grants=(Grant(EVERYONE, Way.RECEIVE, ALL_NUMBERS, "", Effect.ALLOW),),
        roles={ACCOUNT.id: ACCOUNT.roles},
        numbers=(DID,),
    )
    async with opened(everyone) as house:
        assert len((await house.visitor.page("/threads?view=all")).by_class("item")) == 2
