"""What the pages of the API say: of keys, of runs, and of a form that is not taken."""

from collections.abc import Mapping

from ringback.core.permissions import Scope
from ringback.flow.keys import Because
from ringback.panel.call_words import Mark
from ringback.panel.words import N_
from ringback.ports.bulks import RunState

SCOPES: Mapping[Scope, tuple[str, str]] = {
    Scope.SEND: (N_("Send"), N_("Sends texts one by one; sees and calls off those it asked for.")),
    Scope.BULK: (N_("Runs"), N_("Sends runs to many people; sees those it asked for.")),
    Scope.READ: (N_("Read"), N_("Sees every text of the house, those of calls and people too.")),
}
"""What a key may do."""

SPANS: Mapping[str, str] = {
    "": N_("Until somebody revokes it"),
    "30": N_("30 days"),
    "90": N_("90 days"),
    "365": N_("A year"),
}
"""How many days a new key holds."""

WRONG: Mapping[Because, tuple[str, str]] = {
    Because.BAD_NAME: ("name", N_("A name has one line of sixty characters at most, and does not begin with key_.")),
    Because.TAKEN: ("name", N_("There is a key of this name already. Take another name, or revoke that one first.")),
    Because.NO_SCOPE: ("scope", N_("Choose what the key may do.")),
    Because.OVER: ("span", N_("The key would have run out already.")),
    Because.NOBODY: ("acts_for", N_("There is no such user who may log in.")),
    Because.SEVERAL: ("acts_for", N_("Several users are called so. Name one by the login.")),
    Because.NOT_YOURS: (
        "acts_for",
        N_("You may make keys that act for you: write your own login. Others are made by an administrator."),
    ),
    Because.NOT_OURS: ("numbers", N_("These are not all numbers of ours. Write them in full, as in +12025550101.")),
    Because.UNKNOWN: ("name", N_("This key is revoked already.")),
    Because.STRANGE: ("span", N_("Choose one of the spans.")),
}
"""Which field a refusal is about, and what it says."""

RUNS: Mapping[RunState, Mark] = {
    RunState.READING: Mark(N_("Comes in"), "clock", ""),
    RunState.BROKEN: Mark(N_("Broke off"), "x", "bad"),
    RunState.OPEN: Mark(N_("Goes on"), "send", "accent"),
    RunState.PAUSED: Mark(N_("Paused"), "stop", "warn"),
    RunState.CANCELLING: Mark(N_("Is called off"), "clock", "warn"),
    RunState.EXPIRING: Mark(N_("Runs out"), "clock", "warn"),
    RunState.DONE: Mark(N_("All made"), "check", "ok"),
    RunState.CANCELLED: Mark(N_("Called off"), "x", ""),
    RunState.EXPIRED: Mark(N_("Ran out"), "clock", "bad"),
}
TO_COME = Mark(N_("Waits for its time"), "clock", "warn")
TO_COME_MEANS = N_("It has not begun yet. Until then it can be called off as a whole.")
"""Of a run that is open and whose time has not come."""
RUN_MEANS: Mapping[RunState, str] = {
    RunState.OPEN: N_("Its texts are made a few at a time, as fast as they can leave."),
    RunState.PAUSED: N_("No more texts are made until somebody resumes it. Those that are made go on."),
    RunState.CANCELLING: N_("Nobody else gets a text. What is on its way is waited for."),
    RunState.EXPIRING: N_("Its time is over. What is on its way is waited for."),
    RunState.DONE: N_("Everybody has a text, and each text its own state."),
    RunState.CANCELLED: N_("It was called off before everybody had a text."),
    RunState.EXPIRED: N_("Its time was over before everybody had a text."),
}

DONE: Mapping[str, str] = {
    "revoked": N_("Revoked. The program is turned away from now on."),
    "pause": N_("Paused. No more texts of it are made."),
    "resume": N_("It goes on."),
    "cancel": N_("Called off. Nobody else gets a text of it."),
}
"""What a page says after a change; the code stands in its address."""
AFTER: Mapping[str, frozenset[RunState]] = {
    "pause": frozenset({RunState.PAUSED}),
    "resume": frozenset({RunState.OPEN}),
    "cancel": frozenset({RunState.CANCELLING, RunState.CANCELLED}),
}
"""The states of a run of which that is true."""
