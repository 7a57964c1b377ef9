"""Every fault is one line: the file, the key, what is wrong, and the cure."""

import pytest

COUNTRY_CURE = 'add the country whose numbers are written without +, as in default_country = "US"'
SECRET_CURE = (
    "put it into secrets/asterisk.NAME.secret (mode 0640), or into RINGBACK_ASTERISK__NAME__SECRET in the environment"
)
DATABASE_CURE = 'is not a database we know: write "postgresql://user@host/name" or "sqlite:////path/file.db"'
SECRET_LEFT = "secrets/asterisk.main.secret: belongs to no asterisk of the file: known are none"
WINDOW_KEYS = "window, receipt_after, late_after, answer_within, throttle_wait, behaviour, texts_per_handset, handsets"

# what to find in the good file, what to put there, and the line it earns
ROWS = [
    pytest.param(
        'name = "Acme Plumbing"\n', "", 'business.name is missing: add name = "..."', id="a missing key names its cure"
    ),
    pytest.param('"Acme Plumbing"', '""', "business.name is empty: fill it in", id="an empty name is no name"),
    pytest.param('"Acme Plumbing"', "7", "business.name must be text: write it in quotes", id="a number is no name"),
    pytest.param(
        '"Acme Plumbing"',
        f'"{"x" * 61}"',
        "business.name is longer than 60 characters: make it shorter",
        id="a name has to fit into a text",
    ),
    pytest.param(
        '"America/New_York"',
        '"America/NewYork"',
        "business.zone is 'America/NewYork', which is not a time zone: did you mean \"America/New_York\"?",
        id="a wrong time zone proposes the nearest",
    ),
    pytest.param(
        '"America/New_York"',
        '"../../etc/passwd"',
        "business.zone is '../../etc/passwd', which is not a time zone: write one like \"America/New_York\"",
        id="a path is no time zone",
    ),
    pytest.param(
        '"America/New_York"',
        "5",
        'business.zone is 5, which is not a time zone: write one like "America/New_York"',
        id="a number is no time zone",
    ),
    pytest.param(
        'default_country = "US"\n',
        "",
        f"business.default_country is missing: {COUNTRY_CURE}",
        id="the country has no default",
    ),
    pytest.param(
        'default_country = "US"',
        'default_country = "us"',
        "business.default_country is 'us', which is not a country: write \"US\"",
        id="a country in small letters is shown in capitals",
    ),
    pytest.param(
        'default_country = "US"',
        'default_country = "Germany"',
        "business.default_country is 'Germany', which is not a country: write \"DE\"",
        id="a country by its name is shown as its code",
    ),
    pytest.param(
        'default_country = "US"',
        'default_country = "QQ"',
        "business.default_country is 'QQ', which is not a country: write its two capital letters, as in \"US\"",
        id="a code nobody has is no country",
    ),
    pytest.param(
        '["en", "es"]',
        '["en", "es", "english"]',
        'business.languages names \'english\', which is not a language tag: write one like "en" or "pt-BR"',
        id="a language is a tag",
    ),
    pytest.param(
        '["en", "es"]',
        '["en"]',
        [
            "rule.sales-missed.text uses es, which business.languages does not name: add it there",
            'numbers."+12025550102".language uses es, which business.languages does not name: add it there',
        ],
        id="only languages of the business are used",
    ),
    pytest.param(
        "[business]",
        "[busines]",
        [
            "busines is not a section: did you mean business?",
            'business.name is missing: add name = "..."',
            'business.zone is missing: add the time zone, as in zone = "America/New_York"',
            f"business.default_country is missing: {COUNTRY_CURE}",
            "rule.sales-missed.text uses es, which business.languages does not name: add it there",
            'numbers."+12025550102".language uses es, which business.languages does not name: add it there',
        ],
        id="an unknown section proposes the nearest",
    ),
    pytest.param(
        'user = "ringback"',
        'user = "ringback"\nprot = 5038',
        "asterisk.main.prot is not a setting: did you mean port?",
        id="an unknown key proposes the nearest",
    ),
    pytest.param(
        'user = "ringback"',
        'user = "ringback"\nport = 70000',
        "asterisk.main.port must be 65535 or less",
        id="a port has an upper bound",
    ),
    pytest.param(
        'user = "ringback"',
        'user = "ringback"\nport = 0',
        "asterisk.main.port must be 1 or more",
        id="a port has a lower bound",
    ),
    pytest.param(
        'user = "ringback"',
        'user = "ringback"\nport = 50.5',
        "asterisk.main.port must be a whole number: write it without a point",
        id="half a port is no port",
    ),
    pytest.param(
        'user = "ringback"',
        'user = "ringback"\nport = [5038]',
        "asterisk.main.port must be a whole number: write it without quotes",
        id="a list is no port",
    ),
    pytest.param(
        'user = "ringback"',
        'user = "ringback"\nnumber_format = "e123"',
        "asterisk.main.number_format is 'e123': write 'e164', 'e164_no_plus', 'national', 'nanp10' or 'as_is'",
        id="a choice names its words",
    ),
    pytest.param(
        'user = "ringback"',
        'user = "ringback"\ntrust_caller_id = "perhaps"',
        "asterisk.main.trust_caller_id must be true or false, without quotes",
        id="a switch is on or off",
    ),
    pytest.param(
        'user = "ringback"',
        'user = "ringback"\ntrust_caller_id = [true]',
        "asterisk.main.trust_caller_id must be true or false, without quotes",
        id="a list is no switch",
    ),
    pytest.param(
        'inbound_contexts = ["from-trunk"]',
        "inbound_contexts = []",
        "asterisk.main.inbound_contexts is empty: write at least one",
        id="there is at least one inbound context",
    ),
    pytest.param(
        'inbound_contexts = ["from-trunk"]',
        "inbound_contexts = 7",
        'asterisk.main.inbound_contexts must be a list: write it as ["...", "..."]',
        id="contexts are a list",
    ),
    pytest.param(
        '[[asterisk]]\nname = "main"',
        '[asterisk]\nname = "main"',
        ["asterisk must be a list of tables: write [[asterisk]]", SECRET_LEFT],
        id="asterisk is a list of tables",
    ),
    pytest.param(
        'name = "main"\n',
        "",
        [
            'asterisk[1].name is missing: add name = "..."',
            SECRET_LEFT,
            f"asterisk[1].secret is missing: {SECRET_CURE}",
        ],
        id="a PBX without a name is named by its place",
    ),
    pytest.param(
        'name = "main"',
        'name = "the main one"',
        [
            "asterisk[1].name is 'the main one': use letters and digits, with single - or _ between them",
            SECRET_LEFT,
            f"asterisk[1].secret is missing: {SECRET_CURE}",
        ],
        id="a name can stand in a file name and a variable",
    ),
    pytest.param(
        "[carriers.main]",
        '[carriers."main one"]\ntype = "loopback"\n[carriers.main]',
        'carriers."main one" is no good as a name: use letters and digits, with single - or _ between them',
        id="a carrier's name can stand in a file name and a variable",
    ),
    pytest.param(
        'type = "loopback"',
        'type = "loopbak"',
        'carriers.main.type = "loopbak" is not a carrier; known are loopback, twilio',
        id="an unknown carrier names those there are",
    ),
    pytest.param(
        'type = "loopback"',
        "",
        'carriers.main.type is missing: add the kind of carrier, as in type = "loopback"',
        id="a carrier has a type",
    ),
    pytest.param(
        'type = "loopback"',
        'type = "loopback"\nwindow = 0\nreceipt_afer = "1s"',
        [
            "carriers.main.window must be a whole number from 1 to 1000",
            f"carriers.main.receipt_afer is not an option of this carrier; it knows {WINDOW_KEYS}",
        ],
        id="a carrier's own options are checked by the carrier",
    ),
    pytest.param(
        'type = "loopback"',
        'type = "loopback"\nwindow = [16]',
        "carriers.main.window must be text, a number, true or false",
        id="a carrier's option is no list",
    ),
    pytest.param(
        'type = "loopback"',
        'type = "loopback"\nvalidity = "5s"',
        'carriers.main.validity is too short to send anything: write "1m" or more',
        id="a validity leaves time to send",
    ),
    pytest.param(
        "[carriers.main]\n",
        "[carriers]\nspare = 3\n[carriers.main]\n",
        "carriers.spare must be a table",
        id="a carrier is a table",
    ),
    pytest.param(
        '[numbers."+12025550102"]\ncarrier = "main"',
        '[numbers."+12025550102"]\ncarrier = "other"',
        "numbers.\"+12025550102\".carrier names 'other', which is no carrier here: add [carriers.other] or correct it",
        id="a number names a carrier there is",
    ),
    pytest.param(
        '[numbers."+12025550102"]',
        '[numbers."2025550102"]',
        "numbers.2025550102 names '2025550102', which is no E.164 number: write + and all its digits, "
        'as in "+12025550101"',
        id="our numbers are E.164",
    ),
    pytest.param(
        '[numbers."+12025550102"]',
        '[numbers."+1202555010"]',
        "numbers.\"+1202555010\" names '+1202555010', which is no E.164 number: write + and all its digits, "
        'as in "+12025550101"',
        id="a number lacks a digit",
    ),
    pytest.param(
        'did = ["+12025550101"]',
        'did = ["+12025550109", "+12025550108"]',
        "rule.sales-missed.did names +12025550108, +12025550109, which is not in [numbers]: "
        'add [numbers."+12025550108"]',
        id="a rule names numbers there are",
    ),
    pytest.param(
        'did = ["+12025550101"]',
        'did = ["sales"]',
        "rule.sales-missed.did names 'sales', which is no E.164 number: write + and all its digits, "
        'as in "+12025550101"',
        id="a rule's number is E.164",
    ),
    pytest.param(
        'hours = "open"',
        'hours = "open"\ncalendar = "shop"',
        "rule.sales-missed.calendar names 'shop', which is no calendar here: add [calendar.shop] or correct it",
        id="a rule names a calendar there is",
    ),
    pytest.param(
        '[calendar.main]\nopen = { mon-fri = ["09:00-17:00"] }\nclosed = ["2026-12-24", 2026-12-25]',
        "",
        'rule.sales-missed.calendar is missing, and hours = "open" needs one: '
        "add [calendar.main] with the opening hours",
        id="opening hours need a calendar",
    ),
    pytest.param(
        "[calendar.main]",
        '[calendar.shop]\nopen = { sat = ["10:00-12:00"] }\n[calendar.main]',
        'rule.sales-missed.calendar is missing, and hours = "open" needs one: write one of shop, main',
        id="of two calendars the rule names one",
    ),
    pytest.param(
        '"busy"]',
        '"bussy"]',
        "rule.sales-missed.when names 'bussy', which is not an outcome: did you mean busy?",
        id="an unknown outcome proposes the nearest",
    ),
    pytest.param(
        '"busy"]',
        '"answered"]',
        "rule.sales-missed.when names 'answered', after which nobody is texted: take it out",
        id="nobody is texted after an answered call",
    ),
    pytest.param(
        '["missed", "busy"]', "[]", "rule.sales-missed.when is empty: write at least one", id="a rule has an outcome"
    ),
    pytest.param(
        'hours = "open"',
        'hours = "noon"',
        "rule.sales-missed.hours is 'noon': write 'open', 'closed' or 'any'",
        id="hours are one of three words",
    ),
    pytest.param(
        'hours = "open"',
        'hours = "open"\ndelay = 20',
        "rule.sales-missed.delay is 20, which is not a duration: write a number with d, h, m or s, "
        'as in "20s" or "1h30m"',
        id="a duration has a unit",
    ),
    pytest.param(
        'hours = "open"',
        'hours = "open"\ncool_down = "99999d"',
        "rule.sales-missed.cool_down is '99999d', which is longer than ten years: make it shorter",
        id="a duration has an end",
    ),
    pytest.param(
        'hours = "open"',
        'hours = "open"\nage_limit = "0s"',
        'rule.sales-missed.age_limit makes every call too old: write "1s" or more',
        id="an age limit lets calls through",
    ),
    pytest.param(
        'es = "Le llamamos. STOP"',
        "es = 5",
        'rule.sales-missed.text.es must be text: write it in quotes, as in en = "Sorry we missed you. STOP to end"',
        id="a text is text",
    ),
    pytest.param(
        'es = "Le llamamos. STOP"',
        'ES = "Le llamamos. STOP"',
        'rule.sales-missed.text.ES names \'ES\', which is not a language tag: write one like "en" or "pt-BR"',
        id="a text's key is a language tag",
    ),
    pytest.param(
        'text = { en = "Sorry we missed you, {{ business }}. STOP to end", es = "Le llamamos. STOP" }',
        'text = "Sorry"',
        'rule.sales-missed.text must be a table of languages: write it as { en = "..." }',
        id="a text stands by language",
    ),
    pytest.param(
        'name = "sales-missed"\n',
        'name = "sales-missed"\nwhen = ["busy"]\ntext = { en = "Hi" }\n\n[[rule]]\nname = "sales-missed"\n',
        "rule[2].name is 'sales-missed' for the second time: give each its own",
        id="rules have different names",
    ),
    pytest.param(
        'es = "Le llamamos. STOP"',
        'es = "{% for x in y %}{% endfor %}"',
        "rule.sales-missed.text.es cannot be used: 'for' is not allowed: there are no lists to go through; "
        "use if, unless or case",
        id="a text with a loop",
    ),
    pytest.param(
        'es = "Le llamamos. STOP"',
        'es = "{{ busines }}"',
        "rule.sales-missed.text.es cannot be used: 'busines' is not a name here: "
        "use one of business, caller, did, queue, windows",
        id="a text uses names there are",
    ),
    pytest.param(
        '{ mon-fri = ["09:00-17:00"] }',
        '{ mon-fry = ["09:00-17:00"] }',
        "calendar.main.open cannot be used: mon-fry names no days: write mon, tue, wed, thu, fri, sat, sun, "
        "a range like mon-fri, or daily",
        id="a day has a name",
    ),
    pytest.param(
        "closed = [",
        'holidays = "XX"\nclosed = [',
        "calendar.main.holidays cannot be used: no holidays are known for 'XX': "
        "write the ISO code of a country, like US, DE or US-NY",
        id="holidays of a country there is",
    ),
    pytest.param(
        "closed = [",
        'closed = ["Christmas", ',
        "calendar.main.closed names 'Christmas', which is not a date: write one like \"2026-12-24\"",
        id="a closed day is a date",
    ),
    pytest.param(
        '{ mon-fri = ["09:00-17:00"] }',
        "7",
        'calendar.main.open must be a table of days: write { mon-fri = ["09:00-17:00"] }',
        id="opening hours are a table",
    ),
    pytest.param(
        "[calendar.main]",
        '[web]\nlisten = "8080"\n[calendar.main]',
        "web.listen is '8080', which is not an address: write host:port, as in \"127.0.0.1:8080\"",
        id="an address has a host and a port",
    ),
    pytest.param(
        "[calendar.main]",
        '[web]\nlisten = "127.0.0.1:80800"\n[calendar.main]',
        "web.listen is '127.0.0.1:80800', which is not an address: write host:port, as in \"127.0.0.1:8080\"",
        id="an address's port has an upper bound",
    ),
    pytest.param(
        "[calendar.main]",
        '[dialplan]\nlisten = "0.0.0.0:8082"\n[calendar.main]',
        "dialplan.listen is '0.0.0.0:8082', which others can reach: whoever asks here decides about texts and the "
        'secret crosses the wire in the clear, so write a loopback address, as in "127.0.0.1:8082"',
        id="the dialplan asks on this machine only",
    ),
    pytest.param(
        "[calendar.main]",
        '[dialplan]\nfastagi = "192.0.2.1:4573"\n[calendar.main]',
        "dialplan.fastagi is '192.0.2.1:4573', which others can reach: whoever asks here decides about texts and the "
        'secret crosses the wire in the clear, so write a loopback address, as in "127.0.0.1:8082"',
        id="by FastAGI too",
    ),
    pytest.param(
        "[calendar.main]",
        '[dialplan]\ntoken = "abcdefghijklmnopqrstuvwxyz"\n[calendar.main]',
        "dialplan.token is a secret, which this file must not hold: put it into secrets/dialplan.token (mode 0640), "
        "or into RINGBACK_DIALPLAN__TOKEN in the environment",
        id="the dialplan's token is no setting",
    ),
    pytest.param(
        "[calendar.main]",
        '[hooks]\npublic_url = "http://sms.example.com"\n[calendar.main]',
        'hooks.public_url is not https: texts would cross the net for all to read; begin it with "https://"',
        id="a public address has TLS",
    ),
    pytest.param(
        "[calendar.main]",
        '[hooks]\npublic_url = "https://me:hush@sms.example.com"\n[calendar.main]',
        "hooks.public_url is not a public address: write https, a host, perhaps a port and a plain path, "
        'as in "https://sms.example.com"',
        id="a public address holds no password, and the fault does not show it",
    ),
    pytest.param(
        "[calendar.main]",
        '[database]\nurl = "postgresql://[1"\n[calendar.main]',
        f"database.url {DATABASE_CURE}",
        id="a bracket too few is no address of a database",
    ),
    pytest.param(
        "[calendar.main]",
        '[database]\nurl = "mysql://db/ringback"\n[calendar.main]',
        f"database.url {DATABASE_CURE}",
        id="only two databases are known",
    ),
    pytest.param(
        "[calendar.main]",
        '[database]\nurl = "postgresql://me:hunter2@db/ringback"\n[calendar.main]',
        "database.url holds a password, which this file must not: take the line out, and the whole address: "
        "put it into secrets/database.url (mode 0640), or into RINGBACK_DATABASE__URL in the environment",
        id="a password in the database's address is a secret",
    ),
    pytest.param(
        "[calendar.main]",
        "[limits]\nmax_segments = 11\n[calendar.main]",
        "limits.max_segments must be 10 or less",
        id="a limit has a limit",
    ),
    pytest.param(
        "[calendar.main]",
        '[countries.UK]\ncaller_initiated = "off"\n[calendar.main]',
        "countries.UK is 'UK', which is not a country: write its two capital letters, as in \"US\"",
        id="a country's rules stand under its code",
    ),
    pytest.param(
        "[calendar.main]",
        '[countries.GB]\ncaller_initiated = "no"\n[calendar.main]',
        "countries.GB.caller_initiated is 'no': write 'allow' or 'off'",
        id="texting callers back is allowed or off",
    ),
    pytest.param(
        'user = "ringback"',
        'user = "ringback"\nsecret = "hunter2"',
        "asterisk.main.secret is a secret, which this file must not hold: put it into secrets/asterisk.main.secret "
        "(mode 0640), or into RINGBACK_ASTERISK__MAIN__SECRET in the environment",
        id="the AMI secret stands elsewhere",
    ),
    pytest.param(
        'type = "loopback"',
        'type = "loopback"\nkey = "hunter2"',
        "carriers.main.key is a secret, which this file must not hold: put it into secrets/carriers.main.key "
        "(mode 0640), or into RINGBACK_CARRIERS__MAIN__KEY in the environment",
        id="a carrier's key stands elsewhere",
    ),
    pytest.param(
        "[calendar.main]",
        '[web]\ntoken = "hunter2"\n[calendar.main]',
        "web.token is a secret, which this file must not hold: take it out, nothing reads it",
        id="a secret nobody reads is taken out",
    ),
    pytest.param("[business]", "web = 3\n[business]", "web must be a table: write [web]", id="a section is a table"),
]


@pytest.mark.parametrize(("old", "new", "lines"), ROWS)
def test_a_fault_names_file_key_and_cure(place, good, old, new, lines):
    assert old in good
    place.write(good.replace(old, new, 1))
    expected = [lines] if isinstance(lines, str) else lines
    assert place.faults() == [line if line.startswith("secrets/") else f"ringback.toml: {line}" for line in expected]
