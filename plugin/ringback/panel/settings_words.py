"""What the settings page calls each key of the configuration."""

from collections.abc import Mapping

from ringback.panel.words import N_

SECTIONS: Mapping[str, str] = {
    "business": N_("Business"),
    "web": N_("These pages"),
    "hooks": N_("Where carriers call"),
    "database": N_("Database"),
    "paths": N_("Folders"),
    "asterisk": N_("Asterisk: %(name)s"),
    "carriers": N_("Carrier: %(name)s"),
    "numbers": N_("Number: %(name)s"),
    "calendar": N_("Calendar: %(name)s"),
    "limits": N_("Limits"),
    "countries": N_("Country: %(name)s"),
    "rule": N_("Rule: %(name)s"),
}

KEYS: Mapping[str, str] = {
    "business.name": N_("Name"),
    "business.zone": N_("Time zone"),
    "business.default_country": N_("Country of numbers without +"),
    "business.languages": N_("Languages of texts, the first where nothing is known"),
    "business.contact": N_("Contact in the answer to HELP"),
    "web.listen": N_("Listens at"),
    "web.public_url": N_("Browsers call it"),
    "hooks.listen": N_("Listens at"),
    "hooks.public_url": N_("Carriers call it"),
    "database.url": N_("Where rows are kept"),
    "paths.state": N_("State"),
    "asterisk.host": N_("Host"),
    "asterisk.port": N_("Port of its manager"),
    "asterisk.user": N_("Manager account"),
    "asterisk.secret": N_("Secret of the account"),
    "asterisk.inbound_contexts": N_("Calls from outside start in"),
    "asterisk.phone_contexts": N_("Phones of the house start in"),
    "asterisk.number_format": N_("How it writes numbers"),
    "asterisk.extension_digits": N_("Digits of a phone of the house, at most"),
    "asterisk.trust_caller_id": N_("Texts callers although the dialplan does not say whether they hide their number"),
    "asterisk.allow_dangerous_account": N_("The account may do more than needed"),
    "carriers.type": N_("Kind"),
    "carriers.validity": N_("A text waits for it at most"),
    "carriers.number_format": N_("How it writes numbers"),
    "numbers.carrier": N_("Carrier of its texts"),
    "numbers.language": N_("Language of its callers"),
    "calendar.zone": N_("Time zone"),
    "calendar.open": N_("Open"),
    "calendar.callback": N_("Calls back"),
    "calendar.closed": N_("Closed on"),
    "calendar.holidays": N_("Public holidays of"),
    "limits.texts_per_minute": N_("Automatic texts in a minute, all together"),
    "limits.automatic_per_hour": N_("Automatic texts from one number to one caller in an hour"),
    "limits.per_number_per_minute": N_("Texts in a minute from one number"),
    "limits.max_segments": N_("Parts of the longest text"),
    "countries.caller_initiated": N_("Callers are texted back without having asked"),
    "rule.when": N_("After calls that ended as"),
    "rule.did": N_("For calls to"),
    "rule.queue": N_("For calls in the queues"),
    "rule.extension": N_("For calls to the extensions"),
    "rule.hours": N_("When the calendar is"),
    "rule.calendar": N_("Calendar"),
    "rule.min_ring": N_("Rang at least"),
    "rule.delay": N_("The text goes after"),
    "rule.cool_down": N_("One text to a caller in"),
    "rule.age_limit": N_("No text when the call is over for"),
    "rule.group": N_("Shares that time with the rules of the group"),
}
"""By section and key. A key of a carrier's own kind that is not here stands under its own name."""

VALUES: Mapping[str, str] = {
    "rule.hours=open": N_("open"),
    "rule.hours=closed": N_("closed"),
    "rule.hours=any": N_("any hour"),
    "countries.caller_initiated=allow": N_("yes"),
    "countries.caller_initiated=off": N_("no"),
}
"""Words for values that are codes."""

ANY: Mapping[str, str] = {
    "rule.did": N_("every number"),
    "rule.queue": N_("any queue, or none"),
    "rule.extension": N_("any extension"),
    "rule.calendar": N_("none"),
    "calendar.holidays": N_("none"),
    "calendar.callback": N_("no times are offered"),
    "business.contact": N_("only the name"),
    "web.public_url": N_("at the address it listens at"),
    "hooks.public_url": N_("not at all"),
    "numbers.language": N_("the first of the business"),
}
"""What an empty value means."""

YES, NO, NOTHING = N_("yes"), N_("no"), N_("none")
HIDDEN = N_("set, and not shown")
DEFAULT = N_("default")
EXAMPLE_QUEUE = "Sales"
EXAMPLE_CALLER = "+12025550147"
