"""What can be done in the inbox, by whom, and that nothing that was typed is lost."""

import html
import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from ringback.core.book import UNSAID, Book
from ringback.core.grants import Way
from ringback.core.messages import SAID_BY, State
from ringback.core.permissions import Role
from ringback.core.policy import BORN_IN_FLIGHT, Defer, GateAnswer, Refuse, Verdict
from ringback.core.reasons import Reason
from ringback.core.right_words import told
from ringback.errors import StoreBusy
from ringback.flow.desk import Advice, Denied, NotThere, Resolution, Settled, Unwritten
from ringback.flow.holds import ALARM
from ringback.panel import thread_words
from ringback.ports.holds import Held
from ringback.ports.stories import AttemptStory
from tests.fakes.hand_clock import HandClock
from tests.fakes.threads import (
    FINE,
    HEAD,
    NOON,
    THREAD,
    at,
    rang,
    went,
)
from tests.panel.inbox import MESSAGE, PATH, Scene, by_id, inbox, words
from tests.panel.reading import Page


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with inbox(HandClock()) as scene:
        yield scene


# Writing


async def test_a_text_is_sent_and_the_thread_is_shown(scene: Scene):
    assert await scene.send() == (303, f"{PATH}#end")
    assert scene.desk.done == [("reply", "hello", "k1")]


async def test_a_text_that_waits_is_taken(scene: Scene):
    scene.desk.verdict = Defer(Reason.RATE_NUMBER, at(1))
    assert (await scene.send())[0] == 303


async def test_the_way_back_keeps_the_list(scene: Scene):
    answer = await scene.visitor.post(f"{PATH}/texts?view=doubt", {"text": "hello", "key": "k"})
    assert answer.headers["Location"] == f"{PATH}?view=doubt#end"


async def test_the_same_form_sent_twice_shows_the_first_result(scene: Scene):
    assert await scene.send() == await scene.send()


async def test_each_page_has_its_own_key(scene: Scene):
    keys = [
        field.attributes["value"]
        for _ in range(2)
        for field in (await scene.page()).by_tag("input")
        if field.attributes.get("name") == "key"
    ]
    assert len(set(keys)) == 2
    assert all(len(str(key)) >= 20 for key in keys)


TYPED = "\n <b>“hello”</b> &amp; \u202e\r\nline two"


@pytest.mark.parametrize(
    ("says", "verdict", "status", "error", "same_key"),
    [
        pytest.param(None, Refuse(Reason.OPTED_OUT), 409, "This person said STOP to this number.", False, id="refused"),
        pytest.param(
            Denied(Reason.IDEMPOTENCY_MISMATCH),
            None,
            409,
            "This form was sent before with another text.",
            False,
            id="an old form with other words",
        ),
        pytest.param(Unwritten("x"), None, 422, thread_words.EMPTY, False, id="nothing written"),
        pytest.param(StoreBusy("x"), None, 503, thread_words.BUSY, True, id="a busy database"),
    ],
)
async def test_a_no_keeps_what_was_typed(
    scene: Scene, says, verdict: Verdict | None, status, error: str, same_key: bool
):
    scene.desk.says, scene.desk.verdict = says, verdict
    answer = await scene.visitor.post(f"{PATH}/texts", {"text": TYPED, "key": "k1"})
    text = await answer.text()
    assert answer.status == status
    page = Page(text)
    (alert,) = page.by_class("error")
    assert words(alert) == f"Not sent. {error} Your text is still in the box."
    typed = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", text, re.DOTALL)
    assert typed and html.unescape(typed[1]).replace("\r\n", "\n") == TYPED.replace("\r\n", "\n")
    (key,) = [field.attributes["value"] for field in page.by_tag("input") if field.attributes.get("name") == "key"]
    assert (key == "k1") == same_key


async def test_a_text_to_nobody_is_no_page(scene: Scene):
    scene.desk.says = NotThere("x")
    assert (await scene.send())[0] == 404


