"""Whether texts reach somebody and are wanted: the numbering plan, then what carriers' errors taught."""

from datetime import datetime

from ringback.core.numbers import Number
from ringback.core.policy import CallFacts, Facts, Gate, caller, judge, never_text, opt_out, pause, reachable, staging
from ringback.core.reasons import Reason
from ringback.flow.house import House
from ringback.flow.outbound import Text, gate_facts
from ringback.ports.pairs import PairFacts
from ringback.ports.storage import Tx

GATES: tuple[Gate, ...] = (pause, reachable, caller, never_text, staging, opt_out)
"""Those that speak of the person and their number; what speaks of one text is asked when it is there."""


def textable(house: House, did: str, number: Number, call: CallFacts | None, now: datetime, tx: Tx) -> Reason:
    """Why nothing may be texted to somebody from this number of ours, ALLOWED if texts may and will get there.

    `call` is None for a number that they keyed in: nobody withholds what they say.
    """
    pair = tx.pairs.facts(did, number.e164 or number.raw, "", "", now)
    return textable_by(house, did, number, call, pair, now)


def textable_by(
    house: House, did: str, number: Number, call: CallFacts | None, pair: PairFacts, now: datetime
) -> Reason:
    """The same by facts that were read in this transaction."""
    facts: Facts = gate_facts(house, did, number, Text(automatic=True, call=call), pair, now)
    held = judge(facts, GATES)
    # whoever says yes in the call need not rely on having called
    if held is None or held.reason is Reason.CALLER_INITIATED_OFF:
        return Reason.ALLOWED
    return held.reason
