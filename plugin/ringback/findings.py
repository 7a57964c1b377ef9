"""What a person should know about the whole: the database first, then what waits for somebody, then pauses."""

from collections.abc import Callable, Mapping, Sequence

from ringback.core.tasks import TaskKind
from ringback.flow.pauses import Paused, Scope
from ringback.panel.health import Finding, Tone

TASKS: Mapping[TaskKind, Callable[[int], Finding]] = {
    TaskKind.UNCONFIRMED: lambda n: Finding(
        Tone.DOUBT, f"{n} texts are unconfirmed", "The carrier got them and did not answer; they may have been sent."
    ),
    TaskKind.UNSEEN: lambda n: Finding(
        Tone.WARN, f"{n} calls ended unseen", "Asterisk was out of sight; nobody was texted, and somebody may wait."
    ),
    TaskKind.TOO_OLD: lambda n: Finding(
        Tone.WARN, f"{n} calls came to light too late to text", "A person should decide about them."
    ),
    TaskKind.STORM: lambda n: Finding(
        Tone.BAD,
        f"{n} minutes had more calls to text than limits.texts_per_minute",
        "The texts over it were not sent.",
    ),
}


PAUSED: Mapping[Scope, str] = {
    Scope.ALL: "Calls are followed, but nobody gets an automatic text.",
    Scope.NUMBER: "Calls to it are followed, but get no automatic text.",
    Scope.RULE: "Calls it speaks for get no text.",
}


def findings(
    trouble: str, tasks: Mapping[TaskKind, int], pauses: Sequence[Paused], hostile: Mapping[str, int]
) -> tuple[Finding, ...]:
    """`trouble` says why the database cannot be written, `tasks` counts what is open by kind, `hostile` by PBX."""
    stuck = [Finding(Tone.BAD, trouble, "Calls are kept in memory until it can be written again.")] if trouble else []
    waiting = [TASKS[kind](count) for kind, count in tasks.items()]
    forged = [_forged(pbx, count) for pbx, count in hostile.items() if count]
    return (*stuck, *forged, *waiting, *map(_paused, pauses))


def _forged(pbx: str, count: int) -> Finding:
    return Finding(
        Tone.WARN,
        f"{count} events of {pbx} were torn or forged",
        "A caller's number may hold line breaks, which Asterisk passes on; what they tried was dropped. "
        "If the count grows with every call, this Asterisk writes its events in a form Ringback does not know.",
    )


def _paused(paused: Paused) -> Finding:
    return Finding(
        Tone.WARN,
        f"Paused: {paused.pause}, since {paused.since:%Y-%m-%d %H:%M} UTC by {paused.by}",
        PAUSED[paused.pause.scope],
        paused.pause.lift,
    )
