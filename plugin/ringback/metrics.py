"""The figures of `/metrics` in the form Prometheus reads, put together when somebody asks for them.

What was committed is counted by the writer after the flush, so these figures equal the rows that were written since the
start. docs/running.md has a row for each; a test holds the two together.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ringback import __version__
from ringback.asterisk.feed import FeedCounts
from ringback.core.expected_wait import Errors
from ringback.core.tasks import TaskKind
from ringback.core.text_queues import VoiceName
from ringback.dialplan import Counts as DialplanCounts
from ringback.errors import StoreFault
from ringback.flow.holds import holds
from ringback.flow.restoring import last_backup
from ringback.hooks import Counts
from ringback.panel.health import Health, Standing
from ringback.ports.storage import Tx
from ringback.pulse import Pulse
from ringback.store.database import Database
from ringback.store.tally import Spread

if TYPE_CHECKING:
    from prometheus_client.core import Metric

"""The setting whose time is that of the last back-up."""
MOST_WAITING = 10_000
"""Counting more would cost more than the figure is worth."""

COUNTED: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "texts": ("ringback_text_moves", "Moves of texts to a state", ("state", "carrier", "reason")),
    "attempts": ("ringback_attempts", "Tries to send, opened and by outcome", ("carrier", "outcome")),
    "receipts": ("ringback_receipts", "Receipts: kept, parked, come again", ("carrier", "status", "what")),
    "inbound": ("ringback_inbound", "What carriers brought: new, come again, quarantined", ("carrier", "what")),
    "commands": ("ringback_commands", "Texts that were commands", ("command",)),
    "tasks": ("ringback_tasks", "Tasks left for a person", ("kind",)),
    "calls": ("ringback_calls", "Calls that ended", ("pbx", "outcome", "decision", "reason")),
    "redecided": ("ringback_calls_redecided", "Calls decided anew when their text came due", ("decision", "reason")),
    "unseen": ("ringback_calls_unseen", "Calls that ended while nobody watched", ("reason",)),
    "sessions": ("ringback_sessions", "Sessions that began", ("start", "origin")),
    "sessions_over": ("ringback_sessions_over", "Sessions that ended", ("state", "reason")),
    "gaps": ("ringback_asterisk_gaps", "Times in which a PBX was out of sight", ("pbx",)),
    "erased": ("ringback_erased", "Rows emptied or removed for their age or for a person", ("what",)),
}
"""What transactions count: name, help, labels."""


class Carrying(Protocol):
    """What a lane shows of itself."""

    @property
    def in_flight(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the figures are."""

    database: Database
    pulse: Pulse
    lags: Spread
    lanes: Mapping[str, Carrying]
    feeds: Callable[[], Mapping[str, FeedCounts]]
    hooks: Callable[[], Mapping[str, Counts]]
    tasks: Callable[[], Mapping[TaskKind, int]]
    health: Callable[[], Health]
    epoch: Callable[[], int]
    waits: Callable[[], Mapping[VoiceName, Errors]]
    dialplan: Callable[[], DialplanCounts]
    dialplan_took: Spread


@dataclass(frozen=True, slots=True)
class Metrics:
    """Writes the page."""

    sources: Sources

    async def render(self) -> bytes:
        # the first event needs no Prometheus
        from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415

        registry = CollectorRegistry()
        registry.register(_Now(self.sources, *await self._kept()))
        return generate_latest(registry)

    async def _kept(self) -> tuple[Mapping[str, int], int]:
        """Texts that wait, and those the search index lacks; a database that is away has other figures to say so."""
        try:
            return await self.sources.database.commit(_count_kept)
        except StoreFault:
            return {}, 0


def _count_kept(tx: Tx) -> tuple[Mapping[str, int], int]:
    return tx.figures.waiting(MOST_WAITING), tx.search.behind()


def kept_figures(tx: Tx) -> dict[str, object]:
    """What of `ringback status` is in the database: texts that wait, carriers held back, the last back-up."""
    backup = last_backup(tx)
    return {
        "texts_waiting": dict(tx.figures.waiting(MOST_WAITING)),
        "held": {held.carrier: held.why for held in holds(tx)},
        "backup": backup.isoformat(timespec="seconds") if backup else None,
    }


def waits_told(errors: Mapping[VoiceName, Errors]) -> dict[str, str]:
    """How far expected waits were off, for `ringback status`."""
    return {
        f"{voice.pbx}/{voice.queue}": f"off by {error.off:.0f} s, Asterisk's average by {error.hold:.0f} s"
        f" ({error.count} compared)"
        for voice, error in errors.items()
    }


