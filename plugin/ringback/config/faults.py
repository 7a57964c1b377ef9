"""What is wrong with a configuration, one line a fault: where, which key, what is wrong, and the cure."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

from pydantic import ValidationError
from pydantic_core import ErrorDetails

Way = tuple[str | int, ...]
"""The way to a value: section, name, key; a number is a place in a list and is not shown."""

_BARE = re.compile(r"[A-Za-z0-9_-]+|\[\d+\]")
"""A key that needs no quotes, or the place of a table that has no name."""


def show(path: Iterable[str | int]) -> str:
    """Write a path as TOML writes a dotted key."""
    words = [word for word in path if isinstance(word, str)]
    quoted = ".".join(word if _BARE.fullmatch(word) else f'"{word}"' for word in words)
    return quoted.replace(".[", "[")


class Faults:
    """Collects faults. Only the first about one value is kept, since the second follows from it.

    `origins` says of values from elsewhere (environment, secrets) where they stand; all others stand in `file`.
    """

    def __init__(self, file: str) -> None:
        self.origins: dict[Way, str] = {}
        self._file = file
        self._lines: dict[Way, str] = {}

    def add(self, way: Way, text: str) -> None:
        """Record a fault of the value at `way`; `text` goes on after its name."""
        where = self.origins.get(tuple(word for word in way if isinstance(word, str)), self._file)
        self._lines.setdefault(way, f"{where}: {show(way)} {text}")

    def add_line(self, line: str) -> None:
        """Record a fault that belongs to no key."""
        self._lines[(len(self._lines),)] = line

    def take(self, above: Way, problem: ValidationError, known: Iterable[str]) -> None:
        """Record everything pydantic found in the table at `above`, which may have the `known` keys."""
        for error in problem.errors(include_url=False):
            # pydantic marks a faulty key of a table with "[key]" behind it
            way = (*above, *(word for word in error["loc"] if word != "[key]"))
            self.add(way, _say(error, way, known))

    def lines(self) -> list[str]:
        """One fault a line: what the file put into it cannot begin another, nor steer a terminal."""
        return ["".join(map(_shown, line)) for line in self._lines.values()]

    def __bool__(self) -> bool:
        return bool(self._lines)


def _shown(letter: str) -> str:
    return letter if letter.isprintable() else f"\\u{ord(letter):04x}"


def _say(error: ErrorDetails, way: Way, known: Iterable[str]) -> str:
    context = error.get("ctx", {})
    match error["type"]:
        case "value_error":
            return str(context["error"])
        case "missing" if way[-1] == "secret":
            return f"is missing: {secret_home(way)}"
        case "missing":
            return f"is missing: {CURES.get(way[-1], 'add it')}"
        case "extra_forbidden":
            return f"is not a setting: {nearest(str(way[-1]), known)}"
        case "enum":
            return f"is {error['input']!r}: write {context['expected']}"
        case kind:
            return PLAIN.get(kind, error["msg"]).format_map(context)


def secret_home(way: Way) -> str:
    """Say where a secret belongs."""
    # a table that has no name yet is shown by its place
    words = ["NAME" if str(word).startswith("[") else str(word) for word in way]
    variable = "RINGBACK_" + "__".join(words).upper().replace("-", "_")
    return f"put it into secrets/{'.'.join(words)} (mode 0640), or into {variable} in the environment"


CURES: dict[str | int, str] = {
    "name": 'add name = "..."',
    "zone": 'add the time zone, as in zone = "America/New_York"',
    "default_country": 'add the country whose numbers are written without +, as in default_country = "US"',
    "user": 'add the AMI account that ringback_manager.conf defines, as in user = "ringback"',
    "inbound_contexts": 'add the contexts where calls from outside start, as in inbound_contexts = ["from-trunk"]',
    "carrier": "add the carrier that sends from this number",
    "when": 'add the outcomes, as in when = ["missed", "busy"]',
    "text": 'add the text by language, as in text = { en = "Sorry we missed you. STOP to end" }',
    "open": 'add the opening hours, as in open = { mon-fri = ["09:00-17:00"] }',
    "type": 'add the kind of carrier, as in type = "loopback"',
}

PLAIN: dict[str, str] = {
    "string_type": "must be text: write it in quotes",
    "string_too_short": "is empty: fill it in",
    "string_too_long": "is longer than {max_length} characters: make it shorter",
    "string_pattern_mismatch": "has letters that a name may not have: use letters, digits, - and _",
    "int_type": "must be a whole number: write it without quotes",
    "int_parsing": "must be a whole number: write digits only",
    "int_from_float": "must be a whole number: write it without a point",
    "bool_type": "must be true or false, without quotes",
    "bool_parsing": "must be true or false, without quotes",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "tuple_type": 'must be a list: write it as ["...", "..."]',
    "frozen_set_type": 'must be a list: write it as ["...", "..."]',
    "too_short": "is empty: write at least one",
    "dict_type": 'must be a table of languages: write it as {{ en = "..." }}',
    "model_type": "must be a table",
}
"""What pydantic finds by itself, in our words; of a kind that is not here its own words are shown."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Say what may have been meant by a word nobody knows."""
    names = list(known)
    near = get_close_matches(word, names, 1, 0.6)
    return f"did you mean {show(near)}?" if near else f"known are {', '.join(show([name]) for name in names) or 'none'}"
