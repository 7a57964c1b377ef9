"""The demo notices what did not happen, and tells side-by-side stories one after the other."""

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from lab.demo.browser import Browser, read_page
from lab.demo.daemon import DemoFault
from lab.demo.record import (
    Came,
    Expected,
    Sent,
    Served,
    compare,
    compare_thread,
    is_settled,
    read_handset,
    read_replies,
)
from lab.demo.stories import offered_time
from lab.demo.teller import Teller, wrapped
from lab.demo.texting import spoken

TEXTED = Expected("missed", "send", "allowed", "missed", text="Sorry.*")
HELD = Expected("missed", "suppress", "paused", "missed")
BODY = "Sorry we missed you"


def text(*states: str) -> dict:
    return {"body": BODY, "steps": [{"state": state} for state in states]}


def call(expected: Expected, *texts: dict) -> dict:
    return {
        "outcome": expected.outcome,
        "decision": expected.decision,
        "reason": expected.reason,
        "rule": expected.rule,
        "texts": list(texts),
    }


ARRIVED = text("queued", "submitting", "accepted", "sent", "delivered")


@pytest.mark.parametrize(
    ("recorded", "expected", "handset", "missing"),
    [
        pytest.param(call(TEXTED, ARRIVED), TEXTED, [BODY], [], id="all is as it should be"),
        pytest.param(call(HELD), HELD, [], [], id="no text where none should be"),
        pytest.param(
            call(replace(TEXTED, outcome="busy"), ARRIVED), TEXTED, [BODY], ["the outcome"], id="another outcome"
        ),
        pytest.param(call(replace(HELD, reason="storm")), HELD, [], ["the decision"], id="held for another reason"),
        pytest.param(call(replace(HELD, rule="busy")), HELD, [], ["the decision"], id="held by another rule"),
        pytest.param(call(TEXTED, ARRIVED), TEXTED, [], ["the text"], id="it never came to the handset"),
        pytest.param(call(TEXTED, ARRIVED), TEXTED, [BODY, BODY], ["the text"], id="it came twice"),
        pytest.param(call(TEXTED, ARRIVED), TEXTED, ["Sorry, what?"], ["the text"], id="other words came"),
        pytest.param(
            call(TEXTED, ARRIVED), replace(TEXTED, text="Hi"), [BODY], ["the text"], id="not the rule's words"
        ),
        pytest.param(
            call(TEXTED, text("submitting", "accepted", "sent")), TEXTED, [BODY], ["the receipt"], id="no final receipt"
        ),
        pytest.param(call(HELD), HELD, [BODY], ["no text"], id="a text nobody decided on"),
        pytest.param(call(HELD, ARRIVED), HELD, [], ["no text"], id="a text that should not be"),
    ],
)
def test_a_step_that_was_not_seen_is_named(recorded, expected, handset, missing):
    assert [step.name for step in compare(recorded, expected, handset) if step.wrong] == missing


def made(body: str, state: str = "delivered", reason: str | None = None, at: str = "1") -> dict:
    return {"public_id": f"msg_{at}", "body": body, "state": state, "reason": reason, "created_at": at}


STORY = {
    "texts": [made("Yes", at="2")],
    "calls": [{"texts": [made(BODY, at="1")]}, {"texts": []}],
    "incoming": [
        {"body": "Are you open?", "command": "", "answer": None},
        {"body": "STOP", "command": "stop", "answer": made("Bye", at="3")},
    ],
}


