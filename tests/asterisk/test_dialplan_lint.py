"""What `ringback dialplan check` finds in the lines of a dialplan, and what it says to do."""

import re
from pathlib import Path

import pytest

from ringback.asterisk.codec import Event
from ringback.asterisk.dialplan import Report, read_lines, told, untold
from ringback.asterisk.dialplan_lint import ROUTINES, TEXTS_VERSION, Finding, Line, Plan, lint, split, uses

SHIPPED = Path(__file__).parents[2] / "dialplan"
FILES = "".join(file.read_text() for file in SHIPPED.glob("ringback_*.conf"))
LOADED = [Line(name, "s", 1, "Return", "") for name in re.findall(r"^\[(ringback-[a-z-]+)\]", FILES, re.MULTILINE)]
ANY = "_X."


def plan(*steps: str, context: str = "ivr", asterisk: int = 22, inbound: tuple[str, ...] = ()) -> Plan:
    """Steps of one extension, written as in a file; `exten: App(data)` begins another extension."""
    lines, exten, priority = [], ANY, 0
    for step in steps:
        named = re.match(r"([\w_.!]+): ", step)
        exten, priority = (named[1], 1) if named else (exten, priority + 1)
        app, _, data = step.removeprefix(named[0] if named else "").partition("(")
        lines.append(Line(context, exten, priority, app, data.removesuffix(")")))
    return Plan([*lines, *LOADED], asterisk, inbound)


CALL = "Gosub(ringback-call,s,1(${EXTEN}))"
WAIT = "Gosub(ringback-wait-text,s,1(support))"
PLACED = "write Queue(support,tT,,,300,,,,${RINGBACK_POSITION})"


@pytest.mark.parametrize(
    ("given", "found"),
    [
        pytest.param(
            plan("Gosub(ringback-defect,s,1(q))"), ["there is no routine ringback-defect"], id="a slip of the pen"
        ),
        pytest.param(
            plan("ExecIf($[1]?Gosub(ringback-sent,s,1(a)))"), ["there is no routine ringback-sent"], id="inside ExecIf"
        ),
        pytest.param(
            plan("GosubIf($[1]?ringback-bye,s,1:other,s,1)"), ["there is no routine ringback-bye"], id="in GosubIf"
        ),
        pytest.param(
            plan("Gosub(ringback-wait,start,1(q))"), ["ringback-wait is called at start,1"], id="another extension"
        ),
        pytest.param(
            plan("Gosub(ringback-deflect,s,1)"), ["ringback-deflect takes 1 to 2 arguments and gets 0"], id="no queue"
        ),
        pytest.param(
            plan("Gosub(ringback-deflect,s,1( ))"),
            ["ringback-deflect takes 1 to 2 arguments and gets 1"],
            id="an empty queue",
        ),
        pytest.param(
            plan("Gosub(ringback-consent,s,1(a))"), ["ringback-consent takes 0 arguments and gets 1"], id="one too many"
        ),
        pytest.param(
            plan("Gosub(ringback-send,s,1(Hello, you))"),
            ["ringback-send takes 0 to 1 arguments and gets 2"],
            id="a comma in a text",
        ),
        pytest.param(
            plan("Gosub(ringback-send,s,1(${CUT(x,,2)} and ${IF($[1]?a,b:c)}))"),
            [],
            id="commas inside functions are none",
        ),
        pytest.param(plan("Gosub(ringback-deflect,s,1(${q},a/b))", "Hangup()"), [], id="well, and no queue after it"),
        pytest.param(
            plan(WAIT, "Queue(support,tT,,,300)"),
            ["Queue() after ringback-wait-text does not get the caller's place: they join at the end"],
            id="the place is lost",
        ),
        pytest.param(
            plan("Gosub(ringback-deflect,s,1(q))", "Playback(x)", "Queue(q)"),
            ["Queue() after ringback-deflect does not get the caller's place: they join at the end"],
            id="the place is lost behind a deflection",
        ),
        pytest.param(
            plan("Queue(support)", "Hangup()", "1: NoOp()", WAIT), [], id="a queue before it, in another extension"
        ),
        pytest.param(plan(WAIT, "Queue(support,tT,,,300,,,,${RINGBACK_POSITION})"), [], id="the place on 21 and later"),
        pytest.param(
            plan(WAIT, "Queue(support,tT,,,300,,,,,${RINGBACK_POSITION})", asterisk=20),
            [],
            id="the place on 20 and before",
        ),
        pytest.param(
            plan(WAIT, "Queue(support,tT,,,300,,,,,${RINGBACK_POSITION})"),
            ["RINGBACK_POSITION is argument 10 of Queue(), and this Asterisk reads 9"],
            id="commas of an older Asterisk",
        ),
        pytest.param(
            plan(WAIT, "Queue(support,tT,,,300,,,,${RINGBACK_POSITION})", asterisk=18),
            ["RINGBACK_POSITION is argument 9 of Queue(), and this Asterisk reads 10"],
            id="commas of a newer Asterisk",
        ),
        pytest.param(plan(CALL, "Goto(ivr,s,1)", context="in", inbound=("in",)), [], id="called first"),
        pytest.param(
            plan("Set(a=1)", "NoOp()", CALL, context="in", inbound=("in",)), [], id="what nobody hears may stand before"
        ),
        pytest.param(
            plan("Answer()", "Playback(hello)", CALL, context="in", inbound=("in",)),
            ["Answer() comes before ringback-call"],
            id="something before it",
        ),
        pytest.param(
            plan(CALL, "100: Dial(PJSIP/1)", "h: NoOp()", context="in", inbound=("in",)),
            ["100 does not call ringback-call, so nobody knows whether its callers withhold their number"],
            id="one extension was forgotten",
        ),
        pytest.param(
            Plan(
                [
                    Line("in", ANY, 1, "Goto", "all,${EXTEN},1"),
                    Line("all", ANY, 1, "Gosub", "ringback-call,s,1(${EXTEN})"),
                    *LOADED,
                ],
                22,
                ("in",),
            ),
            [],
            id="called where it goes",
        ),
    ],
)
def test_finds(given: Plan, found: list[str]):
    assert [finding.found for finding in lint(given)] == found
    assert all(finding.fix and finding.line in given.lines for finding in lint(given))


