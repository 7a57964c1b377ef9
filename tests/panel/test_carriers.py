"""Holding a carrier back from the panel: everybody sees it, administrators change it, and nothing goes by mistake."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select

from ringback.core.permissions import Principal, Role
from ringback.errors import StoreBusy
from ringback.flow.holds import ALARM, RESTORE, Holding, hold
from ringback.panel.carriers import NO_WHY, OTHER_HOLD, CarrierPages, Reins
from ringback.panel.dashboard import HealthPages
from ringback.panel.words import legible
from ringback.ports.holds import Held
from ringback.store.tables import audit
from tests.conftest import NOON
from tests.fakes.hand_clock import HandClock
from tests.panel.hostile import HOSTILE
from tests.panel.reading import Page
from tests.panel.test_dashboard import SINCE, WELL, Figures, Hand
from tests.panel.visiting import client_as

BY_ANA = Held("main", "Their line is bad.", SINCE, "Ana Kovačević")
PAGE = "/health/carriers/main"


@dataclass
class Stable:
    """Carriers in memory, and what was asked of them."""

    names: tuple[str, ...] = ("main", "other")
    held: list[Held] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    problem: Exception | None = None

    @property
    def reins(self) -> Reins:
        return Reins(self.names, lambda: tuple(self.held), self._change)

    async def _change(self, words: Mapping[str, str], _who: Principal) -> str:
        if self.problem is not None:
            raise self.problem
        self.asked.append(dict(words))
        return "done"


def visit(stable: Stable, role: Role = Role.ADMINISTRATOR):
    def health(shell):
        return HealthPages(shell, lambda: WELL, Figures(), Hand().switch(), stable.reins)

    return client_as(role, health, lambda shell: CarrierPages(shell, stable.reins))


def box(page: Page):
    (section,) = [one for one in page.by_tag("section") if one.attributes.get("aria-labelledby") == "carriers"]
    return section


def words(element) -> str:
    return " ".join(element.words.split())


HEADING = "Carriers Held back Carrier main is held back since 2026-11-20 09:02 by Ana Kovačević: Their line is bad. "


@pytest.mark.parametrize(
    ("role", "more"),
    [
        (Role.ADMINISTRATOR, "Let it go on : main other Texts leave by it. Hold it back : other"),
        (Role.AGENT, "other Texts leave by it. An administrator lets it go on."),
    ],
)
async def test_the_health_page_shows_what_is_held_and_who_may_change_it_can(role: Role, more: str):
    async with visit(Stable(held=[BY_ANA]), role) as visitor:
        shown = box(await visitor.page("/health"))
    assert words(shown).replace(" ", "") == (HEADING + more).replace(" ", "")
    links = [link.attributes["href"] for link in shown.by_tag("a")]
    assert links == (["/health/carriers/main", "/health/carriers/other"] if role is Role.ADMINISTRATOR else [])


async def test_without_carriers_it_says_how_to_get_one():
    async with visit(Stable(names=())) as visitor:
        assert words(box(await visitor.page("/health"))).endswith("There is no carrier yet. Add one to ringback.toml.")


async def test_a_held_one_asks_before_it_is_let_go():
    async with visit(Stable(held=[BY_ANA])) as visitor:
        page = await visitor.page(PAGE)
    (form,) = [form for form in page.by_tag("form") if str(form.attributes.get("action")).startswith(PAGE)]
    assert form.attributes["action"] == f"{PAGE}/release"
    assert "leaves at once" in form.words
    assert [button.words for button in form.by_tag("button")] == ["Let it go on"]


async def test_one_that_a_restore_holds_says_what_to_look_at_first():
    async with visit(Stable(held=[Held("main", "x", SINCE, RESTORE)])) as visitor:
        page = await visitor.page(PAGE)
    assert "/threads?view=doubt" in [link.attributes["href"] for link in page.by_tag("a")]


@pytest.mark.parametrize(
    ("held", "path", "form", "asked"),
    [
        pytest.param(
            [],
            "hold",
            {"why": "Their line is bad."},
            {"change": "hold", "name": "main", "why": "Their line is bad."},
            id="held back",
        ),
        pytest.param(
            [BY_ANA], "release", {"since": SINCE.isoformat()}, {"change": "release", "name": "main"}, id="let go"
        ),
    ],
)
async def test_a_press_changes_it_and_leads_back(held, path: str, form, asked):
    stable = Stable(held=held)
    async with visit(stable) as visitor:
        answer = await visitor.post(f"{PAGE}/{path}", form)
    assert (answer.status, answer.headers["Location"]) == (303, "/health#carriers")
    assert stable.asked == [asked]


@pytest.mark.parametrize(
    ("held", "path", "form", "status", "says"),
    [
        pytest.param([], "hold", {"why": " \t"}, 422, NO_WHY, id="a hold without a reason"),
        pytest.param(
            [Held("main", "5 texts in doubt", SINCE + timedelta(minutes=1), ALARM)],
            "release",
            {"since": SINCE.isoformat()},
            409,
            OTHER_HOLD,
            id="a hold that nobody read",
        ),
    ],
)
async def test_what_is_not_right_changes_nothing_and_is_said(held, path: str, form, status: int, says: str):
    stable = Stable(held=held)
    async with visit(stable) as visitor:
        answer = await visitor.post(f"{PAGE}/{path}", form)
        page = Page(await answer.text())
    assert (answer.status, stable.asked) == (status, [])
    assert says in " ".join(words(element) for element in page.by_tag("main"))


async def test_one_that_goes_on_already_needs_nothing():
    stable = Stable()
    async with visit(stable) as visitor:
        assert (await visitor.post(f"{PAGE}/release", {"since": "x"})).status == 303
    assert stable.asked == []


async def test_one_that_is_held_already_needs_no_other_reason():
    stable = Stable(names=("main",), held=[Held("gone", "x", SINCE, "root")])
    async with visit(stable) as visitor:
        assert (await visitor.post("/health/carriers/gone/hold", {"why": "x"})).status == 303
    assert stable.asked == []


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/hold", f"{PAGE}/release"])
async def test_an_agent_may_not(path: str):
    stable = Stable(held=[BY_ANA])
    async with visit(stable, Role.AGENT) as visitor:
        answer = await (visitor.get(path) if path == PAGE else visitor.post(path, {"since": SINCE.isoformat()}))
    assert (answer.status, stable.asked) == (403, [])


async def test_what_is_no_carrier_is_no_page():
    async with visit(Stable()) as visitor:
        assert (await visitor.get("/health/carriers/nope")).status == 404
        assert (await visitor.post("/health/carriers/nope/hold", {"why": "x"})).status == 404


async def test_a_form_of_another_page_changes_nothing():
    stable = Stable()
    async with visit(stable) as visitor:
        answer = await visitor.post(f"{PAGE}/hold", {"why": "x", "csrf": "guessed"})
    assert (answer.status, stable.asked) == (403, [])


async def test_a_busy_database_is_said():
    async with visit(Stable(problem=StoreBusy("x"))) as visitor:
        assert (await visitor.post(f"{PAGE}/hold", {"why": "x"})).status == 503


@pytest.mark.parametrize("said", HOSTILE)
async def test_a_reason_is_only_text(said: str):
    async with visit(Stable(held=[Held("main", said, SINCE, said)])) as visitor:
        pages = [await visitor.page(path) for path in ("/health", PAGE)]
    for page in pages:
        assert {"iframe", "img", "base", "style", "video", "math"} & {element.tag for element in page.elements} == set()
        assert legible(said) in "".join(element.words for element in page.by_tag("main"))


class Silent:
    """A lane, as far as it is held."""

    held = ""

    def hold(self, why: str) -> None:
        self.held = why

    def let_go(self) -> None:
        self.held = ""


async def test_it_holds_at_once_and_stands_in_the_audit(store, clock: HandClock):
    lane = Silent()
    holding = Holding(store, {"main": lane}, clock)
    await holding.load()
    reins = Reins(("main",), lambda: holding.held, holding.change)
    async with client_as(Role.ADMINISTRATOR, lambda shell: CarrierPages(shell, reins)) as visitor:
        await visitor.post(f"{PAGE}/hold", {"why": "Their line is bad."})
        assert lane.held == "Their line is bad."
        (held,) = holding.held
        assert (held.by, held.why) == ("Ana Kovačević", "Their line is bad.")
        await visitor.post(f"{PAGE}/release", {"since": held.since.isoformat()})
        assert (lane.held, holding.held) == ("", ())
    rows = await store.read(lambda c: c.execute(select(audit.c.who, audit.c.action, audit.c.about)).all())
    assert rows == [
        ("user usr_01ana", "hold_carrier", "main"),
        ("user usr_01ana", "release_carrier", "main"),
    ]


async def test_a_hold_of_somebody_else_is_seen(store, clock: HandClock):
    holding = Holding(store, {}, clock)
    await store.commit(partial(hold, "gone", "Not here any more.", "root", NOON))
    await holding.load()
    reins = Reins(("main",), lambda: holding.held, holding.change)
    assert [name for name, _held in reins.all()] == ["gone", "main"]
