"""What the settings page calls each key of the configuration."""

from collections.abc import Mapping

from ringback.panel.words import N_

SECTIONS: Mapping[str, str] = {
    "business": N_("Business"),
    "web": N_("These pages"),
    "hooks": N_("Where carriers call"),
    "api": N_("What programs may ask"),
    "database": N_("Database"),
    "paths": N_("Folders"),
    "asterisk": N_("Asterisk: %(name)s"),
    "carriers": N_("Carrier: %(name)s"),
    "numbers": N_("Number: %(name)s"),
    "calendar": N_("Calendar: %(name)s"),
    "limits": N_("Limits"),
    "campaigns": N_("Campaign: %(name)s"),
    "destinations": N_("Where a day has its limit: %(name)s"),
    "doubts": N_("When nobody knows whether a text was sent"),
    "retention": N_("How long things are kept"),
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
    "web.metrics": N_("Figures for programs may be read by"),
    "hooks.listen": N_("Listens at"),
    "hooks.public_url": N_("Carriers call it"),
    "api.requests_per_minute": N_("Requests of one key in a minute"),
    "api.largest_run": N_("People in one run, at most"),
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
    "asterisk.cel_file": N_("Writes down what channels do (CEL) in"),
    "asterisk.cdr_file": N_("Writes down its calls (CDR) in"),
    "asterisk.zone": N_("Time zone of those files"),
    "carriers.type": N_("Kind"),
    "carriers.validity": N_("A text waits for it at most"),
    "carriers.number_format": N_("How it writes numbers"),
    "carriers.rate": N_("Parts of texts in a second, at most"),
    "carriers.fallback": N_("When it is down, texts go by"),
    "numbers.carrier": N_("Carrier of its texts"),
    "numbers.language": N_("Language of its callers"),
    "numbers.per_second": N_("Parts of texts in a second, at most"),
    "numbers.campaign": N_("Campaign its texts belong to"),
    "calendar.zone": N_("Time zone"),
    "calendar.open": N_("Open"),
    "calendar.callback": N_("Calls back"),
    "calendar.closed": N_("Closed on"),
    "calendar.holidays": N_("Public holidays of"),
    "limits.texts_per_minute": N_("Automatic texts in a minute, all together"),
    "limits.automatic_per_hour": N_("Automatic texts from one number to one caller in an hour"),
    "limits.per_number_per_minute": N_("Texts in a minute from one number"),
    "limits.max_segments": N_("Parts of the longest text"),
    "campaigns.per_minute": N_("Parts of texts in a minute, at most"),
    "campaigns.per_day": N_("Parts of texts in a day, at most"),
    "campaigns.zone": N_("Its days begin at midnight in"),
    "destinations.prefixes": N_("Numbers that begin with"),
    "destinations.per_day": N_("Parts of texts in a day, at most"),
    "destinations.zone": N_("Its days begin at midnight in"),
    "destinations.campaign": N_("Counts texts of the campaign"),
    "doubts.promotional": N_("A promotional text"),
    "doubts.transactional": N_("A text about something they asked for"),
    "doubts.conversational": N_("A person's text"),
    "doubts.system": N_("An answer to STOP, START or HELP"),
    "retention.bodies": N_("Words of texts"),
    "retention.calls": N_("Calls"),
    "retention.raw": N_("What carriers brought, as it came"),
    "retention.provider_ids": N_("Carriers' ids of texts"),
    "retention.parked": N_("Receipts whose text is not known"),
    "retention.keys": N_("Keys of requests"),
    "retention.audit": N_("Who did what"),
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
    "web.metrics=local": N_("programs on this machine"),
    "web.metrics=open": N_("whoever reaches these pages"),
    "web.metrics=off": N_("nobody"),
    **{
        f"doubts.{class_}={policy}": said
        for class_ in ("promotional", "transactional", "conversational", "system")
        for policy, said in {
            "once": N_("is left to a person"),
            "check-then-resend": N_("is sent again if the carrier's list shows that it is not there"),
            "deliver": N_("is sent once more"),
        }.items()
    },
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
    "asterisk.zone": N_("that of the business"),
    "carriers.rate": N_("no limit"),
    "carriers.fallback": N_("no other"),
    "numbers.per_second": N_("no limit"),
    "numbers.campaign": N_("none"),
    "campaigns.per_minute": N_("no limit"),
    "campaigns.per_day": N_("no limit"),
    "campaigns.zone": N_("that of the business"),
    "destinations.zone": N_("that of the business"),
    "destinations.campaign": N_("all"),
}
"""What an empty value means."""

YES, NO, NOTHING = N_("yes"), N_("no"), N_("none")
HIDDEN = N_("set, and not shown")
DEFAULT = N_("default")
EXAMPLE_QUEUE = "Sales"
EXAMPLE_CALLER = "+12025550147"
