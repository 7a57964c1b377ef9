"""Makes the parts from the settings: what the owner wrote, in the words of the flow and of the adapters."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ringback.asterisk.ami import Account
from ringback.asterisk.checks import Expected
from ringback.asterisk.feed import AmiFeed
from ringback.asterisk.records import CallFile
from ringback.asterisk.rows import Layout
from ringback.asterisk.tracker import Tracker
from ringback.carriers import build_carrier
from ringback.config import Asterisk, CallerInitiated, Settings
from ringback.core.messages import MessageClass
from ringback.core.numbers import Number, NumberFormat, read_number
from ringback.errors import ConfigFault
from ringback.flow.house import Campaign, Destination, House, Limits, at_carrier
from ringback.flow.pauses import Pause, Scope
from ringback.flow.retention import Times
from ringback.ports import Carrier, CarrierContext, Clock

if TYPE_CHECKING:
    from ringback.asterisk.dialplan import Wanted
    from ringback.core.queue_forms import Surroundings


def make_reader(settings: Settings) -> Callable[[str, str], Number]:
    """Read a number as that PBX or carrier writes it; under no such name it is one of our own, in E.164."""
    country = settings.business.default_country
    formats = {pbx.name: (pbx.number_format, pbx.extension_digits) for pbx in settings.asterisk}
    formats |= {at_carrier(name): (carrier.number_format, 0) for name, carrier in settings.carriers.items()}

    def read(pbx: str, text: str) -> Number:
        form, digits = formats.get(pbx, (NumberFormat.E164, 0))
        return read_number(text, form, country, extension_digits=digits)

    return read


def make_house(settings: Settings) -> House:
    """What the owner decided, in the words of the flow."""
    limits = settings.limits
    return House(
        business=settings.business.name,
        contact=settings.business.contact,
        rules=settings.rules,
        read=make_reader(settings),
        numbers=frozenset(settings.numbers),
        carrier_of={did: number.carrier for did, number in settings.numbers.items()},
        language_of={did: number.language for did, number in settings.numbers.items() if number.language},
        languages=settings.business.languages,
        calendars=settings.calendars,
        introduction=settings.consent.introduction,
        introduce_again=settings.consent.again,
        countries_off=frozenset(
            code for code, rules in settings.countries.items() if rules.caller_initiated is CallerInitiated.OFF
        ),
        limits=Limits(
            limits.texts_per_minute, limits.automatic_per_hour, limits.per_number_per_minute, limits.max_segments
        ),
        on_doubt={class_: getattr(settings.doubts, class_) for class_ in MessageClass},
        validity_of={name: carrier.validity for name, carrier in settings.carriers.items()},
        rate_of={name: carrier.rate for name, carrier in settings.carriers.items() if carrier.rate},
        fallback_of={name: carrier.fallback for name, carrier in settings.carriers.items() if carrier.fallback},
        pace_of={did: number.per_second for did, number in settings.numbers.items() if number.per_second},
        campaign_of={did: number.campaign for did, number in settings.numbers.items() if number.campaign},
        campaigns=make_campaigns(settings),
        destinations=make_destinations(settings),
        zone=settings.business.zone,
    )


def surroundings_of(settings: Settings) -> "Surroundings":
    """What text queues may name: languages, calendars and PBXs of the file."""
    from ringback.core.queue_forms import Known, Surroundings  # noqa: PLC0415 - not needed for a start

    known = Known(settings.business.languages, tuple(settings.calendars))
    return Surroundings(known, tuple(pbx.name for pbx in settings.asterisk), tuple(settings.numbers))


def make_campaigns(settings: Settings) -> dict[str, Campaign]:
    """What each campaign may send; one without limits is only a name."""
    zone = settings.business.zone
    return {
        name: Campaign(limits.per_minute or None, limits.per_day or None, limits.zone or zone)
        for name, limits in settings.campaigns.items()
    }


def make_destinations(settings: Settings) -> tuple[Destination, ...]:
    """How much may go where."""
    return tuple(
        Destination(name, to.prefixes, to.per_day, to.zone or settings.business.zone, to.campaign)
        for name, to in settings.destinations.items()
    )


def make_times(settings: Settings) -> Times:
    """How long things are kept."""
    kept = settings.retention
    return Times(
        kept.bodies, kept.calls, kept.raw, kept.provider_ids, kept.parked, kept.keys, kept.audit, kept.consents
    )


def make_account(pbx: Asterisk) -> Account:
    return Account(pbx.name, pbx.host, pbx.port, pbx.user, pbx.secret.get_secret_value())


def expected_of(pbx: Asterisk) -> Expected:
    """What `ringback check` should find on a PBX."""
    return Expected(make_account(pbx), tuple(pbx.inbound_contexts), pbx.trust_caller_id, pbx.allow_dangerous_account)


def wanted_of(settings: Settings, port: int = 0, agi_port: int = 0) -> "Wanted":
    """Where the dialplan should ask; the ports are those of a daemon that listens, 0 without one."""
    from ringback.asterisk.dialplan import Wanted  # noqa: PLC0415  # for a command by hand only

    ours = settings.dialplan
    token = ours.token.get_secret_value() if ours.token is not None else ""
    agi = "" if ours.fastagi is None else f"agi://{ours.fastagi._replace(port=agi_port or ours.fastagi.port)}"
    return Wanted(f"http://{ours.listen._replace(port=port or ours.listen.port)}", token, agi, listens=port > 0)


def make_feed(pbx: Asterisk, clock: Clock) -> AmiFeed:
    tracker = Tracker(
        pbx.name, frozenset(pbx.inbound_contexts), frozenset(pbx.phone_contexts), trust_caller_id=pbx.trust_caller_id
    )
    return AmiFeed(make_account(pbx), clock, tracker)


def make_records(settings: Settings) -> dict[str, CallFile]:
    """What each PBX writes down of its calls, where the owner said so."""
    zone = settings.business.zone
    return {
        pbx.name: CallFile(
            pbx.records, Layout(pbx.name, frozenset(pbx.inbound_contexts), pbx.zone or zone, pbx.trust_caller_id)
        )
        for pbx in settings.asterisk
        if pbx.records is not None
    }


def make_carriers(settings: Settings, clock: Clock) -> dict[str, Carrier]:
    return {
        name: build_carrier(name, carrier.table, CarrierContext(clock, settings.paths.state, settings.hooks.of(name)))
        for name, carrier in settings.carriers.items()
    }


def known_to(carriers: Mapping[str, Carrier], house: House) -> House:
    """The house with what its carriers say of themselves."""
    return replace(
        house,
        carriers_that_answer=frozenset(name for name, carrier in carriers.items() if carrier.answers_commands),
        segments_of={name: carrier.max_segments for name, carrier in carriers.items()},
        carriers_with_receipts=frozenset(name for name, carrier in carriers.items() if carrier.receipts),
        carriers_with_numbers=frozenset(
            name for name, carrier in carriers.items() if getattr(carrier, "numeric_ids", False)
        ),
    )


def names_to_pause(settings: Settings) -> Mapping[Scope, Collection[str]]:
    """What can be paused by name, in the order of the file."""
    return {
        Scope.NUMBER: tuple(settings.numbers),
        Scope.RULE: tuple(rule.name for rule in settings.rules),
    }


def known_pause(names: Mapping[Scope, Collection[str]], words: Mapping[str, str]) -> Pause:
    """Read a pause from words; raises ConfigFault when there is no such number or rule."""
    scope, name = Scope.__members__.get(words.get("scope", Scope.ALL).upper()), words.get("name", "")
    if scope is None:
        raise ConfigFault([f"nothing can be paused by {words['scope']!r}; known are {', '.join(Scope)}"])
    if scope is not Scope.ALL and name not in names[scope]:
        known = ", ".join(sorted(names[scope])) or "none"
        raise ConfigFault([f"there is no {scope} {name!r} to pause; known are {known}"])
    return Pause(scope, name)
