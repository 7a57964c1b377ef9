"""The inbox: what the list and a thread show of each thing, and of words that are meant to do harm."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from ringback.core.calls import Outcome
from ringback.core.messages import State
from ringback.core.reasons import SENTENCES, Reason
from ringback.errors import StoreBusy
from ringback.panel import thread_words
from ringback.panel.call_words import TEXT
from ringback.panel.person import person
from ringback.panel.words import legible
from ringback.ports.holds import Held
from ringback.ports.stories import AttemptStory, StepStory
from ringback.ports.threads import LastLine, LineKind, Place, Point, ReceiptLine, View
from tests.fakes.hand_clock import HandClock
from tests.fakes.threads import (
    ANA,
    HEAD,
    NOON,
    at,
    came,
    noted,
    rang,
    row,
    went,
)
from tests.panel.hostile import HOSTILE
from tests.panel.inbox import PATH, Scene, by_id, inbox, items, read, words


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with inbox(HandClock()) as scene:
        yield scene


# The list


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        pytest.param(row(), "+1 202 555 0001 10:00 hi", id="a text from them"),
        pytest.param(row(unread=2), "+1 202 555 0001 10:00 Unread. hi", id="one that nobody read"),
        pytest.param(
            row(last=LastLine(LineKind.OUT, at(1), "sorry", "sent")),
            "+1 202 555 0001 10:01 From us: sorry",
            id="a text from us",
        ),
        pytest.param(
            row(last=LastLine(LineKind.CALL, at(1), direction="inbound", ended_at=at(2), outcome="missed")),
            "+1 202 555 0001 10:01 Missed call",
            id="a missed call",
        ),
        pytest.param(
            row(last=LastLine(LineKind.CALL, at(1), direction="outbound", ended_at=at(2))),
            "+1 202 555 0001 10:01 Call out, not answered",
            id="a call of ours",
        ),
        pytest.param(
            row(last=LastLine(LineKind.CALL, at(1), direction="inbound")),
            "+1 202 555 0001 10:01 Calls now",
            id="a call now",
        ),
        pytest.param(
            row(last=LastLine(LineKind.IN, at(1), media=2)), "+1 202 555 0001 10:01 Photo or file", id="a photo"
        ),
        pytest.param(row(last=LastLine(LineKind.IN, at(1))), "+1 202 555 0001 10:01 Text without words", id="empty"),
        pytest.param(row(last=None), "+1 202 555 0001 Nothing yet", id="nothing"),
        pytest.param(
            row(last=LastLine(LineKind.IN, at(-60 * 24), "hi")), "+1 202 555 0001 Thu hi", id="another day of this week"
        ),
        pytest.param(row(opted_out=True), "+1 202 555 0001 10:00 hi Opted out", id="somebody who said STOP"),
        pytest.param(row(doubt=State.HELD), "+1 202 555 0001 10:00 hi Waits", id="with a text that waits"),
        pytest.param(row(doubt=State.UNCONFIRMED), "+1 202 555 0001 10:00 hi Unconfirmed", id="with one in doubt"),
        pytest.param(row(waits_since=at(-3)), "+1 202 555 0001 10:00 hi Waits since 09:57", id="who waits"),
        pytest.param(
            row(opted_out=True, doubt=State.HELD, waits_since=at(0)),
            "+1 202 555 0001 10:00 hi Opted out Waits",
            id="two badges are enough",
        ),
    ],
)
async def test_a_row_says_what_was_last_and_what_matters(scene: Scene, found, shown: str):
    scene.threads.rows = [found]
    page = await scene.page("/threads?view=all")
    assert items(page) == [shown]
    (item,) = page.by_class("item")
    assert ("unread" in item.classes) == bool(found.unread)


async def test_each_view_is_a_tab(scene: Scene):
    scene.threads.rows = [row(1), row(2, waits_since=NOON), row(3, doubt=State.HELD)]
    shown = {}
    for view in View:
        page = await scene.page(f"/threads?view={view}")
        (current,) = [
            link
            for link in page.by_tag("a")
            if link.attributes.get("aria-current") == "page" and "view=" in str(link.attributes["href"])
        ]
        shown[current.words] = len(page.by_class("item"))
    assert shown == {"Waiting": 1, "All": 3, "Held": 1}


@pytest.mark.parametrize("query", ["", "?view=nonsense", "?view=waiting"])
async def test_the_inbox_opens_with_who_waits(scene: Scene, query: str):
    scene.threads.rows = [row(1), row(2, waits_since=NOON)]
    assert len((await scene.page(f"/threads{query}")).by_class("item")) == 1


@pytest.mark.parametrize("view", View)
async def test_an_empty_list_says_what_will_be_here(scene: Scene, view: View):
    page = await scene.page(f"/threads?view={view}")
    assert thread_words.VIEWS[view][1] in [heading.words for heading in page.by_tag("h2")]


async def test_older_threads_are_a_page_further(scene: Scene):
    scene.threads.rows = [row(waits_since=NOON)]
    scene.threads.older_rows = Place(17, 4)
    page = await scene.page("/threads")
    assert "/threads?view=waiting&after=17-4" in [link.attributes["href"] for link in page.by_tag("a")]
    page = await scene.page("/threads?view=waiting&after=17-4")
    assert scene.threads.asked[-1] == (View.WAITING, Place(17, 4))
    assert "/threads?view=waiting" in [
        link.attributes["href"] for link in page.by_class("turn-page")[0].inside if link.tag == "a"
    ]
    (live,) = [element for element in page.elements if "data-live" in element.attributes]
    assert live.attributes["data-live"] == "/threads/events"


@pytest.mark.parametrize("words", ["17", "17-", "-1-2", "1-2-3", "9" * 19 + "-1", "٣-٤", "1--2", "a-b"])
async def test_a_place_that_is_none_is_the_beginning(scene: Scene, words: str):
    await scene.page(f"/threads?after={words}")
    assert scene.threads.asked[-1] == (View.WAITING, None)


# Finding


@pytest.mark.parametrize("typed", ["+1 202 555 0001", "(202) 555-0001", "2025550001", "tel:+12025550001"])
async def test_a_number_leads_to_its_thread_however_it_is_written(scene: Scene, typed: str):
    scene.threads.rows = [row(1), row(2)]
    answer = await scene.visitor.get("/threads", params={"number": typed})
    assert (answer.status, answer.headers["Location"]) == (303, f"/threads/{row(1).public_id}?view=all")


async def test_one_person_on_two_of_our_numbers_is_a_list(scene: Scene):
    scene.threads.rows = [row(1), replace(row(2), peer=row(1).peer)]
    assert len((await scene.page("/threads?number=2025550001")).by_class("item")) == 2


@pytest.mark.parametrize(
    ("typed", "heading"),
    [
        pytest.param("2025550099", "No thread with this number", id="nobody we know"),
        pytest.param("12", "This is no phone number", id="no number"),
        pytest.param("<script>", "This is no phone number", id="something else"),
    ],
)
async def test_a_number_without_a_thread_says_so(scene: Scene, typed: str, heading: str):
    page = await scene.page(f"/threads?number={typed}")
    assert heading in [element.words for element in page.by_tag("h2")]
    (field,) = [element for element in page.by_tag("input") if element.attributes.get("name") == "q"]
    assert field.attributes["value"] == typed


# A thread


async def test_a_thread_that_is_not_there_is_no_page(scene: Scene):
    for path in ("/threads/thr_0", f"/threads/thr_{9:026}", "/threads/thr_0/events", "/threads/%00"):
        assert (await scene.visitor.get(path)).status == 404, path


@pytest.mark.parametrize("outcome", Outcome)
async def test_every_outcome_of_a_call_has_a_name(scene: Scene, outcome: Outcome):
    scene.threads.entries = [rang(outcome=outcome)]
    (event,) = (await scene.page()).by_class("event")
    assert words(event).startswith(thread_words.CALLS[outcome].title)


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        pytest.param(
            rang(),
            "Missed call Rang 24\xa0s. 10:00 No text-back. This caller already got a text a short while ago. Why?",
            id="without a text-back",
        ),
        pytest.param(
            rang(decision="send", reason=Reason.ALLOWED, rule="sales"),
            "Missed call Rang 24\xa0s. 10:00 A text-back was asked for by rule sales. Why?",
            id="with one",
        ),
        pytest.param(
            rang(decision="defer", reason=Reason.RATE_NUMBER),
            "Missed call Rang 24\xa0s. 10:00 A text-back waits. "
            "This number sends as fast as it may; the text waits its turn. Why?",
            id="with one that waits",
        ),
        pytest.param(
            rang(outcome="answered", answered_at=at(0), rang=None, waited=timedelta(seconds=38), queue="sales"),
            "Call in, answered Waited 38\xa0s in sales. 10:00",
            id="answered in a queue",
        ),
        pytest.param(rang(ended_at=None, rang=None, outcome=None, reason=None), "Calls now 10:00", id="that rings"),
        pytest.param(
            rang(ended_at=None, rang=None, outcome=None, answered_at=at(1), reason=None),
            "On the phone 10:00",
            id="talking",
        ),
        pytest.param(rang(direction="outbound", rang=None), "Call out, not answered 10:00", id="of ours"),
        pytest.param(
            rang(outcome=None, reason=Reason.UNSEEN),
            "Call in, ended out of sight Rang 24\xa0s. 10:00 No text-back. "
            "The call ended while Asterisk was out of sight, so nobody knows how. Why?",
            id="whose end nobody saw",
        ),
    ],
)
async def test_a_call_says_what_became_of_it(scene: Scene, call, shown: str):
    scene.threads.entries = [call]
    (event,) = (await scene.page()).by_class("event")
    assert words(event) == shown.replace("\xa0", " ")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param(came("hi"), "hi 10:00", id="plain"),
        pytest.param(
            came("STOP", command="stop"),
            "STOP 10:00 This reads as STOP. No more texts go to them from this number.",
            id="STOP",
        ),
        pytest.param(
            came("START", command="start"), "START 10:00 This reads as START. Texts may go to them again.", id="START"
        ),
        pytest.param(
            came("HELP", command="help"), "HELP 10:00 This reads as HELP. It was answered by itself.", id="HELP"
        ),
        pytest.param(
            came("onethree", pieces=3, missing=(2,)), "onethree Part 2 of 3 is missing 10:00", id="with a part missing"
        ),
        pytest.param(
            came("one", pieces=4, missing=(2, 4)), "one Parts 2, 4 of 4 are missing 10:00", id="with parts missing"
        ),
        pytest.param(
            came("hi", minutes=0.05, repeats_at=at(0)), "Looks like a repeat, 3 s later: show hi 10:00", id="a repeat"
        ),
        pytest.param(
            came("", media=("image/jpeg", "application/x")),
            "Photo image/jpeg Kept at the carrier, not fetched yet "
            "File application/x Kept at the carrier, not fetched yet 10:00",
            id="photos",
        ),
        pytest.param(came(""), "Text without words 10:00", id="without words"),
    ],
)
async def test_a_text_from_them_says_how_it_was_read(scene: Scene, text, shown: str):
    scene.threads.entries = [text]
    page = await scene.page()
    (message,) = page.by_class("msg")
    assert words(message) == shown
    assert [element for element in message.inside if element.tag in ("a", "img")] == []


def test_every_state_of_a_text_has_words_and_a_sentence():
    assert set(thread_words.STATES) == set(State)
    assert len({state.means for state in thread_words.STATES.values()}) == len(State)


@pytest.mark.parametrize("state", State)
async def test_a_text_from_us_says_its_state(scene: Scene, state: State):
    scene.threads.entries = [went(state=state)]
    (message,) = (await scene.page()).by_class("msg")
    assert f"10:00 · {TEXT[state].word}" in words(message)
    assert thread_words.STATES[state].means in words(message)
    assert [element.classes & {"held", "refused", "unsure"} for element in [message]] == [
        {thread_words.STATES[state].bubble} - {""}
    ]


@pytest.mark.parametrize(
    ("text", "author"),
    [
        pytest.param(went(account=7), "You", id="the reader"),
        pytest.param(went(account=8, author="Siobhán"), "Siobhán", id="somebody else"),
        pytest.param(went(rule="sales", automatic=True), "Text-back, automatic", id="a rule"),
        pytest.param(went(command="stop", automatic=True), "Answer to STOP, automatic", id="the answer to STOP"),
        pytest.param(went(cause="shell root"), "shell root", id="a command"),
    ],
)
async def test_a_text_from_us_says_who_wrote_it(scene: Scene, text, author: str):
    scene.threads.entries = [text]
    (name,) = (await scene.page()).by_class("from")
    assert words(name) == author


async def test_a_text_that_waits_says_until_when_and_why(scene: Scene):
    scene.threads.entries = [went(state=State.HELD, reason=Reason.CARRIER_HOLD, not_before=at(30))]
    (after,) = (await scene.page()).by_class("after")
    assert words(after) == (
        "Waits until 2026-11-20 10:30. The carrier could not be reached; the text waits for the next try."
    )


@pytest.mark.parametrize("held", [None, Held("main", "Put back.", at(20), "restore")], ids=["goes on", "held"])
async def test_a_text_that_may_have_been_sent_does_not_say_that_it_goes_by_itself(scene: Scene, held: Held | None):
    scene.threads.entries = [went(state=State.HELD, reason=Reason.PUT_BACK, held=held)]
    (after,) = (await scene.page()).by_class("after")
    assert words(after) == SENTENCES[Reason.PUT_BACK]


async def test_a_text_whose_carrier_is_held_says_why_since_when_and_what_happens_then(scene: Scene):
    held = Held("main", "Their <line> is bad.", at(20), "Ana Kovačević")
    scene.threads.entries = [went(state=State.QUEUED, held=held)]
    (after,) = (await scene.page()).by_class("after")
    assert words(after) == (
        "Carrier main is held back since 2026-11-20 10:20 by Ana Kovačević: Their <line> is bad. "
        "The text waits, and goes when somebody lets the carrier go on, as long as its time allows."
    )


async def test_a_refused_text_says_what_held_it(scene: Scene):
    scene.threads.entries = [went(state=State.REFUSED, reason=Reason.OPTED_OUT)]
    (after,) = (await scene.page()).by_class("after")
    assert words(after) == "This person said STOP to this number."


async def test_a_text_tells_its_story(scene: Scene):
    scene.threads.entries = [
        went(
            segments=2,
            call=f"call_{3:026}",
            steps=(
                StepStory(at(0), "submitting", None, "main"),
                StepStory(at(1), "held", "rate_carrier", "slow <down>"),
                StepStory(at(2), "delivered", None, ""),
            ),
            attempts=(AttemptStory("att_1", "main", at(0), at(1), "accepted", "", "SM<1>"),),
            receipts=(ReceiptLine(at(1.5), "sent", "30<7>"),),
        )
    ]
    (story,) = (await scene.page()).by_class("story")
    assert words(story) == (
        "10:00 · Delivered · 2 segments · Why? It is on their phone. 10:00:00 On its way main 10:01:00 Waits. "
        "The carrier asked us to slow down; the text waits. slow <down> 10:02:00 Delivered "
        "10:01:30 The carrier says, by its clock: sent 30<7> "
        f"Asked for by user usr_1 The call Carrier main Try 1 10:00:00 taken, SM<1> Id msg_{1:026}"
    )


async def test_days_are_named_once(scene: Scene):
    scene.threads.entries = [rang(-60 * 24 * 8), came(minutes=-60 * 24), went(minutes=-60 * 24 + 1), came(number=2)]
    assert [words(day) for day in (await scene.page()).by_class("day")] == ["Thu, Nov 12", "Yesterday", "Today"]


@pytest.mark.parametrize(
    ("entry", "shown"),
    [
        pytest.param(
            noted("opt_out", "person", "user usr_1: they called"),
            "Noted here that they want no more texts from this number. they called 10:00",
            id="an opt-out that somebody noted",
        ),
        pytest.param(
            noted("opt_out", "carrier", "30007"),
            "The carrier blocks texts to them: 30007. No more go from this number. 10:00",
            id="a carrier's block",
        ),
        pytest.param(
            noted("opt_in", "person", "user usr_1: again"),
            "Noted here that they want texts again. again 10:00",
            id="back again",
        ),
        pytest.param(
            noted("opt_out", "letter", "x"), "No more texts go to them from this number. x 10:00", id="another way"
        ),
    ],
)
async def test_the_ledger_is_told(scene: Scene, entry, shown: str):
    scene.threads.entries = [entry]
    (note,) = (await scene.page()).by_class("note")
    assert words(note) == shown


async def test_a_stop_by_text_is_said_once(scene: Scene):
    scene.threads.entries = [came("STOP", command="stop"), noted("opt_out", "text", "STOP")]
    page = await scene.page()
    assert page.by_class("note") == []
    assert len(page.by_class("msg")) == 1


async def test_an_empty_thread_says_what_will_be_here(scene: Scene):
    assert "Nothing here yet" in [heading.words for heading in (await scene.page()).by_tag("h2")]


async def test_older_entries_are_a_page_further(scene: Scene):
    scene.threads.entries = [came()]
    scene.threads.older = Point(17, 1, 4)
    links = [link.attributes["href"] for link in (await scene.page()).by_tag("a")]
    assert f"{PATH}?view=&before=17-1-4" in links
    page = await scene.page(f"{PATH}?before=17-1-4")
    assert Point(17, 1, 4) in scene.threads.asked
    assert f"{PATH}?view=#end" in [link.attributes["href"] for link in page.by_tag("a")]


async def test_opening_a_thread_marks_it_read(scene: Scene):
    await scene.page()
    assert scene.desk.done == []
    scene.threads.first = replace(HEAD, unread=2)
    await scene.page()
    assert scene.desk.done == [("read",)]


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        pytest.param("HEAD", {}, id="asking for the head"),
        pytest.param("GET", {"Sec-Purpose": "prefetch;prerender"}, id="a browser that looks ahead"),
    ],
)
async def test_what_is_no_look_of_a_person_marks_nothing(scene: Scene, method: str, headers: dict[str, str]):
    scene.threads.first = replace(HEAD, unread=2)
    answer = await scene.visitor.session.request(method, PATH, headers=headers)
    assert (answer.status, scene.desk.done) == (200, [])


async def test_a_busy_database_keeps_nobody_from_reading(scene: Scene):
    scene.threads.first = replace(HEAD, unread=2)
    scene.desk.says = scene.desk.advice = StoreBusy("busy")
    page = await scene.page()
    assert words(page.by_class("verdict")[0]).startswith("Not asked.")


# Hostile words


PLAIN = r"div|p|span|bdi|time|svg|use|i|code|br|details|summary|a|ol|li|dl|dt|dd|article|h2|b|q|form|input|button"


@pytest.mark.parametrize("said", HOSTILE)
async def test_what_others_say_is_shown_as_text(scene: Scene, said: str):
    scene.threads.entries = [
        rang(queue=said, rule=said, decision="send"),
        came(said, media=(said,)),
        noted("opt_out", "carrier", said),
        went(
            said,
            author=said,
            account=3,
            cause=said,
            carrier=said,
            state=State.UNCONFIRMED,
            steps=(StepStory(at(0), "sent", None, said),),
            attempts=(AttemptStory("att_1", said, at(0), None, said, said, said),),
            receipts=(ReceiptLine(at(0), said, said),),
        ),
    ]
    scene.threads.rows = [row(last=LastLine(LineKind.IN, at(0), said), waits_since=NOON)]
    page = await scene.page()
    box = by_id(page, "entries")
    assert [element.tag for element in box.inside if not re.fullmatch(PLAIN, element.tag)] == []
    # in a page \r\n and \r are \n, which is how a browser reads them too
    assert box.words.count(legible(said)) >= 11
    assert legible(said).strip() in by_id(page, "threads").words
    assert [
        script.attributes["src"] for script in page.by_tag("script") if "/static/" not in str(script.attributes["src"])
    ] == []
    assert {name for element in page.elements for name in element.attributes if name.startswith("on")} == set()


async def test_a_photo_never_leads_to_the_carrier(scene: Scene):
    scene.threads.entries = [came("", media=("image/jpeg",))]
    assert "carrier.example" not in await (await scene.visitor.get(PATH)).text()


# Whom we write to


async def test_the_page_says_whether_texts_may_go(scene: Scene):
    scene.threads.first = replace(HEAD, wrote_at=at(-5), language="es", calls=(rang(),))
    about = words(by_id(await scene.page(), "about"))
    assert "Texts: yes" in about
    assert "They texted us last 2026-11-20 09:55" in about
    assert "Spanish of our last text" in about
    assert "Missed call 10:00" in about
    assert "United States" in about


async def test_the_page_says_by_what_words_they_opted_out(scene: Scene):
    scene.threads.first = replace(HEAD, opted_out=noted("opt_out", "text", "arrêt <b>"))
    page = await scene.page()
    assert "Texts: no They wrote arrêt <b>. No more texts go to them from this number. 2026-11-20 10:00" in words(
        by_id(page, "about")
    )
    assert [
        form.attributes.get("action") for form in page.by_tag("form") if "opt-" in str(form.attributes.get("action"))
    ] == [f"{PATH}/opt-in?view="]


@pytest.mark.parametrize(
    ("number", "there", "zones"),
    [
        pytest.param(ANA, "10:00", 1, id="an area with one time"),
        pytest.param("+4915112345678", "16:00", 1, id="a country with one time"),
        pytest.param("+79161234567", None, 10, id="a country with many"),
        pytest.param("30300", None, 0, id="no number of a country"),
    ],
)
def test_their_time_is_said_only_where_the_number_tells(number: str, there: str | None, zones: int):
    from babel import Locale

    who = person(read(number), "", Locale("en"), NOON)
    assert (who.there and f"{who.there:%H:%M}") == there
    assert who.zones == zones if zones < 2 else who.zones > 2


@pytest.mark.parametrize(("code", "name"), [("es", "Spanish"), ("", ""), ("zz-nonsense", "zz-nonsense"), ("x!", "x!")])
def test_a_language_is_named_where_it_is_one(code: str, name: str):
    from babel import Locale

    assert person(read(ANA), code, Locale("en"), NOON).language == name
