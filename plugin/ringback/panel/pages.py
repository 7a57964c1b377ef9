"""Turns our own templates into pages: escaping on, every name must exist, every string goes through gettext."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined

from ringback.core.permissions import Action
from ringback.panel import words
from ringback.panel.apart import places
from ringback.panel.fixed import FixedEnvironment, saying
from ringback.panel.places import PLACES, SET_UP
from ringback.panel.shell import Visit
from ringback.panel.site import Now, Site
from ringback.panel.tongues import Formats, Languages, Tongue

TABLES = {
    "STANDING": words.STANDING,
    "PART_ICON": words.PART_ICON,
    "RECEIPT": words.RECEIPT,
    "PLACES": PLACES,
    "SET_UP": SET_UP,
    "ROLE": words.ROLE,
    "THEMES": words.THEMES,
    "THEME_WORDS": words.THEME_WORDS,
    "THEME_AFTER": words.THEME_AFTER,
    "Action": Action,
}
SHARED = ("m.j2", "say.j2", "call_parts.j2")
"""The files of macros that every template has at hand."""
FORMATS = ("clock", "exact", "moment", "day", "brief", "ago", "since", "duration", "num")


class Pages:
    """The templates of one folder, in every language of another.

    `globals` is for what other pages' templates need to know; put it in before the first page is made.
    """

    def __init__(
        self, folder: Path, site: Site, static_url: Callable[[str], str], now: Now, languages: Languages
    ) -> None:
        self._site = site
        self._now = now
        self._loader = FileSystemLoader(folder)
        self._engines: dict[str, FixedEnvironment] = {}
        self.languages = languages
        self.globals: dict[str, object] = {"site": site, "static": static_url, "languages": self.languages, **TABLES}

    def render(self, template: str, **values: object) -> str:
        """Fill in `template`.j2, in the language of the `visit` among the values."""
        visit = values.setdefault("visit", Visit())
        assert isinstance(visit, Visit)
        around: dict[str, object] = {"here": "", "counts": {}, "may": lambda _action: False}
        return self._engine(visit.language).get_template(f"{template}.j2").render(around | values)

    def say(self, language: str, text: str) -> str:
        """Translate one text."""
        return self._tongue(language).translations.gettext(text)

    def formats(self, language: str) -> Formats:
        """How dates and numbers are written in a language."""
        return self.languages.formats(self._tongue(language), self._site.zone, self._now)

    def _tongue(self, language: str) -> Tongue:
        return self.languages.tongue(language or self._site.language)

    def _engine(self, language: str) -> FixedEnvironment:
        tongue = self._tongue(language)
        if tongue.code not in self._engines:
            self._engines[tongue.code] = self._make(tongue)
        return self._engines[tongue.code]

    def _make(self, tongue: Tongue) -> FixedEnvironment:
        engine = FixedEnvironment(
            loader=self._loader,
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        # the i18n extension adds this method to the environment, which its type does not show
        engine.install_gettext_translations(tongue.translations, newstyle=True)  # type: ignore[attr-defined]
        say = saying(tongue.translations.gettext)
        engine.globals |= {**self.globals, "tongue": tongue, "_": say, "gettext": say}
        formats = self.formats(tongue.code)
        engine.filters |= {"spaced": words.spaced, "legible": words.legible}
        engine.filters["places"] = partial(places, at=formats.moment)
        engine.filters |= {name: getattr(formats, name) for name in FORMATS}
        engine.share(*SHARED)
        return engine
