"""The protocol of docs/dialplan-protocol.md, held to the letter: every verb, every answer, by CURL() and by FastAGI."""

import re
from base64 import b64encode
from datetime import timedelta
from pathlib import Path

import pytest

from ringback.core.calls import Presentation
from ringback.core.offers import OfferKind
from ringback.core.reasons import Reason
from ringback.core.text_queues import Note
from ringback.dialplan.answering import VERBS
from ringback.flow.dialplan_words import Accepted, Offered, Question, Reach, Sent, Step, TextNow, Wait
from tests.dialplan.conftest import SAID, TEXT, TOKEN

PAGE = (Path(__file__).parents[2] / "docs" / "dialplan-protocol.md").read_text("utf-8")
WHO = "from=%2B15125550123&did=%2B12025550101&pres=allowed_not_screened"
NAMED = b64encode('Zoë, "the\r\n" Cat|'.encode()).decode().replace("+", "%2B").replace("=", "%3D")
ANSWER = re.compile(rb"rb(\|[A-Za-z0-9+._:=/ -]*)+\|\.")


def caller(**more):
    known = {"caller": "+15125550123", "did": "+12025550101", "presentation": Presentation.SHOWN}
    return Question("1.1", **(known | more))


@pytest.mark.parametrize(
    ("target", "said", "answer", "question"),
    [
        pytest.param(f"textable?{WHO}", Reason.ALLOWED, "yes", caller(), id="textable"),
        pytest.param(f"textable?{WHO}&to=", Reason.ALLOWED, "yes", caller(), id="nothing was keyed in"),
        pytest.param(
            f"textable?{WHO}&to=5125550124", Reason.LANDLINE, "no|landline", caller(to="5125550124"), id="a keyed one"
        ),
        pytest.param(f"consent?{WHO}", Reason.ALLOWED, "yes", caller(), id="consent"),
        pytest.param(f"consent?{WHO}", Reason.CONSENT_MISSING, "no|consent_missing", caller(), id="no consent"),
        pytest.param("agents?queue=support", 2, "ok|2", Question("1.1", queue="support"), id="agents of a queue"),
        pytest.param("agents?did=%2B1202", 0, "ok|0", Question("1.1", did="+1202"), id="agents of a number"),
        pytest.param(
            "wait?queue=a%20b", Wait(timedelta(seconds=95.6), 4), "ok|96|4", Question("1.1", queue="a b"), id="a wait"
        ),
        pytest.param("wait?queue=q", Wait(None, 4), "unknown||4", Question("1.1", queue="q"), id="an unknown wait"),
        pytest.param(
            f"offer?kind=deflection&queue=q&{WHO}&lang=es-MX&ivr=1%2F2",
            Offered(Step.OFFER, Reason.ALLOWED, timedelta(seconds=60), "deflection:1.1", 3),
            "offer|60|deflection:1.1|3",
            caller(kind=OfferKind.DEFLECTION, queue="q", language="es-MX", ivr_path="1/2"),
            id="offered",
        ),
        pytest.param(
            f"offer?kind=wait_text&queue=q&{WHO}",
            Offered(Step.ASK, Reason.ALLOWED, None, "wait_text:1.1"),
            "ask|unknown|wait_text:1.1",
            caller(kind=OfferKind.WAIT_TEXT, queue="q"),
            id="asked for a mobile first",
        ),
        pytest.param(
            f"offer?kind=text_back&queue=q&{WHO}",
            Offered(Step.NOTHING, Reason.ASKED_BEFORE, position=2),
            "no|asked_before|2",
            caller(kind=OfferKind.TEXT_BACK, queue="q"),
            id="not offered",
        ),
        pytest.param(
            f"offer?kind=text_back&queue=&{WHO}",
            Offered(Step.OFFER, Reason.ALLOWED, None, "text_back:1.1"),
            "offer|unknown|text_back:1.1",
            caller(kind=OfferKind.TEXT_BACK),
            id="to be texted later, in no queue",
        ),
        pytest.param(
            f"accept?kind=deflection&queue=q&{WHO}&prompt=deflect.en.1&key=1&to=5125550124&name64={NAMED}",
            Accepted(Reason.ALLOWED, TEXT, 3),
            f"ok|{TEXT}|3",
            caller(queue="q", prompt="deflect.en.1", key="1", to="5125550124", caller_name='Zoë, "the " Cat|'),
            id="accepted",
        ),
        pytest.param(
            f"accept?kind=deflection&queue=q&{WHO}&prompt=p&key=%23",
            Accepted(Reason.OPTED_OUT),
            "no|opted_out|",
            caller(queue="q", prompt="p", key="#"),
            id="not accepted, and no place known",
        ),
        pytest.param("decline?kind=deflection&queue=q", 1, "ok||1", Question("1.1", queue="q"), id="declined"),
        pytest.param(
            "decline?kind=deflection&queue=q&key=2", None, "ok||", Question("1.1", queue="q", key="2"), id="by a key"
        ),
        pytest.param(f"state?text={TEXT}", TextNow("pending"), "pending", Question("1.1", text=TEXT), id="pending"),
        pytest.param(f"state?text={TEXT}", TextNow("accepted"), "accepted", Question("1.1", text=TEXT), id="taken"),
        pytest.param(f"state?text={TEXT}", TextNow("no", "failed"), "no|failed", Question("1.1", text=TEXT), id="no"),
        pytest.param(
            f"state?text={TEXT}", TextNow("unconfirmed"), "unconfirmed", Question("1.1", text=TEXT), id="in doubt"
        ),
        pytest.param(f"letgo?text={TEXT}", "", "ok", Question("1.1", text=TEXT), id="let go"),
        pytest.param(f"letgo?text={TEXT}", "pending", "no|pending", Question("1.1", text=TEXT), id="not let go"),
        pytest.param(
            f"send?{WHO}&body64=SGVsbG8%3D&lang=en",
            Sent(Reason.ALLOWED, TEXT),
            f"ok|{TEXT}",
            caller(body="Hello", language="en"),
            id="words are sent",
        ),
        pytest.param(
            f"send?{WHO}&note=text_back", Sent(Reason.LOOP), "no|loop", caller(note=Note.TEXT_BACK), id="a note is not"
        ),
        pytest.param(f"reply?text={TEXT}", None, "none", Question("1.1", text=TEXT), id="no reply yet"),
        pytest.param(f"reply?text={TEXT}", "Sí | ok\n", "text|U8OtIHwgb2sK", Question("1.1", text=TEXT), id="a reply"),
        pytest.param(f"optout?{WHO}&scope=all", Reason.ALLOWED, "ok", caller(reach=Reach.ALL), id="opted out of all"),
        pytest.param(
            f"optout?{WHO}&scope=number", Reason.NOT_THE_CALLER, "no|not_the_caller", caller(), id="opted out of none"
        ),
    ],
)
async def test_every_question_and_its_answer(door, target, said, answer, question):
    verb, _, query = target.partition("?")
    door.answers.said[verb] = said
    reply = await door.get(f"/{verb}?call=1.1&{query}")
    assert (reply.status, reply.body.decode()) == (200, f"rb|{answer}|.")
    assert reply.headers["content-type"].startswith("text/plain")
    assert await door.agi(f"{verb}?token={TOKEN}&call=1.1&{query}") == f"rb|{answer}|."
    assert await door.agi(verb, f"token={TOKEN}", "call=1.1", *query.split("&")) == f"rb|{answer}|."
    assert door.answers.asked == [(verb, question)] * 3
    assert len(door.took) == 3


