"""What the account may do, and whether the dialplan calls us: as Asterisk 22 answers."""

from collections.abc import Mapping

import pytest

from ringback.asterisk.ami import Account, Ami, Deaf
from ringback.asterisk.codec import Answer, Event
from ringback.asterisk.rights import (
    calls_us,
    contexts_calling_us,
    dangerous,
    dialplan_version,
    read_rights,
    read_version,
    rights,
)
from ringback.errors import PbxAway, PbxRefused
from tests.fakes.ami import REPORTING, FakePbx
from tests.fakes.hand_clock import HandClock

# One or more actions for each write class, as Asterisk 22.10 lists them.
ACTIONS = {
    "system": {
        "DBPut": "Put DB entry.  (Priv: system,all)",
        "ModuleLoad": "Module management.  (Priv: system,all)",
        "Reload": "Send a reload event.  (Priv: system,config,all)",
        "Status": "List channel status.  (Priv: system,call,reporting,all)",
    },
    "command": {"Command": "Execute Asterisk CLI Command.  (Priv: command,all)"},
    "config": {
        "UpdateConfig": "Update basic configuration.  (Priv: config,all)",
        "Reload": "Send a reload event.  (Priv: system,config,all)",
        "ShowDialPlan": "Show dialplan contexts and extensions  (Priv: config,reporting,all)",
    },
    "originate": {"Originate": "Originate a call.  (Priv: originate,all)"},
    "reporting": REPORTING | {"Status": "List channel status.  (Priv: system,call,reporting,all)"},
    "message": {"MessageSend": "Send an out of call message to an endpoint.  (Priv: message,all)"},
    "agent": {"QueueAdd": "Add interface to queue.  (Priv: agent,all)"},
    "call": {"Hangup": "Hangup channel.  (Priv: system,call,all)", "Redirect": "Redirect.  (Priv: call,all)"},
}
ALL = tuple(ACTIONS)


def listed(*classes: str) -> dict[str, str]:
    fields = {"Response": "Success", "ActionID": "1", "Ping": "Keepalive command.  (Priv: <none>)"}
    for name in classes:
        fields |= ACTIONS[name]
    return fields


@pytest.mark.parametrize(
    ("classes", "needed", "refused"),
    [
        pytest.param(["reporting"], (), (), id="the account we ask for"),
        pytest.param([], (), (), id="an account that may nothing"),
        pytest.param(["reporting", "message"], (), (), id="with SIP phones"),
        pytest.param(["reporting", "agent", "call"], (), (), id="agents and calls"),
        pytest.param(["reporting", "originate"], {"originate"}, (), id="originate, which call-backs need"),
        pytest.param(["reporting", "originate"], (), ("originate",), id="originate that nothing needs"),
        pytest.param(["reporting", "system"], (), ("system",), id="system"),
        pytest.param(["reporting", "command"], (), ("command",), id="command"),
        pytest.param(["reporting", "config"], (), ("config",), id="config"),
        pytest.param(["system"], {"system"}, ("system",), id="system is never needed"),
        pytest.param(["command", "config"], (), ("command", "config"), id="two at once"),
        pytest.param(ALL, (), ("system", "command", "config", "originate"), id="write = all"),
    ],
)
def test_which_write_classes_an_account_must_not_have(classes, needed, refused):
    assert dangerous(read_rights(listed(*classes)), needed) == refused


def test_what_an_account_lacks():
    assert read_rights(listed("reporting")).missing() == ()
    assert read_rights(listed("message")).missing() == (
        "CoreShowChannels",
        "ShowDialPlan",
        "Getvar",
        "DeviceStateList",
    )
    assert read_rights(listed("message")).missing(["MessageSend", "Originate"]) == ("Originate",)


def test_an_action_with_two_classes_proves_neither():
    found = read_rights({"Reload": "Send a reload event.  (Priv: system,config,all)", "Message": "no (Priv) here"})
    assert (found.actions, found.classes) == (frozenset({"Reload"}), frozenset())


