"""The catalogues of the panel's languages: `python -m tools.words` brings each up to date with what the pages say.

    python -m tools.words            update every web/locale/LANGUAGE/LC_MESSAGES/ringback.po, and say what lacks
    python -m tools.words --check    change nothing; exit 1 if anything is out of date or not translated
    python -m tools.words --new fr   begin a language

A text that changed is a new text: no old translation is guessed for it.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from ringback.core.list_rows import SENTENCES as LIST_FAULTS
from ringback.core.people_rows import SENTENCES as ROWS
from ringback.core.queue_forms import SENTENCES as QUEUE_FAULTS
from ringback.core.reasons import SENTENCES as REASONS
from ringback.core.right_words import SENTENCES as RIGHTS
from ringback.flow.grant_files import SENTENCES as FILE_FAULTS
from ringback.flow.granting import SENTENCES as UNFIT
from ringback.flow.refusing import SENTENCES as REFUSALS

ROOT = Path(__file__).parents[1]
LOCALE = ROOT / "web" / "locale"
KEYWORDS: Mapping[str, tuple[int, ...] | None] = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "N_": None,
    "NN_": (1, 2),
}
SOURCES = (("plugin/ringback", "*.py", "python"), ("web/templates", "*.j2", "jinja2.ext:babel_extract"))
OPTIONS = {"trimmed": "true", "newstyle_gettext": "true", "trim_blocks": "true", "lstrip_blocks": "true"}
TABLES: Mapping[str, Iterable[str]] = {
    "plugin/ringback/core/list_rows.py": LIST_FAULTS.values(),
    "plugin/ringback/core/queue_forms.py": QUEUE_FAULTS,
    "plugin/ringback/core/reasons.py": REASONS.values(),
    "plugin/ringback/core/right_words.py": RIGHTS,
    "plugin/ringback/flow/grant_files.py": FILE_FAULTS.values(),
    "plugin/ringback/flow/granting.py": UNFIT.values(),
    "plugin/ringback/flow/refusing.py": REFUSALS.values(),
    "plugin/ringback/core/people_rows.py": ROWS.values(),
}
"""Sentences that pages show and that stand where no marker can: the core knows of no pages."""

WRITTEN = datetime(2026, 11, 22, tzinfo=UTC)
"""In the header of each catalogue, which asks for a date; one that moves would be a change where nothing changed."""

Id = str | tuple[str, ...]
_PLACE = re.compile(r"%\((\w+)\)s|(\{\w+\})|%%|%")


def texts() -> Catalog:
    """Everything that the pages say, in English."""
    found = Catalog(project="Ringback", charset="utf-8")
    for folder, pattern, method in SOURCES:
        for file in sorted((ROOT / folder).rglob(pattern)):
            place = str(file.relative_to(ROOT))
            for line, text, comments, _context in extract_from_file(method, file, KEYWORDS, (), OPTIONS):
                found.add(text, None, [(place, line)], auto_comments=comments)
    for place, sentences in TABLES.items():
        for sentence in sentences:
            found.add(sentence, None, [(place, 1)])
    return found


def languages() -> list[str]:
    """The languages that have a catalogue."""
    return sorted(path.parent.parent.name for path in LOCALE.glob("*/LC_MESSAGES/ringback.po"))


def file_of(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "ringback.po"


def load(language: str) -> Catalog:
    with file_of(language).open("rb") as lines:
        return read_po(lines, locale=language.replace("-", "_"))


def updated(old: Catalog, now: Catalog) -> Catalog:
    """The same texts as `now`, with the translations that are known."""
    new = Catalog(
        old.locale,
        project="Ringback",
        version="panel",
        header_comment=f"# Ringback's panel in {old.locale.english_name if old.locale else 'another language'}.",
        msgid_bugs_address="see the project",
        last_translator="Ringback",
        language_team="Ringback",
        creation_date=WRITTEN,
        revision_date=WRITTEN,
        fuzzy=False,
    )
    for message in messages(now):
        known = old.get(message.id)
        new.add(message.id, known.string if known else None, message.locations, message.flags - {"fuzzy"})
    return new


def messages(catalogue: Catalog) -> Iterator[Message]:
    """All texts but the header."""
    return (message for message in catalogue if message.id)


def said(catalogue: Catalog) -> dict[Id, Id]:
    """Each text with its translation; what has none has an empty one."""
    return {message.id: message.string if any(_forms(message.string)) else "" for message in messages(catalogue)}


def lacking(catalogue: Catalog) -> list[Id]:
    """What nobody has translated yet, in all its plural forms."""
    return [message.id for message in messages(catalogue) if not all(_forms(message.string))]


def broken(catalogue: Catalog) -> list[Id]:
    """Translations whose places are not those of the text, and ones that somebody only guessed."""
    return [message.id for message in messages(catalogue) if message.fuzzy or not _fits(message)]


def _forms(text: Id | None) -> tuple[str, ...]:
    return text if isinstance(text, tuple) else (text or "",)


def _fits(message: Message) -> bool:
    wanted = {frozenset(_PLACE.findall(form)) for form in _forms(message.id)}
    # one of several plural forms may leave its number out: "1 text" has none either
    wanted |= {places - {"n"} for places in wanted}
    return all(frozenset(_PLACE.findall(form)) in wanted for form in _forms(message.string) if form)


def write(language: str, catalogue: Catalog) -> None:
    file_of(language).parent.mkdir(parents=True, exist_ok=True)
    with file_of(language).open("wb") as lines:
        write_po(lines, catalogue, width=120, sort_by_file=True, include_lineno=False)


def main(arguments: list[str]) -> int:
    """Update or check all languages; returns the exit code."""
    parser = argparse.ArgumentParser(prog="tools.words", description="Catalogues of the panel's languages.")
    parser.add_argument("--check", action="store_true", help="change nothing")
    parser.add_argument("--new", metavar="LANGUAGE", help="begin a language")
    asked = parser.parse_args(arguments)
    if asked.new:
        write(asked.new, Catalog(asked.new.replace("-", "_")))
    now, wrong = texts(), 0
    for language in languages():
        old = load(language)
        new = updated(old, now)
        stale = said(old) != said(new)
        if stale and not asked.check:
            write(language, new)
        state = "out of date" if stale and asked.check else f"{len(said(new))} texts"
        sys.stdout.write(f"{language}: {state}, {len(lacking(new))} not translated, {len(broken(new))} do not fit\n")
        sys.stdout.writelines(f"  {text!r}\n" for text in lacking(new) + broken(new))
        wrong += bool(lacking(new) or broken(new) or (stale and asked.check))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
