"""Who is at a PBX, as a scripted one tells it. What a real one says is in tests/lab/test_people_lab.py."""

from collections.abc import Mapping

import pytest

from ringback.asterisk.codec import Event
from ringback.asterisk.people import ask_people
from ringback.errors import PbxRefused
from ringback.ports.directory import Found


class Told:
    """Answers lists with what it was given, and refuses all else."""

    def __init__(self, lists: Mapping[str, list[Event]]) -> None:
        self.lists = lists

    async def ask_list(self, action: str, /, **_fields: str) -> list[Event]:
        return self.lists.get(action, [])

    async def ask(self, action: str, /, **_fields: str):
        raise PbxRefused(f"{action}: not here")


def event(name: str, **fields: str) -> Event:
    return Event(name, fields)


def devices(*names: str) -> list[Event]:
    return [event("DeviceStateChange", Device=f"PJSIP/{name}") for name in names]


def hint(extension: str, *names: str) -> Event:
    return event(
        "ExtensionStatus", Exten=extension, Hint="&".join(f"PJSIP/{name}" for name in names) + ",CustomPresence:1"
    )


@pytest.mark.parametrize(
    ("names", "endpoint"),
    [
        pytest.param(("101", "99101"), "PJSIP/101", id="the phone in the browser that FreePBX makes beside"),
        pytest.param(("0004f2ab12cd", "101-soft"), "PJSIP/0004f2ab12cd", id="phones that are named otherwise"),
    ],
)
async def test_two_phones_of_one_extension_are_one_person(names, endpoint):
    asked = await ask_people(
        Told(
            {
                "DeviceStateList": devices(*names, "102", "trunk"),
                "ExtensionStateList": [hint("101", *names), hint("102", "102")],
                "QueueStatus": [
                    event("QueueMember", Queue=queue, StateInterface=f"PJSIP/{name}", Name=f"PJSIP/{name}")
                    for queue, name in zip(("sales", "support"), names, strict=True)
                ],
                "VoicemailUsersList": [
                    event("VoicemailUserEntry", VoiceMailbox="101", Fullname="Kim", Email="k@x.org")
                ],
            }
        )
    )
    assert asked.people == (
        Found(endpoint, "101", "Kim", "k@x.org", ("sales", "support")),
        Found("PJSIP/102", "102", "", "", ()),
    )
    assert asked.left_out == ("PJSIP/trunk",)
