"""Whole calls on a real Asterisk: what the daemon saw, what it decided and why, and what came to the handset."""

from collections import Counter
from urllib.parse import quote

import pytest

from lab.phone import answer, ring
from tests.stories import acts, callers
from tests.stories.callers import says, shows, sipp
from tests.stories.conftest import House, Told
from tests.stories.daemon import MISSED
from tests.stories.scene import Story, end, nothing, seen, story

SUPPORT, QUEUES, DESK = "Support calls you back. STOP to end", "Sorry for the wait. STOP", "Desk 245 missed you. STOP"
SPANISH = "Perdimos su llamada, Northlight. STOP"
RULES = f"""\
[[rule]]
name = "support"
when = ["abandoned_queue", "queue_gave_up"]
queue = ["support"]
delay = "0s"
text = {{ en = "{SUPPORT}" }}
[[rule]]
name = "queues"
when = ["abandoned_queue", "queue_gave_up"]
delay = "0s"
text = {{ en = "{QUEUES}" }}
[[rule]]
name = "desk"
when = ["missed"]
extension = ["245"]
delay = "0s"
text = {{ en = "{DESK}" }}
{MISSED}"""

PHONES: dict[str, Story] = {
    "nobody lifts": story("202 01", acts.nobody_lifts, end("missed", "101 no_answer")),
    "the caller gives up while it rings": story("212 02", acts.gives_up, end("missed", "102 cancelled")),
    "the phone is busy": story("212 03", acts.is_busy, end("busy", "103 busy")),
    "the phone declines": story("212 04", acts.declines, end("declined", "104 declined")),
    "the phone does not disturb": story("212 05", acts.does_not_disturb, end("missed", "105 no_answer")),
    "the phone is not registered": story("212 38", acts.nobody_is_there, end("unreachable")),
    "somebody answers": story("212 06", acts.lifts, nothing("answered", "106 answer")),
    "the carrier had it answered elsewhere": story(
        "212 07", acts.answered_upstream, nothing("answered_elsewhere", "107 cancelled")
    ),
    "the exchange is busy": story("212 31", acts.nobody_is_there, end("busy")),
    "the exchange has no way": story("212 41", acts.nobody_is_there, end("unreachable")),
    "an announcement answers, the phone does not": story(
        "212 43", acts.after_an_announcement, end("missed", "143 cancelled")
    ),
    "one phone after the other, with a rule for the second": story(
        "202 45", acts.one_after_the_other, end("missed", "145 no_answer", "245 no_answer", rule="desk", text=DESK)
    ),
    "a colleague in the ring group answers": story(
        "212 20", acts.group_answers, nothing("answered", "120 cancelled", "220 answer", "320 cancelled")
    ),
    "nobody in the ring group answers": story(
        "202 21", acts.group_is_empty, end("missed", "121 no_answer", "221 no_answer", "321 no_answer")
    ),
    "one of three is busy": story(
        "212 21", acts.one_of_three_is_busy, end("missed", "121 cancelled", "221 cancelled", "321 busy")
    ),
    "a colleague picks it up": story(
        "212 37", acts.a_colleague_takes_it, nothing("answered", "137 cancelled", "237 answer")
    ),
}
QUEUED: dict[str, Story] = {
    "the caller leaves the queue": story(
        "212 22",
        acts.waits_in_vain,
        end("abandoned_queue", "122 cancelled", "222 cancelled", rule="support", text=SUPPORT),
    ),
    "the caller presses the key that leaves the queue": story(
        "202 22",
        acts.presses_a_key,
        end("queue_gave_up", "122 cancelled", "222 cancelled", rule="support", text=SUPPORT),
    ),
    "the queue gives up": story("202 24", acts.nobody_is_there, end("queue_gave_up", rule="queues", text=QUEUES)),
    "the queue is closed": story("212 25", acts.nobody_is_there, end("queue_gave_up", rule="queues", text=QUEUES)),
    "the queue's agent answers": story(
        "212 23", acts.queue_answers, nothing("answered", "123 answer", "223 cancelled")
    ),
}
ELSEWHERE: dict[str, Story] = {
    "the caller leaves the menu": story("212 26", acts.leaves_the_menu, end("abandoned_ivr")),
    "a message is left": story(
        "212 27", acts.leaves_a_message, nothing("voicemail_left", "127 declined", reason="no_rule")
    ),
    "no message is left": story("202 27", acts.says_nothing_to_the_box, end("declined", "127 declined")),
    "follow-me rings in vain": story("202 28", acts.follow_me_rings, end("missed", "128 cancelled")),
    "follow-me is accepted": story("212 28", acts.follow_me_is_accepted, nothing("answered", "128 answer")),
    "the exchange forwards": story("212 29", acts.gives_up, end("missed", "129 cancelled")),
    "the phone forwards": story("212 30", acts.phone_forwards, end("missed", "130 forwarded", "230 cancelled")),
    "transferred to nobody": story(
        "212 35", acts.transferred_to_nobody, nothing("answered", "135 answer", "235 cancelled")
    ),
    "transferred after a word": story("212 09", acts.transferred_with_a_word, nothing("answered", "109 answer")),
    "parked and fetched": story("212 36", acts.parked_and_fetched, nothing("answered", "136 answer")),
    "parked and forgotten": story("202 36", acts.parked_and_forgotten, nothing("answered", "136 answer")),
}

