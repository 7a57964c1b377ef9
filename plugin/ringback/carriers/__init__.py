"""Ways to send: one file each. `type = "loopback"` in the configuration loads loopback.py; nothing is registered."""

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from types import ModuleType
from typing import cast

from ringback.errors import ConfigFault
from ringback.ports import BuildCarrier, Carrier, CarrierContext, OptionValue

ENTRY_POINTS = "ringback.carriers"
"""The group by which carriers outside this tree are found; each names a `build` function."""


def load(type_name: str) -> BuildCarrier:
    """Find the `build` function of a carrier type: a file here, else an entry point. Raise ConfigFault if neither."""
    if type_name in _files():
        build = _build_of(import_module(f"{__name__}.{type_name}"))
        if build is not None:
            return build
    for point in entry_points(group=ENTRY_POINTS, name=type_name):
        return _load_outside(point)
    raise ConfigFault([f'type = "{type_name}" is not a carrier; known are {", ".join(known())}'])


def build_carrier(name: str, table: Mapping[str, OptionValue], context: CarrierContext) -> Carrier:
    """Make the carrier of one `[carriers.NAME]` table. Every line of a ConfigFault begins with its key."""
    options = dict(table)
    type_name = options.pop("type", None)
    if type_name is None:
        raise ConfigFault([f"carriers.{name}.type is missing; known are {', '.join(known())}"])
    try:
        build = load(str(type_name))
    except ConfigFault as fault:
        raise ConfigFault([f"carriers.{name}: {line}" for line in fault.faults]) from fault
    return build(name, options, context)


def known() -> tuple[str, ...]:
    """Name every type there is, ours first. It imports them all, so it is for faults, docs and tests."""
    ours = sorted(name for name in _files() if _build_of(import_module(f"{__name__}.{name}")) is not None)
    others = sorted({point.name for point in entry_points(group=ENTRY_POINTS)} - set(ours))
    return (*ours, *others)


def _files() -> frozenset[str]:
    return frozenset(module.name for module in iter_modules(__path__))


def _build_of(module: ModuleType) -> BuildCarrier | None:
    """A file here without `build` is a part that carriers share."""
    return cast(BuildCarrier | None, getattr(module, "build", None))


def _load_outside(point: EntryPoint) -> BuildCarrier:
    try:
        return cast(BuildCarrier, point.load())
    except (ImportError, AttributeError) as problem:
        raise ConfigFault([f'type = "{point.name}" does not load from {point.value}: {problem}']) from problem