@pytest.mark.parametrize(
    ("said", "missing"),
    [
        pytest.param(STORY, [], id="all is as it should be, in the order it happened"),
        pytest.param({**STORY, "texts": []}, ["every text", "the answer"], id="one is not there"),
        pytest.param({**STORY, "texts": [made("No", at="2")]}, ["the answer"], id="other words"),
        pytest.param({**STORY, "texts": [made("Yes", "sent", at="2")]}, ["the answer"], id="another state"),
        pytest.param(
            {**STORY, "texts": [made("Yes", "refused", "opted_out", at="2")]}, ["the answer"], id="for a reason"
        ),
        pytest.param(
            {**STORY, "texts": [made("Yes", at="2"), made("Yes", at="4")]}, ["every text"], id="one more than expected"
        ),
        pytest.param({**STORY, "incoming": []}, ["what the caller wrote", "every text"], id="a text that never came"),
        pytest.param(
            {**STORY, "incoming": [*STORY["incoming"], {"body": "STOP", "command": "stop", "answer": None}]},
            ["what the caller wrote"],
            id="a text that came twice",
        ),
    ],
)
def test_a_text_that_is_not_as_expected_is_named(said, missing):
    sent = (Sent("the text-back", "Sorry.*"), Sent("the answer", "Yes"), Sent("the answer to STOP", "Bye"))
    expected = (Came("Are you open?"), Came("STOP", "stop"), *sent)
    assert [step.name for step in compare_thread(said, expected) if step.wrong] == missing


SESSION = {"row": {"session": {"state": "assigned"}}, "steps": [{"why": "offered"}, {"why": "accepted"}]}


@pytest.mark.parametrize(
    ("sessions", "missing"),
    [
        pytest.param([SESSION], [], id="all is as it should be"),
        pytest.param([{**SESSION, "steps": SESSION["steps"][:1]}], ["the session"], id="a step that did not happen"),
        pytest.param([{**SESSION, "row": {"session": {"state": "queued"}}}], ["the session"], id="another state"),
        pytest.param([SESSION, SESSION], ["the session"], id="one more than expected"),
        pytest.param([], ["the session"], id="none"),
    ],
)
def test_a_session_that_is_not_as_expected_is_named(sessions, missing):
    said = {"texts": [], "calls": [], "incoming": [], "sessions": sessions}
    expected = [Served("assigned", frozenset({"accepted", "offered"}))]
    assert [step.name for step in compare_thread(said, expected) if step.wrong] == missing


async def test_a_page_that_is_no_live_one_is_said():
    async def show(_: web.Request) -> web.Response:
        return web.Response(text="Log in")

    app = web.Application()
    app.add_routes([web.get("/events", show)])
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with Browser(f"http://127.0.0.1:{runner.addresses[0][1]}/") as browser:
            with pytest.raises(DemoFault, match="is no live page"):
                async with browser.stays_on("/events"):
                    pass
    finally:
        await runner.cleanup()


def test_what_a_prompt_says_is_read_from_the_file_we_ship():
    assert spoken("deflect").startswith("To go on by text message instead, press 1. ")
    assert spoken("deflected").endswith("Goodbye.")


def test_a_record_is_settled_when_every_text_is():
    assert is_settled(STORY)
    assert not is_settled({**STORY, "calls": [{"texts": [made(BODY, "sent")]}]})


def test_both_directions_are_read_from_the_journal(tmp_path: Path):
    file = tmp_path / "handset.jsonl"
    assert read_handset(file, "+1", "+2") == []
    lines = [
        ("text", "+1", "+2", "a"),
        ("reply", "+2", "+1", "b"),
        ("text", "+1", "+3", "c"),
        ("text", "+1", "+2", "d"),
    ]
    keys = ("kind", "sender", "to", "text")
    file.write_text("".join(json.dumps(dict(zip(keys, line, strict=True))) + "\n" for line in lines))
    assert read_handset(file, "+1", "+2") == ["a", "d"]
    assert read_replies(file, "+2", "+1") == ["b"]


@pytest.mark.parametrize(
    ("text", "time"),
    [
        pytest.param("We can call you today 14:00-16:00 or tomorrow 10:00-12:00.", "tomorrow 10:00", id="two days"),
        pytest.param("We can call you today 10:00-12:00 or 14:00-16:00.", "today 10:00", id="one day"),
        pytest.param("We can call you Monday 10:00-12:00 or Tuesday 10:00-12:00.", "Tuesday 10:00", id="days by name"),
    ],
)
def test_the_caller_names_an_offered_time(text: str, time: str):
    assert offered_time(text) == time


