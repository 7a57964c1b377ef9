"""What the tests of Twilio share: our carrier on the fake Twilio, and a text to send."""

from datetime import timedelta
from pathlib import Path

from ringback.carriers.twilio import Twilio, build
from ringback.core.messages import Outgoing
from ringback.ports import CarrierContext, OptionValue
from tests.fakes.hand_clock import START
from tests.fakes.twilio import ACCOUNT, TOKEN, FakeTwilio

DID, ANA, BEN = "+12025550101", "+12025550147", "+12025550148"
HOOKS = "https://sms.example.com/hooks/main"
ATTEMPT = "att_01jd0000000000000000000000"
SID = "SM" + "0123456789abcdef" * 2


def made(line: FakeTwilio, tmp_path: Path, hooks: str = HOOKS, **options: OptionValue) -> Twilio:
    """Make the carrier; close it when its last request is done."""
    table = {"account": ACCOUNT, "key": TOKEN, "api": line.address, **options}
    return build("main", table, CarrierContext(line.clock, tmp_path, hooks))


def text(number: str = ANA, words: str = "Sorry we missed you", lasts: timedelta = timedelta(hours=1)) -> Outgoing:
    return Outgoing(ATTEMPT, "msg_1", DID, number, words, START + lasts)
