"""What the health page says: of parts that do not work, of the day's figures, of the first steps, of a pause."""

from collections.abc import Mapping

from ringback.flow.pauses import Scope
from ringback.panel import hold_words
from ringback.panel.words import N_

held_back = hold_words.held_back

UNANSWERED = N_("Calls nobody answered today")
TEXTED = N_("Of these, texted")
WAITING = N_("People who wait for an answer")
OPEN_TASKS = N_("Open tasks")

LINKS: Mapping[str, str] = {
    "/tasks": N_("Open the tasks"),
    "/health#pause": N_("To the switch"),
    "/health#carriers": N_("To the carriers"),
    "/lists/only": N_("To the list"),
}
"""What the link of a finding says."""

PART_NAMES: Mapping[str, str] = {
    "asterisk": N_("Asterisk %(name)s"),
    "carrier": N_("Carrier %(name)s"),
    "line": N_("What %(name)s brings"),
    "hooks": N_("Calls of carriers"),
    "reconcile": N_("Asking %(name)s what came in"),
    "inbound": N_("Texts that come in"),
    "web": N_("Pages"),
    "logins": N_("Logins"),
    "waiting": N_("Counts of what waits"),
    "control": N_("Commands on this machine"),
    "delays": N_("Texts that wait out a delay"),
    "housekeeping": N_("Housekeeping"),
    "api": N_("What programs ask"),
    "runs": N_("Runs to many people"),
    "doubts": N_("Texts nobody knows about"),
    "restoring": N_("Learning what a backup missed"),
    "gaps": N_("Calls out of Asterisk's own records"),
    "waits": N_("Learning how long callers wait"),
    "presence": N_("Who is there"),
    "sessions": N_("Sessions for agents"),
    "queues": N_("Queues and phones of %(name)s"),
    "dialplan": N_("What the dialplan asks"),
    "sealing": N_("The seal on the audit"),
    "refusals": N_("Counts of what was refused"),
    "retention": N_("Removing what is old"),
    "search": N_("Index of the search"),
    "pulse": N_("Watch on this program itself"),
    "service": N_("Word to the service manager"),
    "database": N_("Database"),
}
"""By the first word of a part's name; the place takes the rest."""

PART_MEANS: Mapping[str, str] = {
    "asterisk": N_("Calls go on as before, but are not seen here. Those that end meanwhile become tasks."),
    "carrier": N_("Its texts wait until it can be reached, as long as their time allows."),
    "line": N_("Replies, and whether its texts arrived, are not heard meanwhile."),
    "hooks": N_("Replies and receipts of carriers that call us are turned away; carriers try again."),
    "reconcile": N_("A reply that did not reach us when it was sent is not found meanwhile."),
    "inbound": N_("Replies are kept, and read when it works again."),
    "logins": N_("Live pages of somebody who was logged out go on meanwhile."),
    "waiting": N_("The counts beside the places are old."),
    "control": N_("The command line cannot reach the daemon."),
    "delays": N_("Texts that wait for their time do not go meanwhile."),
    "housekeeping": N_("What is old stays a little longer."),
    "api": N_("Programs are told to come again."),
    "runs": N_("Runs stand still; what is queued already goes."),
    "doubts": N_("Carriers are not asked what became of texts; nothing is sent twice."),
    "gaps": N_("Calls that ended out of sight stay tasks."),
    "waits": N_("Callers are offered texts by what was known of the queues before."),
    "presence": N_("Agents are taken to be as they were."),
    "sessions": N_("Sessions wait where they are; agents can still take them."),
    "queues": N_("Callers are offered texts without an expected wait, and phones of agents are not seen."),
    "dialplan": N_("Calls go on as if Ringback were not there; callers are offered nothing."),
    "restoring": N_("What was sent after the backup was made is not learnt meanwhile."),
    "sealing": N_("The history of texts gets its seal a little later."),
    "refusals": N_("Only the first of each kind of refusal is in the record."),
    "retention": N_("What is old, and what should be erased, stays a little longer."),
    "search": N_("Only the newest of what was written since can be found."),
    "pulse": N_("Nobody notes when this program stands still."),
    "service": N_("It may be started again for want of a sign of life."),
    "database": N_("Nothing is taken until it is back; whoever calls us is told to come again."),
}
"""What it means for calls and texts while the part does not work."""

FIRST_STEPS: tuple[tuple[str, str], ...] = (
    (N_("A user"), N_("Somebody can log in.")),
    (N_("A number of yours"), N_("Add [numbers] with its carrier to ringback.toml.")),
    (N_("A rule"), N_("Add a [[rule]] that says which calls get which text.")),
    (N_("Asterisk answers"), N_("Run ringback check; it says what is missing.")),
    (N_("A carrier works"), N_("The list of parts says what it lacks.")),
    (N_("Hear a call"), N_("Call one of your numbers from outside. It stands under Calls at once.")),
    (N_("Text back"), N_("Let a call ring out. Its caller gets a text.")),
)

PAUSED: Mapping[Scope, str] = {
    Scope.ALL: N_("Everything automatic"),
    Scope.NUMBER: N_("Number %(name)s"),
    Scope.RULE: N_("Rule %(name)s"),
}
