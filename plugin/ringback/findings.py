"""What a person should know about the whole: the database first, then what waits for somebody, then pauses."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from ringback.core.grants import EVERYTHING, Reach
from ringback.core.tasks import TaskKind
from ringback.core.trust import STEADY, Trust
from ringback.dialplan import Counts as DialplanCounts
from ringback.flow.holds import ALARM
from ringback.flow.lists import Staged
from ringback.flow.pauses import Paused, Scope
from ringback.flow.put_back import RESTORE
from ringback.hooks import Counts
from ringback.panel.health import Finding, Tone
from ringback.panel.say import NN_, Say, Value, counted
from ringback.panel.words import N_
from ringback.ports.holds import Held

TO_TASKS, TO_SWITCH, TO_CARRIERS, TO_LISTS = "/tasks", "/health#pause", "/health#carriers", "/lists/only"


def _waits(tone: Tone, forms: tuple[str, str], means: str) -> Callable[[int], Finding]:
    """A finding about open tasks of one kind."""
    return lambda n: Finding(tone, counted(forms, n), Say(means), link=TO_TASKS)


TASKS: Mapping[TaskKind, Callable[[int], Finding]] = {
    TaskKind.UNCONFIRMED: _waits(
        Tone.DOUBT,
        NN_("1 text is unconfirmed", "%(n)s texts are unconfirmed"),
        N_("The carrier got it and did not answer, so it may have been sent."),
    ),
    TaskKind.UNSEEN: _waits(
        Tone.WARN,
        NN_("1 call ended unseen", "%(n)s calls ended unseen"),
        N_("Asterisk was out of sight; nobody was texted, and somebody may wait."),
    ),
    TaskKind.TOO_OLD: _waits(
        Tone.WARN,
        NN_("1 call came to light too late to text", "%(n)s calls came to light too late to text"),
        N_("A person should decide about it."),
    ),
    TaskKind.STORM: _waits(
        Tone.BAD,
        NN_(
            "In 1 minute more calls asked for a text than limits.texts_per_minute allows",
            "In %(n)s minutes more calls asked for a text than limits.texts_per_minute allows",
        ),
        N_("The texts over it were not sent."),
    ),
    TaskKind.CALL_BACK: _waits(
        Tone.WARN,
        NN_("1 caller waits to be called back", "%(n)s callers wait to be called back"),
        N_("They chose a time in a text."),
    ),
    TaskKind.OPT_OUT: _waits(
        Tone.WARN,
        NN_("1 text reads like STOP without saying it", "%(n)s texts read like STOP without saying it"),
        N_("Until somebody decides, these people may still be texted."),
    ),
    TaskKind.QUARANTINED: _waits(
        Tone.WARN,
        NN_("1 thing that a carrier brought cannot be read", "%(n)s things that a carrier brought cannot be read"),
        N_("A text may be missing."),
    ),
    TaskKind.NOT_DELIVERED: _waits(
        Tone.WARN,
        NN_("1 text that a person wrote did not arrive", "%(n)s texts that a person wrote did not arrive"),
        N_("Whoever wrote it may think that it was read."),
    ),
    TaskKind.ALLOWANCE: _waits(
        Tone.WARN,
        NN_(
            "1 allowance of the month is nearly used up, or is",
            "%(n)s allowances of the month are nearly used up, or are",
        ),
        N_("Whoever sends on may cost more, or is refused."),
    ),
    TaskKind.ASKED: _waits(
        Tone.WARN,
        NN_("1 person asks to be allowed something", "%(n)s requests to be allowed something"),
        N_("They wait for an administrator."),
    ),
    TaskKind.PARTIAL: _waits(
        Tone.WARN,
        NN_("1 text is not whole", "%(n)s texts are not whole"),
        N_("Some of its pieces never came. What came stands in the thread."),
    ),
}


PAUSED: Mapping[Scope, tuple[str, str]] = {
    Scope.ALL: (
        N_("Paused: everything automatic, since %(at)s by %(by)s"),
        N_("Calls are followed, but nobody gets an automatic text."),
    ),
    Scope.NUMBER: (
        N_("Paused: number %(name)s, since %(at)s by %(by)s"),
        N_("Calls to it are followed, but get no automatic text."),
    ),
    Scope.RULE: (
        N_("Paused: rule %(name)s, since %(at)s by %(by)s"),
        N_("Calls it speaks for get no text."),
    ),
}


TasksOf = Callable[[Reach], Mapping[TaskKind, int]]
"""What is open by kind, as far as it is about some of our numbers."""


def findings(trouble: str, tasks: TasksOf, pauses: Sequence[Paused], hostile: Mapping[str, int]) -> tuple[Finding, ...]:
    """`trouble` says why the database cannot be written, `hostile` counts by PBX."""
    kept = Say(N_("Calls are kept in memory until it can be written again."))
    stuck = [Finding(Tone.BAD, trouble, kept)] if trouble else []
    waiting = [_open(tasks, kind, count) for kind, count in tasks(EVERYTHING).items() if count]
    forged = [_forged(pbx, count) for pbx, count in hostile.items() if count]
    return (*stuck, *forged, *waiting, *map(_paused, pauses))


def _open(tasks: TasksOf, kind: TaskKind, count: int) -> Finding:
    def seen(reach: Reach) -> Finding | None:
        theirs = tasks(reach).get(kind, 0)
        return TASKS[kind](theirs) if theirs else None

    return replace(TASKS[kind](count), seen=seen)


def _forged(pbx: str, count: int) -> Finding:
    return Finding(
        Tone.WARN,
        Say(N_("Events of %(pbx)s that were torn or forged: %(n)s"), {"pbx": pbx, "n": count}),
        Say(
            N_(
                "A caller's number may hold line breaks, which Asterisk passes on; what they tried was dropped. "
                "If the count grows with every call, this Asterisk writes its events in a form Ringback does not know."
            )
        ),
    )


def _paused(paused: Paused) -> Finding:
    what, means = PAUSED[paused.pause.scope]
    since: dict[str, Value] = {"name": paused.pause.name, "at": paused.since, "by": paused.by}
    found = Finding(Tone.WARN, Say(what, since), Say(means), paused.pause.lift, TO_SWITCH)
    return replace(found, seen=lambda reach: found if paused.pause.within(reach) else None)


STAGED = N_("Staging is on since %(at)s, turned on by %(by)s")
STAGED_MEANS = N_("Only numbers on the staging list are texted; everybody else is refused.")


def staging_findings(staged: Staged | None) -> tuple[Finding, ...]:
    """That nearly nobody is texted, and how to end it."""
    if staged is None:
        return ()
    what = Say(STAGED, {"at": staged.since, "by": staged.by})
    return (Finding(Tone.WARN, what, Say(STAGED_MEANS), "ringback staging off", TO_LISTS),)


HELD: Mapping[str, str] = {
    ALARM: N_("Held back by the alarm since %(at)s: carrier %(name)s"),
    RESTORE: N_("Held back since the database was put back, %(at)s: carrier %(name)s"),
}
HELD_BY_A_PERSON = N_("Held back: carrier %(name)s, since %(at)s by %(by)s")
HELD_MEANS = N_("Nothing leaves by it until a person lets it go on. %(why)s")


def hold_findings(held: Sequence[Held]) -> tuple[Finding, ...]:
    """Which carriers are held back, and how to let each go on."""
    return tuple(map(_held, held))


def _held(held: Held) -> Finding:
    since: dict[str, Value] = {"name": held.carrier, "at": held.since, "by": held.by}
    what = Say(HELD.get(held.by, HELD_BY_A_PERSON), since)
    return Finding(Tone.BAD, what, Say(HELD_MEANS, {"why": held.why}), held.lift, TO_CARRIERS)


CLOCK_FAR = N_("Nothing is deleted for its age: the clock may be wrong")
CLOCK_MEANS = N_(
    "It shows %(now)s, and the newest that is known is of %(newest)s. If it is right, say so; "
    "without a word it is believed from %(until)s on."
)


def clock_findings(doubted: Trust | None) -> tuple[Finding, ...]:
    """A clock by which nothing is deleted, and how to end that."""
    if doubted is None or doubted.since is None or doubted.looked is None:
        return ()
    moments = {"now": doubted.looked, "newest": doubted.newest, "until": doubted.since + STEADY}
    said = {name: f"{moment:%Y-%m-%d}" for name, moment in moments.items()}
    return (Finding(Tone.BAD, Say(CLOCK_FAR), Say(CLOCK_MEANS, said), "ringback trust-clock"),)


REFUSALS_MATTER = timedelta(hours=1)


def hook_findings(
    counts: Mapping[str, Counts], public_url: str, calling: Sequence[str], now: datetime
) -> tuple[Finding, ...]:
    """What is wrong with the hooks. `calling` are the carriers that call us, `counts` what became of their hooks."""
    if not public_url:
        return tuple(map(_unheard, calling))
    lately = now - REFUSALS_MATTER
    return tuple(
        _refused(carrier, of, public_url)
        for carrier, of in counts.items()
        if of.refused_at is not None and of.refused_at > lately
    )


def _unheard(carrier: str) -> Finding:
    return Finding(
        Tone.WARN,
        Say(N_("Replies and receipts of %(carrier)s do not arrive"), {"carrier": carrier}),
        Say(N_("It calls us when a text comes in, and there is no public address that it could call.")),
        "set hooks.public_url, then run ringback check",
    )


def dialplan_findings(counts: DialplanCounts, now: datetime) -> tuple[Finding, ...]:
    """That the dialplan asks with another secret than ours: its callers are offered nothing."""
    if counts.refused_at is None or counts.refused_at < now - REFUSALS_MATTER:
        return ()
    what = counted(
        NN_("1 question of the dialplan was refused", "%(n)s questions of the dialplan were refused"), counts.refused
    )
    means = Say(N_("It showed another secret than secrets/dialplan.token. Calls go on as if Ringback were not there."))
    return (Finding(Tone.BAD, what, means, "ringback init --dialplan"),)


STRAY = NN_("Refused: 1 hook for a carrier that is not here", "Refused: %(n)s hooks for a carrier that is not here")
REFUSED = NN_("Refused: 1 hook in the name of %(carrier)s", "Refused: %(n)s hooks in the name of %(carrier)s")
SOME_TAKEN = N_(
    "Of the last one: %(doubt)s. Others of it were taken, so these may be forged. Is %(url)s what the carrier calls? "
    "A text that is refused is lost, unless the carrier sends it again."
)
NONE_TAKEN = N_(
    "Of the last one: %(doubt)s. None of it was taken so far. Is %(url)s what the carrier calls? "
    "A text that is refused is lost, unless the carrier sends it again."
)


def _refused(carrier: str, counts: Counts, public_url: str) -> Finding:
    if not carrier:
        called = {"doubt": counts.doubt, "url": f"{public_url}/hooks/"}
        means = Say(N_("Of the last one: %(doubt)s. Carriers call %(url)s and their name here."), called)
        return Finding(Tone.WARN, counted(STRAY, counts.refused), means, "ringback check")
    called = {"doubt": counts.doubt, "url": f"{public_url}/hooks/{carrier}"}
    return Finding(
        Tone.WARN if counts.taken else Tone.BAD,
        Say(REFUSED[0], {"n": counts.refused, "carrier": carrier}, REFUSED[1]),
        Say(SOME_TAKEN if counts.taken else NONE_TAKEN, called),
        "ringback check",
    )
