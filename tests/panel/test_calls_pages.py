"""The pages of calls: every outcome and decision has its words, and the page of a call says what `explain` says."""

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from ringback.cli.explain import _plain
from ringback.core.calls import Direction, Leg, Outcome, Presentation, Rang, Sighting
from ringback.core.messages import State
from ringback.core.offers import Offer, OfferAnswer, OfferKind, Situation
from ringback.core.permissions import OF_ROLE, Action, Role
from ringback.core.reasons import SENTENCES, Reason
from ringback.core.triggers import CallVerdict
from ringback.panel import call_words as words
from ringback.panel.calls import CallPages
from ringback.panel.words import legible
from ringback.ports.callbook import CallFilter, Group
from ringback.store.read_calls import ReadCalls
from tests.conftest import NOON
from tests.fakes.hand_clock import HandClock
from tests.flow.world import HOUSE, OTHER_DID, World, a_call, answered, life_of, ruled
from tests.panel.hostile import HOSTILE
from tests.panel.made_up import PAT, SAM, TEXT, THREAD, Book, a_line, a_story, at, call_id, waiting
from tests.panel.reading import Page
from tests.panel.visiting import client_as

NEVER_OF_A_CALL = {
    Reason.PERMISSION_DENIED,
    Reason.SCHEDULED,
    Reason.WAIT_SHORT,
    Reason.WAIT_UNKNOWN,
    Reason.NO_TEXT_AGENTS,
    Reason.NO_TEXT_QUEUE,
    Reason.ASKED_BEFORE,
    Reason.CALL_UNKNOWN,
    Reason.NOT_THE_CALLER,
}
"""Reasons of texts that people write, or that do not exist yet, and of offers."""
NEEDS_NO_WAY_ON = {Reason.ALLOWED, Reason.ANSWERED}


def read_number(text: str) -> str | None:
    return text if text.startswith("+") else None


def visit(book: Book, role: Role = Role.AGENT):
    return client_as(role, lambda shell: CallPages(shell, book, read_number))


def rows(page: Page):
    return [row for row in page.by_tag("tr") if row.by_class("lead")]


def words_of(page: Page, name: str) -> list[str]:
    return [" ".join(element.words.split()) for element in page.by_class(name)]


async def test_every_outcome_and_every_decision_has_its_words():
    calls = tuple(
        a_line(public_id=call_id(n), outcome=outcome, decision=verdict, reason=reason, text=None)
        for n, (outcome, (verdict, reason)) in enumerate(
            product(
                (*Outcome, None),
                (
                    (CallVerdict.SEND, Reason.ALLOWED),
                    (CallVerdict.DEFER, Reason.RATE_NUMBER),
                    (CallVerdict.SUPPRESS, Reason.OPTED_OUT),
                    (CallVerdict.NONE, Reason.NO_RULE),
                ),
            )
        )
    )
    async with visit(Book(calls)) as visitor:
        page = await visitor.page("/calls")
    shown = words_of(page, "state")
    assert shown == [words.OUTCOME[call.outcome].word if call.outcome else words.UNSEEN.word for call in calls]
    said = {
        CallVerdict.SEND: "Asked for A text was asked for: rule sales-missed.",
        CallVerdict.DEFER: "Asked for A text was asked for: rule sales-missed.",
        CallVerdict.SUPPRESS: "No text This person said STOP to this number.",
        CallVerdict.NONE: "No text No rule asks for a text after a call like this.",
    }
    assert words_of(page, "why-line") == [said[call.decision] for call in calls]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param({"text": None, "waits_until": at(40)}, "Waits A text goes at 10:00", id="waits out its delay"),
        pytest.param(
            {"text": None, "waits_until": at(90_000)}, "Waits A text goes at 2026-11-21 11:00", id="until tomorrow"
        ),
        pytest.param(
            {"decision": "defer", "text": "held", "text_reason": "rate_number"},
            "Waits A text waits: rule sales-missed. This number sends as fast as it may",
            id="held, with what holds it",
        ),
        pytest.param(
            {"decision": "suppress", "reason": "cool_down", "text": None, "until_at": at(3600)},
            "No text They got one a short while ago; the next may go after 11:00.",
            id="cool-down, with its end",
        ),
        pytest.param(
            {"decision": "suppress", "reason": "cool_down", "text": None},
            f"No text {SENTENCES[Reason.COOL_DOWN]}",
            id="cool-down, whose end is not known",
        ),
        pytest.param(
            {"decision": "suppress", "reason": "opted_out", "text": "refused"},
            "No text This person said STOP",
            id="queued and refused then",
        ),
        pytest.param(
            {"decision": "none", "reason": "answered", "rule": None, "text": None, "outcome": "answered"},
            "Somebody answered the call.",
            id="answered",
        ),
        pytest.param(
            {"direction": Direction.OUTBOUND, "decision": "none", "reason": "no_rule", "text": None},
            "Somebody here called this person",
            id="a call of ours",
        ),
        pytest.param({"ended_at": None, "decision": None, "reason": None, "text": None}, "It has not ended", id="now"),
        pytest.param({"decision": "none", "reason": "of_2027", "text": None}, "No text of_2027", id="a newer reason"),
        pytest.param({"text": "of_2027"}, "Asked for A text was asked for", id="a newer state"),
    ],
)
async def test_a_decision_is_said_in_a_sentence(change, says):
    async with visit(Book((a_line(**change),))) as visitor:
        page = await visitor.page("/calls")
    assert words_of(page, "why-line")[0].startswith(says)


