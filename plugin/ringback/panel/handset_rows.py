"""How the texts of a handset are laid out on its page, and what can be read from them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo

from ringback.core.grants import Reach
from ringback.core.schedules import WORDS
from ringback.panel.handset_words import Saying
from ringback.ports.handsets import Handsets, HandsetText

OFFER = re.compile(r"(?:([^\W\d_][\w'-]*) )?([0-9]{2}:[0-9]{2})-[0-9]{2}:[0-9]{2}")
MOST_OFFERED = 4
_EITHER = frozenset(words.either for words in WORDS.values())


@dataclass(frozen=True, slots=True)
class Row:
    """A text as the page shows it. Day and our number are said once, above the first text they hold for."""

    text: HandsetText
    day: date | None
    ours: str | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A handset in the list."""

    number: str
    count: int
    last: HandsetText


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around the texts and changes with them.

    `ours` is whom this handset can answer, the last used first; where it is empty the number is typed. `to` is whom it
    answers if nothing else is said.
    """

    ours: tuple[str, ...]
    to: str
    texted: bool
    replied: bool
    offered: tuple[Saying, ...]


def seen_of(handsets: Handsets, number: str, reach: Reach) -> tuple[HandsetText, ...]:
    """The texts on a handset with the numbers of ours that somebody may know of."""
    return tuple(text for text in handsets.handset(number) if text.ours in reach)


def used_within(handsets: Handsets, reach: Reach, most: int) -> list[str]:
    """Handsets with such texts, the last used first."""
    numbers = handsets.numbers()
    if not reach.everything:
        numbers = tuple(number for number in numbers if seen_of(handsets, number, reach))
    return list(numbers[:most])


def rows_of(texts: Sequence[HandsetText], zone: tzinfo) -> list[Row]:
    """Lay the texts out, oldest first."""
    rows: list[Row] = []
    day: date | None = None
    ours: str | None = None
    for text in texts:
        its_day = text.at.astimezone(zone).date()
        rows.append(Row(text, None if its_day == day else its_day, None if text.ours == ours else text.ours))
        day, ours = its_day, text.ours
    return rows


def around(texts: Sequence[HandsetText]) -> Around:
    """Read from the texts what can be done next."""
    ours = tuple(dict.fromkeys(text.ours for text in reversed(texts)))
    came = [text for text in texts if not text.mine]
    offers = next((times for text in reversed(came) if (times := offered(text.text))), ())
    return Around(ours, next(iter(ours), ""), bool(came), len(came) < len(texts), offers)


def offered(text: str) -> tuple[Saying, ...]:
    """Return the times that a text offers, as somebody would name them."""
    return tuple(Saying(words) for words in dict.fromkeys(_times(text)))[:MOST_OFFERED]


def _times(text: str) -> Iterator[str]:
    for day, begins in OFFER.findall(text[:2_000]):
        yield begins if not day or day in _EITHER else f"{day} {begins}"
