"""One language of the panel: its words, and how it writes dates, spans and numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.dates import format_skeleton, format_timedelta, get_day_names
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from ringback.panel.languages import SOURCE, languages_in
from ringback.panel.words import N_

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
WEEK = timedelta(days=7)
UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


@lru_cache(maxsize=4096)
def _day(skeleton: str, day: date, locale: Locale) -> str:
    """A day in the language's own order; to look that order up takes longer than all else of a row."""
    return str(format_skeleton(skeleton, day, locale=locale))


@dataclass(frozen=True, slots=True)
class Formats:
    """Dates, spans and numbers as one language writes them, in the zone of the business."""

    locale: Locale
    zone: tzinfo
    now: Callable[[], datetime]
    say: Callable[[str], str]

    def clock(self, at: datetime) -> str:
        """The time of day."""
        return f"{at.astimezone(self.zone):%H:%M}"

    def moment(self, at: datetime) -> str:
        """Day and time, so short and sure that it can stand in a table or a log."""
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M}"

    def day(self, at: datetime) -> str:
        """The day as people say it: Today, Yesterday, Fri, Nov 20."""
        its, today = at.astimezone(self.zone).date(), self.now().astimezone(self.zone).date()
        if its == today:
            return self.say(N_("Today"))
        if its == today - DAY:
            return self.say(N_("Yesterday"))
        skeleton = "MMMMEEEEd" if its.year == today.year else "yMMMMEEEEd"
        return _day(skeleton, its, self.locale)

    def brief(self, at: datetime) -> str:
        """When it was, as short as can be: the time today, the weekday this week, else the date."""
        its, today = at.astimezone(self.zone).date(), self.now().astimezone(self.zone).date()
        if its == today:
            return self.clock(at)
        if timedelta() < today - its < WEEK:
            return _day("EEE", its, self.locale)
        return _day("MMMd" if its.year == today.year else "yMMMd", its, self.locale)

    def exact(self, at: datetime) -> str:
        """The time of day to the second."""
        return f"{at.astimezone(self.zone):%H:%M:%S}"

    def ago(self, at: datetime) -> str:
        """How long ago, in one unit: 3 minutes ago."""
        if self.now() - at < MINUTE:
            return self.say(N_("just now"))
        return format_timedelta(at - self.now(), add_direction=True, threshold=1.2, locale=self.locale)

    def since(self, at: datetime) -> str:
        """How long it lasts now: 1 h 4 min."""
        return self.duration(self.now() - at)

    def duration(self, span: timedelta | float) -> str:
        """A span in its two largest units, by their international signs: 38 s, 1 min 44 s, 2 d 3 h."""
        seconds = span.total_seconds() if isinstance(span, timedelta) else span
        rest, parts = round(max(0, seconds)), list[tuple[int, str]]()
        for sign, size in UNITS:
            count, rest = divmod(rest, size)
            if count or parts:
                parts.append((count, sign))
        return " ".join(f"{count}\u00a0{sign}" for count, sign in parts[:2] if count) or "0\u00a0s"

    def weekday(self, day: int) -> str:
        """The name of a day, 0 for Monday."""
        return str(get_day_names("wide", locale=self.locale)[day])

    def num(self, number: float) -> str:
        """A count or an amount with the language's separators."""
        return format_decimal(number, locale=self.locale)


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language of the panel. `direction` is how its lines run, as HTML says it."""

    code: str
    name: str
    direction: str
    translations: NullTranslations
    locale: Locale


@dataclass(slots=True)
class Languages:
    """The catalogues of a folder, `<code>/LC_MESSAGES/ringback.po`, each read when somebody first wants it."""

    folder: Path
    _read: dict[str, Tongue] = field(default_factory=dict)

    def codes(self) -> tuple[str, ...]:
        return languages_in(self.folder)

    def names(self) -> Mapping[str, str]:
        """Each language as its own speakers call it."""
        return {code: Locale.parse(code, sep="-").get_language_name(code) or code for code in self.codes()}

    def tongue(self, code: str) -> Tongue:
        """Read a language; what is not there is the source."""
        if code not in self._read:
            self._read[code] = self._make(code if code in self.codes() else SOURCE)
        return self._read[code]

    def formats(self, tongue: Tongue, zone: tzinfo, now: Callable[[], datetime]) -> Formats:
        """How a language writes dates and numbers."""
        return Formats(tongue.locale, zone, now, tongue.translations.gettext)

    def _make(self, code: str) -> Tongue:
        locale = Locale.parse(code, sep="-")
        words = NullTranslations() if code == SOURCE else read_catalogue(self.folder / code / "LC_MESSAGES/ringback.po")
        direction = "rtl" if locale.character_order == "right-to-left" else "ltr"
        return Tongue(code, locale.get_language_name(code) or code, direction, words, locale)


def read_catalogue(path: Path) -> GNUTranslations:
    """Read what translators write; nothing is compiled ahead, so nothing can be out of date."""
    with path.open("rb") as lines:
        catalogue = read_po(lines, locale=path.parent.parent.name.replace("-", "_"))
    packed = BytesIO()
    write_mo(packed, catalogue)
    packed.seek(0)
    return GNUTranslations(packed)
