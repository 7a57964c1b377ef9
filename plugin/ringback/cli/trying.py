"""`ringback try`: what would happen to a call that never was. Sends nothing, stores nothing."""

import json
from datetime import datetime, timedelta
from typing import Annotated

import typer

from ringback.assembly import make_house
from ringback.cli.shared import ConfigOption, check_schema, visible
from ringback.cli.telling import sentence
from ringback.clock import SystemClock
from ringback.config import Settings, load, read_duration
from ringback.core.calls import Call, Direction, Outcome, Presentation
from ringback.core.reasons import OF_A_RULE, Reason
from ringback.core.segments import measure
from ringback.core.triggers import CallDecision, CallVerdict, Known, decide
from ringback.errors import ConfigFault
from ringback.flow.calls import Ended, call_facts, prepare
from ringback.flow.house import House
from ringback.flow.outbound import Text, gate_facts
from ringback.ports.pairs import PairFacts
from ringback.store.database import peek
from ringback.store.schema import schema_version

UNKNOWN_PAIR = PairFacts(
    opted_out_at=None,
    cooling_until=None,
    pending=False,
    automatic_to_pair=0,
    in_flight=False,
    paused=False,
    automatic_this_minute=0,
    sent_this_minute=0,
)


def try_command(
    from_: Annotated[str, typer.Option("--from", help="The caller's number, as the trunk writes it.")],
    did: Annotated[str, typer.Option(help="The number that was called.")],
    outcome: Annotated[Outcome, typer.Option(help="What became of the call.")] = Outcome.MISSED,
    queue: Annotated[str | None, typer.Option(help="The queue it waited in.")] = None,
    extension: Annotated[str | None, typer.Option(help="The extension that rang.")] = None,
    rang: Annotated[str, typer.Option(help="How long it rang.")] = "20s",
    at: Annotated[datetime | None, typer.Option(help="When it ended, in the business's zone; else now.")] = None,
    withheld: Annotated[bool, typer.Option("--withheld", help="The caller hides the number.")] = False,
    language: Annotated[str, typer.Option(help="The caller's language, where the dialplan knows it.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    config: ConfigOption = None,
) -> None:
    """Show what the rules and gates would do with one call, knowing what is known now."""
    settings = load(config)
    now = SystemClock().now()
    ended_at = at.replace(tzinfo=settings.business.zone) if at is not None else now
    call = Call(
        pbx=settings.asterisk[0].name if settings.asterisk else "",
        uniqueid="try",
        linkedid="try",
        direction=Direction.INBOUND,
        caller=from_,
        did=did,
        started_at=ended_at - _span(rang),
        ended_at=ended_at,
        outcome=outcome,
        presentation=Presentation.WITHHELD if withheld else Presentation.SHOWN,
        language=language,
        queue=queue,
        extensions=(extension,) if extension else (),
        rang=_span(rang),
    )
    house = make_house(settings)
    ended = prepare(house, call)
    decision = weigh(settings, house, ended, max(now, ended_at) if at is None else ended_at)
    print(as_line(ended, decision) if as_json else "\n".join(map(visible, as_lines(ended, decision))))


def _span(text: str) -> timedelta:
    try:
        return read_duration(text)
    except ValueError as problem:
        raise ConfigFault([f"--rang {problem}"]) from problem


def weigh(settings: Settings, house: House, ended: Ended, now: datetime) -> CallDecision:
    """Decide as the daemon would, with what its database knows of this caller."""
    rule = ended.chosen.rule
    if rule is None:
        return CallDecision(CallVerdict.NONE, ended.chosen.reason, tried=ended.chosen.tried)
    if ended.fault is not None:
        return CallDecision(CallVerdict.SUPPRESS, ended.fault, rule, tried=ended.chosen.tried)
    pair = UNKNOWN_PAIR
    if schema_version(settings.database.url) is not None:
        check_schema(settings)
        peer = ended.peer.e164 or ended.peer.raw
        pair = peek(settings.database.url, lambda tx: tx.pairs.facts(ended.did, peer, rule.group, rule.name, now))
    gates = gate_facts(house, ended.did, ended.peer, Text(automatic=True, call=call_facts(ended.call)), pair, now)
    decision = decide(ended.call, ended.chosen, Known(now, gates, pair.cooling_until, pair.pending))
    if decision.verdict is CallVerdict.SEND and measure(ended.text).segments > house.limits.max_segments:
        return CallDecision(CallVerdict.SUPPRESS, Reason.TOO_LONG, rule, tried=decision.tried)
    return decision


def as_line(ended: Ended, decision: CallDecision) -> str:
    return json.dumps(
        {
            "caller": ended.peer.e164,
            "did": ended.did,
            "outcome": ended.call.outcome,
            "decision": decision.verdict,
            "reason": decision.reason,
            "rule": decision.rule.name if decision.rule else None,
            "at": decision.at.isoformat() if decision.at else None,
            "until": decision.until.isoformat() if decision.until else None,
            "text": ended.text if decision.verdict is CallVerdict.SEND else None,
            "tried": [{"rule": tried.rule, "reason": tried.reason} for tried in decision.tried],
        }
    )


def as_lines(ended: Ended, decision: CallDecision) -> list[str]:
    """The same for people."""
    lines = [f"{ended.peer.e164 or ended.peer.kind} calls {ended.did}: {ended.call.outcome}"]
    lines += [f"  rule {tried.rule}: {OF_A_RULE[tried.reason]}" for tried in decision.tried]
    lines += [f"Decision: {decision.verdict}, {decision.reason}", f"  {sentence(decision.reason)}"]
    if decision.at is not None:
        lines.append(f"  the text would go at {decision.at.isoformat(timespec='seconds')}")
    if decision.until is not None:
        lines.append(f"  until {decision.until.isoformat(timespec='seconds')}")
    if decision.verdict is CallVerdict.SEND:
        lines.append(f"  | {ended.text}")
    lines.append("Nothing was sent or stored.")
    return lines
