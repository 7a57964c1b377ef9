"""What is told of hooks: to the log once a minute and carrier, to health what a person should look at."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from ringback.findings import hook_findings
from ringback.hooks import Counts
from ringback.hooks.tally import Tally
from ringback.panel.health import Tone
from tests.fakes.hand_clock import START, HandClock
from tests.hooks.conftest import BIG, INBOUND, PUBLIC, TEXT, hook, sign

KEY = "the signature does not fit hooks.public_url and the carrier's key"


def test_refusals_are_told_once_a_minute_with_their_count():
    clock = HandClock()
    tally = Tally(clock)
    with capture_logs() as told:
        for _ in range(30):
            tally.refused("main", "why")
        tally.refused("other", "why")
        clock.move(timedelta(seconds=61))
        tally.refused("main", "why not")
    assert [(line["carrier"], line["count"], line["why"]) for line in told] == [
        ("main", 1, "why"),
        ("other", 1, "why"),
        ("main", 30, "why not"),
    ]
    assert tally.all()["main"] == Counts(refused=31, refused_at=clock.now(), doubt="why not")


@pytest.mark.parametrize(
    ("request_", "doubt"),
    [
        pytest.param({"signature": "no"}, KEY, id="key"),
        pytest.param(
            {"signature": "no", "headers": (("X-Forwarded-Host", "Shop.example.com"),)},
            "it was sent to shop.example.com, and hooks.public_url says sms.example.com",
            id="another host, as the proxy tells it",
        ),
        pytest.param(
            {"signature": "no", "headers": (("X-Forwarded-Host", "127.0.0.1:8081"),)},
            KEY,
            id="a proxy that puts our own address in",
        ),
        pytest.param(
            {"signature": "no", "headers": (("X-Forwarded-Host", "a.b c\x1b[2J"),)},
            KEY,
            id="a host that is none",
        ),
        pytest.param(
            {"signature": "no", "body": b"a=%"},
            "its form cannot be read: not UTF-8, broken, or too many fields",
            id="a broken form",
        ),
    ],
)  # fmt: skip
async def test_a_refusal_is_counted_with_what_may_be_wrong(door, request_, doubt):
    raw = hook(**request_).replace(b"\x1b", b"?")
    assert (await door.ask(raw)).status == 403
    assert door.reception.counts()["main"] == Counts(refused=1, refused_at=START, doubt=doubt)


async def test_all_names_that_are_no_carrier_share_one_count(door):
    for number in range(20):
        await door.ask(hook(target=f"/hooks/x{number}/inbound"))
    assert door.reception.counts() == {"": Counts(refused=20, refused_at=START, doubt="no carrier x19 takes hooks")}


async def test_each_carrier_has_its_counts(door):
    await door.ask(hook())
    await door.ask(hook(target=BIG, signature="no"))
    counts = door.reception.counts()
    assert (counts["main"].taken, counts["big"].refused) == (1, 1)


async def test_no_text_and_no_signature_gets_into_a_log(door, caplog):
    secret = b"id=1&from=a&to=b&text=canary"
    with capture_logs() as told:
        for body in (secret, b"canary=canary", b"boom=canary", b"canary=%ff"):
            await door.ask(hook(body))
            await door.ask(hook(body, signature="canary"))
            await door.ask(hook(body, signature="boom"))
            await door.ask(hook(body, target=f"{INBOUND}?canary=canary", signature="no"))
        await door.ask(hook(secret, target="/other?canary"))
        await door.ask(b"canary\r\n\r\n")
    assert told
    assert "canary" not in repr(told)
    assert "canary" not in caplog.text
    assert sign(INBOUND, TEXT) not in repr(told)


async def test_calls_where_no_hook_is_are_told_with_their_path(door):
    with capture_logs() as told:
        await door.ask(hook(target="/sms/hooks/main/inbound?a=b"))
    assert [line["why"] for line in told] == ["the last one to /sms/hooks/main/inbound"]


NOW = START + timedelta(minutes=59)
REFUSED = Counts(refused=37, refused_at=START, doubt="the signature does not fit")


@pytest.mark.parametrize(
    ("counts", "tone", "what", "means"),
    [
        pytest.param(
            {"main": REFUSED},
            Tone.BAD,
            "Refused: 37 hooks in the name of main",
            "Of the last one: the signature does not fit. None of it was taken so far. "
            "Is https://sms.example.com/hooks/main what the carrier calls? "
            "A text that is refused is lost, unless the carrier sends it again.",
            id="none was taken",
        ),
        pytest.param(
            {"main": Counts(taken=1, refused=1, refused_at=START, doubt="d")},
            Tone.WARN,
            "Refused: 1 hook in the name of main",
            "Others of it were taken, so these may be forged.",
            id="some were taken",
        ),
        pytest.param(
            {"": REFUSED},
            Tone.WARN,
            "Refused: 37 hooks for a carrier that is not here",
            "Carriers call https://sms.example.com/hooks/ and their name here.",
            id="no carrier",
        ),
    ],
)
def test_refusals_of_the_last_hour_are_a_finding(counts, tone, what, means):
    (finding,) = hook_findings(counts, PUBLIC, ["main"], NOW)
    assert (finding.tone, str(finding.what)) == (tone, what)
    assert means in str(finding.means)


def test_older_refusals_and_hooks_that_were_taken_are_none():
    assert hook_findings({"main": REFUSED}, PUBLIC, ["main"], START + timedelta(hours=1)) == ()
    assert hook_findings({"main": Counts(taken=9)}, PUBLIC, ["main"], NOW) == ()


def test_carriers_that_call_us_nowhere_are_a_finding_each():
    found = hook_findings({}, "", ["main", "other"], NOW)
    assert [str(finding.what) for finding in found] == [
        "Replies and receipts of main do not arrive",
        "Replies and receipts of other do not arrive",
    ]