class _Now:
    """All figures as they are at this moment. Satisfies Prometheus' Collector."""

    def __init__(self, sources: Sources, waiting: Mapping[str, int], behind: int) -> None:
        self._from = sources
        self._waiting = waiting
        self._behind = behind

    def collect(self) -> "Iterator[Metric]":
        yield from self._committed()
        yield from self._writer()
        yield from self._lanes()
        yield from self._asterisk()
        yield from self._hooks()
        yield from self._house()
        yield from self._waits()
        yield from self._dialplan()

    def _committed(self) -> "Iterator[Metric]":
        counts = self._from.database.tally.counts()
        for what, (name, means, labels) in COUNTED.items():
            yield _counter(name, means, labels, [(one.labels, n) for one, n in counts.items() if one.what == what])

    def _writer(self) -> "Iterator[Metric]":
        tally = self._from.database.tally
        yield _gauge("ringback_search_behind", "Texts that are not in the search index yet", self._behind)
        yield _gauge("ringback_writer_waiting", "Changes that wait to be written", self._from.database.waiting)
        yield _spread("ringback_commit_steps", "Changes written with one flush", tally.steps)
        yield _spread("ringback_commit_seconds", "Time of one transaction with its flush", tally.seconds)
        yield _spread("ringback_loop_lag_seconds", "How late the event loop came to its work", self._from.lags)
        yield _counter(
            "ringback_loop_stalls", "Times the event loop stood still over 0.2 s", (), _one(self._from.pulse.stalls)
        )

    def _lanes(self) -> "Iterator[Metric]":
        lanes = [((name,), lane.in_flight) for name, lane in self._from.lanes.items()]
        waiting = [((name,), n) for name, n in self._waiting.items()]
        yield _gauges("ringback_texts_in_flight", "Texts on their way to a carrier", ("carrier",), lanes)
        yield _gauges("ringback_texts_waiting", "Texts that wait, counted up to 10,000", ("carrier",), waiting)

    def _asterisk(self) -> "Iterator[Metric]":
        feeds = self._from.feeds()
        for field, means in AMI.items():
            counts = [((name,), getattr(feed, field)) for name, feed in feeds.items()]
            yield _counter(f"ringback_ami_{field}", means, ("pbx",), counts)
        waiting = [((name,), feed.waiting) for name, feed in feeds.items()]
        yield _gauges("ringback_ami_waiting", "Call events that wait to be stored", ("pbx",), waiting)

    def _hooks(self) -> "Iterator[Metric]":
        hooks = self._from.hooks()
        answers = [((name, what), getattr(of, what)) for name, of in hooks.items() for what in ANSWERS]
        yield _counter("ringback_hooks", "Calls of carriers, by what became of them", ("carrier", "what"), answers)

    def _dialplan(self) -> "Iterator[Metric]":
        counts = self._from.dialplan()
        answers = [((verb, word), n) for (verb, word), n in counts.answers.items()]
        yield _counter(
            "ringback_dialplan", "Questions of the dialplan, by what was answered", ("verb", "answer"), answers
        )
        yield _counter("ringback_dialplan_refused", "Questions without our token", (), _one(counts.refused))
        yield _spread("ringback_dialplan_seconds", "Time of an answer to the dialplan", self._from.dialplan_took)

    def _house(self) -> "Iterator[Metric]":
        health = self._from.health()
        up = [((part.name,), int(part.standing is Standing.WORKS)) for part in health.parts]
        tasks = [((str(kind),), n) for kind, n in self._from.tasks().items()]
        yield _gauges("ringback_tasks_open", "Tasks that wait for a person", ("kind",), tasks)
        yield _gauges("ringback_part_up", "Whether a part works", ("part",), up)
        yield _gauge("ringback_ready", "Whether a missed call becomes a text now", int(health.ready))
        yield _gauge("ringback_epoch", "The number of this start", self._from.epoch())
        yield _gauges("ringback_build_info", "The version that runs", ("version",), [((__version__,), 1)])

    def _waits(self) -> "Iterator[Metric]":
        errors = self._from.waits()
        for name, (means, of) in WAITS.items():
            values = [((voice.pbx, voice.queue), of(error)) for voice, error in errors.items()]
            yield _gauges(f"ringback_expected_wait_{name}", means, ("pbx", "queue"), values)


WAITS: Mapping[str, tuple[str, Callable[[Errors], float]]] = {
    "error_seconds": ("How far expected waits were off, on average", lambda error: error.off),
    "bias_seconds": ("The same with its sign: above zero is too long", lambda error: error.bias),
    "hold_error_seconds": ("How far Asterisk's average hold time was off", lambda error: error.hold),
    "compared": ("Expected waits that were compared with the truth", lambda error: error.count),
}

AMI: Mapping[str, str] = {
    "events": "Events read from Asterisk",
    "bad_frames": "Events that could not be read",
    "hostile": "Events that were torn or forged",
    "pauses": "Times reading was put off because too much waited",
    "reconnects": "Times the line to Asterisk was made anew",
    "faults": "Failures of our own listener",
}
ANSWERS = ("taken", "refused", "unreadable", "put_off")

Values = Iterable[tuple[Sequence[str], float]]


def _one(value: float) -> Values:
    return [((), value)]


def _counter(name: str, means: str, labels: tuple[str, ...], values: Values) -> "Metric":
    from prometheus_client.core import CounterMetricFamily  # noqa: PLC0415

    family = CounterMetricFamily(name, means, labels=labels)
    for of, value in sorted(values):
        family.add_metric(of, value)
    return family


def _gauges(name: str, means: str, labels: tuple[str, ...], values: Values) -> "Metric":
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415

    family = GaugeMetricFamily(name, means, labels=labels)
    for of, value in sorted(values):
        family.add_metric(of, value)
    return family


def _gauge(name: str, means: str, value: float) -> "Metric":
    return _gauges(name, means, (), _one(value))


def _spread(name: str, means: str, spread: Spread) -> "Metric":
    from prometheus_client.core import HistogramMetricFamily  # noqa: PLC0415

    family = HistogramMetricFamily(name, means, labels=())
    family.add_metric((), buckets=spread.up_to(), sum_value=spread.total)
    return family
