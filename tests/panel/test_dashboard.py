"""The health page: what needs a person comes first, parts say what they mean, and the switch pauses and resumes."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import pytest
from sqlalchemy import select

from ringback.core.grants import Reach
from ringback.core.permissions import OF_ROLE, Action, Role
from ringback.core.tasks import TaskKind
from ringback.errors import StoreBusy, StoreFault
from ringback.findings import findings, hold_findings
from ringback.flow.pauses import Pause, Paused, Scope, Turn, in_force, turn
from ringback.panel import health_words
from ringback.panel.carriers import Reins
from ringback.panel.dashboard import HealthPages, Switch
from ringback.panel.health import Finding, Health, PartState, Standing, Tone
from ringback.panel.words import STANDING, legible
from ringback.ports.holds import Held
from ringback.ports.overview import MOST, Day, Past
from ringback.store.tables import audit
from tests.conftest import NOON
from tests.fakes.hand_clock import HandClock
from tests.panel.hostile import HOSTILE
from tests.panel.reading import Page
from tests.panel.visiting import client_as

SINCE = datetime(2026, 11, 20, 14, 2, tzinfo=UTC)
OURS, OTHER = "+12025550101", "+12025550102"
NAMES = {Scope.NUMBER: (OURS, OTHER), Scope.RULE: ("missed", "busy")}
A_DAY = Day(43, 29, 4, 0)
ALL_DONE = Past(called=True, texted=True)
WELL = Health(
    True,
    (PartState("asterisk main", Standing.WORKS, SINCE), PartState("carrier main", Standing.WORKS, SINCE)),
)
EVERYTHING = Paused(Pause(Scope.ALL), SINCE, "Ana Kovačević")


@dataclass
class Figures:
    """A day in memory. Satisfies `ports.overview.Overview`."""

    figures: Day = A_DAY
    seen: Past = ALL_DONE
    since: list[datetime] = field(default_factory=list)
    problem: Exception | None = None
    asked: int = 0

    async def day(self, reach: Reach, since: datetime) -> Day:
        self.since.append(since)
        if self.problem is not None:
            raise self.problem
        return self.figures

    async def past(self) -> Past:
        self.asked += 1
        if self.problem is not None:
            raise self.problem
        return self.seen


@dataclass
class Hand:
    """The switch, turned by a hand that writes it down."""

    paused: list[Paused] = field(default_factory=list)
    turned: list[tuple[Pause, Turn, str]] = field(default_factory=list)
    problem: Exception | None = None

    def switch(self, names=NAMES) -> Switch:
        return Switch(names, lambda: tuple(self.paused), self._turn)

    async def _turn(self, what, way, who):
        if self.problem is not None:
            raise self.problem
        self.turned.append((what, way, who.label))


async def no_change(_words, _who):
    raise AssertionError


NO_REINS = Reins((), tuple, no_change)


def visit(health=WELL, figures=None, hand=None, role=Role.AGENT, names=NAMES, handsets=None, **more):
    """The health page of a house."""
    hand = hand or Hand()

    def pages(shell):
        return HealthPages(shell, lambda: health, figures or Figures(), hand.switch(names), NO_REINS, handsets)

    return client_as(role, pages, **more)


def words_of(page: Page, name: str) -> list[str]:
    return [" ".join(element.words.split()) for element in page.by_class(name)]


def letters(words: str) -> str:
    """What is said, without the blanks: elements that stand below each other have none between them."""
    return "".join(words.split())


@pytest.mark.parametrize(
    ("ready", "heading"), [(True, "Ringback is ready"), (False, "Ringback runs, but is not ready")]
)
async def test_the_heading_says_whether_a_missed_call_becomes_a_text(ready, heading):
    async with visit(Health(ready, WELL.parts)) as visitor:
        page = await visitor.page("/health")
    assert [element.words for element in page.by_tag("h1")] == [heading]


@pytest.mark.parametrize("standing", Standing)
async def test_every_standing_has_a_word(standing: Standing):
    async with visit(Health(False, (PartState("", standing, SINCE),))) as visitor:
        page = await visitor.page("/health")
    (part,) = page.by_class("health")
    assert [badge.words for badge in part.by_class("badge")] == [STANDING[standing][0]]


@pytest.mark.parametrize(
    ("part", "says"),
    [
        pytest.param(
            PartState("asterisk main", Standing.AWAY, SINCE, "Connection refused.", "Start it."),
            "Asterisk main Connection refused. Calls go on as before, but are not seen here. Those that end meanwhile "
            "become tasks. Since 2026-11-20 09:02. What to do Start it. Away, tried again",
            id="Asterisk is away",
        ),
        pytest.param(
            PartState("carrier main", Standing.WORKS, SINCE), "Carrier main Since 2026-11-20 09:02. Works", id="works"
        ),
        pytest.param(
            PartState("of 2027", Standing.STOPPED, SINCE), "of 2027 Since 2026-11-20 09:02. Stopped", id="a newer part"
        ),
    ],
)
async def test_a_part_says_how_it_is_what_that_means_and_what_to_do(part, says):
    async with visit(Health(False, (part,))) as visitor:
        page = await visitor.page("/health")
    assert [letters(element.words) for element in page.by_class("health")] == [letters(says)]


@pytest.mark.parametrize("tone", Tone)
async def test_every_tone_has_a_colour(tone: Tone):
    async with visit(Health(False, (), (Finding(tone, "Something."),))) as visitor:
        (banner,) = (await visitor.page("/health")).by_class("banner")
    assert banner.classes == {"banner", tone}


async def test_findings_have_their_times_where_the_business_is():
    said = (
        *findings("", lambda _: {}, [EVERYTHING], {}),
        *hold_findings([Held("main", "Their line is bad.", SINCE, "ana")]),
    )
    async with visit(Health(True, (), said)) as visitor:
        banners = (await visitor.page("/health")).by_class("banner")
    assert [letters(banner.by_tag("strong")[0].words) for banner in banners] == [
        letters("Paused: everything automatic, since 2026-11-20 09:02 by Ana Kovačević"),
        letters("Held back: carrier main, since 2026-11-20 09:02 by ana"),
    ]
    assert str(said[1].what) == "Held back: carrier main, since 2026-11-20 14:02 UTC by ana", "machines read UTC"


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("kind", TaskKind)
async def test_every_kind_of_task_is_a_finding_that_leads_to_the_tasks(kind: TaskKind, count: int):
    (finding,) = findings("", lambda _: {kind: count}, (), {})
    async with visit(Health(True, (), (finding,))) as visitor:
        (banner,) = (await visitor.page("/health")).by_class("banner")
    assert f"{finding.what}" in banner.words
    assert ("1 " in str(finding.what)) is (count == 1)
    assert f"{finding.means}" in banner.words
    assert [link.attributes["href"] for link in banner.by_tag("a")] == ["/tasks"]


async def test_what_blocks_comes_before_what_waits():
    found = findings(
        "The disk is full.", lambda _: {TaskKind.UNSEEN: 2, TaskKind.STORM: 0}, [EVERYTHING], {"main": 3, "x": 0}
    )
    async with visit(Health(False, (), found)) as visitor:
        banners = words_of(await visitor.page("/health"), "banner")
    assert [banner.split(" ", 2)[:2] for banner in banners] == [
        ["The", "disk"],
        ["Events", "of"],
        ["2", "calls"],
        ["Paused:", "everything"],
    ]


async def test_a_fix_without_a_place_is_something_to_paste():
    async with visit(Health(False, (), (Finding(Tone.WARN, "Odd.", "It is.", "ringback check"),))) as visitor:
        (banner,) = (await visitor.page("/health")).by_class("banner")
    assert [fix.words for fix in banner.by_tag("pre")] == ["ringback check"]


@pytest.mark.parametrize("said", HOSTILE)
async def test_what_comes_from_outside_is_shown_as_text(said: str):
    health = Health(
        False,
        (PartState(said, Standing.AWAY, SINCE, said, said),),
        (
            Finding(Tone.BAD, said, said, said),
            *findings(said, lambda _: {}, [Paused(Pause(Scope.RULE, said), SINCE, said)], {said: 1}),
        ),
    )
    name = said.encode("utf-8", "replace").decode()  # no configuration holds half a pair
    hand = Hand([Paused(Pause(Scope.RULE, name), SINCE, said), Paused(Pause(Scope.NUMBER, name), SINCE, said)])
    async with visit(health, hand=hand, names={Scope.RULE: ("x", name), Scope.NUMBER: (f"y{name}",)}) as visitor:
        page = await visitor.page("/health")
    (part,) = page.by_class("health")
    assert part.words.count(legible(said)) == 3
    assert {"iframe", "img", "base", "style", "video", "math"} & {element.tag for element in page.elements} == set()
    assert len(page.by_tag("script")) == 1
    assert [element for element in page.elements if any(name.startswith("on") for name in element.attributes)] == []
    assert [banner for banner in page.by_class("banner") if legible(said) not in banner.words] == []


@pytest.mark.parametrize(
    ("n", "shown"), [(0, "0"), (999, "999"), (MOST, "1,000"), (MOST + 1, "1,000+")], ids=lambda value: str(value)
)
async def test_figures_count_up_to_a_thousand(n, shown):
    async with visit(figures=Figures(Day(n, n, n, n))) as visitor:
        page = await visitor.page("/health")
    assert [tile.by_tag("dd")[0].words for tile in page.by_class("tile")] == [shown] * 4


async def test_the_day_begins_at_midnight_where_the_business_is():
    figures = Figures()
    async with visit(figures=figures, clock=HandClock(datetime(2026, 11, 21, 3, tzinfo=UTC))) as visitor:
        page = await visitor.page("/health")
    assert figures.since == [datetime(2026, 11, 20, 5, tzinfo=UTC)]
    links = [link.attributes["href"] for tile in page.by_class("tile") for link in tile.by_tag("a")]
    assert links == [
        "/calls?group=unanswered&day=2026-11-20",
        "/calls?group=with_text&day=2026-11-20",
        "/threads",
        "/tasks",
    ]


async def test_the_page_stands_while_the_database_cannot_be_read():
    async with visit(figures=Figures(problem=StoreFault("gone"))) as visitor:
        page = await visitor.page("/health")
    assert page.by_class("tile") == []
    assert words_of(page, "banner") == ["The database cannot be read now. Figures come back with it."]


BARE = Health(False, (PartState("asterisk main", Standing.AWAY, SINCE),))


@pytest.mark.parametrize(
    ("health", "names", "past", "done"),
    [
        pytest.param(BARE, {}, Past(False, False), [1], id="a fresh installation"),
        pytest.param(BARE, NAMES, Past(False, False), [1, 2, 3], id="a number and a rule"),
        pytest.param(WELL, NAMES, Past(False, False), [1, 2, 3, 4, 5], id="the lines stand"),
        pytest.param(WELL, NAMES, Past(True, False), [1, 2, 3, 4, 5, 6], id="a call was heard"),
        pytest.param(WELL, NAMES, Past(True, True), [], id="all is done, so nothing is said"),
        pytest.param(BARE, NAMES, Past(True, True), [1, 2, 3, 6, 7], id="a line is lost again"),
    ],
)
async def test_first_steps_tick_themselves(health, names, past, done):
    async with visit(health, Figures(seen=past), names=names) as visitor:
        page = await visitor.page("/health")
    steps = [step for box in page.by_class("steps") for step in box.by_tag("li")]
    assert [place for place, step in enumerate(steps, start=1) if "done" in step.classes] == done
    assert len(steps) in (0, len(health_words.FIRST_STEPS))


async def test_what_has_happened_once_is_not_asked_again():
    figures = Figures(seen=Past(True, False))
    async with visit(figures=figures) as visitor:
        await visitor.page("/health")
        figures.seen = ALL_DONE
        await visitor.page("/health")
        await visitor.page("/health")
    assert figures.asked == 2


@pytest.mark.parametrize(
    ("form", "turned"),
    [
        pytest.param({"scope": "all"}, (Pause(Scope.ALL), Turn.PAUSE), id="pause everything"),
        pytest.param({"scope": "all", "name": "x"}, (Pause(Scope.ALL), Turn.PAUSE), id="everything has no name"),
        pytest.param({"scope": "number", "name": OURS}, (Pause(Scope.NUMBER, OURS), Turn.PAUSE), id="pause a number"),
        pytest.param({"scope": "rule", "name": "busy"}, (Pause(Scope.RULE, "busy"), Turn.PAUSE), id="pause a rule"),
        pytest.param(
            {"scope": "rule", "name": "missed", "off": "yes"}, (Pause(Scope.RULE, "missed"), Turn.RESUME), id="resume"
        ),
        pytest.param(
            {"scope": "rule", "name": "gone", "off": "yes"},
            (Pause(Scope.RULE, "gone"), Turn.RESUME),
            id="resume a rule that is not configured any more",
        ),
    ],
)
@pytest.mark.parametrize("role", [role for role in Role if Action.PAUSE in OF_ROLE[role]])
async def test_the_switch_is_turned_by_whoever_may(form, turned, role):
    hand = Hand([Paused(Pause(Scope.RULE, "gone"), SINCE, "root")])
    async with visit(hand=hand, role=role) as visitor:
        answer = await visitor.post("/pause", form)
    assert (answer.status, answer.headers["Location"]) == (303, "/health#pause")
    assert hand.turned == [(*turned, "user usr_01ana")]


@pytest.mark.parametrize(
    "form",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"scope": "world"}, id="no such scope"),
        pytest.param({"scope": "rule", "name": "gone"}, id="no such rule"),
        pytest.param({"scope": "number", "name": "missed"}, id="a rule's name as a number"),
        pytest.param({"scope": "number"}, id="a number without a name"),
    ],
)
async def test_what_cannot_be_paused_turns_nothing(form):
    hand = Hand()
    async with visit(hand=hand) as visitor:
        answer = await visitor.post("/pause", form)
    assert (answer.status, hand.turned) == (400, [])


async def test_a_form_of_another_page_turns_nothing():
    hand = Hand()
    async with visit(hand=hand) as visitor:
        answer = await visitor.post("/pause", {"scope": "all", "csrf": "guessed"})
    assert (answer.status, hand.turned) == (403, [])


async def test_a_busy_database_is_said():
    async with visit(hand=Hand(problem=StoreBusy("busy"))) as visitor:
        assert (await visitor.post("/pause", {"scope": "all"})).status == 503


async def test_what_is_paused_says_since_when_and_by_whom_and_can_be_resumed():
    hand = Hand([EVERYTHING, Paused(Pause(Scope.NUMBER, OURS), SINCE, "root")])
    async with visit(hand=hand) as visitor:
        page = await visitor.page("/health")
    (box,) = page.by_class("pauses")
    assert [letters(item.words) for item in box.by_tag("li")] == [
        letters("Everything automatic Since 2026-11-20 09:02 by Ana Kovačević Resume"),
        letters("Number +1 202 555 0101 Since 2026-11-20 09:02 by root Resume"),
    ]
    options = [option.attributes["value"] for option in page.by_tag("option")]
    assert options == [OTHER, "busy", "missed"]
    assert "Pause everything automatic" not in [button.words for button in page.by_tag("button")]


class Phones:
    def numbers(self):
        return tuple(f"+120255501{n:02}" for n in range(20))


async def test_handsets_of_the_loopback_carrier_are_linked():
    async with visit(handsets=Phones()) as visitor:
        links = [link.attributes["href"] for link in (await visitor.page("/health")).by_tag("a")]
    assert [link for link in links if link.startswith("/handset")][-2:] == ["/handset/%2B12025550107", "/handset"]


async def test_without_a_loopback_carrier_no_handset_is_named():
    async with visit() as visitor:
        assert "/handset" not in await (await visitor.get("/health")).text()


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOON)


async def test_a_turn_of_the_switch_is_in_force_at_once_and_in_the_audit(store, clock):
    async def by_hand(what, way, who):
        return await store.commit(partial(turn, what, way, who, clock.now()))

    switch = Switch(NAMES, lambda: (), by_hand)
    async with client_as(
        Role.AGENT, lambda shell: HealthPages(shell, lambda: WELL, Figures(), switch, NO_REINS)
    ) as visitor:
        await visitor.post("/pause", {"scope": "rule", "name": "busy"})
        await visitor.post("/pause", {"scope": "all"})
        assert await store.commit(in_force) == (
            Paused(Pause(Scope.ALL), NOON, "Ana Kovačević"),
            Paused(Pause(Scope.RULE, "busy"), NOON, "Ana Kovačević"),
        )
        await visitor.post("/pause", {"scope": "rule", "name": "busy", "off": "yes"})
    noted = await store.read(
        lambda connection: connection.execute(select(audit.c.who, audit.c.action, audit.c.about)).all()
    )
    assert [tuple(row) for row in noted] == [
        ("user usr_01ana", "pause", "pause:rule:busy"),
        ("user usr_01ana", "pause", "pause:all"),
        ("user usr_01ana", "resume", "pause:rule:busy"),
    ]