@pytest.mark.parametrize("state", State)
async def test_every_state_of_a_text_has_its_words(state: State):
    story = a_story(texts=(TEXT.__class__(**{**_fields(TEXT), "state": state}),))
    async with visit(Book((a_line(text=state),), (story,))) as visitor:
        (said,) = words_of(await visitor.page("/calls"), "why-line")
        page = await visitor.page(f"/calls/{call_id()}")
    assert said.startswith(words.TEXT[state].word)
    assert "sales-missed" in said
    assert words.TEXT[state].word in words_of(page, "badge")


def _fields(thing) -> dict[str, object]:
    return {name: getattr(thing, name) for name in thing.__dataclass_fields__}


@pytest.mark.parametrize("table", [words.OUTCOME, words.OUTCOME_MEANS], ids=["words", "meanings"])
def test_no_outcome_lacks_its_words(table):
    assert set(table) == set(Outcome)


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        (words.RANG, Rang),
        (words.PRESENTATION, Presentation),
        (words.TEXT, State),
        (words.TEXT_OF_RULE, State),
    ],
    ids=["how phones end", "presentation", "states", "states in a sentence"],
)
def test_no_code_lacks_its_words(table, codes):
    assert set(table) == set(codes)


def test_every_no_of_a_call_says_what_would_change_it():
    lacking = set(Reason) - set(words.WAY_ON) - NEVER_OF_A_CALL - NEEDS_NO_WAY_ON
    assert {reason for reason in lacking if not reason.startswith("idempotency")} == set()


@pytest.mark.parametrize(
    ("query", "wanted", "before"),
    [
        pytest.param("", CallFilter(), None, id="everything"),
        pytest.param("?group=unanswered", CallFilter(Group.UNANSWERED), None, id="a group"),
        pytest.param("?group=of_2027", CallFilter(), None, id="no such group"),
        pytest.param("?number=%2B12025550147", CallFilter(peer=PAT), None, id="a number"),
        pytest.param(f"?before={call_id(3)}", CallFilter(), call_id(3), id="older ones"),
        pytest.param("?before=thr_1%00", CallFilter(), None, id="a place that is none"),
        pytest.param(
            "?day=2026-11-20",
            CallFilter(since=datetime(2026, 11, 20, 5, tzinfo=UTC), until=datetime(2026, 11, 21, 5, tzinfo=UTC)),
            None,
            id="a day where the business is",
        ),
        pytest.param(
            "?day=2026-11-01&group=with_text",
            CallFilter(Group.WITH_TEXT, datetime(2026, 11, 1, 4, tzinfo=UTC), datetime(2026, 11, 2, 5, tzinfo=UTC)),
            None,
            id="the day of 25 hours, with a text",
        ),
    ],
)
async def test_what_is_asked_for_is_looked_up(query, wanted, before):
    book = Book((a_line(),))
    async with visit(book) as visitor:
        await visitor.page(f"/calls{query}")
    assert book.asked == [(wanted, before)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        pytest.param("number=Pat", "number", id="a name"),
        pytest.param("day=tomorrow", "day", id="a word"),
        pytest.param("day=9999-12-31", "day", id="a day nobody sees"),
        pytest.param("day=0001-01-01", "day", id="a day nobody saw"),
        pytest.param("number=%00", "number", id="nothing that can be seen"),
    ],
)
async def test_what_cannot_be_read_is_said_at_its_field(query, field):
    book = Book((a_line(),))
    async with visit(book) as visitor:
        page = await visitor.page(f"/calls?{query}")
    (box,) = [element for element in page.by_tag("input") if element.attributes.get("aria-invalid")]
    assert box.attributes["name"] == field
    assert [error.attributes["id"] for error in page.by_class("error")] == [box.attributes["aria-describedby"]]
    assert (book.asked, rows(page)) == ([], [])