PAI = ("P-Asserted-Identity", '"Pat Example" <sip:{}@127.0.0.1>')
CALLERS: dict[str, Story] = {
    "no number at all": story(
        "212 10", shows(number="anonymous", host="anonymous.invalid"), end("missed", "110 cancelled", reason="withheld")
    ),
    "withheld, the trunk passes the number aside": story(
        "212 11",
        shows(PAI, ("Privacy", "id"), number="anonymous"),
        end("missed", "111 cancelled", reason="withheld"),
    ),
    "withheld, the number is in From": story(
        "212 12", shows(("Privacy", "id")), end("missed", "112 cancelled", reason="withheld")
    ),
    "nothing says whether it is withheld": story(
        "212 34", acts.gives_up, end("missed", "134 cancelled", reason="presentation_unknown")
    ),
    "a veto after the include": story("212 32", acts.gives_up, end("missed", "132 cancelled", reason="vetoed")),
    "a veto before the include": story("212 33", acts.gives_up, end("missed", "133 cancelled", reason="vetoed")),
    "a veto from another leg": story("212 46", acts.gives_up, end("missed", "146 cancelled", reason="vetoed")),
    "the network calls the number a fake": story(
        "202 39", shows(parameters=";verstat=TN-Validation-Failed"), end("missed", "139 cancelled", reason="spoofed")
    ),
    "one of our own numbers calls": story(
        "212 13", shows(number="+12025550102"), end("missed", "113 cancelled", reason="own_number")
    ),
    "the dialplan knows the language": story("212 39", acts.gives_up, end("missed", "139 cancelled", text=SPANISH)),
    "the include is called twice": story("212 40", acts.gives_up, end("missed", "140 cancelled")),
    "the include from an s extension": story("212 48", acts.gives_up, end("missed", "148 cancelled")),
}
NAMES = {
    "a comma and a header": "Doe,Did: +19995550100",
    "HTML": "<script>alert('x')</script>&amp;",
    "quotes": 'Pat "the cat" \\ Example',
    "dialplan code": "${SHELL(id)}$[1+1]),",
    "an emoji and an accent": "Zoë 😀",
    "a template": "{{ business }}{% for i in (1..9) %}",
    "a line break as an URI writes it": "Pat%0d%0aVeto: no",
}
NAMED: dict[str, Story] = {
    f"the caller's name has {what}": story(f"212 {line}", says(name), end("missed", f"1{line} cancelled"))
    for line, (what, name) in zip(("14", "15", "16", "17", "18", "19", "42"), NAMES.items(), strict=True)
}
HOSTILE = {
    "a header": "{}\r\nVeto: no",
    "a number of ours": "{}\r\nDid: +12025550163",
    "an event": "{}\r\n\r\nEvent: Hangup\r\nUniqueid: lab-1.2\r\n\r\n",
    "the end of Asterisk": "{}\r\n\r\nEvent: Shutdown\r\n\r\nEvent: x",
}
NUMBERED: dict[str, Story] = {
    f"the caller's number forges {what}": story(
        f"202 {line}",
        shows(number=quote(number, safe="+{}")),
        end("missed", f"1{line} cancelled", reason="invalid_number"),
    )
    for line, (what, number) in zip(("44", "16", "17", "18"), HOSTILE.items(), strict=True)
} | {
    "a colleague's number comes in over the trunk": story(
        "212 49", shows(number="4455"), end("missed", "149 cancelled", reason="internal")
    ),
}
REPEATED: dict[str, Story] = {
    "four ways to write one number": story(
        "212 08",
        callers.calls_in_many_forms,
        end("missed", "108 cancelled"),
        *[end("missed", "108 cancelled", reason="cool_down")] * 3,
    ),
    "a second call inside the cool-down": story(
        "212 01",
        callers.calls_twice,
        end("missed", "101 cancelled"),
        end("missed", "101 cancelled", reason="cool_down"),
    ),
    "colleagues call each other": story("202 14", callers.colleagues_talk, end("missed", "114 cancelled")),
}
SIPP: dict[str, Story] = {
    "SIPp gives up": story("212 47", sipp("cancel", phone=ring), end("missed", "147 cancelled")),
    "SIPp is answered": story("202 15", sipp("talk", phone=answer()), nothing("answered", "115 answer")),
    "SIPp waits for the queue": story("202 25", sipp("until_bye"), end("queue_gave_up", rule="queues", text=QUEUES)),
    "SIPp presses a key in the menu": story("202 26", sipp("press_2"), end("abandoned_ivr")),
}
STORIES = PHONES | QUEUED | ELSEWHERE | CALLERS | NAMED | NUMBERED | REPEATED | SIPP


