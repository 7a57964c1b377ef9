"""How fast texts may leave: by our number, its campaign and where they go, counted in segments (C12).

Looking and counting happen in the transaction that opens the attempt. What does not fit is put off, never dropped.
A run of many thousand would be put off anew every minute, so each of its texts gets a place in the line.
"""

from dataclasses import dataclass
from datetime import datetime

from ringback.core import rates
from ringback.core.allowances import Use
from ringback.core.messages import Urgency
from ringback.core.policy import Defer
from ringback.core.rates import Bucket
from ringback.core.reasons import Reason
from ringback.flow.house import House
from ringback.ports.pairs import PairFacts
from ringback.ports.storage import Tx

RATES = frozenset({Reason.RATE_NUMBER, Reason.RATE_CAMPAIGN, Reason.RATE_DESTINATION})


@dataclass(frozen=True, slots=True)
class Leaving:
    """A text that is about to leave. `in_line`: it was put off for a rate before, so its turn has come. `uses` are the
    allowances of the month that it counts against."""

    did: str
    peer: str
    segments: int
    campaign: str = ""
    urgency: Urgency = Urgency.CALL
    in_line: bool = False
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class Full:
    """What is full, and until when. `bucket` is None where our number goes at a pace."""

    verdict: Defer
    bucket: Bucket | None = None


def buckets(house: House, leaving: Leaving, now: datetime) -> tuple[Bucket, ...]:
    """Everything a text counts against; the minute of our number comes first."""
    minute = rates.a_minute(f"rate:{leaving.did}", Reason.RATE_NUMBER, house.limits.per_number_per_minute, now)
    return (minute, *_of_campaign(house, leaving, now), *_of_destination(house, leaving, now))


def campaign_of(house: House, leaving: Leaving) -> str:
    return leaving.campaign or house.campaign_of.get(leaving.did, "")


def _of_campaign(house: House, leaving: Leaving, now: datetime) -> list[Bucket]:
    name = campaign_of(house, leaving)
    campaign = house.campaigns.get(name)
    if campaign is None:
        return []
    found = []
    if campaign.per_minute is not None:
        found.append(rates.a_minute(f"campaign:{name}", Reason.RATE_CAMPAIGN, campaign.per_minute, now))
    if campaign.per_day is not None:
        key = f"campaign day:{name}"
        found.append(rates.a_day(key, Reason.RATE_CAMPAIGN, campaign.per_day, campaign.zone, now))
    return found


def _of_destination(house: House, leaving: Leaving, now: datetime) -> list[Bucket]:
    """The destination with the longest prefix of the number."""
    name = campaign_of(house, leaving)
    fitting = [
        (len(prefix), destination)
        for destination in house.destinations
        for prefix in destination.prefixes
        if leaving.peer.startswith(prefix) and destination.campaign in ("", name)
    ]
    if not fitting:
        return []
    _length, best = max(fitting, key=lambda found: found[0])
    return [rates.a_day(f"destination:{best.name}", Reason.RATE_DESTINATION, best.per_day, best.zone, now)]


def look(house: House, leaving: Leaving, pair: PairFacts, now: datetime, tx: Tx) -> Full | None:
    """What is full for this text, if anything. Changes nothing."""
    minute, *others = buckets(house, leaving, now)
    used = {minute.key: pair.sent_this_minute} | tx.pairs.used(others)
    if full := rates.fullest((minute, *others), used, leaving.segments):
        return Full(Defer(full.reason, full.ends), full)
    if leaving.did not in house.pace_of:
        return None
    busy = rates.still_busy(tx.pairs.free_at(pace_key(leaving.did)), now)
    return Full(Defer(Reason.RATE_NUMBER, busy)) if busy else None


def queue_up(house: House, full: Full, leaving: Leaving, now: datetime, tx: Tx) -> Defer:
    """Say until when a text waits. One of a run gets its place in the line, once."""
    verdict, bucket = full.verdict, full.bucket
    if leaving.urgency is not Urgency.BULK or leaving.in_line:
        return verdict
    if bucket is not None:
        place = rates.next_place(bucket, tx.pairs.last_place(bucket), leaving.segments)
        tx.pairs.promise(bucket, place, leaving.segments)
        return Defer(verdict.reason, rates.begins(bucket, place))
    key = f"line:{pace_key(leaving.did)}"
    tail = tx.pairs.free_at(key)
    until = rates.paced(max(verdict.until, tail or now), house.pace_of[leaving.did], leaving.segments, now)
    tx.pairs.busy_until(key, until)
    return Defer(verdict.reason, until)


def count(house: House, leaving: Leaving, now: datetime, tx: Tx) -> None:
    """A text leaves: count it wherever it counts, in the commit that lets it go (D2)."""
    for bucket in buckets(house, leaving, now):
        tx.pairs.count(bucket, leaving.segments)
    if (per_second := house.pace_of.get(leaving.did)) is not None:
        tx.pairs.busy_until(pace_key(leaving.did), rates.paced(None, per_second, leaving.segments, now))


def pace_key(did: str) -> str:
    return f"pace:{did}"
