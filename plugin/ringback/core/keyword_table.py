"""The packs of `keyword_packs`, folded and ready to be looked up."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from ringback.core.folding import fold
from ringback.core.keyword_forms import Pack, Sentence, Words, by_first, read_sentence
from ringback.core.keyword_packs import EVERYWHERE, PACKS

LANGUAGES = tuple(PACKS)

Languages = tuple[str, ...]


class Command(StrEnum):
    """What a text may order. The values are also how carriers' verdicts are written."""

    STOP = "stop"
    START = "start"
    HELP = "help"


class Bond(Enum):
    """Whether a word acts with politeness round it, only alone, or never without a person."""

    POLITE = auto()
    ALONE = auto()
    DOUBTFUL = auto()


@dataclass(frozen=True, slots=True)
class Keyword:
    """A word, or a few, that are a whole message; and the languages that have it."""

    command: Command
    bond: Bond
    only_if_opted_out: bool
    languages: Languages


_KINDS = (
    ("stop", Command.STOP, Bond.POLITE, False),
    ("stop_alone", Command.STOP, Bond.ALONE, False),
    ("doubtful", Command.STOP, Bond.DOUBTFUL, False),
    ("start", Command.START, Bond.ALONE, False),
    ("start_if_opted_out", Command.START, Bond.ALONE, True),
    ("help", Command.HELP, Bond.ALONE, False),
)


def _packs() -> Iterator[tuple[Languages, Pack]]:
    yield LANGUAGES, EVERYWHERE
    yield from (((language,), pack) for language, pack in PACKS.items())


def _keywords() -> dict[str, Keyword]:
    """Return all keywords; one that several packs have belongs to all of their languages."""
    known: dict[str, Keyword] = {}
    for languages, pack in _packs():
        for field, command, bond, only_if_opted_out in _KINDS:
            for word in map(fold, getattr(pack, field)):
                before = known[word].languages if word in known else ()
                merged = tuple(dict.fromkeys(before + languages))
                known[word] = Keyword(command, bond, only_if_opted_out, merged)
    return known


def _sentences(*fields: str) -> dict[str, tuple[Sentence, ...]]:
    """Sentences by every word with which they may begin."""
    found: dict[str, list[Sentence]] = {}
    for language, pack in PACKS.items():
        for line in (line for field in fields for line in getattr(pack, field)):
            sentence = Sentence(language, read_sentence(line))
            for first in sentence.beginnings():
                found.setdefault(first, []).append(sentence)
    return {first: tuple(each) for first, each in found.items()}


@dataclass(frozen=True, slots=True)
class Courtesy:
    """Phrases that may stand round a command and change nothing, by their first and by their last words."""

    languages: Mapping[Words, Languages]
    ahead: Mapping[str, tuple[Words, ...]]
    behind: Mapping[str, tuple[Words, ...]]

    def first(self, words: Words) -> Words:
        """Return the longest phrase with which the words begin and go on; nothing if there is none."""
        known = self.ahead.get(words[0], ()) if len(words) > 1 else ()
        return next((each for each in known if len(each) < len(words) and words[: len(each)] == each), ())

    def last(self, words: Words) -> Words:
        """Return the longest phrase with which the words end, if there are others before it."""
        known = self.behind.get(words[-1], ()) if len(words) > 1 else ()
        return next((each for each in known if len(each) < len(words) and words[-len(each) :] == each), ())


def _courtesy(field: str) -> Courtesy:
    known: dict[Words, Languages] = {}
    for languages, pack in _packs():
        for phrase in (tuple(fold(phrase).split()) for phrase in getattr(pack, field)):
            known[phrase] = tuple(dict.fromkeys(known.get(phrase, ()) + languages))
    behind = by_first(phrase[::-1] for phrase in known)
    turned = {last: tuple(phrase[::-1] for phrase in each) for last, each in behind.items()}
    return Courtesy(known, by_first(known), turned)


KEYWORDS: Mapping[str, Keyword] = _keywords()
STOP_WORDS = frozenset(word for word, known in KEYWORDS.items() if known.bond is Bond.POLITE and " " not in word)
SENTENCES = _sentences("stop_sentences")
SMELLS = _sentences("stop_sentences", "smells")
POLITE = _courtesy("polite")
ASKING = _courtesy("asking")
