"""What the page of the record says of each action, and of those who did it. A test holds that no action is missing."""

from collections.abc import Mapping

from ringback.panel.words import N_

GROUPS: Mapping[str, Mapping[str, str]] = {
    N_("Texts"): {
        "call_off": N_("Called a text off"),
        "said_sent": N_("Said that a text was sent"),
        "said_not_sent": N_("Said that a text was not sent"),
        "took_back": N_("Took back what was said of a text"),
        "checked": N_("Asked the carrier about a text"),
        "sent_again": N_("Sent a text again that may have arrived"),
        "cancel_run": N_("Called a run off"),
        "pause_run": N_("Paused a run"),
        "resume_run": N_("Let a run go on"),
    },
    N_("Threads and tasks"): {
        "no_answer_needed": N_("Marked a thread as needing no answer"),
        "closed_task": N_("Closed a task"),
        "reopened_task": N_("Opened a task again"),
    },
    N_("Opt-outs and lists"): {
        "opt_out": N_("Recorded an opt-out"),
        "opt_in": N_("Took an opt-out back"),
        "consent": N_("Wrote down what somebody said yes or no to"),
        "list_add": N_("Put somebody on a list"),
        "list_remove": N_("Took somebody off a list"),
        "list_import": N_("Imported a list"),
        "staging": N_("Turned staging on or off"),
    },
    N_("Who may text whom"): {
        "grant": N_("Changed permissions"),
        "allowance": N_("Changed an allowance"),
        "permission_ask": N_("Asked for a permission"),
        "department_add": N_("Added a department"),
        "department_rename": N_("Renamed a department"),
        "department_move": N_("Moved a department"),
        "department_remove": N_("Removed a department"),
        "department_join": N_("Put somebody into a department"),
        "department_leave": N_("Took somebody out of a department"),
        "number_describe": N_("Described a number"),
        "number_owner": N_("Gave a number an owner"),
        "number_outbound": N_("Chose the number that texts go out from"),
        "number_group_add": N_("Added a group of numbers"),
        "number_group_rename": N_("Renamed a group of numbers"),
        "number_group_remove": N_("Removed a group of numbers"),
    },
    N_("Sessions and queues"): {
        "session_take_over": N_("Took a session over"),
        "session_reassign": N_("Gave a session to somebody"),
        "session_put_back": N_("Put a session back into its queue"),
        "agent_send_away": N_("Said that an agent is away"),
        "agent_desk": N_("Said whether an agent is at their desk"),
        "agent_set_up": N_("Changed what an agent carries"),
        "queue_add": N_("Added a text queue"),
        "queue_rename": N_("Renamed a text queue"),
        "queue_change": N_("Changed a text queue"),
        "queue_members": N_("Changed who serves a text queue"),
        "queue_voice": N_("Changed what a text queue stands beside"),
        "queue_numbers": N_("Changed the numbers of a text queue"),
        "queue_remove": N_("Removed a text queue"),
    },
    N_("Users and programs"): {
        "user_add": N_("Added a user"),
        "user_describe": N_("Changed what is known of a user"),
        "user_password": N_("Set a password"),
        "user_role": N_("Changed the role of a user"),
        "user_disable": N_("Disabled a user"),
        "user_enable": N_("Let a user log in again"),
        "user_logout": N_("Logged a user out everywhere"),
        "user_reset": N_("Made a link that sets a password"),
        "user_reset_used": N_("Set a password with a link"),
        "people_import": N_("Imported people"),
        "totp_begin": N_("Began to set up a second factor"),
        "totp_on": N_("Set up a second factor"),
        "totp_code": N_("Used a code on paper"),
        "totp_codes": N_("Made new codes on paper"),
        "totp_off": N_("Took a second factor off"),
        "key_add": N_("Made a key for a program"),
        "key_revoke": N_("Revoked the key of a program"),
    },
    N_("Logins and refusals"): {
        "login": N_("Logged in"),
        "logout": N_("Logged out"),
        "login_refused": N_("Was refused at the login"),
        "key_refused": N_("Asked with a wrong key"),
        "denied": N_("Was denied what they asked for"),
        "forged": N_("Sent a form that is not ours"),
    },
    N_("The house"): {
        "pause": N_("Paused texts"),
        "resume": N_("Let texts go on"),
        "hold_carrier": N_("Held a carrier back"),
        "release_carrier": N_("Let a carrier go on"),
        "release_unclear": N_("Let texts go that may have been sent"),
        "mend": N_("Mended what the doctor found"),
        "put_back": N_("Put a backup in the place of the database"),
        "found_sent": N_("Found what a carrier took before a restore"),
        "trust_clock": N_("Said that the clock is right"),
        "secrets_rotate": N_("Changed the key that seals secrets"),
    },
    N_("People's data"): {
        "erase": N_("Erased a person"),
        "write_out": N_("Wrote out all that is known of a person"),
        "export": N_("Took a table away as a file"),
        "grant_export": N_("Took permissions away as a file"),
        "list_export": N_("Took a list away as a file"),
    },
    N_("The record itself"): {
        "digest": N_("Sealed what happened to texts"),
        "forget_record": N_("Dropped rows of the record for their age"),
    },
}
"""By what they are about, in the order of the choice."""
DID: Mapping[str, str] = {action: words for group in GROUPS.values() for action, words in group.items()}
"""What an action is in words; who did it stands beside it."""

KINDS: Mapping[str, str] = {
    "shell": N_("%(name)s at the command line"),
    "program": N_("the program %(name)s"),
    "dialplan": N_("a caller at %(name)s, by key"),
    "user": "%(name)s",
    "policy": N_("the rule for doubts: %(name)s"),
}
"""By the first word of a label that has two."""
ALONE: Mapping[str, str] = {
    "daemon": N_("Ringback itself"),
    "restore": N_("a restore"),
    "nobody": N_("somebody who is not known"),
    "upgrade": N_("an upgrade"),
    "ldap": N_("the directory"),
    "oidc": N_("the single sign-on"),
}
"""Labels of one word."""
