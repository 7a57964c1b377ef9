"""`ringback replay`: recorded calls through the rules. Sends nothing, stores nothing."""

import gc
import heapq
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated, TextIO

import typer

from ringback.assembly import make_house
from ringback.asterisk.recordings import Fault, Layout, calls
from ringback.cli.shared import visible
from ringback.config import EXAMPLE_CONTEXTS, Settings, example_rules, load
from ringback.core.calls import Call
from ringback.core.numbers import NumberFormat, read_number
from ringback.core.plurals import count_of
from ringback.core.reasons import Reason
from ringback.core.triggers import CallVerdict
from ringback.errors import ConfigFault, ProtocolError, RingbackError
from ringback.flow.house import House
from ringback.flow.replay import Replay, Replayed

NUMBERS = 2**16
"""Numbers remembered, at about 400 bytes each."""
Decisions = Counter[tuple[CallVerdict, Reason]]


def replay_command(
    files: Annotated[list[Path], typer.Argument(help="AMI text, CEL CSV or CDR CSV; .gz too.")],
    config: Annotated[
        Path | None, typer.Option("--config", help="Your rules; without it, the shipped example.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line for each inbound call.")] = False,
    country: Annotated[str, typer.Option(help="Default country, where no --config names one.")] = "US",
) -> None:
    """Show what the rules would have done with recorded calls."""
    settings = load(config) if config is not None else None
    house = remembering(make_house(settings) if settings is not None else example_house(country))
    layout = layout_of(settings)
    gc.freeze()  # what was imported stays; looking at it again and again costs a tenth of the time
    counts: Decisions = Counter()
    write = partial(_json_line, sys.stdout) if as_json else partial(_table_line, sys.stdout, layout.zone)
    for row in Replay(house).run(_all_calls(files, layout)):
        counts[row.decision.verdict, row.decision.reason] += 1
        write(row)
    if not as_json:
        _sum_up(counts, layout, sys.stdout)


def example_house(country: str) -> House:
    """The shipped example: every DID ours, one rule for all unanswered calls."""
    return House(
        business="",
        rules=example_rules(),
        read=lambda _pbx, text: read_number(text, NumberFormat.AS_IS, country, extension_digits=4),
        default_carrier="none",
    )


def remembering(house: House) -> House:
    """A year of calls has more callers than the daemon keeps in mind, and reading a number is the dearest step."""
    return replace(house, read=lru_cache(maxsize=NUMBERS)(house.read))


def layout_of(settings: Settings | None) -> Layout:
    if settings is None:
        return Layout(inbound=frozenset(EXAMPLE_CONTEXTS))
    contexts = frozenset(context for pbx in settings.asterisk for context in pbx.inbound_contexts)
    name = settings.asterisk[0].name if settings.asterisk else ""
    return Layout(name, contexts or frozenset(EXAMPLE_CONTEXTS), settings.business.zone)


def _all_calls(files: list[Path], layout: Layout) -> Iterator[Call]:
    """The calls of all files in order of hang-up, whatever the order in which the files are named."""
    return heapq.merge(*(_calls_of(file, layout) for file in files), key=lambda call: call.ended_at or call.started_at)


def _calls_of(file: Path, layout: Layout) -> Iterator[Call]:
    try:
        yield from calls(file, layout, partial(_tell_fault, file))
    except OSError as problem:
        raise ConfigFault([f"{file}: cannot be read: {problem.strerror or problem}"]) from problem
    except ProtocolError as problem:
        raise RingbackError(str(problem)) from problem


def _tell_fault(file: Path, fault: Fault) -> None:
    print(f"{file}:{fault.line}: left out: {fault.why}", file=sys.stderr)


def _json_line(out: TextIO, row: Replayed) -> None:
    """One line in the form of docs/replay.md; a field that does not apply is null."""
    call, decision = row.call, row.decision
    line = {
        "v": 1,
        "call": call.uniqueid,
        "linkedid": call.linkedid,
        "pbx": call.pbx,
        "at": _stamp(call.ended_at or call.started_at),
        "caller": row.peer.e164,
        "did": row.did,
        "queue": call.queue,
        "outcome": call.outcome,
        "rang_s": _seconds(call.rang),
        "waited_s": None if call.waited is None else _seconds(call.waited),
        "rule": decision.rule.name if decision.rule else None,
        "decision": decision.verdict,
        "reason": decision.reason,
        "until": _stamp(decision.until) if decision.until else None,
        "text": row.text,
    }
    out.write(json.dumps(line) + "\n")


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def _seconds(span: timedelta) -> int:
    return round(span.total_seconds())


def _table_line(out: TextIO, zone: tzinfo, row: Replayed) -> None:
    call, decision = row.call, row.decision
    rule = f" [{decision.rule.name}]" if decision.rule else ""
    caller = row.peer.e164 or row.peer.kind
    out.write(
        f"{(call.ended_at or call.started_at).astimezone(zone):%Y-%m-%d %H:%M:%S}  {caller:<16} -> "
        f"{visible(row.did):<13} {call.outcome:<16} {decision.verdict:<9} {decision.reason}{rule}\n"
    )


def _sum_up(counts: Decisions, layout: Layout, out: TextIO) -> None:
    out.write("\n")
    for (verdict, reason), count in counts.most_common():
        out.write(f"{count:>8}  {verdict} {reason}\n")
    calls = sum(counts.values())
    sent = sum(count for (verdict, _), count in counts.items() if verdict is CallVerdict.SEND)
    said = f"{'call' if calls == 1 else 'calls'}, {count_of(sent, 'text')}"
    out.write(f"{calls:>8}  {said}. Nothing was sent or stored. Times are {layout.zone}.\n")
    out.write("Where a recording does not tell whether callers withheld their numbers, they count as shown.\n")
