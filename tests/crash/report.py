"""A run's ledgers and findings, as a person reads them."""

import json
from bisect import bisect_left, bisect_right
from collections import Counter

from tests.crash.checker import INVARIANTS, Finding, check
from tests.crash.ledgers import Ledgers

SHOWN = 5


def open_at(led: Ledgers, kind: str) -> list[int]:
    """How many attempts were open at each fault of a kind. The start after it closes them, so none is missed."""
    opened = sorted(int(str(row["opened_at"])) for row in led.rows("attempt"))
    closed = sorted(int(str(row["closed_at"])) for row in led.rows("attempt") if row["closed_at"] is not None)
    at = [int(str(line["at"])) for line in led.faults if line["kind"] == kind]
    return [bisect_right(opened, moment) - bisect_left(closed, moment) for moment in at]


def tally(led: Ledgers) -> dict[str, int]:
    """The numbers of a run."""
    states = Counter(str(row["state"]) for row in led.rows("message"))
    doubted = {row["message_id"] for row in led.rows("message_event") if row["state"] == "unconfirmed"}
    odd = {line["attempt"] for line in led.carrier if line.get("way") not in (None, "takes", "drip", "hold")}
    by_the_carrier = {row["message_id"] for row in led.rows("attempt") if row["public_id"] in odd}
    arrived = Counter(len(lines) for lines in led.taken.values())
    return {
        "acknowledged": sum(line.get("code") in (200, 201, 202) for line in led.told),
        "messages": len(led.rows("message")),
        "with the carrier": len(led.taken),
        "twice": sum(number for times, number in arrived.items() if times > 1),
        "kills": sum(line["kind"] == "kill" for line in led.faults),
        "kills with texts on their way": sum(number > 0 for number in open_at(led, "kill")),
        "other faults": sum(line["kind"] not in ("kill", "gone") for line in led.faults),
        "in doubt once": len(doubted),
        "of them by a fault": len(doubted - by_the_carrier),
        "in doubt now": states["unconfirmed"] + states["unresolved"],
        **{f"state {state}": number for state, number in sorted(states.items())},
    }


def render(led: Ledgers, findings: list[Finding] | None = None) -> str:
    """The report: numbers, then every invariant with what breaks it."""
    found = check(led) if findings is None else findings
    numbers = [f"{name:22} {number:8}" for name, number in tally(led).items()]
    lines = []
    for name, invariant in INVARIANTS.items():
        words = (invariant.__doc__ or "").partition(":")[2].strip().partition("\n")[0]
        mine = [finding for finding in found if finding.invariant == name]
        lines.append(f"{name:4} {'holds' if not mine else f'BROKEN {len(mine)} times'}: {words}")
        for finding in mine[:SHOWN]:
            lines.append(f"       {finding.what}")
            lines += [f"         {json.dumps(row, default=str)}" for row in finding.rows]
    return "\n".join([*numbers, "", *lines])
