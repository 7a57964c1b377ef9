"""What the pages of text queues say: every field with its hint, every choice, every text that a queue sends."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ringback.core.queue_forms import NO, YES
from ringback.core.queue_marks import MEMBERS, NAME, NUMBERS, VOICE
from ringback.core.sessions import StartType
from ringback.core.text_queues import AfterHangUp, ForLandlines, Note, Strategy
from ringback.panel.words import N_


class Kind(StrEnum):
    """How a field is filled in."""

    SPAN = "span"
    COUNT = "count"
    SHARE = "share"
    CHOICE = "choice"
    CALENDAR = "calendar"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the form; `choices` by what is sent."""

    word: str
    label: str
    hint: str
    kind: Kind = Kind.SPAN
    choices: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that stand together."""

    id: str
    head: str
    says: str
    fields: tuple[Field, ...]


STRATEGY: Mapping[str, str] = {
    Strategy.LONGEST_IDLE: N_("Whoever had nothing for longest"),
    Strategy.ROUND_ROBIN: N_("One after the other"),
    Strategy.MOST_RECENT: N_("Whoever spoke with them last"),
    Strategy.BROADCAST: N_("All at once; the first takes it"),
    Strategy.MANUAL: N_("Nobody; agents take them from the list"),
}
STARTS: Mapping[str, str] = {
    StartType.AUTO: N_("They wrote"),
    StartType.CALL_EVENT: N_("A call"),
    StartType.OUTBOUND: N_("We wrote first"),
    StartType.MANUAL: N_("Begun here"),
    StartType.API: N_("A program"),
}
"""How a session began, in a word or two."""
YES_NO = {NO: N_("No"), YES: N_("Yes")}
HANG_UP: Mapping[str, str] = {
    AfterHangUp.QUEUE: N_("It waits here for an agent"),
    AfterHangUp.CLOSE: N_("It is closed"),
}
LANDLINE: Mapping[str, str] = {
    ForLandlines.SKIP: N_("Offer them nothing"),
    ForLandlines.ASK: N_("Ask for the number of a mobile"),
}
GROUPS: tuple[Group, ...] = (
    Group(
        "finding",
        N_("How a session finds an agent"),
        N_("A session goes to somebody who serves the queue, is there, and may text from its number."),
        (
            Field("strategy", N_("It goes to"), "", Kind.CHOICE, STRATEGY),
            Field(
                "at_once",
                N_("Without asking"),
                N_("Yes gives it to them at once. No asks them first."),
                Kind.CHOICE,
                YES_NO,
            ),
            Field("offer_for", N_("An agent is asked for"), N_("Then it goes to the next. 5s to 10m.")),
            Field("transfer_for", N_("A transfer is asked for"), N_("Then it stays where it is. 10s to 1h.")),
            Field("agent_gone", N_("An agent may be gone for"), N_("Then their sessions come back here. 0 for ever.")),
            Field("wrap_up", N_("Time to finish"), N_("After an end, before the next counts. 0 for none.")),
        ),
    ),
    Group(
        "timers",
        N_("What happens by itself"),
        N_("Write spans as 30s, 15m, 4h or 2d, and 0 for never. Sessions that are open keep the time they have."),
        (
            Field("queued_expiry", N_("Nobody takes it for"), N_("It runs out, if they wrote first.")),
            Field("agent_idle", N_("The agent does not answer for"), N_("It comes back here.")),
            Field("customer_idle", N_("They do not write for"), N_("It ends.")),
            Field("warn_before", N_("Warn them this long before"), N_("With the text below.")),
            Field("dismissed_for", N_("Set aside for"), N_("If they write again meanwhile, it comes back.")),
            Field("calendar", N_("Open at"), N_("Outside these hours they are told so."), Kind.CALENDAR),
        ),
    ),
    Group(
        "offering",
        N_("What callers are offered"),
        N_("To callers in the queues of Asterisk that this one stands beside, where the dialplan asks."),
        (
            Field("if_wait", N_("Offer texts from an expected wait of"), N_("Empty: whatever the wait. 1s to 6h.")),
            Field("if_waiting", N_("Or from this many callers"), N_("0: whatever their number."), Kind.COUNT),
            Field("if_agents", N_("If so many can take a text"), N_("Agents who are there and free."), Kind.COUNT),
            Field("if_open", N_("At these hours"), "", Kind.CALENDAR),
            Field(
                "if_unknown",
                N_("Also if nobody knows the wait"),
                N_("As with a queue that nobody was ever in."),
                Kind.CHOICE,
                YES_NO,
            ),
            Field("every", N_("An answer holds for"), N_("Before it is worked out again. 1s to 10m.")),
            Field("margin", N_("Go on until it is shorter by"), N_("Percent of the wait above."), Kind.SHARE),
            Field("landline", N_("Landlines and hidden numbers"), "", Kind.CHOICE, LANDLINE),
            Field("after_hang_up", N_("Who is texted and hangs up"), "", Kind.CHOICE, HANG_UP),
        ),
    ),
)
FIELDS: Mapping[str, Field] = {field.word: field for group in GROUPS for field in group.fields}
BESIDE: Mapping[str, str] = {
    NAME: N_("Name"),
    MEMBERS: N_("Agents"),
    VOICE: N_("Queues of Asterisk that it stands beside"),
    NUMBERS: N_("Numbers whose texts come here when nobody has them"),
}
"""What is said of a queue beside its plan."""
NOTES: Mapping[Note, tuple[str, str]] = {
    Note.OPENING: (N_("Goes on by text"), N_("To a caller who chose by key to go on by text.")),
    Note.WAIT_TEXT: (N_("Waits, and is texted"), N_("To a caller who chose by key to be texted while they wait.")),
    Note.TEXT_BACK: (N_("Is texted back"), N_("To a caller who asked by key for a text.")),
    Note.WAIT: (N_("Nobody is free"), N_("To somebody who wrote and waits; once, and then once an hour at most.")),
    Note.TRANSFERRED: (N_("Somebody else has it"), N_("After a session was handed on. It may name %(agent)s.")),
    Note.WARNING: (N_("It is closed soon"), N_("Before a session ends by itself. It may name %(minutes)s.")),
    Note.DISMISSED: (N_("Was set aside"), N_("To somebody who writes again after that.")),
    Note.CLOSED: (N_("It is closed"), N_("When a session ends.")),
    Note.OUT_OF_HOURS: (
        N_("Out of hours"),
        N_("To somebody who writes while the queue is closed. It may name %(windows)s."),
    ),
}
"""The title of each text, and to whom it goes."""
PLACES = {"agent": "{{ agent }}", "minutes": "{{ minutes }}", "windows": "{{ windows }}"}
DONE = {
    "added": N_("The queue is there. Nobody serves it until you say who."),
    "saved": N_("The queue is changed. It holds from now on."),
    "removed": N_("The queue is removed. Its sessions are in the main queue."),
    "mapped": N_("The queues are made, with their members."),
    "agents": N_("What they carry is changed."),
}
