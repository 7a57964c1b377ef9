"""The `ringback.toml` that `ringback init` writes, and what it tells the owner to do next.

A comment that is prose has a space after its #; one without a space is a setting that works when the # is taken away.
"""

from string import Template

TOML = Template("""\
# Ringback: who gets a text after a call that nobody answered. Written by `ringback init`, meant to be edited.
# `ringback check` names what is wrong with it. Every key: docs/configuration.md. No secret belongs in here.

[business]
name = $business
zone = $zone
# The country whose numbers are written without + by your trunk.
default_country = $country
# The first is used where nothing else is known.
languages = ["en"]

[web]
# Only this machine can reach it.
listen = "127.0.0.1:8080"

[paths]
# The database, its lock and the control socket.
state = $state

[[asterisk]]
name = "main"
host = $host
port = $port
# The AMI account of asterisk/ringback_manager.conf; its secret is in secrets/asterisk.main.secret.
user = $user
# The contexts where calls from outside start, and those where your phones dial out.
inbound_contexts = $inbound
phone_contexts = ["from-internal"]

# "loopback" sends nothing: texts appear on a page, so that you can try everything first.
[carriers.main]
type = $carrier

# What somebody is told who texts you for the first time. Take it out, and nothing is.
[consent]
introduction = { en = "{{ business }}: thanks for your text. We answer here. Msg & data rates may apply. STOP to end" }

# Your numbers. A text leaves from the number that was called.
$numbers
# Opening hours, for rules with hours = "open" or "closed".
#[calendar.main]
#open = { mon-fri = ["09:00-17:00"] }
#callback = { mon-fri = ["10:00-12:00", "14:00-16:00"] }
#holidays = "US-NY"
#closed = ["2027-12-24"]

# Rules are tried from the top; the first that fits the call speaks. This one only when closed:
#[[rule]]
#name = "closed"
#when = ["missed", "busy", "declined", "unreachable"]
#hours = "closed"
#text = { en = "{{ business }} is closed.{% if windows %} We can call you {{ windows }}.{% endif %} STOP to end" }

# All outcomes: missed busy declined unreachable abandoned_ivr abandoned_queue queue_gave_up voicemail_left
[[rule]]
name = "missed"
when = ["missed", "busy", "declined", "unreachable", "abandoned_queue", "queue_gave_up"]
# Time to call back first: an answered call back takes the text away.
delay = "20s"
# At most one text to the same caller in this time.
cool_down = "24h"
text = { en = "Sorry we missed your call to {{ business }}. Reply here and we will help. STOP to end" }
""")

NUMBER = Template("""\
[numbers.$did]
carrier = "main"
""")

NEXT = Template("""\
Next, give these files to Asterisk. Nothing of yours was touched.

  $manager
  $extensions, which brings the next three
  $texts
  $offers
  $settings

Asterisk from source
  Copy them to /etc/asterisk (owner root:asterisk, mode 0640).
  Last line of manager.conf:             #include ringback_manager.conf
  Last line of extensions.conf:          #include ringback_extensions.conf
Debian
  Copy ringback_manager.conf to /etc/asterisk/manager.d/, which manager.conf includes already,
  and the others to /etc/asterisk (owner root:asterisk, mode 0640).
  Last line of extensions.conf:          #include ringback_extensions.conf
FreePBX
  Copy them to /etc/asterisk (owner asterisk:asterisk, mode 0640).
  Last line of manager_custom.conf:      #include ringback_manager.conf
  Last line of extensions_custom.conf:   #include ringback_extensions.conf
  Its contexts are written anew each time: dialplan/README.md shows the one to give to your trunks.

manager.conf needs enabled = yes in [general]. Then, first thing where calls come in ($contexts):
  Gosub(ringback-call,s,1($${EXTEN}))
Load it:  asterisk -rx 'manager reload' and asterisk -rx 'dialplan reload'; on FreePBX: fwconsole reload
Then:     ringback check, and ringback dialplan check""")
