"""The form in which a language's commands are written down: words, and sentences with choices.

Sentences are matched slot by slot, keeping all places where one may stand. There is no way back, so no text can make
it slow.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ringback.core.folding import fold

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pack:
    """One language; capitals and accents do not matter.

    Sentences are written with `(this/that)` for a choice and `[perhaps/this]` for what may be left out.
    """

    stop: tuple[str, ...]
    """Alone, or with nothing but politeness round them."""
    stop_alone: tuple[str, ...] = ()
    """Words that carriers or regulators name and that are also ordinary answers: alone, exactly."""
    stop_sentences: tuple[str, ...] = ()
    """Whole messages, again with politeness round them; inside of a longer message they are a suggestion."""
    doubtful: tuple[str, ...] = ()
    """Alone, and then only a suggestion: nobody names them and people also mean other things by them."""
    smells: tuple[str, ...] = ()
    """Anywhere in a message, and only a suggestion."""
    start: tuple[str, ...] = ()
    start_if_opted_out: tuple[str, ...] = ()
    """START from somebody who is opted out, an ordinary answer from everybody else."""
    help: tuple[str, ...] = ()
    polite: tuple[str, ...] = ()
    asking: tuple[str, ...] = ()
    """What leads to a sentence but not to a word: `can you stop texting me`, not `can you stop`."""


def listed(block: str) -> tuple[str, ...]:
    """Words and sentences, from a block that has commas between them and breaks lines where it likes."""
    return tuple(re.sub(r"(?<=/)\s+", "", " ".join(each.split())) for each in block.split(","))


@dataclass(frozen=True, slots=True)
class Slot:
    """One place in a sentence: what may stand there, by its first word, and whether nothing may."""

    choices: Mapping[str, tuple[Words, ...]]
    optional: bool


_SLOT = re.compile(r"\(([^()]*)\)|\[([^][]*)\]|([^][()\s]+)")


def read_sentence(line: str) -> tuple[Slot, ...]:
    """Read a line of a pack: `(this/that) word [perhaps/this]`."""
    return tuple(
        Slot(by_first(tuple(fold(each).split()) for each in (choice or perhaps or word).split("/")), bool(perhaps))
        for choice, perhaps, word in _SLOT.findall(line)
    )


def by_first(phrases: Iterable[Words]) -> dict[str, tuple[Words, ...]]:
    """Sort phrases by their first words, the longest first."""
    found: dict[str, list[Words]] = {}
    for phrase in sorted(phrases, key=len, reverse=True):
        found.setdefault(phrase[0], []).append(phrase)
    return {first: tuple(each) for first, each in found.items()}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of one language, in all its forms."""

    language: str
    slots: tuple[Slot, ...]

    def ends(self, words: Words, start: int) -> set[int]:
        """Say where it may end if it begins at `start`; nowhere if it does not stand there."""
        places = {start}
        for slot in self.slots:
            after = {
                place + len(choice)
                for place in places
                if place < len(words)
                for choice in slot.choices.get(words[place], ())
                if words[place : place + len(choice)] == choice
            }
            places = after | places if slot.optional else after
            if not places:
                break
        return places

    def beginnings(self) -> Iterator[str]:
        """Say with which words it may begin, those of later slots too while all before them may be left out."""
        needed = next(place for place, slot in enumerate(self.slots) if not slot.optional)
        return (word for slot in self.slots[: needed + 1] for word in slot.choices)
