"""Text queues beside the queues of a PBX: what would be made is shown first, and all of it is made in one step."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from ringback.core.queue_forms import Known
from ringback.core.queue_mapping import Mapped, Person, Sketch, map_queues
from ringback.core.text_queues import VoiceName
from ringback.core.voice_queues import VoiceQueue
from ringback.flow.agents import takes_sessions
from ringback.flow.queues import MADE, add_queue, known_queue, put_members, put_voice
from ringback.flow.queues_by_words import told_of_sketch
from ringback.flow.refusing import Because, Refused
from ringback.ports.exchange import Exchange
from ringback.ports.people import Account
from ringback.ports.storage import Tx


def heard(exchanges: Mapping[str, Exchange], pbx: str = "") -> list[VoiceQueue]:
    """The queues of one PBX, or of all that are heard. Raises Refused for one that is not there, or not heard."""
    if pbx and pbx not in exchanges:
        raise Refused(Because.NO_PBX, given=pbx, choices=", ".join(exchanges) or "nothing")
    asked = [exchanges[pbx]] if pbx else list(exchanges.values())
    if pbx and not asked[0].heard:
        raise Refused(Because.UNHEARD, name=pbx)
    return [queue for one in asked if one.heard for queue in one.queues()]


def people_of(accounts: Sequence[Account]) -> list[Person]:
    """Those who can log in, as far as a PBX knows them."""
    return [
        Person(one.id, one.called, one.extension, one.endpoint, takes_sessions(one))
        for one in accounts
        if one.disabled_at is None
    ]


def sketch(voices: Sequence[VoiceQueue], only: Collection[VoiceName] | None, tx: Tx) -> Sketch:
    """What would be made now."""
    return map_queues(voices, tx.queues.all(), people_of(tx.accounts.all()), only)


def apply_sketch(
    voices: Sequence[VoiceQueue],
    only: Collection[VoiceName] | None,
    seen: str,
    known: Known,
    by: str,
    now: datetime,
    tx: Tx,
) -> tuple[Mapped, ...]:
    """Make all of it or nothing. `seen` is the digest of the whole of what was shown, of which `only` some may be
    wanted; empty for whatever there is now. Raises Refused."""
    if seen and sketch(voices, None, tx).digest != seen:
        raise Refused(Because.MAPPED_MEANWHILE)
    drawn = sketch(voices, only, tx)
    if not drawn.queues:
        raise Refused(Because.NOTHING_TO_MAP)
    wanted = tuple(one for one in drawn.queues if one.changes)
    for one in wanted:
        _make(one, known, by, now, tx)
    return wanted


def map_by_words(
    words: Mapping[str, str], voices: Sequence[VoiceQueue], known: Known, now: datetime, tx: Tx
) -> list[str]:
    """What a command asked for: `apply`, `by`. Returns what to say, a line each. Raises Refused."""
    if not words.get("apply"):
        told = told_of_sketch(sketch(voices, None, tx))
        return [*(told or ["no queue of Asterisk is known"]), "Nothing is made yet: add --apply."]
    made = apply_sketch(voices, None, "", known, words.get("by", "control"), now, tx)
    return [f"{one.name} stands beside {one.voice.pbx}/{one.voice.queue}" for one in made] or ["all of it is there"]


def _make(one: Mapped, known: Known, by: str, now: datetime, tx: Tx) -> None:
    # two queues of one name, on two PBXs, may share what the first of them made
    there = tx.queues.all().named(one.name)
    made = there or add_queue(one.name, MADE, known, by, now, tx)
    if one.voice not in made.voice:
        put_voice(made.public_id, (*made.voice, one.voice), by, now, tx)
    made = known_queue(made.public_id, tx)
    put_members(made.public_id, (*made.members, *(who.id for who in one.join)), by, now, tx)