VERDICTS = [
    pytest.param(FINE, "May go now. Nothing holds it back.", "yes", id="may go"),
    pytest.param(
        Advice(
            Refuse(Reason.OPTED_OUT),
            (
                GateAnswer("permission", None, True),
                GateAnswer("opt_out", Refuse(Reason.OPTED_OUT), True),
                GateAnswer("rate", None, False),
            ),
            "ucs2",
            2,
            7,
        ),
        "May not go. This person said STOP to this number. Permission. You may write here. "
        "Opt-out. This person said STOP to this number. Rate. Not asked: the answer stands already.",
        "no",
        id="may not go",
    ),
    pytest.param(
        Advice(
            Defer(Reason.RATE_NUMBER, at(1)),
            (GateAnswer("rate", Defer(Reason.RATE_NUMBER, at(1)), True),),
            "gsm7",
            1,
            0,
        ),
        "Waits until 10:01. This number sends as fast as it may; the text waits its turn. "
        "Rate. This number sends as fast as it may; the text waits its turn.",
        "wait",
        id="waits",
    ),
    pytest.param(
        replace(FINE, held=Held("main", "5 texts in doubt within 10 minutes", at(1), ALARM)),
        "Waits. Carrier main is held back by the alarm since 2026-11-20 10:01: 5 texts in doubt within 10 minutes "
        "The text waits, and goes when somebody lets the carrier go on, as long as its time allows. "
        "Permission. You may write here. Opt-out. None on record. "
        "Carrier. Carrier main is held back by the alarm since 2026-11-20 10:01: 5 texts in doubt within 10 minutes",
        "wait",
        id="its carrier is held back",
    ),
    pytest.param(
        Advice(
            Refuse(Reason.OPTED_OUT),
            (GateAnswer("opt_out", Refuse(Reason.OPTED_OUT), True),),
            "gsm7",
            1,
            0,
            Held("main", "x", at(1), ALARM),
        ),
        "May not go. This person said STOP to this number. Opt-out. This person said STOP to this number.",
        "no",
        id="never, whatever its carrier does",
    ),
    pytest.param(
        Advice(
            Refuse(Reason.PERMISSION_DENIED),
            (GateAnswer("permission", Refuse(Reason.PERMISSION_DENIED), True),),
            "gsm7",
            1,
            0,
            told=told(UNSAID, Way.SEND, "+12025550101", Book()),
        ),
        "May not go. You may not send from +12025550101. Nobody has granted it. "
        "Permission. You may not send from +12025550101. Nobody has granted it.",
        "no",
        id="may not send from here, and who says so",
    ),
]


@pytest.mark.parametrize(("advice", "shown", "kind"), VERDICTS)
async def test_the_gates_answer_before_sending(scene: Scene, advice: Advice, shown: str, kind: str):
    scene.desk.advice = advice
    status, page = await scene.send("is this right?", do="check")
    assert status == 200
    assert isinstance(page, Page)
    (verdict,) = page.by_class("verdict")
    assert words(verdict).startswith(shown)
    assert kind in verdict.classes
    assert "open" in verdict.attributes
    assert page.by_tag("textarea")[0].words.strip() == "is this right?"
    assert scene.desk.done == []


@pytest.mark.parametrize(("advice", "shown", "kind"), VERDICTS)
async def test_the_script_gets_the_same_answer(scene: Scene, advice: Advice, shown: str, kind: str):
    scene.desk.advice = advice
    answer = await scene.visitor.post(f"{PATH}/advice", {"text": "is this right?"})
    (verdict,) = Page((await answer.json())["html"]).by_class("verdict")
    assert words(verdict).startswith(shown)
    assert "open" not in verdict.attributes


async def test_the_counter_works_without_script(scene: Scene):
    scene.desk.advice = replace(FINE, encoding="ucs2", segments=2, room=7)
    _, page = await scene.send(do="check")
    assert isinstance(page, Page)
    assert [words(meter) for meter in page.by_class("meter")] == ["Unicode · 2 segments · 7 left"]


def test_every_gate_has_its_words():
    assert set(thread_words.GATES) == {gate.__name__ for gate in BORN_IN_FLIGHT}


# What can be done


