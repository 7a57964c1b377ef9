"""The small form beside a thread: what they said yes or no to, and what stands on record."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from ringback.core.consents import ANY_SCOPE, CONVERSATION, ConsentKind, Consents, Method
from ringback.core.messages import MessageClass
from ringback.core.reasons import Reason
from ringback.errors import StoreBusy
from ringback.flow.desk import Denied, Unwritten
from ringback.flow.noting_consent import CLASSES, WAYS, Told
from ringback.panel import consent_words, thread_words
from tests.fakes.hand_clock import HandClock
from tests.fakes.threads import FINE, HEAD, NOON
from tests.panel.inbox import PATH, Scene, by_id, inbox, words
from tests.panel.reading import Page

FORM = {"said": "given", "what": "transactional", "how": "agent", "note": "asked for news of her order"}


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with inbox(HandClock()) as scene:
        yield scene


async def test_a_yes_is_written_down(scene: Scene):
    answer = await scene.visitor.post(f"{PATH}/consent?view=all", FORM)
    assert (answer.status, answer.headers["Location"]) == (303, f"{PATH}?view=all#about")
    told = Told(ConsentKind.GIVEN, MessageClass.TRANSACTIONAL, Method.AGENT, "asked for news of her order")
    assert scene.desk.done == [("consent", told)]


@pytest.mark.parametrize(
    ("says", "status", "fault"),
    [
        pytest.param(Unwritten("x"), 422, consent_words.NOT_WRITTEN, id="without words"),
        pytest.param(StoreBusy("x"), 503, thread_words.NOT_NOTED, id="with a busy database"),
    ],
)
async def test_what_was_not_taken_says_why(scene: Scene, says: Exception, status: int, fault: str):
    scene.desk.says = says
    answer = await scene.visitor.post(f"{PATH}/consent", FORM)
    assert answer.status == status
    page = Page(await answer.text())
    (told,) = page.by_class("error")
    assert fault in words(told)
    assert "Not sent" not in words(told)


@pytest.mark.parametrize("says", [Unwritten("x"), StoreBusy("x")], ids=["refused", "busy"])
async def test_what_was_not_taken_is_still_in_its_form(scene: Scene, says: Exception):
    scene.desk.says = says
    typed = {"said": "withdrawn", "what": "promotional", "how": "reply", "note": "no <b>more</b> \u202efliers"}
    page = Page(await (await scene.visitor.post(f"{PATH}/consent", typed)).text())
    note = by_id(page, "consent-note")
    assert note.attributes["value"] == typed["note"]
    (said,) = [
        one for one in page.by_tag("input") if one.attributes.get("name") == "said" and "checked" in one.attributes
    ]
    assert said.attributes["value"] == "withdrawn"
    for field in ("consent-what", "consent-how"):
        (chosen,) = [one for one in by_id(page, field).inside if "selected" in one.attributes]
        assert chosen.attributes["value"] == typed[by_id(page, field).attributes["name"]]
    (form,) = [one for one in page.by_tag("details") if note in one.inside]
    assert "open" in form.attributes
    assert "autofocus" not in by_id(page, "text").attributes


@pytest.mark.parametrize(
    ("path", "form", "says", "status"),
    [
        pytest.param(PATH, {**FORM, "said": "perhaps"}, None, 400, id="neither yes nor no"),
        pytest.param(PATH, {**FORM, "what": ""}, None, 400, id="to nothing"),
        pytest.param(PATH, {**FORM, "how": "telepathy"}, None, 400, id="in no way"),
        pytest.param(f"/threads/thr_{9:026}", FORM, None, 404, id="no such thread"),
        pytest.param(f"/threads/thr_{9:026}", {}, None, 404, id="no such thread, and nothing said"),
        pytest.param(PATH, FORM, Denied(Reason.PERMISSION_DENIED), 403, id="not theirs"),
    ],
)
async def test_a_broken_form_changes_nothing(scene: Scene, path, form, says, status):
    scene.desk.says = says
    assert (await scene.visitor.post(f"{path}/consent", form)).status == status
    assert scene.desk.done == []


async def test_the_page_shows_what_holds(scene: Scene):
    given = (
        (MessageClass.CONVERSATIONAL, CONVERSATION, NOON),
        (MessageClass.TRANSACTIONAL, "orders", None),
        (MessageClass.PROMOTIONAL, ANY_SCOPE, None),
    )
    scene.threads.first = replace(HEAD, consents=Consents(given))
    about = " ".join(words(one) for one in (await scene.page()).by_tag("aside"))
    for shown in ("what they called about", "news about what they asked for orders", "advertising"):
        assert shown in about


async def test_the_page_offers_what_the_ledger_takes(scene: Scene):
    page = await scene.page()
    values = {str(one.attributes["value"]) for one in page.by_tag("option")}
    assert {str(class_) for class_ in CLASSES} | {str(way) for way in WAYS} <= values
    assert consent_words.ASKED.keys() == set(CLASSES)
    assert consent_words.WAYS.keys() == set(WAYS)
    assert consent_words.CLASSES.keys() == set(MessageClass)


async def test_a_number_that_texts_do_not_reach_is_a_warning_and_no_refusal(scene: Scene):
    scene.desk.advice = replace(FINE, doubtful=Reason.LANDLINE)
    verdict = next(one for one in (await scene.page()).by_tag("details") if one.attributes.get("id") == "verdict")
    assert "May go now." in words(verdict)
    assert "It may not arrive. A carrier said of this number:" in words(verdict)
