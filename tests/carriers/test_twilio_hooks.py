"""What Twilio's hooks bring, and what makes no sense."""

from urllib.parse import parse_qsl

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from ringback.carriers.twilio import Twilio
from ringback.carriers.twilio_words import LOSSES, STATUSES
from ringback.core.messages import ReceiptStatus
from ringback.ports import Hook, Incoming, MediaLink, Receipt, Unreadable
from tests.carriers.twilio_parts import ANA, ATTEMPT, BEN, DID, HOOKS, SID, text
from tests.fakes.hand_clock import START
from tests.fakes.twilio import (
    TOKEN,
    FakeTwilio,
    sign,
)

S = ReceiptStatus


def hook(form: list[tuple[str, str]] | None, path: str = "/inbound", body: bytes = b"") -> Hook:
    return Hook(f"{HOOKS}{path}", {}, None if form is None else tuple(form), body, START)


def inbound(**changes: str | None) -> list[tuple[str, str]]:
    form = {
        "MessageSid": SID,
        "SmsSid": SID,
        "SmsStatus": "received",
        "From": ANA,
        "To": DID,
        "Body": "Yes please",
        "NumMedia": "0",
    }
    return [(name, value) for name, value in {**form, **changes}.items() if value is not None]


HEARD = Incoming(SID, ANA, DID, "Yes please", START)
JUST_URL = "https://api.twilio.com/m/1"
PICTURES = (MediaLink("https://api.twilio.com/m/0", "image/jpeg"), MediaLink(JUST_URL, ""))


@pytest.mark.parametrize(
    ("brought", "heard"),
    [
        pytest.param(hook(inbound()), HEARD, id="a text"),
        pytest.param(
            hook(inbound(Body="  \u202eŐ\n👍 ")), Incoming(SID, ANA, DID, "  \u202eŐ\n👍 ", START), id="a text as it is"
        ),
        pytest.param(hook(inbound(Body="")), Incoming(SID, ANA, DID, "", START), id="an empty text"),
        pytest.param(
            hook(
                inbound(Body="", MediaUrl0=PICTURES[0].url, MediaContentType0="image/jpeg", MediaUrl1=PICTURES[1].url)
            ),
            Incoming(SID, ANA, DID, "", START, media=PICTURES),
            id="pictures without a text",
        ),
        pytest.param(
            hook(inbound(Body=None, MediaUrl0=PICTURES[1].url)),
            Incoming(SID, ANA, DID, "", START, media=PICTURES[1:]),
            id="a picture, and no field for a text",
        ),
        pytest.param(
            hook(inbound(Body="Stop it", OptOutType="STOP")),
            Incoming(SID, ANA, DID, "Stop it", START, command="stop"),
            id="what Twilio took for STOP",
        ),
        pytest.param(hook(inbound(OptOutType="MAYBE")), HEARD, id="what Twilio took for something new"),
        pytest.param(hook(inbound(From="22000")), Incoming(SID, "22000", DID, "Yes please", START), id="a short code"),
        pytest.param(hook(inbound(), "/receipt"), HEARD, id="a text at the address for receipts"),
        pytest.param(hook(inbound(), ""), HEARD, id="a text at no address in particular"),
        pytest.param(hook(inbound(SmsStatus=None, NumSegments="2", New="thing")), HEARD, id="fields come and go"),
        pytest.param(hook([*inbound(), ("Body", "Yes please")]), HEARD, id="a field twice, the same"),
        pytest.param(hook(inbound(MessageSid=None)), HEARD, id="the old name of the id"),
    ],
)
def test_a_text_from_a_handset(carrier: Twilio, brought: Hook, heard: Incoming):
    assert carrier.read(brought) == [heard]


def status(word: str, **changes: str | None) -> list[tuple[str, str]]:
    form = {"MessageSid": SID, "SmsSid": SID, "SmsStatus": word, "MessageStatus": word, "To": ANA, "From": DID}
    return [(name, value) for name, value in {**form, **changes}.items() if value is not None]


OURS = f"/receipt?attempt={ATTEMPT}"


@pytest.mark.parametrize(
    ("brought", "receipt"),
    [
        *(
            pytest.param(hook(status(word), OURS), Receipt(SID, ours, None, ATTEMPT), id=word)
            for word, ours in STATUSES.items()
            if ours is not S.UNDELIVERED
        ),
        *(
            pytest.param(
                hook(status("undelivered", ErrorCode=str(code)), OURS),
                Receipt(SID, S.UNDELIVERED, None, ATTEMPT, f"{words} (Twilio {code})"),
                id=f"{code}: {words}",
            )
            for code, words in LOSSES.items()
        ),
        pytest.param(
            hook(status("failed", ErrorCode="39999"), OURS),
            Receipt(SID, S.UNDELIVERED, None, ATTEMPT, "it did not arrive (Twilio 39999)"),
            id="a code we do not know",
        ),
        pytest.param(
            hook(status("failed", ErrorCode="<b>"), OURS),
            Receipt(SID, S.UNDELIVERED, None, ATTEMPT, "Twilio does not say why"),
            id="a code that is none",
        ),
        pytest.param(
            hook(status("canceled"), OURS),
            Receipt(SID, S.UNDELIVERED, None, ATTEMPT, "it was cancelled at Twilio"),
            id="cancelled",
        ),
        pytest.param(
            hook(status("delivered", ErrorCode="30003"), OURS),
            Receipt(SID, S.DELIVERED, None, ATTEMPT),
            id="what arrived has no error",
        ),
        pytest.param(hook(status("sent"), "/receipt"), Receipt(SID, S.SENT, None), id="without our id"),
        pytest.param(hook(status("sent"), "/receipt?attempt=x"), Receipt(SID, S.SENT, None), id="an id not like ours"),
        pytest.param(hook(status("sent"), f"{OURS}&attempt=y"), Receipt(SID, S.SENT, None), id="two ids"),
        pytest.param(hook(status("sent"), "/inbound"), Receipt(SID, S.SENT, None), id="at the address for texts"),
        pytest.param(
            hook(status("sent", MessageStatus=None), OURS), Receipt(SID, S.SENT, None, ATTEMPT), id="the old name"
        ),
    ],
)
def test_a_receipt(carrier: Twilio, brought: Hook, receipt: Receipt):
    assert carrier.read(brought) == [receipt]


