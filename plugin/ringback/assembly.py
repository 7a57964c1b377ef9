"""Makes the parts from the settings: what the owner wrote, in the words of the flow and of the adapters."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from ringback.asterisk.ami import Account
from ringback.asterisk.checks import Expected
from ringback.asterisk.feed import AmiFeed
from ringback.asterisk.tracker import Tracker
from ringback.carriers import build_carrier
from ringback.config import Asterisk, CallerInitiated, Settings
from ringback.core.numbers import Number, NumberFormat, read_number
from ringback.errors import ConfigFault
from ringback.flow.house import House, Limits, at_carrier
from ringback.flow.pauses import Pause, Scope
from ringback.ports import Carrier, CarrierContext, Clock


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
        countries_off=frozenset(
            code for code, rules in settings.countries.items() if rules.caller_initiated is CallerInitiated.OFF
        ),
        limits=Limits(
            limits.texts_per_minute, limits.automatic_per_hour, limits.per_number_per_minute, limits.max_segments
        ),
        validity_of={name: carrier.validity for name, carrier in settings.carriers.items()},
    )


def make_account(pbx: Asterisk) -> Account:
    return Account(pbx.name, pbx.host, pbx.port, pbx.user, pbx.secret.get_secret_value())


def expected_of(pbx: Asterisk) -> Expected:
    """What `ringback check` should find on a PBX."""
    return Expected(make_account(pbx), tuple(pbx.inbound_contexts), pbx.trust_caller_id, pbx.allow_dangerous_account)


def make_feed(pbx: Asterisk, clock: Clock) -> AmiFeed:
    tracker = Tracker(
        pbx.name, frozenset(pbx.inbound_contexts), frozenset(pbx.phone_contexts), trust_caller_id=pbx.trust_caller_id
    )
    return AmiFeed(make_account(pbx), clock, tracker)


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
