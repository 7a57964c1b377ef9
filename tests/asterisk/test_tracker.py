"""One outcome for each call: recorded streams, events by hand, and streams that were shuffled, cut and doubled."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringback.asterisk.codec import Event
from ringback.asterisk.tracker import LATE, MOST_CALLS, Tracker
from ringback.core.calls import (
    CallAnswered,
    CallEnded,
    CallStarted,
    Direction,
    Outcome,
    Presentation,
    Rang,
)
from tests.asterisk.scenes import LAB_INBOUND, LAB_PHONES, SCENES, Timed, finished, lab_tracker, play, scene

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
PAT = "+15125550123"

# scene, outcome, seconds it rang, phones and how they ended, what else is told of the call
STORIES: list[tuple[str, Outcome, float, str, dict[str, Any]]] = [
    ("missed_caller_hangs_up", Outcome.MISSED, 2.5, "101:cancelled", {"did": "+12025550101", "caller": PAT}),
    ("missed_ring_timeout", Outcome.MISSED, 8.0, "101:no_answer", {}),
    ("busy_agent", Outcome.BUSY, 0.0, "101:busy", {}),
    ("declined_agent", Outcome.DECLINED, 0.0, "101:declined", {}),
    ("dnd_480", Outcome.MISSED, 0.0, "101:no_answer", {}),
    ("unregistered_agent", Outcome.UNREACHABLE, 0.0, "", {"extensions": ()}),
    ("answered", Outcome.ANSWERED, 1.0, "101:answer", {}),
    ("answered_agent_hangs_up", Outcome.ANSWERED, 1.0, "101:answer", {}),
    ("ringgroup_answered_elsewhere", Outcome.ANSWERED, 1.0, "101:cancelled 102:answer 103:cancelled", {}),
    ("ringgroup_nobody_cancel", Outcome.MISSED, 2.5, "101:cancelled 102:cancelled 103:cancelled", {}),
    ("ringgroup_one_busy_two_ring", Outcome.MISSED, 2.5, "101:cancelled 102:cancelled 103:busy", {}),
    ("forward_local_missed", Outcome.MISSED, 2.5, "103:cancelled", {"extensions": ("103",)}),
    ("forward_local_answered", Outcome.ANSWERED, 1.0, "103:answer", {}),
    ("forward_302", Outcome.ANSWERED, 1.0, "101:forwarded 102:answer", {"extensions": ("101", "102")}),
    ("forward_302_missed", Outcome.MISSED, 2.5, "101:forwarded 102:cancelled", {}),
    # An answer over a Local channel is one, even if a voicemail took it: nothing the account may see tells them apart.
    ("forward_to_voicemail", Outcome.ANSWERED, 0.0, "vm:answer", {}),
    ("followme_missed", Outcome.MISSED, 3.1, "103:cancelled", {}),
    ("followme_accepted", Outcome.ANSWERED, 5.3, "103:answer", {}),
    ("followme_answered_not_accepted", Outcome.MISSED, 1.0, "103:answer", {"answered_at": None}),
    ("queue_abandon", Outcome.ABANDONED_QUEUE, 3.5, "101:cancelled", {"queue": "support", "waited": 3.5}),
    ("queue_answered", Outcome.ANSWERED, 2.0, "101:answer", {"queue": "support", "waited": 2.0}),
    ("queue_key_deflect", Outcome.DEFLECTED, 1.7, "101:cancelled", {"queue": "support", "waited": 1.7}),
    ("queue_timeout", Outcome.QUEUE_GAVE_UP, 0.0, "", {"queue": "empty", "waited": 6.0}),
    ("queue_timeout_voicemail", Outcome.QUEUE_GAVE_UP, 0.0, "", {"queue": "empty", "waited": 3.0}),
    ("queue_refused", Outcome.QUEUE_GAVE_UP, 0.0, "", {"queue": None, "waited": None}),
    ("ivr_deflect_info", Outcome.DEFLECTED, 0.0, "", {"did": "+12025550103"}),
    ("ivr_deflect_rtp", Outcome.DEFLECTED, 0.0, "", {}),
    ("ivr_timeout", Outcome.ABANDONED_IVR, 0.0, "", {}),
    ("stasis_inbound", Outcome.DEFLECTED, 0.0, "", {}),
    ("voicemail_left", Outcome.VOICEMAIL_LEFT, 2.0, "noanswer:no_answer", {"caller": PAT}),
    ("anonymous_caller", Outcome.MISSED, 1.5, "101:cancelled", {"presentation": Presentation.WITHHELD}),
    ("callerid_no_plus", Outcome.MISSED, 1.5, "101:cancelled", {"caller": "5125550123"}),
    ("privacy_id_pai", Outcome.MISSED, 1.5, "101:cancelled", {"presentation": Presentation.UNKNOWN, "caller": PAT}),
    ("told_withheld", Outcome.MISSED, 1.5, "101:cancelled", {"presentation": Presentation.WITHHELD, "language": "en"}),
    ("told_shown", Outcome.MISSED, 1.5, "101:cancelled", {"presentation": Presentation.SHOWN, "vetoed": False}),
    ("forwarded_diversion", Outcome.MISSED, 1.5, "101:cancelled", {}),
    ("cancel_with_reason", Outcome.ANSWERED_ELSEWHERE, 1.5, "101:cancelled", {}),
    ("wrong_did", Outcome.FAILED, 0.0, "", {}),
    ("feature_code_by_agent", Outcome.ANSWERED, 1.0, "101:answer", {}),
    ("feature_code_by_caller", Outcome.ANSWERED, 1.0, "101:answer", {}),
    ("blind_transfer_refer", Outcome.ANSWERED, 1.0, "101:answer 102:answer", {"transfer_unanswered": False}),
    ("blind_transfer_unanswered", Outcome.ANSWERED, 1.0, "101:answer 102:cancelled", {"transfer_unanswered": True}),
    ("blind_transfer_external", Outcome.ANSWERED, 1.0, "101:answer carrier:answer", {"transfer_unanswered": False}),
    ("attended_transfer_refer", Outcome.ANSWERED, 1.0, "101:answer", {"transfer_unanswered": False}),
    ("attended_transfer_dtmf", Outcome.ANSWERED, 1.0, "101:answer", {"transfer_unanswered": False}),
    ("blond_transfer_answered", Outcome.ANSWERED, 1.0, "101:answer 102:answer", {"transfer_unanswered": False}),
    ("blond_transfer_unanswered", Outcome.ANSWERED, 1.0, "101:answer 102:cancelled", {"transfer_unanswered": True}),
    ("pickup", Outcome.ANSWERED, 1.9, "101:cancelled 102:answer", {"extensions": ("101", "102")}),
    ("parked_retrieved", Outcome.ANSWERED, 1.0, "101:answer", {"transfer_unanswered": False}),
    ("parked_abandoned", Outcome.ANSWERED, 1.0, "101:answer", {"transfer_unanswered": True}),
    ("parked_timeout", Outcome.ANSWERED, 1.0, "101:answer", {"transfer_unanswered": True}),
    ("local_missed", Outcome.MISSED, 2.5, "noanswer:cancelled", {"caller": PAT, "did": "+12025550121"}),
    ("local_busy", Outcome.BUSY, 0.3, "busy:busy", {}),
    ("local_ivr_press2", Outcome.DEFLECTED, 0.0, "", {"caller": PAT}),
    ("local_queue_abandon", Outcome.ABANDONED_QUEUE, 0.0, "", {"queue": "support-sim", "waited": 2.5}),
    ("local_queue_answered", Outcome.ANSWERED, 0.5, "pick-2:answer", {"waited": 0.5}),
    ("local_queue_key", Outcome.DEFLECTED, 0.0, "", {"waited": 0.7}),
    ("local_ringgroup_answered", Outcome.ANSWERED, 0.5, "noanswer:cancelled pick-2:answer", {}),
    ("local_ringgroup_nobody", Outcome.MISSED, 4.0, "noanswer:no_answer", {}),
    # This account's filter leaves out HangupRequest and NewCallerid, so neither the caller's wish nor number is seen.
    ("filtered_account", Outcome.QUEUE_GAVE_UP, 0.0, "", {"caller": "<unknown>"}),
]
OUTBOUND = [
    ("outbound_answered", Outcome.ANSWERED, 1.0, "carrier:answer"),
    ("outbound_unanswered", Outcome.MISSED, 2.0, "carrier:cancelled"),
    ("originate_click_to_call", Outcome.ANSWERED, 1.0, "carrier:answer"),
]
NO_CALL = ["internal_call", "message_in", "message_out", "message_unreachable"]


@pytest.mark.parametrize(("name", "outcome", "rang", "phones", "more"), STORIES, ids=[row[0] for row in STORIES])
def test_a_recorded_inbound_call_has_one_outcome(
    name: str, outcome: Outcome, rang: float, phones: str, more: dict[str, Any]
) -> None:
    (call,) = finished(scene(name))
    assert call.outcome is outcome
    assert call.direction is Direction.INBOUND
    assert call.rang.total_seconds() == pytest.approx(rang, abs=0.06)
    assert " ".join(f"{leg.to}:{leg.rang}" for leg in call.legs) == phones
    for fact, expected in more.items():
        told = getattr(call, fact)
        assert (
            (pytest.approx(expected, abs=0.06) == told.total_seconds())
            if fact == "waited" and told
            else (told == expected)
        )


@pytest.mark.parametrize(("name", "outcome", "rang", "phones"), OUTBOUND, ids=[row[0] for row in OUTBOUND])
def test_a_recorded_outbound_call_is_followed_too(name: str, outcome: Outcome, rang: float, phones: str) -> None:
    (call,) = finished(scene(name))
    assert (call.direction, call.caller, call.did) == (Direction.OUTBOUND, "101", PAT)
    assert call.outcome is outcome
    assert call.rang.total_seconds() == pytest.approx(rang, abs=0.06)
    assert " ".join(f"{leg.to}:{leg.rang}" for leg in call.legs) == phones


@pytest.mark.parametrize("name", NO_CALL)
def test_what_is_no_call_with_the_outside_says_nothing(name: str) -> None:
    assert play(scene(name)) == []


def test_every_scene_has_a_row() -> None:
    told = {row[0] for row in STORIES} | {row[0] for row in OUTBOUND} | set(NO_CALL)
    apart = {"forged_number", "big_mixed_200_calls", "queue_two_callers", "resync_after_reconnect", "lab_stories"}
    assert {path.name.removesuffix(".ami.txt.gz") for path in SCENES.glob("*.ami.txt.gz")} == told | apart


def test_the_corpus_of_200_overlapping_calls() -> None:
    calls = finished(scene("big_mixed_200_calls"))
    assert Counter(call.outcome for call in calls) == {
        Outcome.ABANDONED_QUEUE: 107,
        Outcome.MISSED: 40,
        Outcome.BUSY: 20,  # the reference rules count them among 60 missed
        Outcome.ANSWERED: 23,
        Outcome.DEFLECTED: 10,
    }
    assert len({call.uniqueid for call in calls}) == 200
    assert all(call.caller.startswith("+1") and call.did.startswith("+1202555") for call in calls)


def test_a_caller_parked_and_gone_before_asterisk_tells_of_the_transfer() -> None:
    events = scene("parked_abandoned")
    told_late = sorted(events, key=lambda timed: timed[0].name == "BlindTransfer")
    assert [event.name for event, _at in told_late[-2:]] == ["Hangup", "BlindTransfer"]
    (call,) = finished(told_late)
    assert (call.outcome, call.transfer_unanswered) == (Outcome.ANSWERED, True)


def test_two_callers_in_one_queue_are_two_calls() -> None:
    first, second = sorted(finished(scene("queue_two_callers")), key=lambda call: call.started_at)
    assert (first.caller, second.caller) == (PAT, "+15125550124")
    assert first.outcome is second.outcome is Outcome.ABANDONED_QUEUE
    assert [sighting.detail for sighting in second.seen if sighting.kind == "queue_joined"] == ["support position 2"]


@pytest.mark.parametrize(
    ("name", "story"),
    [
        ("queue_abandon", ["queue_joined support position 1", "queue_abandoned support", "hangup cause 0"]),
        ("blind_transfer_unanswered", ["answered", "transfer 102", "hangup cause 16"]),
        ("blond_transfer_unanswered", ["answered", "transfer 102", "hangup cause 0"]),
        ("parked_abandoned", ["answered", "transfer 750", "parked", "hangup cause 16"]),
        ("pickup", ["picked_up 102", "answered", "hangup cause 16"]),
        ("voicemail_left", ["voicemail message left", "hangup cause 16"]),
        ("missed_ring_timeout", ["voicemail no message", "hangup cause 0"]),
        ("queue_refused", ["queue_status JOINEMPTY", "hangup cause 16"]),
        ("ivr_deflect_info", ["deflected", "hangup cause 16"]),
    ],
)
def test_the_story_is_told_in_order(name: str, story: list[str]) -> None:
    (call,) = finished(scene(name))
    assert [f"{line.kind} {line.detail}".strip() for line in call.seen] == story
    assert sorted(line.at for line in call.seen) == [line.at for line in call.seen]


def test_an_answer_is_told_at_once_and_only_once() -> None:
    said = play(scene("blind_transfer_refer"))
    assert [type(event) for event in said] == [CallStarted, CallAnswered, CallEnded]
    answered, ended = (event.call for event in said[1:] if isinstance(event, CallAnswered | CallEnded))
    assert answered.ended_at is None
    assert answered.answered_at == ended.answered_at


def test_a_trusted_trunk_shows_its_numbers() -> None:
    (call,) = finished(scene("missed_caller_hangs_up"), lab_tracker(trust_caller_id=True))
    assert call.presentation is Presentation.SHOWN
    (hidden,) = finished(scene("anonymous_caller"), lab_tracker(trust_caller_id=True))
    assert hidden.presentation is Presentation.WITHHELD
    (told,) = finished(scene("told_withheld"), lab_tracker(trust_caller_id=True))
    assert told.presentation is Presentation.WITHHELD


# -- by hand

CALLER = {"Uniqueid": "lab-1.0", "Linkedid": "lab-1.0", "Channel": "PJSIP/carrier-0"}
NEW = ("Newchannel", CALLER | {"Context": "from-carrier", "Exten": "+12025550101", "CallerIDNum": PAT})
ENDED = ("Hangup", CALLER | {"Cause": "16", "ChannelState": "4"})
Step = tuple[str, dict[str, str]]


def caller(name: str, **fields: str) -> Step:
    return name, CALLER | fields


def dial(number: str, leg: str, name: str = "DialBegin", **fields: str) -> Step:
    return name, CALLER | {"DestUniqueid": leg, "DestChannel": f"PJSIP/{number}-{leg}"} | fields


def steps(*events: Step) -> list[Timed]:
    return [(Event(name, fields), NOON + timedelta(seconds=index)) for index, (name, fields) in enumerate(events)]


@pytest.mark.parametrize(
    ("token", "presentation"),
    [
        ("allowed", Presentation.SHOWN),
        ("allowed_not_screened", Presentation.SHOWN),
        ("allowed_passed_screen", Presentation.SHOWN),
        ("allowed_failed_screen", Presentation.SHOWN),
        ("prohib", Presentation.WITHHELD),
        ("prohib_not_screened", Presentation.WITHHELD),
        ("unavailable", Presentation.WITHHELD),
        ("nonsense", Presentation.UNKNOWN),
    ],
)
def test_ringback_call_tells_the_presentation(token: str, presentation: Presentation) -> None:
    (call,) = finished(steps(NEW, caller("UserEvent", UserEvent="RingbackCall", Pres=token), ENDED))
    assert call.presentation is presentation


@pytest.mark.parametrize(
    "number", ["anonymous", "Anonymous", "restricted", "unavailable", "unknown", "private", "withheld", "<unknown>", ""]
)
def test_a_word_for_no_number_is_withheld_and_kept_as_text(number: str) -> None:
    told = caller("UserEvent", UserEvent="RingbackCall", Pres="allowed")
    (call,) = finished(steps((NEW[0], NEW[1] | {"CallerIDNum": number}), told, ENDED))
    assert (call.presentation, call.caller) == (Presentation.WITHHELD, number)


@pytest.mark.parametrize(
    ("event", "facts"),
    [
        pytest.param({"UserEvent": "RingbackCall", "Did": "+12025550199"}, {"did": "+12025550199"}, id="own DID"),
        pytest.param({"UserEvent": "RingbackCall", "Did": ""}, {"did": "+12025550101"}, id="empty DID changes nothing"),
        pytest.param({"UserEvent": "RingbackCall", "Veto": "no"}, {"vetoed": True}, id="RINGBACK=no at the start"),
        pytest.param({"UserEvent": "RingbackEnd", "Veto": "no"}, {"vetoed": True}, id="RINGBACK=no at the end"),
        pytest.param({"UserEvent": "RingbackEnd", "Veto": ""}, {"vetoed": False}, id="no veto"),
        pytest.param(
            {"UserEvent": "RingbackCall", "Verstat": "TN-Validation-Passed"},
            {"verstat": "TN-Validation-Passed"},
            id="verstat",
        ),
        pytest.param({"UserEvent": "RingbackCall", "Lang": "es"}, {"language": "es"}, id="language"),
        pytest.param({"UserEvent": "RingbackDeflect"}, {"outcome": Outcome.DEFLECTED}, id="deflected"),
        pytest.param(
            {"UserEvent": "TextRequest", "Did": "1", "Veto": "no"}, {"vetoed": False}, id="another user event"
        ),
    ],
)
def test_what_the_dialplan_tells(event: dict[str, str], facts: dict[str, Any]) -> None:
    (call,) = finished(steps(NEW, caller("UserEvent", **event), ENDED))
    assert {name: getattr(call, name) for name in facts} == facts


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        pytest.param([dial("101", "a"), dial("101", "a", "DialEnd", DialStatus="BUSY")], Outcome.BUSY, id="one busy"),
        pytest.param(
            [
                dial("101", "a"),
                dial("101", "b"),
                dial("101", "b", "DialEnd", DialStatus="BUSY"),
                dial("101", "a", "DialEnd", DialStatus="NOANSWER"),
            ],
            Outcome.MISSED,
            id="a phone with two contacts, one of them busy, did ring",
        ),
        pytest.param(
            [
                dial("101", "a"),
                dial("101", "a", "DialEnd", DialStatus="CANCEL", Forward="102"),
                dial("102", "b"),
                dial("102", "b", "DialEnd", DialStatus="BUSY"),
            ],
            Outcome.BUSY,
            id="forwarded to a busy phone is busy",
        ),
        pytest.param(
            [
                dial("101", "a"),
                ("HangupRequest", {"Uniqueid": "a", "Cause": "21"}),
                dial("102", "b"),
                dial("101", "a", "DialEnd", DialStatus="NOANSWER"),
                dial("102", "b", "DialEnd", DialStatus="BUSY"),
            ],
            Outcome.DECLINED,
            id="declined and busy is declined",
        ),
        pytest.param(
            [
                dial("101", "a"),
                dial("101", "a", "DialEnd", DialStatus="NOANSWER"),
                ("Hangup", {"Uniqueid": "a", "Cause": "21"}),
            ],
            Outcome.DECLINED,
            id="declined, told after the dial ended",
        ),
        pytest.param(
            [dial("101", "a"), dial("101", "a", "DialEnd", DialStatus="CHANUNAVAIL")],
            Outcome.UNREACHABLE,
            id="phone gone",
        ),
        pytest.param([dial("101", "a")], Outcome.MISSED, id="end of the ringing was lost"),
        pytest.param(
            [dial("101", "a"), ("Hangup", {"Uniqueid": "a", "Cause": "17"})],
            Outcome.BUSY,
            id="only the leg's hang-up was seen",
        ),
        pytest.param(
            [caller("VarSet", Variable="DIALSTATUS", Value="BUSY")],
            Outcome.BUSY,
            id="do-not-disturb set in the dialplan",
        ),
        pytest.param([caller("HangupRequest")], Outcome.ABANDONED_IVR, id="gave up before anybody was asked"),
        pytest.param([caller("BridgeEnter", BridgeType="parking")], Outcome.FAILED, id="a parking lot is nobody"),
        pytest.param(
            [
                caller("QueueCallerJoin", Queue="a"),
                caller("QueueCallerAbandon", Queue="a"),
                caller("QueueCallerJoin", Queue="b"),
                caller("HangupRequest"),
                caller("QueueCallerAbandon", Queue="b"),
            ],
            Outcome.ABANDONED_QUEUE,
            id="the last queue decides",
        ),
    ],
)
def test_the_phones_decide(events: list[Step], outcome: Outcome) -> None:
    (call,) = finished(steps(NEW, *events, ENDED))
    assert call.outcome is outcome


def test_a_phone_that_is_asked_again_is_one_leg_and_its_last_end_counts() -> None:
    (call,) = finished(
        steps(
            NEW,
            dial("101", "a"),
            dial("101", "a", "DialEnd", DialStatus="NOANSWER"),
            dial("101", "b"),
            dial("101", "a", "DialEnd", DialStatus="BUSY"),
            dial("101", "b", "DialEnd", DialStatus="CANCEL"),
            ENDED,
        )
    )
    (leg,) = call.legs
    assert (leg.to, leg.rang, leg.ended_at) == ("101", Rang.CANCELLED, NOON + timedelta(seconds=5))
    assert call.rang == timedelta(seconds=4)


def test_the_number_of_a_dialplan_does_not_replace_that_of_the_trunk() -> None:
    (call,) = finished(steps(NEW, caller("NewCallerid", CallerIDNum="5550123"), ENDED))
    assert call.caller == PAT


def test_a_number_that_a_dialplan_forbids_is_withheld() -> None:
    told = caller("NewCallerid", CallerIDNum=PAT, **{"CID-CallingPres": "32 (Presentation Prohibited, Not Screened)"})
    (call,) = finished(steps(NEW, told, ENDED), lab_tracker(trust_caller_id=True))
    assert call.presentation is Presentation.WITHHELD


def test_a_call_from_outside_into_a_known_call_is_no_second_call() -> None:
    half = {"Uniqueid": "lab-1.9", "Linkedid": "lab-1.0", "Channel": "Local/+12025550104@from-carrier-01;2"}
    nested = ("Newchannel", half | {"Context": "from-carrier", "Exten": "+12025550104"})
    assert [type(said) for said in play(steps(NEW, nested, ("Hangup", half), ENDED))] == [CallStarted, CallEnded]


def test_an_ended_call_does_not_start_again() -> None:
    assert [type(said) for said in play(steps(NEW, ENDED, ENDED, NEW, ENDED))] == [CallStarted, CallEnded]


# -- after a reconnect


def snapshot(*channels: dict[str, str]) -> list[Event]:
    return [Event("CoreShowChannel", channel) for channel in channels]


def test_resume_adopts_the_calls_of_a_recorded_reconnect() -> None:
    events = scene("resync_after_reconnect")
    channels = [event for event, _ in events if event.name == "CoreShowChannel"]
    tracker = lab_tracker()
    started = tracker.resume(channels, events[0][1])
    assert sorted((said.call.caller, said.call.did) for said in started if isinstance(said, CallStarted)) == [
        (PAT, "+12025550121"),
        (PAT, "+12025550128"),
    ]
    (ended,) = finished(events, tracker)
    assert (ended.outcome, ended.queue, ended.waited) == (Outcome.ABANDONED_QUEUE, "empty", timedelta(seconds=5))
    assert len(tracker.live()) == 1


def test_resume_drops_what_is_gone_and_keeps_what_is_there() -> None:
    tracker = lab_tracker()
    play(steps(NEW, dial("101", "a")), tracker)
    assert tracker.resume(snapshot(CALLER), NOON) == []
    assert tracker.live() == {"lab-1.0"}
    assert tracker.resume(snapshot(), NOON) == []
    assert tracker.live() == frozenset()
    assert finished(steps(ENDED), tracker) == []


def test_resume_sees_an_answer_that_came_in_the_gap() -> None:
    tracker = lab_tracker()
    play(steps(NEW, dial("101", "a")), tracker)
    (said,) = tracker.resume(snapshot(CALLER | {"BridgeId": "b-1"}), NOON + timedelta(seconds=9))
    assert isinstance(said, CallAnswered)
    (call,) = finished(steps(ENDED), tracker)
    assert call.outcome is Outcome.ANSWERED


def test_resume_takes_in_a_phone_that_rings() -> None:
    tracker = lab_tracker()
    caller_there = NEW[1] | {"Duration": "00:00:09", "Application": "Dial"}
    phone = {"Uniqueid": "a", "Linkedid": "lab-1.0", "Channel": "PJSIP/101-a", "Application": "AppDial"}
    tracker.resume(snapshot(phone | {"Duration": "00:00:07"}, caller_there), NOON)
    (call,) = finished(steps(dial("101", "a", "DialEnd", DialStatus="NOANSWER"), ENDED), tracker)
    assert (call.outcome, call.started_at, call.rang) == (
        Outcome.MISSED,
        NOON - timedelta(seconds=9),
        timedelta(seconds=7),
    )


def test_a_restart_forgets_everything() -> None:
    tracker = lab_tracker()
    play(steps(NEW, dial("101", "a")), tracker)
    tracker.forget()
    assert (tracker.live(), tracker.remembered()) == (frozenset(), 0)
    assert [type(said) for said in play(steps(NEW, ENDED), tracker)] == [CallStarted, CallEnded]


# -- bounds


def many_calls(count: int, *, hang_up: bool) -> Iterator[tuple[Event, datetime]]:
    for number in range(count):
        at = NOON + timedelta(seconds=number)
        mine = {"Uniqueid": f"p-{number}.0", "Linkedid": f"p-{number}.0", "Channel": "PJSIP/carrier-0"}
        leg = {"DestUniqueid": f"p-{number}.1", "DestChannel": f"PJSIP/101-{number}"}
        yield Event("Newchannel", mine | {"Context": "from-carrier", "Exten": "+12025550101"}), at
        yield Event("Newchannel", {"Uniqueid": f"d-{number}", "Context": "lab-phones", "Exten": "*8"}), at
        yield Event("DialBegin", mine | leg), at
        if hang_up:
            yield Event("Hangup", mine), at


def test_a_hundred_thousand_calls_leave_nothing_behind() -> None:
    tracker = lab_tracker()
    most = ended = 0
    for event, at in many_calls(100_000, hang_up=True):
        ended += sum(isinstance(said, CallEnded) for said in tracker.receive(event, at))
        most = max(most, tracker.remembered()) if event.name == "Hangup" else most
    assert ended == 100_000
    assert most <= 5_000 + 2 * (LATE.total_seconds() + 2)  # desks whose hang-up was lost, ids of the last seconds


def test_calls_whose_end_is_lost_are_bounded() -> None:
    tracker = lab_tracker()
    for event, at in many_calls(MOST_CALLS + 2_000, hang_up=False):
        tracker.receive(event, at)
    assert len(tracker.live()) == MOST_CALLS
    assert tracker.remembered() < 4 * MOST_CALLS


def test_a_caller_who_waits_all_day_does_not_grow() -> None:
    tracker = lab_tracker()
    play(steps(NEW, caller("QueueCallerJoin", Queue="support", Position="1")), tracker)
    for attempt in range(5_000):
        play(steps(dial("101", f"l-{attempt}"), dial("101", f"l-{attempt}", "DialEnd", DialStatus="NOANSWER")), tracker)
    assert tracker.remembered() < 300
    (call,) = finished(steps(ENDED), tracker)
    assert len(call.legs) == 1


# -- streams that are not as recorded

SHUFFLED = [row[0] for row in STORIES if row[0] != "filtered_account"]


def channel_of(event: Event) -> str:
    return event.get("Uniqueid") or event.get("TransfereeUniqueid") or event.name


def shuffled(events: list[Timed], random: Random, window: int) -> list[Timed]:
    """Any order that keeps the events of one channel in theirs and lets others pass by at most `window` places."""
    waiting = list(enumerate(events))
    out: list[Timed] = []
    while waiting:
        first = waiting[0][0]
        heads: dict[str, int] = {}
        for place, (index, (event, _)) in enumerate(waiting[: window + 1]):
            if index <= first + window:
                heads.setdefault(channel_of(event), place)
        out.append(waiting.pop(random.choice(sorted(heads.values())))[1])
    return [(event, at) for (event, _), (_, at) in zip(out, events, strict=True)]


@given(name=st.sampled_from(SHUFFLED), seed=st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_order_across_channels_does_not_matter(name: str, seed: int) -> None:
    events = scene(name)
    (expected,) = finished(events)
    (call,) = finished(shuffled(events, Random(seed), window=3))
    assert call.outcome is expected.outcome
    assert call.transfer_unanswered is expected.transfer_unanswered


@given(name=st.sampled_from(SHUFFLED), seed=st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_events_that_come_twice_change_nothing(name: str, seed: int) -> None:
    random = Random(seed)
    events = scene(name)
    doubled = [pair for event in events for pair in [event] * random.choice((1, 2))]
    assert finished(doubled) == finished(events)


@given(name=st.sampled_from(SHUFFLED), seed=st.integers(0, 2**32))
@settings(max_examples=200, deadline=None)
def test_lost_doubled_and_late_events_never_end_a_call_twice(name: str, seed: int) -> None:
    random = Random(seed)
    kept = [event for event in scene(name) for _ in range(random.choice((0, 1, 1, 1, 2)))]
    for _ in range(random.randrange(4)):
        if kept:
            kept.insert(random.randrange(len(kept)), kept.pop(random.randrange(len(kept))))
    said = play(kept)
    for kind in (CallStarted, CallAnswered, CallEnded):
        ids = [event.call.uniqueid for event in said if isinstance(event, kind)]
        assert len(ids) == len(set(ids))


SMALL = st.sampled_from(
    ["", "a", "b", "lab-1.0", "Local/x@y-1;1", "Local/x@y-1;2", "PJSIP/101-1", "from-carrier", "lab-phones"]
)
NAMES = st.sampled_from(
    [
        "Newchannel",
        "NewCallerid",
        "DialBegin",
        "DialEnd",
        "BridgeEnter",
        "BlindTransfer",
        "AttendedTransfer",
        "Pickup",
        "QueueCallerJoin",
        "QueueCallerLeave",
        "QueueCallerAbandon",
        "AgentConnect",
        "MessageWaiting",
        "VarSet",
        "UserEvent",
        "HangupRequest",
        "Hangup",
        "CoreShowChannel",
    ]
)
HEADERS = st.sampled_from(
    [
        "Uniqueid",
        "Linkedid",
        "Channel",
        "Context",
        "Exten",
        "DestUniqueid",
        "DestChannel",
        "DialString",
        "BridgeType",
        "TransfereeUniqueid",
        "TargetUniqueid",
        "HoldTime",
        "Position",
        "Duration",
        "Cause",
        "Variable",
        "Value",
        "UserEvent",
        "Pres",
        "Veto",
        "Application",
        "ApplicationData",
        "BridgeId",
        "DialStatus",
        "Forward",
        "Queue",
    ]
)
VALUES = (
    SMALL
    | st.text(max_size=12)
    | st.sampled_from(
        [
            "basic",
            "parking",
            "RingbackCall",
            "Deflect",
            "DIALSTATUS",
            "VMSTATUS",
            "QUEUESTATUS",
            "99999999999",
            "-1",
            "²",
            "00:00:07",
            "9999:99:99",
            "AppDial",
            "Queue",
            "+15125550123",
            "ANSWER",
            "21",
        ]
    )
)
ANY_EVENT = st.builds(Event, NAMES, st.dictionaries(HEADERS, VALUES, max_size=8))


@given(events=st.lists(ANY_EVENT, max_size=40), at=st.integers(0, 30))
@settings(max_examples=300, deadline=None)
def test_no_fields_whatever_raise(events: list[Event], at: int) -> None:
    tracker = Tracker("lab", LAB_INBOUND, LAB_PHONES, trust_caller_id=False)
    said = [told for event in events for told in tracker.receive(event, NOON)]
    said += tracker.resume(events, NOON + timedelta(seconds=at))
    said += [told for event in events for told in tracker.receive(event, NOON)]
    ended = [event.call.uniqueid for event in said if isinstance(event, CallEnded)]
    assert len(ended) == len(set(ended))