@pytest.mark.parametrize(
    ("brought", "why"),
    [
        pytest.param(hook([]), "it names no message", id="nothing"),
        pytest.param(hook(inbound(MessageSid=None, SmsSid=None)), "it names no message", id="no id"),
        pytest.param(hook(inbound(MessageSid="' OR 1")), "not the id of a message", id="an id that is none"),
        pytest.param(hook(inbound(From="")), "lacks From or To", id="nobody sent it"),
        pytest.param(hook(inbound(From=None)), "lacks From or To", id="no field for who sent it"),
        pytest.param(hook(inbound(To=None)), "lacks From or To", id="it went to nobody"),
        pytest.param(hook(inbound(Body=None)), "neither a text nor a picture", id="no field for a text"),
        pytest.param(hook(inbound(From=f"whatsapp:{ANA}")), "it came by whatsapp", id="WhatsApp"),
        pytest.param(hook(inbound(To="rcs:our_agent")), "it came by rcs", id="RCS"),
        pytest.param(hook(inbound(From="<script>:x")), "it came by another network", id="a network nobody knows"),
        pytest.param(hook([*inbound(), ("Body", "STOP")]), "Body comes with two values", id="two texts"),
        pytest.param(hook([*inbound(), ("From", BEN)]), "From comes with two values", id="two senders"),
        pytest.param(hook(status("sold")), "a word that Ringback does not know", id="a status nobody knows"),
        pytest.param(hook(None, body=b'{"MessageSid": 1}'), "it is no form", id="JSON"),
        pytest.param(hook(None), "it is no form", id="no body"),
    ],
)
def test_what_makes_no_sense_is_kept_for_a_person(carrier: Twilio, brought: Hook, why: str):
    with pytest.raises(Unreadable, match=why):
        carrier.read(brought)


async def test_its_own_hooks_are_trusted_through_a_real_server(line: FakeTwilio, carrier: Twilio):
    """What a server makes of Twilio's request is trusted and read; what another account signs is not."""
    heard: list[object] = []

    async def listen(request: web.Request) -> web.Response:
        raw = await request.read()
        got = Hook(
            f"https://sms.example.com{request.path_qs}",
            {name.lower(): value for name, value in request.headers.items()},
            tuple(parse_qsl(raw.decode(), keep_blank_values=True)),
            raw,
            START,
        )
        if not carrier.trusts(got):
            return web.Response(status=403)
        heard.extend(carrier.read(got))
        return web.Response(text=carrier.answer.body, content_type=carrier.answer.content_type)

    app = web.Application()
    app.router.add_post("/{rest:.*}", listen)
    async with TestServer(app) as server:
        local = str(server.make_url("/")).rstrip("/")

        async def call(path: str, form: list[tuple[str, str]], token: str = TOKEN) -> int:
            public = f"https://sms.example.com{path}"
            return await line.call(public, form, local=local + path, retries=1, token=token)

        words = "Señor + 👍 & so on"
        text_in = line.receive(ANA, DID, words, ("https://api.twilio.com/m/0", "image/jpeg"))
        await carrier.send(text())
        assert await call("/hooks/main/inbound", line.inbound_form(text_in)) == 200
        assert await call(f"/hooks/main{OURS}", line.status_form(line.sent[0], "undelivered", 30003)) == 200
        assert await call("/hooks/main/inbound", line.inbound_form(text_in), token="another") == 403
    lost = "the handset is switched off or out of reach (Twilio 30003)"
    assert heard == [
        Incoming(text_in.sid, ANA, DID, words, START, media=PICTURES[:1]),
        Receipt(line.sent[0].sid, S.UNDELIVERED, None, ATTEMPT, lost),
    ]


def test_the_answer_sends_nothing_back(carrier: Twilio):
    assert carrier.answer.body.endswith("<Response></Response>")
    assert carrier.answer.content_type == "text/xml"


def test_a_hook_is_trusted_by_the_key_of_this_carrier(carrier: Twilio):
    form = inbound()
    good = Hook(f"{HOOKS}/inbound", {"x-twilio-signature": sign(f"{HOOKS}/inbound", form)}, tuple(form), b"", START)
    assert carrier.trusts(good)
    assert not carrier.trusts(hook(form))
