"""What the handset pages say: how a line can behave, how a reply can come, and texts to try."""

from collections.abc import Mapping
from dataclasses import dataclass

from ringback.core.messages import ReceiptStatus
from ringback.panel.words import N_
from ringback.ports.handsets import Behaviour, Passage

BEHAVIOURS: Mapping[Behaviour, tuple[str, str]] = {
    Behaviour.DELIVERS: (N_("Works"), N_("Texts arrive, and receipts say so.")),
    Behaviour.UNDELIVERS: (
        N_("Does not deliver"),
        N_("The line takes the text, then reports that the handset cannot be reached."),
    ),
    Behaviour.LATE: (N_("Late receipts"), N_("Texts arrive at once, their receipts a good while later.")),
    Behaviour.REPEATS: (N_("Repeats receipts"), N_("Every receipt comes twice, and in the wrong order.")),
    Behaviour.NO_RECEIPTS: (N_("No receipts"), N_("Texts arrive, and nothing more is heard of them.")),
    Behaviour.REFUSES: (N_("Refuses"), N_("Every text is refused for good.")),
    Behaviour.BLOCKS: (
        N_("Opted out at the carrier"),
        N_("Texts are refused because this person wrote STOP to the carrier."),
    ),
    Behaviour.THROTTLES: (N_("Too fast"), N_("The line asks to wait. The text is tried again.")),
    Behaviour.AWAY: (N_("Line down"), N_("The line cannot be reached. The text is tried again.")),
    Behaviour.SILENT: (N_("Never answers"), N_("Texts arrive, but no answer comes: they stay unconfirmed.")),
    Behaviour.ANSWER_LOST: (
        N_("Loses the answer"),
        N_("Texts arrive, the answer is lost, and the receipts settle it."),
    ),
}
"""A word or two, and what it means for texts to this handset."""

PASSAGES: Mapping[Passage, str] = {
    Passage.WHOLE: N_("Whole"),
    Passage.IN_PARTS: N_("In parts"),
    Passage.MIXED_UP: N_("In parts, the last one first"),
    Passage.PART_MISSING: N_("In parts, the last one missing"),
    Passage.TWICE: N_("Twice, with the same id"),
    Passage.WITHOUT_ID: N_("Without an id"),
}
"""How the next reply comes to Ringback."""

SAID: Mapping[ReceiptStatus | None, str] = {
    None: N_("on its way"),
    ReceiptStatus.DELIVERED: N_("Ringback has it"),
}
"""What is known of a text that was written on the handset."""


@dataclass(frozen=True, slots=True)
class Saying:
    """Something to say with one tap. `label` is for those too long to be their own name; only it is translated."""

    words: str
    label: str = ""


LONG = " ".join(
    (
        "Hello, this is about the heating in the back office.",
        "It has been making a knocking noise since Monday, and since this morning it does not get warm at all.",
        "The display shows E17 and then goes dark. We have switched it off and on twice.",
        "Somebody is here every day until six, the key is with the neighbour after that, second door on the left.",
        "There is a dog in the yard; she barks and does nothing.",
        "Can you come this week, and do you need anything else from me before that?",
    )
)
SAYINGS = (
    Saying("STOP"),
    Saying("START"),
    Saying("HELP"),
    Saying("ALTO"),
    Saying("please stop texting me"),
    Saying("Can you come today?"),
    Saying("👍🏽 👩🏽‍🔧", N_("Emoji")),
    Saying("هل يمكنكم المجيء اليوم؟", N_("Right to left")),
    Saying(LONG, N_("A long text")),
)

EMPTY = N_("Write something first.")
TOO_LONG = N_("A handset sends %(most)s characters at most; this has %(count)s.")
NO_NUMBER = N_("Write the number you text to as in +12025550101.")
AWAY = N_("The line cannot take it now, so nothing was sent. Try again in a moment.")