async def test_links_keep_what_was_asked_for():
    async with visit(Book((a_line(),), older=call_id(9))) as visitor:
        page = await visitor.page("/calls?group=with_text&day=2026-11-20&number=%2B12025550147")
    kept = "day=2026-11-20&number=%2B12025550147"
    links = [link.attributes["href"] for link in page.by_tag("a")]
    assert f"/calls?{kept}" in links
    assert f"/calls?group=unanswered&{kept}" in links
    assert f"/calls?group=with_text&{kept}&before={call_id(9)}" in links
    fields = {element.attributes["name"]: element.attributes["value"] for element in page.by_tag("input")}
    assert (fields["group"], fields["day"], fields["number"]) == ("with_text", "2026-11-20", PAT)


@pytest.mark.parametrize(
    ("path", "heading"),
    [
        pytest.param("/calls", "No call yet", id="a fresh installation"),
        pytest.param("/calls?group=with_text", "No such call", id="none of this group"),
        pytest.param(f"/calls?before={call_id(1)}", "No such call", id="after the last"),
        pytest.param("/calls?day=nope", "Nothing was looked for", id="what cannot be read"),
    ],
)
async def test_an_empty_list_says_why(path, heading):
    async with visit(Book()) as visitor:
        page = await visitor.page(path)
    assert [element.words for element in page.by_tag("h2")][:1] == [heading]


async def test_calls_stand_under_their_day():
    calls = (a_line(public_id=call_id(1)), a_line(public_id=call_id(2), started_at=at(-86_400)))
    async with visit(Book(calls)) as visitor:
        page = await visitor.page("/calls")
    assert [day.words for day in page.by_class("of-day")] == ["Today", "Yesterday"]


async def test_a_line_leads_to_its_call_and_its_thread():
    async with visit(Book((a_line(), a_line(public_id=call_id(1), thread=None)))) as visitor:
        page = await visitor.page("/calls")
    links = [link.attributes["href"] for row in rows(page) for link in row.by_tag("a")]
    assert links == [f"/calls/{call_id()}", f"/threads/{THREAD}?view=all", f"/calls/{call_id(1)}"]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("path", ["/calls", f"/calls/{call_id()}"])
async def test_whoever_may_read_calls_may_read_them(role, path):
    status = 200 if Action.READ_CALLS in OF_ROLE[role] else 403
    async with visit(Book((a_line(),), (a_story(),)), role) as visitor:
        assert (await visitor.get(path)).status == status


@pytest.mark.parametrize("call", [call_id(5), "1795303500.0", "a%20b", "%00", "call_" + "z" * 26])
async def test_a_call_that_never_was_is_not_there(call):
    async with visit(Book((), (a_story(),))) as visitor:
        assert (await visitor.get(f"/calls/{call}")).status == 404


@pytest.mark.parametrize(
    ("change", "heading", "steps"),
    [
        pytest.param(
            {},
            "Missed Delivered",
            ["What was seen", "Outcome: Missed", "Rule: sales-missed", "Nothing held the text back", "Text from"],
            id="a text went",
        ),
        pytest.param(
            {"decision": "suppress", "reason": "opted_out", "texts": ()},
            "Missed No text",
            ["What was seen", "Outcome: Missed", "Rule: sales-missed", "Held back"],
            id="a gate refused",
        ),
        pytest.param(
            {"decision": "defer", "reason": "rate_number", "until_at": at(60), "texts": ()},
            "Missed Asked for",
            ["What was seen", "Outcome: Missed", "Rule: sales-missed", "Put off"],
            id="put off",
        ),
        pytest.param(
            {"texts": (), "pending": waiting()},
            "Missed Waits",
            [
                "What was seen",
                "Outcome: Missed",
                "Rule: sales-missed",
                "Nothing held the text back",
                "The text waits out its delay",
            ],
            id="in its delay",
        ),
        pytest.param(
            {"decision": "suppress", "reason": "returned", "texts": (), "pending": waiting("cancelled", "returned")},
            "Missed No text",
            [
                "What was seen",
                "Outcome: Missed",
                "Rule: sales-missed",
                "Held back",
                "The text waited, and did not go",
            ],
            id="called back in its delay",
        ),
        pytest.param(
            {"decision": "none", "reason": "too_short", "rule": None, "texts": (), "tried": (("a", "too_short"),)},
            "Missed No text",
            ["What was seen", "Outcome: Missed", "No rule fits"],
            id="no rule",
        ),
        pytest.param(
            {"outcome": None, "decision": "none", "reason": "unseen", "rule": None, "texts": (), "tried": ()},
            "Ended unseen No text",
            ["What was seen", "Outcome: Ended unseen", "No rule was asked"],
            id="unseen",
        ),
        pytest.param(
            {
                "ended_at": None,
                "outcome": None,
                "decision": None,
                "reason": None,
                "rule": None,
                "texts": (),
                "tried": (),
            },
            "Goes on",
            ["What was seen", "Outcome: Goes on"],
            id="still going on",
        ),
    ],
)
async def test_the_chain_of_a_call_is_told_in_order(change, heading, steps):
    async with visit(Book((), (a_story(**change),))) as visitor:
        page = await visitor.page(f"/calls/{call_id()}")
    (h1,) = page.by_tag("h1")
    assert " ".join(h1.words.split()) == heading
    chain = page.by_class("chain")[0]
    told = [element.words for element in chain.by_tag("h3")]
    assert [step for step, start in zip(told, steps, strict=True) if not step.startswith(start)] == []


