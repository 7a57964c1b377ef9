"""Turns our own templates into pages: escaping on, every name must exist, every string goes through gettext."""

from collections.abc import Callable
from datetime import datetime
from gettext import NullTranslations
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ringback.panel import words
from ringback.panel.site import Site


class Pages:
    """The templates of one folder."""

    def __init__(self, folder: Path, site: Site, static_url: Callable[[str], str]) -> None:
        translations = NullTranslations()
        self._site = site
        self._templates = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        # the i18n extension adds this method to the environment, which its type does not show
        self._templates.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]
        self._templates.globals |= {
            "site": site,
            "static": static_url,
            "STANDING": words.STANDING,
            "PART_ICON": words.PART_ICON,
            "RECEIPT": words.RECEIPT,
            "ERROR": words.ERROR,
            "OTHER_ERROR": words.OTHER_ERROR,
        }
        self._templates.filters |= {
            "spaced": words.spaced,
            "legible": words.legible,
            "clock": self.clock,
            "moment": self.moment,
        }

    def render(self, template: str, **values: object) -> str:
        """Fill in `template`.j2."""
        return self._templates.get_template(f"{template}.j2").render(**values)

    def clock(self, at: datetime) -> str:
        """The time of day in the zone of the business."""
        return f"{at.astimezone(self._site.zone):%H:%M}"

    def moment(self, at: datetime) -> str:
        """Day and time in the zone of the business."""
        return f"{at.astimezone(self._site.zone):%Y-%m-%d %H:%M}"