@pytest.mark.parametrize(
    ("given", "fix"),
    [
        pytest.param(plan("Gosub(ringback-defect,s,1(q))"), "write ringback-deflect", id="the nearest name"),
        pytest.param(plan(WAIT, "Queue(support,tT,,,300)"), PLACED, id="the whole line"),
        pytest.param(
            plan(WAIT, "Queue(support,tT,,,300,,,,,${RINGBACK_POSITION})"), PLACED, id="with the right commas"
        ),
        pytest.param(
            plan(WAIT, "Queue(support,tT,,,300)", asterisk=16),
            "write Queue(support,tT,,,300,,,,,${RINGBACK_POSITION})",
            id="and one more before 21",
        ),
    ],
)
def test_says_what_to_write(given: Plan, fix: str):
    assert [finding.fix for finding in lint(given)] == [fix]


def test_our_own_routines_are_not_looked_at():
    assert list(uses([Line("ringback-deflect", "s", 1, "Gosub", "ringback-propose,s,1(a,b)")])) == []


def test_every_routine_that_may_be_called_is_shipped_with_its_arguments():
    shipped = set(re.findall(r"^\[(ringback-[a-z-]+)\]", FILES, re.MULTILINE))
    assert set(ROUTINES) <= shipped
    for name, (_least, most) in ROUTINES.items():
        body = re.search(rf"^\[{name}\]\n(.*?)(?=^\[|\Z)", FILES, re.MULTILINE | re.DOTALL)[1]
        code = "\n".join(line for line in body.splitlines() if not line.startswith(";"))
        assert max(map(int, re.findall(r"\$\{ARG(\d)\}", code)), default=0) == most, name


def test_the_version_is_that_of_the_files():
    assert re.findall(r"NoOp\(ringback-texts (\d+)\)", FILES) == [TEXTS_VERSION]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", [""]),
        ("a,b", ["a", "b"]),
        ("${CUT(a,,1)},b", ["${CUT(a,,1)}", "b"]),
        ("$[1,2],(a,b),,", ["$[1,2]", "(a,b)", "", ""]),
    ],
)
def test_arguments_are_separated_as_asterisk_does(text: str, parts: list[str]):
    assert split(text) == parts


def test_hints_and_includes_are_no_lines():
    events = [
        Event("ListDialplan", {"Context": "a", "IncludeContext": "b"}),
        Event("ListDialplan", {"Context": "a", "Extension": "1", "Priority": "hint", "Application": "PJSIP/1"}),
        Event(
            "ListDialplan", {"Context": "a", "Extension": "1", "Priority": "2", "Application": "NoOp", "AppData": "x"}
        ),
    ]
    assert read_lines(events) == [Line("a", "1", 2, "NoOp", "x")]


def test_a_report_goes_over_the_control_socket():
    report = Report("main", (Finding("a", "b", LOADED[0]), Finding("c", "d")), ("well",), (), "/etc", "/sounds", "x")
    assert untold(told(report)) == report