@pytest.mark.parametrize("name", STORIES)
def test_call_lab(told: Told, name: str) -> None:
    calls = told[name]
    if isinstance(calls, BaseException):
        raise calls
    assert [seen(call) for call in calls] == list(STORIES[name].ends)
    for text in (text for call in calls for text in call.texts):
        assert (text.did, text.peer, text.state) == (calls[0].did, calls[0].peer, "delivered")


def test_handsets_got_what_was_decided_and_nothing_more_lab(house: House, told: Told) -> None:
    calls = [call for calls in told.values() if not isinstance(calls, BaseException) for call in calls]
    assert house.daemon.handset() == Counter((text.did, text.peer) for call in calls for text in call.texts)


def test_each_call_was_seen_once_and_no_other_lab(house: House, told: Told) -> None:
    calls = [call for calls in told.values() if not isinstance(calls, BaseException) for call in calls]
    rows = house.daemon.rows("SELECT uniqueid FROM call WHERE decision IS NOT NULL")
    assert Counter(str(row[0]) for row in rows) == Counter(call.uniqueid for call in calls)


@pytest.mark.parametrize(
    ("name", "left_alone"),
    [
        pytest.param("transferred to nobody", True, id="nobody took the transfer"),
        pytest.param("parked and forgotten", True, id="nobody fetched the call"),
        pytest.param("transferred after a word", False, id="a colleague took it"),
        pytest.param("parked and fetched", False, id="a colleague fetched it"),
    ],
)
def test_a_transfer_to_nobody_is_told_beside_the_answer_lab(told: Told, name: str, left_alone: bool) -> None:
    (call,) = told[name]
    assert call.transfer_unanswered is left_alone


async def test_explain_tells_a_real_call_lab(house: House, told: Told) -> None:
    (call,) = told["one phone after the other, with a rule for the second"]
    done = await house.daemon.do("explain", call.linkedid)
    assert done.code == 0
    for words in ("145 rang", "245 rang", "ended: missed", "by rule desk", f"| {DESK}", "delivered"):
        assert words in done.out