@pytest.mark.parametrize(
    ("act", "form", "done", "place"),
    [
        pytest.param("answered", {}, ("answered",), "", id="no answer is needed"),
        pytest.param("opt-out", {"note": "by phone"}, ("opt_out", "by phone"), "#about", id="an opt-out"),
        pytest.param(
            "opt-out",
            {"note": "by phone", "whole": "business"},
            ("opt_out", "by phone", "business"),
            "#about",
            id="an opt-out from every number",
        ),
        pytest.param("opt-in", {"note": "by phone"}, ("opt_in", "by phone"), "#about", id="texts again"),
    ],
)
async def test_an_act_leads_back_to_the_thread(scene: Scene, act: str, form: dict[str, str], done, place: str):
    answer = await scene.visitor.post(f"{PATH}/{act}?view=all", form)
    assert (answer.status, answer.headers["Location"]) == (303, f"{PATH}?view=all{place}")
    assert scene.desk.done == [done]


@pytest.mark.parametrize(
    ("says", "status", "fault"),
    [
        pytest.param(Unwritten("x"), 422, thread_words.NO_NOTE, id="without a reason"),
        pytest.param(StoreBusy("x"), 503, thread_words.NOT_NOTED, id="with a busy database"),
    ],
)
async def test_a_note_that_was_not_taken_says_why(scene: Scene, says: Exception, status: int, fault: str):
    scene.desk.says = says
    answer = await scene.visitor.post(f"{PATH}/opt-in", {"note": ""})
    assert answer.status == status
    assert fault in words(Page(await answer.text()).by_class("error")[0])


async def test_the_page_tells_that_new_texts_were_seen(scene: Scene):
    answer = await scene.visitor.post(f"{PATH}/read")
    assert (answer.status, scene.desk.done) == (204, [("read",)])


BACK = {"thread": THREAD, "view": "doubt"}


@pytest.mark.parametrize(
    ("act", "form", "done"),
    [
        pytest.param("resolve", {"how": "sent"}, ("resolve", MESSAGE, Resolution.SENT), id="mark as sent"),
        pytest.param("resolve", {"how": "not_sent"}, ("resolve", MESSAGE, Resolution.NOT_SENT), id="mark as not sent"),
        pytest.param("undo", {}, ("undo", MESSAGE), id="undo"),
        pytest.param("check", {}, ("check", MESSAGE), id="check again"),
    ],
)
async def test_a_text_in_doubt_is_settled(scene: Scene, act: str, form: dict[str, str], done):
    answer = await scene.visitor.post(f"/texts/{MESSAGE}/{act}", form | BACK)
    assert (answer.status, answer.headers["Location"]) == (303, f"{PATH}?view=doubt#{MESSAGE}")
    assert scene.desk.done == [done]


@pytest.mark.parametrize("settled", [settled for settled in Settled if settled is not Settled.DONE])
async def test_what_came_of_it_is_said_below_the_text(scene: Scene, settled: Settled):
    scene.desk.settled = settled
    scene.threads.entries = [went(state=State.UNCONFIRMED)]
    answer = await scene.visitor.post(f"/texts/{MESSAGE}/check", BACK)
    page = await scene.page(answer.headers["Location"].partition("#")[0])
    assert thread_words.SETTLED[settled] in words(by_id(page, MESSAGE))


async def test_a_busy_database_is_said_below_the_text(scene: Scene):
    scene.desk.says = StoreBusy("x")
    answer = await scene.visitor.post(f"/texts/{MESSAGE}/undo", BACK)
    assert answer.headers["Location"] == f"{PATH}?view=doubt&about={MESSAGE}&settled=busy#{MESSAGE}"


@pytest.mark.parametrize("thread", ["", "https://example.invalid", "//example.invalid", "thr_x", "msg_" + "0" * 26])
async def test_a_button_leads_nowhere_else(scene: Scene, thread: str):
    answer = await scene.visitor.post(f"/texts/{MESSAGE}/check", {"thread": thread})
    assert answer.headers["Location"] == "/threads"