def test_what_was_asked_before_a_no_is_told_and_no_more():
    from ringback.panel.call_story import questions

    assert [point.says[0].text for point in questions(Reason.OPTED_OUT)] == [
        question.open for question in words.QUESTIONS[:4]
    ]
    assert len(list(questions(Reason.ALLOWED))) == len(words.QUESTIONS)
    assert list(questions(Reason.TEMPLATE_FAULT)) == list(questions(None)) == []


@pytest.mark.parametrize("said", HOSTILE)
async def test_what_comes_from_outside_is_shown_as_text(said: str):
    line = a_line(caller=said, peer=None, did=said, rule=said)
    story = a_story(
        caller=said,
        peer=None,
        did=said,
        linkedid=said,
        uniqueid=said,
        queue=said,
        rule=said,
        tried=((said.replace("\n", " "), "allowed"),),
        legs=tuple(leg.__class__(said, leg.at, leg.ended_at, leg.rang) for leg in a_story().legs),
        events=tuple(event.__class__(event.at, said, said) for event in a_story().events),
        texts=(TEXT.__class__(**{**_fields(TEXT), "body": said, "carrier": said, "cause": said}),),
    )
    async with visit(Book((line,), (story,))) as visitor:
        pages = [await visitor.page("/calls"), await visitor.page(f"/calls/{call_id()}")]
    for page in pages:
        assert [script.attributes["src"].partition("?")[0] for script in page.by_tag("script")] == ["/static/panel.js"]
        assert {"iframe", "img", "base", "style", "video", "math"} & {element.tag for element in page.elements} == set()
        assert [element for element in page.elements if any(name.startswith("on") for name in element.attributes)] == []
        shown = " ".join(element.words for element in page.by_tag("main"))
        assert legible(said).strip() in shown
    (bubble,) = pages[1].by_class("bubble")
    assert bubble.words == legible(said)


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOON)


LEGS = (Leg("101", NOON - timedelta(seconds=19), NOON, Rang.NO_ANSWER), Leg("102", NOON, NOON, Rang.BUSY))
SEEN = (Sighting(NOON, "queue_joined", "support position 1"), Sighting(NOON, "hangup", "cause 16"))
PAST = [
    pytest.param(HOUSE, [a_call("1.0", legs=LEGS, seen=SEEN, queue="support")], id="a text went"),
    pytest.param(HOUSE, [a_call("1.0", ended=NOON - timedelta(seconds=9)), a_call("2.0")], id="cool-down"),
    pytest.param(HOUSE, [a_call("1.0", "anonymous", presentation=Presentation.WITHHELD)], id="withheld"),
    pytest.param(HOUSE, [answered(a_call("1.0", outcome=Outcome.ANSWERED))], id="answered"),
    pytest.param(HOUSE, [a_call("1.0", outcome=Outcome.VOICEMAIL_LEFT, waited=timedelta(seconds=5))], id="no rule"),
    pytest.param(ruled(delay=timedelta(minutes=5)), [a_call("1.0", did=OTHER_DID)], id="in its delay"),
    pytest.param(ruled(min_ring=timedelta(minutes=5)), [a_call("1.0", vetoed=True)], id="too short"),
    pytest.param(HOUSE, [a_call("1.0", direction=Direction.OUTBOUND, did=SAM, caller="101")], id="a call of ours"),
]


