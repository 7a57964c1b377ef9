"""What Twilio's list brings, and where it ends."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ringback.carriers import twilio
from ringback.carriers.twilio import Twilio
from ringback.core.messages import ReceiptStatus
from ringback.errors import SendFailed, Throttled, Unreachable
from ringback.ports import Incoming, MediaLink
from tests.carriers.twilio_parts import ANA, BEN, DID, SID, made, text
from tests.fakes.hand_clock import START, HandClock
from tests.fakes.twilio import (
    ACCOUNT,
    FakeTwilio,
    fake_twilio,
)

S = ReceiptStatus


async def test_the_list_of_what_was_sent(line: FakeTwilio, carrier: Twilio, clock: HandClock):
    refs = [await carrier.send(text()) for _ in range(3)]
    line.becomes(line.sent[0], "delivered")
    line.becomes(line.sent[1], "failed", 30006)
    line.receive(ANA, DID, "not one of these")
    found = {receipt.provider_id: receipt for receipt in await carrier.sent_since(START)}
    assert [found[ref.provider_id].status for ref in refs] == [S.DELIVERED, S.UNDELIVERED, S.ACCEPTED]
    assert {(row.sender, row.to, row.text) for row in found.values()} == {(DID, ANA, text().text)}
    assert "landline" in found[refs[1].provider_id].error
    assert {receipt.carrier_at for receipt in found.values()} == {None}, "or each look at the list were a new receipt"


async def test_the_list_of_what_came_in(line: FakeTwilio, carrier: Twilio, clock: HandClock):
    first = line.receive(ANA, DID, "one")
    clock.move(timedelta(minutes=1))
    second = line.receive(BEN, DID, "two 👍", ("https://api.twilio.com/m/0", "image/png"))
    line.receive(f"whatsapp:{ANA}", DID, "by another network")
    await carrier.send(text())
    media = MediaLink(
        f"{line.address}/2010-04-01/Accounts/{ACCOUNT}/Messages/{second.sid}/Media.json", "application/json"
    )
    assert sorted(await carrier.received_since(START), key=lambda incoming: incoming.carrier_at) == [
        Incoming(first.sid, ANA, DID, "one", START),
        Incoming(second.sid, BEN, DID, "two 👍", START + timedelta(minutes=1), media=(media,)),
    ]


async def test_the_list_goes_on_over_its_pages(line: FakeTwilio, carrier: Twilio):
    line.page_size = 7
    sids = {line.receive(ANA, DID, f"text {n}").sid for n in range(30)}
    assert {incoming.provider_id for incoming in await carrier.received_since(START)} == sids
    assert [method for method, _ in line.requests] == ["GET"] * 5


async def test_the_list_begins_at_the_moment_asked_for(line: FakeTwilio, carrier: Twilio, clock: HandClock):
    line.receive(ANA, DID, "too old")
    clock.move(timedelta(minutes=5))
    line.receive(ANA, DID, "new")
    since = START + timedelta(minutes=5, microseconds=999)
    assert [incoming.text for incoming in await carrier.received_since(since)] == ["new"]
    assert "DateSent%3E=2026-11-20T15:05:00Z" in line.requests[0][1].replace("%3A", ":")


async def test_a_list_without_end_is_left_with_a_word_about_it(
    line: FakeTwilio, carrier: Twilio, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(twilio, "MOST_PAGES", 2)
    line.page_size = 3
    for n in range(10):
        line.receive(ANA, DID, f"text {n}")
    with capture_logs() as logs:
        assert len(await carrier.received_since(START)) == 6
    assert [entry["event"] for entry in logs if entry["log_level"] == "warning"] == [
        "twilio has more texts than are asked for at once"
    ]


@pytest.mark.parametrize("following", ["https://evil.example/2010-04-01/", "//evil.example/x", "/elsewhere?Page=1"])
async def test_the_list_goes_on_nowhere_else(line: FakeTwilio, carrier: Twilio, following: str):
    line.page_size = 1
    line.next_page = lambda _uri: following
    for n in range(2):
        line.receive(ANA, DID, f"text {n}")
    with pytest.raises(Unreachable, match="not its own"):
        await carrier.received_since(START)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(401, Unreachable, id="the account is refused"),
        pytest.param(429, Throttled, id="not now"),
        pytest.param(500, Unreachable, id="a fault of Twilio's leaves nothing in doubt"),
        pytest.param(302, Unreachable, id="elsewhere"),
    ],
)
async def test_a_list_that_is_refused(line: FakeTwilio, carrier: Twilio, answer: int, error: type[SendFailed]):
    line.list_status = answer
    with pytest.raises(SendFailed) as caught:
        await carrier.sent_since(START)
    assert type(caught.value) is error


async def test_a_list_that_nobody_answers(clock: HandClock, tmp_path: Path):
    async with fake_twilio(clock, DID) as gone:
        carrier = made(gone, tmp_path)
    with pytest.raises(Unreachable):
        await carrier.sent_since(START)
    await carrier.close()


GOOD_ROW = {
    "sid": SID,
    "direction": "inbound",
    "from": ANA,
    "to": DID,
    "body": "hi",
    "status": "received",
    "error_code": None,
    "num_media": "0",
    "date_sent": "Fri, 20 Nov 2026 15:00:00 +0000",
    "date_created": "Fri, 20 Nov 2026 14:59:59 +0000",
    "date_updated": None,
    "subresource_uris": {"media": "/2010-04-01/x"},
}


@pytest.mark.parametrize(
    ("row", "at"),
    [
        pytest.param({}, START, id="whole"),
        pytest.param({"date_sent": None}, START - timedelta(seconds=1), id="not sent yet"),
        pytest.param({"date_sent": "Fri, 20 Nov 2026 10:00:00 -0500"}, START, id="in another zone"),
        pytest.param({"date_sent": "Fri, 20 Nov 2026 15:00:00 -0000"}, START, id="in no zone"),
        pytest.param({"sid": None}, None, id="no id"),
        pytest.param({"sid": "x"}, None, id="an id that is none"),
        pytest.param({"date_sent": None, "date_created": "soon"}, None, id="no date"),
        pytest.param({"date_sent": None, "date_created": "Fri, 99 Nov 2026 15:00:00 +0000"}, None, id="no such date"),
    ],
)
def test_a_row_of_the_list(row: Mapping[str, object], at: datetime | None):
    read = twilio.read_row({**GOOD_ROW, **row})
    assert (read and read.at) == at


@pytest.mark.parametrize("row", [None, [], "text", 7])
def test_what_is_no_row_is_left_out(row: object):
    assert twilio.read_row(row) is None


def test_pictures_are_only_where_twilio_keeps_them():
    places = {"media": "@evil.example/x"}
    assert twilio.read_row({**GOOD_ROW, "num_media": "1", "subresource_uris": places}).media == ""
    assert twilio.read_row({**GOOD_ROW, "num_media": "1"}).media == "/2010-04-01/x"
    assert twilio.read_row({**GOOD_ROW, "num_media": "1", "subresource_uris": None}).media == ""
