"""What somebody looks for: words, the beginning of the last one, and phrases; and where a text has them.

Words are compared as `fold` makes them, so that ARRÊT and arret are one. Scripts that are written without blanks
(Chinese, Japanese) are taken letter by letter, and a run of them is a phrase. Nothing that is typed is a command.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ringback.core.folding import fold

LONGEST_QUERY = 200
MOST_WORDS = 12
LONGEST_WORD = 40
"""Of a longer word the beginning counts, in texts as in what is looked for."""
MOST_IN_A_TEXT = 4_000
LEAST_BEGINNING = 2
"""A single letter begins too many words to be of use."""

_QUOTES = re.compile('["\u201c\u201d\u201e\u00ab\u00bb]')
_ALONE = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")

Span = tuple[str, int, int]
"""A word, and from where to where it stands in its text."""


@dataclass(frozen=True, slots=True)
class Term:
    """Words that stand one behind the other; with `begins`, the last one is the beginning of a word."""

    words: tuple[str, ...]
    begins: bool = False

    def stands_at(self, words: Sequence[str], place: int) -> bool:
        """Whether it is there in a text's words."""
        there = words[place : place + len(self.words)]
        if len(there) < len(self.words) or tuple(there[:-1]) != self.words[:-1]:
            return False
        return there[-1].startswith(self.words[-1]) if self.begins else there[-1] == self.words[-1]


@dataclass(frozen=True, slots=True)
class Query:
    """Every term must be in a text, in any order."""

    terms: tuple[Term, ...] = ()

    @property
    def says_enough(self) -> bool:
        """Whether there is more to look for than single letters."""
        return any(len(word) > 1 or _ALONE.match(word) for term in self.terms for word in term.words)

    def fits(self, text: str) -> bool:
        """Whether a text has every term."""
        there = words_of(text)
        return all(any(term.stands_at(there, place) for place in range(len(there))) for term in self.terms)


@dataclass(frozen=True, slots=True)
class Bit:
    """A piece of a text as it was written; `hit` if it was looked for."""

    text: str
    hit: bool = False


def words_of(text: str) -> list[str]:
    """The words of a text, as they are kept and compared."""
    folded = fold(text)
    if not folded.isascii():
        folded = _ALONE.sub(r" \g<0> ", folded)
    return [word[:LONGEST_WORD] for word in folded.split()[:MOST_IN_A_TEXT]]


def read_query(text: str) -> Query:
    """Read what somebody typed: words in quotes are a phrase, the last word outside of them may go on."""
    terms: list[Term] = []
    left = MOST_WORDS
    for place, piece in enumerate(_QUOTES.split(text[:LONGEST_QUERY])):
        for chunk in [piece] if place % 2 else piece.split():
            words = tuple(words_of(chunk)[:left])
            if words:
                terms.append(Term(words, begins=not place % 2))
                left -= len(words)
    return Query((*(Term(term.words) for term in terms[:-1]), *map(_last, terms[-1:])))


def _last(term: Term) -> Term:
    end = term.words[-1]
    return Term(term.words, term.begins and len(end) >= LEAST_BEGINNING)


@lru_cache(maxsize=4096)
def _seen(letter: str) -> str:
    """What is left of one letter: itself, nothing, a gap, or several."""
    return fold(f"x{letter}x")[1:-1]


def spans(text: str) -> Iterator[Span]:
    """The same words as `words_of`, with their places."""
    word, begin, end = "", 0, 0
    for place, letter in enumerate(text):
        for seen in _seen(letter):
            alone = _ALONE.match(seen)
            if word and (alone or seen == " "):
                yield word[:LONGEST_WORD], begin, end
                word = ""
            if alone:
                yield seen, place, place + 1
            elif seen != " ":
                begin = begin if word else place
                word, end = word + seen, place + 1
    if word:
        yield word[:LONGEST_WORD], begin, end


BEFORE, AFTER = 40, 160
"""How many letters of a text are shown before and after where the words begin."""
TO_A_BLANK = 16


def cut(text: str, query: Query) -> tuple[Bit, ...]:
    """The part of a text that has the most of what was looked for, with its hits marked."""
    hits = _hits(text, query)
    start = _window(text, hits)
    end = min(len(text), start + BEFORE + AFTER)
    bits: list[Bit] = [Bit("\u2026")] if start else []
    for begin, stop in _joined(hits):
        if stop > start and begin < end:
            bits += [Bit(text[start : max(start, begin)]), Bit(text[max(start, begin) : min(stop, end)], hit=True)]
            start = min(stop, end)
    bits += [Bit(text[start:end]), Bit("\u2026" if end < len(text) else "")]
    return tuple(bit for bit in bits if bit.text)


Hit = tuple[int, int, int]
"""From where to where, and which term."""


def _hits(text: str, query: Query) -> list[Hit]:
    found = list(spans(text))
    words = [word for word, _, _ in found]
    return [
        (found[place][1], found[place + len(term.words) - 1][2], number)
        for place in range(len(words))
        for number, term in enumerate(query.terms)
        if term.stands_at(words, place)
    ]


def _window(text: str, hits: Sequence[Hit]) -> int:
    """Where to begin, so that most terms are seen: at a blank if one is near."""
    if not hits:
        return 0

    def seen(hit: Hit) -> int:
        return len({number for begin, end, number in hits if begin >= hit[0] and end <= hit[0] + AFTER})

    start = max(0, max(hits, key=seen)[0] - BEFORE)
    if start == 0:
        return 0
    blank = text.find(" ", start, start + TO_A_BLANK)
    return start if blank < 0 else blank + 1


def _joined(hits: Sequence[Hit]) -> list[tuple[int, int]]:
    """Where something was found, without overlaps."""
    joined: list[tuple[int, int]] = []
    for begin, end, _ in sorted(hits):
        if joined and begin < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined
