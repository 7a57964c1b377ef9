"""What text queues would come of queues of Asterisk's."""

from dataclasses import replace

import pytest

from ringback.core.queue_mapping import Person, map_queues
from ringback.core.text_queues import Plan, Queues, TextQueue, VoiceName
from ringback.core.voice_queues import DeviceState, VoiceMember, VoiceQueue

ANA = Person(1, "Ana", "101", "PJSIP/101", takes=True)
BEN = Person(2, "Ben", "102", "", takes=True)
AUD = Person(3, "An auditor", "103", "", takes=False)
PEOPLE = (ANA, BEN, AUD)
MAIN = TextQueue(1, "que_1", "main", Plan(), main=True)


def member(interface: str, phone: str, name: str = "") -> VoiceMember:
    return VoiceMember(interface, phone, name, DeviceState.NOT_INUSE)


ANAS, BENS = member("PJSIP/101", "101"), member("Local/102@agents/n", "102")
AUDS, STRANGER = member("PJSIP/103", "103"), member("PJSIP/199", "199", "Night")


def sales(*members: VoiceMember, pbx: str = "main", name: str = "sales") -> VoiceQueue:
    return VoiceQueue(pbx, name, members=members)


def test_members_are_known_by_endpoint_or_extension_and_the_rest_is_named():
    (one,) = map_queues([sales(ANAS, BENS, AUDS, STRANGER)], Queues((MAIN,)), PEOPLE).queues
    assert (one.name, one.text, one.beside, one.changes) == ("sales", None, False, True)
    assert (one.join, one.inside, one.cannot, one.unknown) == ((ANA, BEN), (), (AUD,), (STRANGER,))


def test_an_endpoint_says_more_than_an_extension():
    people = (replace(ANA, endpoint="PJSIP/desk"), replace(BEN, extension="101"))
    (one,) = map_queues([sales(member("PJSIP/desk", "101"))], Queues((MAIN,)), people).queues
    assert [who.name for who in one.join] == ["Ana"]


def test_somebody_with_two_phones_serves_it_once():
    (one,) = map_queues([sales(ANAS, member("Local/101@agents", "101"))], Queues((MAIN,)), PEOPLE).queues
    assert one.join == (ANA,)


@pytest.mark.parametrize(
    ("there", "beside", "joins", "changes"),
    [
        pytest.param(
            TextQueue(2, "que_2", "Team", Plan(), voice=(VoiceName("main", "sales"),), members=(1,)),
            *(True, [], False),
            id="beside already, with all its members",
        ),
        pytest.param(
            TextQueue(2, "que_2", "Team", Plan(), voice=(VoiceName("main", "sales"),)),
            *(True, ["Ana"], True),
            id="beside already, and somebody is new",
        ),
        pytest.param(TextQueue(2, "que_2", "SALES", Plan()), False, ["Ana"], True, id="a queue of this name"),
    ],
)
def test_a_queue_that_is_there_is_not_made_again(there: TextQueue, beside: bool, joins: list[str], changes: bool):
    (one,) = map_queues([sales(ANAS)], Queues((MAIN, there)), PEOPLE).queues
    assert (one.text, one.name, one.beside, one.changes) == (there, there.name, beside, changes)
    assert [who.name for who in one.join] == joins


def test_queues_of_one_name_on_two_pbxs_are_told_apart():
    drawn = map_queues([sales(pbx="north"), sales(pbx="main"), sales(name="other")], Queues((MAIN,)), PEOPLE)
    assert [(one.voice.pbx, one.name) for one in drawn.queues] == [
        ("main", "other"),
        ("main", "sales (main)"),
        ("north", "sales (north)"),
    ]


def test_only_those_that_are_asked_for():
    drawn = map_queues([sales(), sales(name="other")], Queues((MAIN,)), PEOPLE, {VoiceName("main", "other")})
    assert [one.voice.queue for one in drawn.queues] == ["other"]


def test_the_digest_turns_with_what_would_be_made_and_with_nothing_else():
    first = map_queues([sales(ANAS)], Queues((MAIN,)), PEOPLE)
    assert map_queues([sales(replace(ANAS, paused=True))], Queues((MAIN,)), PEOPLE).digest == first.digest
    assert map_queues([sales(ANAS, BENS)], Queues((MAIN,)), PEOPLE).digest != first.digest


def test_whom_nobody_knows_is_named_once():
    drawn = map_queues([sales(STRANGER), sales(STRANGER, name="other")], Queues((MAIN,)), PEOPLE)
    assert drawn.unknown == (STRANGER,)
