"""What the gates would say to a text that nobody sent yet, one by one, and how long it is. Changes nothing."""

from dataclasses import dataclass
from datetime import datetime

from ringback.core.grants import Way
from ringback.core.messages import MessageClass
from ringback.core.permissions import Action, Principal, may
from ringback.core.policy import BORN_IN_FLIGHT, GateAnswer, Verdict, answers
from ringback.core.reasons import Reason
from ringback.core.right_words import Told, told
from ringback.core.segments import measure, room
from ringback.flow import allowances
from ringback.flow.holds import hold_on
from ringback.flow.house import House
from ringback.flow.outbound import Text, gate_facts
from ringback.flow.permits import failing_closed, rights_in
from ringback.ports.holds import Held
from ringback.ports.pairs import Thread
from ringback.ports.storage import Tx


@dataclass(frozen=True, slots=True)
class Advice:
    """`verdict` is None when no gate is against it. `gates` are in the order they are asked. `held` is what holds its
    carrier back: then nothing leaves, whatever the gates say. `told` is why they may not send from this number,
    `doubtful` why texts to this person were found not to arrive: a person may try.

    `segments` is 0 for an empty text; `room` is what the last segment still takes, in units of `encoding`.
    """

    verdict: Verdict | None
    gates: tuple[GateAnswer, ...]
    encoding: str
    segments: int
    room: int
    held: Held | None = None
    told: Told | None = None
    doubtful: Reason | None = None


def consider(house: House, who: Principal, thread: Thread, text: str, now: datetime, tx: Tx) -> Advice:
    """Ask every gate what it would say to this reply, over the facts that `submit` would see now."""
    size = measure(text)
    rights = rights_in(who, tx)
    with failing_closed():
        right = rights.right(Way.SEND, thread.did, MessageClass.CONVERSATIONAL)
    permitted = may(who, Action.REPLY) and right.allowed
    uses = allowances.uses_of(house, who.account, thread.did, "", now, tx)
    pair = tx.pairs.facts(thread.did, thread.peer, "", "", now)
    asked = Text(
        automatic=False, segments=size.segments, permitted=permitted, over=allowances.over(uses, size.segments, tx)
    )
    gates = answers(gate_facts(house, thread.did, house.read("", thread.peer), asked, pair, now), BORN_IN_FLIGHT)
    verdict = next((answer.verdict for answer in gates if answer.verdict is not None), None)
    carrier = house.carrier(thread.did)
    held = hold_on(carrier, tx) if carrier else None
    why = None if right.allowed else told(right, Way.SEND, thread.did, rights.book)
    return Advice(
        verdict, gates, str(size.encoding), size.segments if text else 0, room(text), held, why, pair.not_textable
    )