@pytest.mark.parametrize(
    ("html", "fields"),
    [
        pytest.param(
            '<form action="/a/texts?view=x"><input type="hidden" name="csrf" value="t&amp;u">'
            '<button name="do" value="x"></button></form>',
            {"csrf": "t&u"},
            id="hidden fields, without the buttons",
        ),
        pytest.param(
            '<form action="/texts"><textarea name="text">\n a &lt;b&gt;\n</textarea></form>',
            {"text": " a <b>\n"},
            id="a text, without the line break that begins it",
        ),
        pytest.param(
            '<form action="/texts"><select name="to"><option value="1"><option value="2" selected></select>'
            '<select name="how"><option value="3"><option value="4"></select></form>',
            {"to": "2", "how": "3"},
            id="what is chosen, else the first",
        ),
        pytest.param(
            '<form id="say" action="/texts"><input name="to"></form><form action="/x"><input name="no"></form>'
            '<select name="how" form="say"><option value="1"></option></select>',
            {"to": "", "how": "1"},
            id="a field that stands outside of its form",
        ),
        pytest.param(
            '<input name="to" form="say" value="1"><form id="say" action="/texts"></form>',
            {"to": "1"},
            id="a field that stands before its form",
        ),
    ],
)
def test_a_form_is_read_as_it_stands(html: str, fields: Mapping[str, str]):
    assert read_page("http://here/", 200, html).form("/texts").fields == fields


def test_a_page_without_the_form_is_said_with_its_words():
    with pytest.raises(DemoFault, match=r"http://here/ \(403\) has no form that goes to /texts: Not you"):
        read_page("http://here/", 403, "<h1>Not\n you</h1>").form("/texts")


async def test_a_browser_keeps_cookies_and_follows_redirects():
    async def show(request: web.Request) -> web.Response:
        named = request.cookies.get("__Host-name", "nobody")
        return web.Response(text=f'<form action="/in"><input name="who"></form>{named}', content_type="text/html")

    async def enter(request: web.Request) -> web.Response:
        assert request.headers["Origin"] == f"http://{request.host}"
        answer = web.HTTPSeeOther("/#end")
        answer.set_cookie("__Host-name", str((await request.post())["who"]), secure=True)
        raise answer

    async def leave(_: web.Request) -> web.Response:
        answer = web.HTTPSeeOther("/")
        answer.del_cookie("__Host-name")
        raise answer

    app = web.Application()
    app.add_routes([web.get("/", show), web.post("/in", enter), web.get("/out", leave)])
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with Browser(f"http://127.0.0.1:{runner.addresses[0][1]}/") as browser:
            page = await browser.submit(await browser.open("/"), "/in", who="anna")
            assert (page.status, page.shows("anna")) == (200, True)
            assert (await browser.open("/out")).shows("nobody")
        async with Browser("http://127.0.0.1:1/") as browser:
            with pytest.raises(DemoFault, match="does not answer"):
                await browser.open("/")
    finally:
        await runner.cleanup()


def test_stories_are_told_in_order_however_they_happen():
    out = io.StringIO()
    teller = Teller(out, ["one", "two", "three"])
    teller.begin()
    teller.tell(2, "  c1")
    teller.tell(0, "  a1")
    assert out.getvalue() == "1. one\n  a1\n"
    teller.end(2)
    teller.tell(1, "  b1")
    teller.tell(0, "  a2")
    teller.end(0)
    assert out.getvalue() == "1. one\n  a1\n  a2\n\n2. two\n  b1\n"
    teller.end(1)
    teller.say("done")
    assert out.getvalue().endswith("\n2. two\n  b1\n\n3. three\n  c1\n\ndone\n")


@pytest.mark.parametrize(
    ("line", "lead"),
    [
        pytest.param("   0.5 s  " + "word " * 30, "          word", id="under the words, not under the time"),
        pytest.param("          | " + "word " * 30, "          | word", id="a text keeps its bar"),
        pytest.param("word " * 30, "word", id="at the margin"),
    ],
)
def test_a_long_line_is_broken_under_its_beginning(line, lead):
    first, second, *_ = wrapped(line)
    assert max(len(first), len(second)) <= 80
    assert second.startswith(lead)
