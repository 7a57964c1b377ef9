"""The pages round logins and people, put together."""

from ringback.config import Settings
from ringback.panel.app import PageSet
from ringback.panel.door import Door
from ringback.panel.entering import Entering
from ringback.panel.login import LoginPages
from ringback.panel.people import UserPages
from ringback.panel.profile import ProfilePages
from ringback.panel.settings_page import SettingsPages


def door_pages(door: Door, settings: Settings | None) -> list[PageSet]:
    """Login, profile and users; with settings also the page that shows them."""
    entering = Entering(door)
    pages: list[PageSet] = [LoginPages(door, entering), ProfilePages(door, entering), UserPages(door)]
    return pages if settings is None else [*pages, SettingsPages(door.shell, settings, door.clock.now)]
