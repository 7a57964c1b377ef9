"""What the pages say of a task: what it is, why it needs a person, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass

from ringback.core.tasks import TaskKind
from ringback.panel.words import N_


@dataclass(frozen=True, slots=True)
class TaskWords:
    """`title` has a place for who it is about; `nobody` is the title where that is not known. `tone` is a class."""

    title: str
    nobody: str
    icon: str
    tone: str
    means: str
    to_do: str


TASKS: Mapping[TaskKind, TaskWords] = {
    TaskKind.CALL_BACK: TaskWords(
        N_("Call %(who)s back"),
        N_("Call somebody back"),
        "calls",
        "accent",
        N_("They chose this time in a text."),
        N_("Call them then, and press Done."),
    ),
    TaskKind.UNCONFIRMED: TaskWords(
        N_("A text to %(who)s may have been sent"),
        N_("A text may have been sent"),
        "doubt",
        "doubt",
        N_("The carrier got it and did not answer. It is left to you, so that nobody gets it twice."),
        N_("Ask the carrier once more, or look on the handset. Then say what became of it."),
    ),
    TaskKind.OPT_OUT: TaskWords(
        N_("Does %(who)s want no more texts?"),
        N_("Does somebody want no more texts?"),
        "stop",
        "warn",
        N_("This reads like STOP, but does not say it."),
        N_("Read it and decide. An opt-out holds until they text START."),
    ),
    TaskKind.TOO_OLD: TaskWords(
        N_("%(who)s called, and it came to light too late for a text"),
        N_("A call came to light too late for a text"),
        "clock",
        "warn",
        N_("After so long nobody is texted by itself: somebody may have called them back since."),
        N_("Look whether they still wait. Call them, or write to them."),
    ),
    TaskKind.UNSEEN: TaskWords(
        N_("%(who)s called, and nobody saw how it ended"),
        N_("Somebody called, and nobody saw how it ended"),
        "doubt",
        "warn",
        N_("Asterisk was out of sight when the call ended, so nobody was texted."),
        N_("Look into Asterisk's call log. If nobody spoke with them, call them, or write to them."),
    ),
    TaskKind.STORM: TaskWords(
        N_("More calls in a minute than texts are allowed"),
        N_("More calls in a minute than texts are allowed"),
        "warn",
        "bad",
        N_("The texts over limits.texts_per_minute were not sent. A trunk that is down makes such storms."),
        N_("Look at the trunk, and at the calls without a text of that day."),
    ),
    TaskKind.QUARANTINED: TaskWords(
        N_("A carrier brought something that nobody can read"),
        N_("A carrier brought something that nobody can read"),
        "warn",
        "warn",
        N_("It carries the carrier's own signature and makes no sense to Ringback. It is kept as it came."),
        N_("Look at the carrier whether a text is missing here. Report it if it comes again."),
    ),
    TaskKind.NOT_DELIVERED: TaskWords(
        N_("What was written to %(who)s did not arrive"),
        N_("What somebody wrote did not arrive"),
        "text",
        "bad",
        N_("The carrier did not take it or could not deliver it, or it waited until it was too old."),
        N_("Look in the thread why. Call them, or write again."),
    ),
    TaskKind.ALLOWANCE: TaskWords(
        N_("An allowance of the month is nearly used up, or is"),
        N_("An allowance of the month is nearly used up, or is"),
        "text",
        "warn",
        N_("Soft limits only warn. At a hard limit texts are refused until the month ends."),
        N_("Raise the allowance if they should send on."),
    ),
    TaskKind.ASKED: TaskWords(
        N_("Somebody asks to be allowed something"),
        N_("Somebody asks to be allowed something"),
        "key",
        "accent",
        N_("They cannot do it themselves, and wait for an administrator."),
        N_("Look on their page of permissions, decide, and press Done."),
    ),
    TaskKind.PARTIAL: TaskWords(
        N_("A text of %(who)s is not whole"),
        N_("A text is not whole"),
        "text",
        "warn",
        N_("It came in pieces, and some of them never did. What came stands in the thread."),
        N_("Ask them to write it again, if it matters."),
    ),
}
OTHER = TaskWords(
    N_("Something needs a person"),
    N_("Something needs a person"),
    "warn",
    "warn",
    N_("A newer Ringback left it; this one does not know what it is."),
    N_("Look at it with the newer one, or press Done."),
)
