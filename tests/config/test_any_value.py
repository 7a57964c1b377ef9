"""Whatever stands in the file, the answer is settings or faults, never another error."""

import json
import tomllib
from copy import deepcopy
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ringback.config import read
from ringback.errors import ConfigFault
from tests.config.conftest import GOOD

SECRET = {"RINGBACK_ASTERISK__MAIN__SECRET": "quiet"}

WORDS = st.sampled_from(
    ["", "main", "name", "key", "en", "20s", "+12025550101", "{{", "{% if", "..", "[1]", "\x00", "ü"]
)
LEAVES = WORDS | st.integers(-1, 70_000) | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()
JUNK = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3))


def toml(value):
    """Inline TOML; of JSON's escapes it knows all but the bare DEL."""
    match value:
        case dict():
            return "{" + ", ".join(f"{json.dumps(key)} = {toml(inner)}" for key, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(toml, value)) + "]"
        case str() | bool() | int() | float():
            return json.dumps(value)
    return value.isoformat()


def paths(value, way=()):
    """Every place in a configuration where something stands."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        yield (*way, key)
        yield from paths(below, (*way, key))


PLACES = list(paths(tomllib.loads(GOOD)))


@settings(deadline=None)
@given(st.sampled_from(PLACES), JUNK)
def test_any_value_anywhere_is_read_or_named(way, junk):
    tables = deepcopy(tomllib.loads(GOOD))
    spot = tables
    for key in way[:-1]:
        spot = spot[key]
    spot[way[-1]] = junk
    text = "\n".join(f"{key} = {toml(value)}" for key, value in tables.items())
    try:
        known = read(text, Path("/nowhere/ringback.toml"), SECRET)
    except ConfigFault as fault:
        assert fault.faults
        assert all(line.startswith(("ringback.toml: ", "RINGBACK_")) and line.isprintable() for line in fault.faults)
    else:
        assert known.asterisk


@settings(deadline=None)
@given(st.dictionaries(WORDS.filter(bool), JUNK, max_size=4))
def test_any_file_is_read_or_named(tables):
    text = "\n".join(f"{json.dumps(key)} = {toml(value)}" for key, value in tables.items())
    try:
        read(text, Path("/nowhere/ringback.toml"), SECRET)
    except ConfigFault as fault:
        assert fault.faults
