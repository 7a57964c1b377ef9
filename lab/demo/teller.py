"""Prints side-by-side stories one after the other: the first open one live, the others when it is their turn."""

import itertools
import os
import re
import textwrap
from collections.abc import Sequence
from enum import StrEnum
from typing import TextIO

WIDTH = 80
LEAD = re.compile(r" +([\d.]+ s +|\| )?")


class Ink(StrEnum):
    """How a line looks on a terminal; elsewhere all lines are plain."""

    PLAIN = ""
    TITLE = "1"
    SOFT = "2"
    GOOD = "32"
    BAD = "31"


class Teller:
    """Writes whole lines, at most 80 columns wide, at once."""

    def __init__(self, out: TextIO, titles: Sequence[str]) -> None:
        self._out = out
        self._colours = out.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
        self._waiting: list[list[tuple[str, Ink]]] = [
            [(f"{n}. {title}", Ink.TITLE)] for n, title in enumerate(titles, 1)
        ]
        self._open = list(range(len(titles)))

    def begin(self) -> None:
        """Give the stage to the first story."""
        self._flush()

    def tell(self, story: int, line: str, ink: Ink = Ink.PLAIN) -> None:
        """Say a line of a story now, or keep it until the stories before it have ended."""
        self._waiting[story].append((line, ink))
        self._flush()

    def end(self, story: int) -> None:
        """The story has ended; the next one's lines follow."""
        self._waiting[story].append(("", Ink.PLAIN))
        self._flush()
        self._open.remove(story)
        self._flush()

    def say(self, text: str = "", ink: Ink = Ink.PLAIN) -> None:
        """Lines that belong to no story."""
        for line in itertools.chain.from_iterable(wrapped(part) for part in text.split("\n")):
            self._out.write(f"\x1b[{ink}m{line}\x1b[0m\n" if ink and self._colours else f"{line}\n")
        self._out.flush()

    def _flush(self) -> None:
        """All stories that have ended are told before the first open one; later ones wait."""
        stage = self._open[0] if self._open else len(self._waiting) - 1
        for lines in self._waiting[: stage + 1]:
            for line, ink in lines:
                self.say(line, ink)
            lines.clear()


def wrapped(text: str) -> list[str]:
    """Break a line that is too wide; what follows stands under the words of its beginning."""
    lead = LEAD.match(text)
    hang = "" if lead is None else "".join(mark if mark == "|" else " " for mark in lead[0])
    return textwrap.wrap(text, WIDTH, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False) or [""]
