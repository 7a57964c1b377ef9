"""Rules on real calls: delays and what cancels them, opening hours, how long it rang, bursts, and the pause."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from lab.call import Call
from lab.pbx import Pbx
from tests.stories import acts, callers
from tests.stories.conftest import House, Told, caller
from tests.stories.daemon import MISSED
from tests.stories.scene import SORRY, Story, end, nothing, seen, story

TODAY = datetime.now(UTC).date()
CLOSED = ", ".join(f'"{TODAY + timedelta(days=days)}"' for days in (-1, 0, 1))
LATER = "We call you back. STOP to end"


def rule(name: str, did: str, **keys: str) -> str:
    """A rule for one number, as the file has it."""
    given = {"delay": "0s", **keys}
    lines = "\n".join(f'{key} = "{value}"' for key, value in given.items())
    return f'[[rule]]\nname = "{name}"\nwhen = ["missed"]\ndid = ["{did}"]\n{lines}\ntext = {{ en = "{LATER}" }}\n'


RULES = "\n".join(
    [
        f'[calendar.never]\nopen = {{ mon-sun = ["00:00-24:00"] }}\nclosed = [{CLOSED}]\n',
        rule("slow", "+12125550101", delay="4s"),
        rule("soon", "+12125550102", delay="2s"),
        rule("again", "+12125550103", delay="4s"),
        rule("patient", "+12125550104", min_ring="20s"),
        rule("quick", "+12025550105", min_ring="1s"),
        rule("in-hours", "+12125550106", hours="open", calendar="never"),
        rule("after-hours", "+12125550107", hours="closed", calendar="never"),
        rule("known", "+12125550108", delay="3s"),
        MISSED.replace("delay", f"did = {[f'+12025550{line}' for line in ('160', '161', '162', '163')]}\ndelay"),
    ]
)
STORIES: dict[str, Story] = {
    "called back before the text was due": story(
        "212 01", callers.is_called_back, end("missed", "101 cancelled", rule="slow", reason="returned")
    ),
    "called back in vain": story(
        "212 02", callers.is_called_back_in_vain, end("missed", "102 cancelled", rule="soon", text=LATER)
    ),
    "called again and was answered": story(
        "212 03",
        callers.calls_again_and_is_answered,
        end("missed", "103 cancelled", rule="again", reason="returned"),
        nothing("answered", "103 answer"),
    ),
    "called twice while the text waits": story(
        "212 08",
        callers.calls_twice,
        end("missed", "108 cancelled", rule="known", text=LATER),
        end("missed", "108 cancelled", rule="known", reason="already_pending"),
    ),
    "rang too short for the rule": story(
        "212 04", acts.gives_up, nothing("missed", "104 cancelled", reason="too_short")
    ),
    "rang long enough": story("202 05", acts.nobody_lifts, end("missed", "105 no_answer", rule="quick", text=LATER)),
    "out of hours": story("212 06", acts.gives_up, nothing("missed", "106 cancelled", reason="outside_hours")),
    "a rule for after hours": story(
        "212 07", acts.gives_up, end("missed", "107 cancelled", rule="after-hours", text=LATER)
    ),
    "no rule for this number": story("212 09", acts.gives_up, nothing("missed", "109 cancelled", reason="no_rule")),
}


@pytest.mark.parametrize("name", STORIES)
def test_rule_lab(told: Told, name: str) -> None:
    calls = told[name]
    if isinstance(calls, BaseException):
        raise calls
    assert [seen(call) for call in calls] == list(STORIES[name].ends)


BURST = {"160": "missed", "161": "busy", "162": "answered"}


async def test_thirty_calls_at_once_have_one_decision_each_lab(house: House) -> None:
    numbers = [caller(100 + index) for index in range(30)]
    lines = [list(BURST)[index % 3] for index in range(30)]
    async with house.asterisk.opened() as pbx:
        before = len(house.daemon.log.records)
        calls = await asyncio.gather(
            *(_call(pbx, number, f"+12025550{line}") for number, line in zip(numbers, lines, strict=True))
        )
        await asyncio.gather(*(call.over() for call in calls))
        ended = [call for line in BURST for call in await house.daemon.ended(f"+12025550{line}", 10, before)]
    assert {call.caller: call.outcome for call in ended} == {
        number: BURST[line] for number, line in zip(numbers, lines, strict=True)
    }
    wanting = [call for call in ended if call.outcome != "answered"]
    texts = [text for call in wanting for text in (await house.daemon.delivered(call)).texts]
    assert Counter(text.peer for text in texts) == Counter(call.caller for call in wanting)
    assert {text.body for text in texts} == {SORRY}
    decisions = house.daemon.rows("SELECT caller, count(*), count(decision) FROM call GROUP BY caller")
    assert {row[0]: row[1:] for row in decisions if row[0] in numbers} == dict.fromkeys(numbers, (1, 1))


async def _call(pbx: Pbx, number: str, did: str) -> Call:
    return await (await pbx.caller(number)).call(did)


async def test_pause_holds_texts_until_it_is_lifted_lab(house: House) -> None:
    async with house.asterisk.opened() as pbx:
        for number, words, wanted in (
            (caller(140), ("pause",), ("suppress", "paused")),
            (caller(141), ("pause", "--off"), ("send", "allowed")),
        ):
            done = await house.daemon.do(*words)
            assert done.code == 0, done
            before = len(house.daemon.log.records)
            await (await _call(pbx, number, "+12025550161")).over()
            (call,) = await house.daemon.ended("+12025550161", 1, before)
            assert (call.decision, call.reason) == wanted