def line(application: str, data: str, **more: str) -> Event:
    return Event("ListDialplan", {"Application": application, "AppData": data, **more})


@pytest.mark.parametrize(
    ("lines", "version"),
    [
        pytest.param([line("NoOp", "ringback-dialplan 1"), line("Return", "")], "1", id="the first version"),
        pytest.param([line("Return", ""), line("noop", "ringback-dialplan 12 ")], "12", id="in any line and case"),
        pytest.param([line("NoOp", "ringback-dialplan")], "", id="no version"),
        pytest.param([line("Verbose", "ringback-dialplan 1")], "", id="another application"),
        pytest.param([line("NoOp", "x ringback-dialplan 1")], "", id="another text"),
        pytest.param([], "", id="nothing"),
    ],
)
def test_the_version_of_the_include(lines, version):
    assert read_version(lines) == version


@pytest.mark.parametrize(
    ("application", "data", "calls"),
    [
        pytest.param("Gosub", "ringback-call,s,1", True, id="as the README says"),
        pytest.param("Gosub", "ringback-call,s,1(x)", True, id="with arguments"),
        pytest.param("gosub", " ringback-call,s,1", True, id="written carelessly"),
        pytest.param("GosubIf", "$[1=1]?ringback-call,s,1", True, id="under a condition"),
        pytest.param("GosubIf", "$[1=1]?x,s,1:ringback-call,s,1", True, id="in the other branch"),
        pytest.param("Gosub", "my-ringback-call,s,1", False, id="another context"),
        pytest.param("Gosub", "s,1", False, id="no context"),
        pytest.param("Goto", "ringback-call,s,1", False, id="Goto does not come back"),
    ],
)
def test_whether_a_line_calls_us(application, data, calls):
    assert calls_us([line(application, data)]) is calls


class Dialplan:
    """Answers ShowDialPlan from a table."""

    def __init__(self, contexts: Mapping[str, list[Event]]) -> None:
        self.contexts = contexts
        self.asked: list[str] = []

    async def ask(self, action: str, /, **fields: str) -> Answer:
        raise PbxAway("not asked here")

    async def ask_list(self, action: str, /, **fields: str) -> list[Event]:
        self.asked.append(fields["Context"])
        if fields["Context"] not in self.contexts:
            raise PbxRefused(f"{action}: Did not find context {fields['Context']}")
        return self.contexts[fields["Context"]]


def include(name: str) -> Event:
    return Event("ListDialplan", {"IncludeContext": name})


async def test_which_inbound_contexts_call_us():
    ours = line("Gosub", "ringback-call,s,1")
    dialplan = Dialplan(
        {
            "direct": [ours],
            "by-include": [include("other"), include("direct")],
            "in-a-circle": [include("in-a-circle"), include("circle-2")],
            "circle-2": [include("in-a-circle")],
            "other": [line("Dial", "PJSIP/101")],
        }
    )
    asked = ["direct", "by-include", "in-a-circle", "other", "nowhere"]
    assert await contexts_calling_us(dialplan, asked) == {"direct", "by-include"}


async def test_an_include_that_is_not_loaded_has_no_version():
    assert await dialplan_version(Dialplan({})) == ""


async def test_asked_over_the_wire():
    async with FakePbx() as pbx:
        pbx.dialplan["ringback-call"] = [[("Application", "NoOp"), ("AppData", "ringback-dialplan 3")]]
        ami = Ami(Account("pbx1", "127.0.0.1", pbx.port, "ringback", "secret"), HandClock(), Deaf())
        ami.start()
        try:
            await ami.settled(10)
            found = await rights(ami)
            assert found.missing() == ()
            assert found.classes == {"reporting"}
            assert await dialplan_version(ami) == "3"
            assert await contexts_calling_us(ami, ["from-trunk"]) == frozenset()
            pbx.commands.pop("ShowDialPlan")
            with pytest.raises(PbxRefused, match="Permission denied"):
                await dialplan_version(ami)
        finally:
            ami.close()