@pytest.mark.parametrize("verb", VERBS)
def test_the_page_has_every_verb_and_what_it_needs(verb):
    row = re.search(rf"^\| `{verb}` \| ([^|]*) \|", PAGE, re.MULTILINE)
    assert row is not None
    for name in VERBS[verb].needed:
        assert f"`{name}`" in row[1]


def test_the_page_has_no_other_verbs():
    table = PAGE.partition("| verb |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(VERBS)
    assert set(SAID) == set(VERBS)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param("ß" * 500, id="letters of two bytes"),
        pytest.param("🙂" * 300, id="letters of four"),
        pytest.param("x" * 5000, id="long"),
        pytest.param("a\ud800b", id="half a letter"),
    ],
)
async def test_a_long_reply_is_cut_between_letters(door, reply):
    door.answers.said["reply"] = reply
    said = await door.get(f"/reply?call=1.1&text={TEXT}")
    assert len(said.body) <= 400
    assert ANSWER.fullmatch(said.body)


async def test_an_answer_never_holds_what_a_dialplan_takes_apart(door):
    door.answers.said["accept"] = Accepted(Reason.ALLOWED, 'x"|${SYSTEM(ls)}\r\n,y', 3)
    said = await door.get("/accept?call=1.1&kind=deflection&queue=q&prompt=p&key=1")
    assert said.body == b"rb|ok|xSYSTEMlsy|3|."


# The secret


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(None, id="none"),
        pytest.param("", id="an empty one"),
        pytest.param(TOKEN[:-1], id="nearly all of it"),
        pytest.param(TOKEN + "x", id="more than it"),
        pytest.param(TOKEN.upper(), id="in capitals"),
        pytest.param("\udcff\udcfe", id="in no charset"),
    ],
)
async def test_without_the_secret_nobody_is_answered(door, token):
    reply = await door.get(f"/textable?call=1.1&{WHO}", token)
    assert (reply.status, reply.body) == (403, b"")
    assert door.answers.asked == []
    assert door.answering.counts().refused == 1
    if token is None or token.isprintable():
        assert await door.agi("textable", *([f"token={token}"] if token else []), "call=1.1") is None
        assert door.answers.asked == []


async def test_a_secret_in_the_address_is_none(door):
    assert (await door.get(f"/textable?call=1.1&token={TOKEN}", None)).status == 403


async def test_that_it_is_us_is_said_without_a_secret_and_nothing_else(door):
    here = await door.get("/here", None)
    assert (here.status, here.body) == (200, b"rb|here|.")
    for other in ("/here/", "/here?call=1.1", "/", "/HERE"):
        assert (await door.get(other, None)).status == 403
