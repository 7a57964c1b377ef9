"""A language that nobody speaks: English with marks on its letters, a third longer, in brackets.

What stands on a page in plain letters outside of brackets was never given to the translators, and what a page has no
room for shows. Words from outside are left out where the page marks them as such.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime, tzinfo
from gettext import NullTranslations
from html.parser import HTMLParser
from pathlib import Path

from babel import Locale

from ringback.panel.tongues import Formats, Languages, Tongue

MARKED = str.maketrans("aeiounscyAEIOUNSC", "àéîõüñšçýÀÉÎÕÜÑŠÇ")
PLACE = re.compile(r"(%\(\w+\)s|%%|<[^>]*>|&\w+;)")
OUTSIDE = frozenset({"bdi", "time", "code", "kbd", "pre", "script", "style"})
OUTSIDE_CLASSES = frozenset({"bubble", "quote", "exact", "mono"})
EMPTY = frozenset({"meta", "link", "input", "br", "use", "path", "rect", "circle", "hr", "img"})
SPOKEN = ("aria-label", "alt", "title", "placeholder", "data-label")
"""Attributes that people read or hear; `data-` ones that scripts show are checked too."""


def pseudo(text: str) -> str:
    """Ordinary words, marked, with their places left alone."""
    parts = PLACE.split(text)
    marked = "".join(part if PLACE.fullmatch(part) else part.translate(MARKED) for part in parts)
    return f"[{marked}{'~' * round(len(text) * 0.35)}]"


class PseudoTranslations(NullTranslations):
    def gettext(self, message: str) -> str:
        return pseudo(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return pseudo(msgid1 if n == 1 else msgid2)


@dataclass(frozen=True, slots=True)
class PseudoFormats(Formats):
    """Dates and spans are the language's own, so they stand in brackets too."""

    def __getattribute__(self, name: str) -> object:
        value = object.__getattribute__(self, name)
        if name in {field.name for field in fields(Formats)} or name.startswith("_"):
            return value
        return lambda *given: f"[{value(*given)}]"


@dataclass(slots=True)
class PseudoLanguages(Languages):
    """Whatever language is asked for, this is it."""

    def tongue(self, code: str) -> Tongue:
        return Tongue("en", "[Pseudo]", "ltr", PseudoTranslations(), Locale("en"))

    def formats(self, tongue: Tongue, zone: tzinfo, now: Callable[[], datetime]) -> Formats:
        return PseudoFormats(tongue.locale, zone, now, tongue.translations.gettext)


def pseudo_languages(folder: Path) -> Languages:
    return PseudoLanguages(folder)


class Reader(HTMLParser):
    """Everything that a page shows or says aloud, but for words from outside."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.spoken: list[str] = []
        self._run = ""
        self._open: list[bool] = []
        self.feed(html)
        self._end()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        # a choice of languages names each as its own speakers do
        hidden = attributes.get("translate") == "no" or tag in OUTSIDE or (tag == "option" and "lang" in attributes)
        hidden = hidden or not OUTSIDE_CLASSES.isdisjoint(attributes.get("class", "").split())
        if not hidden and not any(self._open):
            self.spoken += [attributes[name] for name in SPOKEN if name in attributes]
        if tag not in EMPTY:
            self._open.append(hidden)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag not in EMPTY:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if not any(self._open):
            self._run += data

    def _end(self) -> None:
        self.spoken.append(self._run)


ENGLISH = Locale("en")
NAMED = re.compile("|".join(re.escape(name) for name in (*ENGLISH.territories.values(), *ENGLISH.languages.values())))
"""Names of countries and languages, which pages take from the locale and not from a catalogue."""


def untranslated(html: str, *outside: str) -> list[str]:
    """Words that stand outside of every bracket; `outside` are words of somebody else's that no element can mark."""
    found = []
    for text in Reader(html).spoken:
        plain = text
        # a sentence may hold another in one of its places
        while (shorter := re.sub(r"\[[^\[\]]*\]", "", plain)) != plain:
            plain = shorter
        # the product's own name is the same in every language
        plain = NAMED.sub("", plain)
        for known in ("Ringback", *outside):
            plain = plain.replace(known, "")
        found += re.findall(r"[^\W\d_]{2,}", plain)
    return found