@pytest.mark.parametrize("how", ["", "maybe", "delivered"])
async def test_a_text_is_marked_only_as_sent_or_not(scene: Scene, how: str):
    assert (await scene.visitor.post(f"/texts/{MESSAGE}/resolve", {"how": how, **BACK})).status == 400


@pytest.mark.parametrize(
    ("state", "cause", "shown"),
    [
        pytest.param(State.ACCEPTED, f"{SAID_BY}user usr_01ana", "You marked it as sent.", id="by the reader"),
        pytest.param(State.FAILED, f"{SAID_BY}user usr_02", "Somebody here marked it as not sent.", id="by another"),
        pytest.param(State.DELIVERED, f"{SAID_BY}user usr_02", None, id="and a receipt came since"),
        pytest.param(State.ACCEPTED, "", None, id="nobody said"),
    ],
)
async def test_what_somebody_said_can_be_undone(scene: Scene, state: State, cause: str, shown: str | None):
    tried = AttemptStory("att_1", "main", at(0), at(1), "accepted", cause, None)
    scene.threads.entries = [went(state=state, attempts=(tried,))]
    page = await scene.page()
    undo = [form for form in page.by_tag("form") if str(form.attributes.get("action")).endswith("/undo")]
    assert bool(undo) == (shown is not None)
    if shown:
        assert shown in words(by_id(page, MESSAGE))


@pytest.mark.parametrize("state", State)
async def test_only_texts_in_doubt_have_the_buttons(scene: Scene, state: State):
    scene.threads.entries = [went(state=state)]
    page = await scene.page()
    buttons = [words(button) for button in by_id(page, MESSAGE).inside if button.tag == "button"]
    doubtful = state in (State.UNCONFIRMED, State.UNRESOLVED)
    assert buttons == (["Check again", "Mark as sent", "Mark as not sent"] if doubtful else [])


# Who may


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/threads"),
        ("GET", "/threads/events"),
        ("GET", PATH),
        ("GET", f"{PATH}/events"),
        ("POST", f"{PATH}/texts"),
        ("POST", f"{PATH}/advice"),
        ("POST", f"{PATH}/read"),
        ("POST", f"{PATH}/answered"),
        ("POST", f"{PATH}/opt-out"),
        ("POST", f"{PATH}/opt-in"),
        ("POST", f"/texts/{MESSAGE}/resolve"),
        ("POST", f"/texts/{MESSAGE}/undo"),
        ("POST", f"/texts/{MESSAGE}/check"),
    ],
)
async def test_without_the_right_there_is_nothing(scene: Scene, monkeypatch, method: str, path: str):
    monkeypatch.setattr("ringback.core.permissions.OF_ROLE", dict.fromkeys(Role, frozenset()))
    answer = await (scene.visitor.get(path) if method == "GET" else scene.visitor.post(path, {"how": "sent"}))
    assert (answer.status, scene.desk.done) == (403, [])


async def test_somebody_who_only_reads_sees_no_forms(scene: Scene, monkeypatch):
    from ringback.core.permissions import Action

    monkeypatch.setattr("ringback.core.permissions.OF_ROLE", dict.fromkeys(Role, frozenset({Action.READ_THREADS})))
    scene.threads.first = replace(HEAD, waits_since=NOON)
    scene.threads.entries = [rang(), went(state=State.UNCONFIRMED)]
    page = await scene.page()
    assert page.by_tag("textarea") == []
    assert [
        form
        for form in page.by_tag("form")
        if form.attributes.get("method") == "post"
        and str(form.attributes.get("action")).startswith(("/threads", "/texts"))
    ] == []
    assert [link for link in page.by_tag("a") if "/calls/" in str(link.attributes.get("href"))] == []


@pytest.mark.parametrize("act", ["texts", "advice", "read", "answered", "opt-out", "opt-in"])
async def test_a_forged_form_changes_nothing(scene: Scene, act: str):
    answer = await scene.visitor.post(f"{PATH}/{act}", {"csrf": "forged", "text": "x", "key": "k", "note": "n"})
    assert (answer.status, scene.desk.done) == (403, [])
