"""What the pages of lists say: of each list, of staging, and of what is not taken."""

from collections.abc import Mapping

from ringback.core.list_rows import SENTENCES, Fault
from ringback.flow.stopping import How, Whole
from ringback.panel.words import N_
from ringback.ports.lists import ListName

LISTS: Mapping[ListName, tuple[str, str]] = {
    ListName.NEVER: (
        N_("Never text"),
        N_("Family, suppliers, robocallers. Nothing goes to them, whoever asks for it."),
    ),
    ListName.ONLY: (
        N_("Staging"),
        N_("While staging is on, only these numbers are texted. Without it, this list does nothing."),
    ),
    ListName.STOPPED: (
        N_("Opted out"),
        N_("They want no texts from any number of yours. A STOP to one number stands in its thread."),
    ),
}
"""What a list is called, and what it is for."""

EMPTY: Mapping[ListName, str] = {
    ListName.NEVER: N_("Nobody is on this list. Put somebody on it whom you know and never want to text."),
    ListName.ONLY: N_("Nobody is on this list. With staging on, nobody would be texted."),
    ListName.STOPPED: N_("Nobody is on this list. Bring in what a former system knew before you send to many."),
}
ON: Mapping[ListName, str] = {
    ListName.NEVER: N_("They are never texted."),
    ListName.ONLY: N_("They are texted while staging is on."),
    ListName.STOPPED: N_("They want no texts from any number of yours."),
}
"""What it means for a person to be on it."""

WHY: Mapping[ListName, tuple[str, str]] = {
    ListName.NEVER: (N_("Why"), N_("Whoever looks for them here reads it.")),
    ListName.ONLY: (N_("Why"), N_("Whose phone it is.")),
    ListName.STOPPED: (N_("How they said it"), N_("It is kept as the evidence.")),
}
"""What is asked when somebody is put on a list, and the hint below it."""

DONE: Mapping[str, str] = {
    "added": N_("Put on the list. It holds from now on."),
    "removed": N_("Taken off the list."),
    "on": N_("Staging is on."),
    "off": N_("Staging is off. What was refused meanwhile stays refused."),
}
"""What a page says after a change; the code stands in its address."""

NO_NUMBER = N_("This is no phone number. Write it like +1 202 555 0147.")
ALREADY = N_("This number is on the list already.")
NOT_THERE = N_("This number is not on the list any more.")
NO_WHY = N_("Write how they asked for texts again. It is kept as the evidence.")
NO_FILE = N_("Choose a file.")
GONE = N_("This preview has run out, or is somebody else's. Choose the file again.")
TOO_MANY_FOR_XLSX = N_("The list is too long for XLSX. Take CSV.")

HOW: Mapping[How, str] = {
    How.CALL: N_("They said it in this call"),
    How.VOICEMAIL: N_("They said it on the voicemail"),
    How.PERSON: N_("Another way"),
}
"""How they told us, on the page of a call."""

WHOLE: Mapping[Whole, tuple[str, str]] = {
    Whole.NUMBER: (N_("From this number"), N_("Other numbers of yours may still text them.")),
    Whole.BUSINESS: (N_("From every number"), N_("None of your numbers texts them any more.")),
}
"""How far it goes."""

FAULTS: Mapping[Fault, str] = SENTENCES
"""What is wrong with a line of a file."""