def leaves(value: object) -> list[str]:
    """Every value of a JSON document, as the page writes it."""
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in leaves(each)]
    if isinstance(value, list):
        return [leaf for each in value for leaf in leaves(each)]
    return [] if value is None else [str(value).lower() if isinstance(value, bool) else str(value)]


@pytest.mark.parametrize(("house", "calls"), PAST)
async def test_the_page_has_every_fact_that_explain_prints(store, clock, tmp_path, house, calls):
    world = World(store, clock, tmp_path, house)
    async with world.running():
        for call in calls:
            await world.happens(*life_of(call))
    (story,) = (await world.story(calls[-1].uniqueid)).calls
    printed = json.loads(json.dumps(asdict(story), default=_plain))
    async with client_as(Role.AGENT, lambda shell: CallPages(shell, ReadCalls(store), read_number)) as visitor:
        page = await visitor.page(f"/calls/{story.public_id}")
        listed = await visitor.page("/calls")
    (recorded,) = page.by_class("recorded")
    shown = recorded.words + " ".join(time.attributes["datetime"] for time in page.by_tag("time"))
    assert [leaf for leaf in leaves(printed) if leaf not in shown] == []
    assert {time.attributes["datetime"] for time in page.by_tag("time")} >= {printed["started_at"]}
    assert story.public_id in " ".join(link.attributes["href"] for link in listed.by_tag("a"))


@pytest.mark.parametrize(("house", "calls"), PAST[:3])
async def test_the_page_says_in_words_what_explain_says(store, clock, tmp_path, house, calls):
    world = World(store, clock, tmp_path, house)
    async with world.running():
        for call in calls:
            await world.happens(*life_of(call))
    (story,) = (await world.story(calls[-1].uniqueid)).calls
    async with client_as(Role.AGENT, lambda shell: CallPages(shell, ReadCalls(store), read_number)) as visitor:
        page = await visitor.page(f"/calls/{story.public_id}")
    told = page.by_class("cols-2")[0].words
    assert words.OUTCOME[Outcome(story.outcome)].word in told
    assert [leg.phone for leg in story.legs if f"{leg.phone} rang" not in told] == []
    assert [rule for rule, _ in story.tried if f"Rule {rule} " not in told] == []
    assert f"ringback explain {story.linkedid}" in told
    assert [text.body for text in story.texts if text.body not in told] == []
    if story.decision == CallVerdict.SUPPRESS:
        assert SENTENCES[Reason(story.reason)] in told


SEEN_THEN = Situation("sales", 4, 1, timedelta(seconds=95), 5)
MADE = Offer("main", "1.1", OfferKind.DEFLECTION, "", "", SEEN_THEN, Reason.ALLOWED, at(3))


@pytest.mark.parametrize(
    ("offer", "says"),
    [
        pytest.param(
            replace(MADE, answer=OfferAnswer.YES, waited=timedelta(seconds=80)),
            "10:00:03 They were offered to go on by text. Queue sales. They would wait for about 1 min 35 s. "
            "Callers who waited: 4. Agents who could take a text: 1. Their place in the queue: 5. They said yes. "
            "In truth they waited for 1 min 20 s.",
            id="taken",
        ),
        pytest.param(
            replace(MADE, reason=Reason.WAIT_SHORT, kind=OfferKind.WAIT_TEXT, situation=Situation("", 0, 0)),
            "10:00:03 They were not offered to be texted while they wait. "
            "The wait is shorter than the queue asks for before it offers texts.",
            id="not made",
        ),
        pytest.param(
            replace(MADE, kind=OfferKind.TEXT_BACK, situation=Situation(""), answer=OfferAnswer.NOT_SENT),
            "10:00:03 They were offered to be texted back. "
            "They said yes, and the text could not be sent, so they stayed in the call.",
            id="not sent",
        ),
    ],
)
async def test_a_call_says_what_was_offered(offer, says):
    async with visit(Book(stories=(a_story(offers=(offer,)),))) as visitor:
        page = await visitor.page(f"/calls/{call_id()}")
    (step,) = [step for step in page.by_tag("li") if "What was offered" in step.words]
    assert " ".join(step.words.split()) == f"What was offered {says}"


async def test_a_call_that_was_offered_nothing_says_nothing_of_it():
    async with visit(Book(stories=(a_story(),))) as visitor:
        page = await visitor.page(f"/calls/{call_id()}")
    assert not [step for step in page.by_tag("li") if "What was offered" in step.words]
