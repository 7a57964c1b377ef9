"""The pages round logins and people, put together."""

from ringback.config import Settings
from ringback.panel.app import PageSet
from ringback.panel.door import Door
from ringback.panel.entering import Entering
from ringback.panel.login import LoginPages
from ringback.panel.profile import ProfilePages
from ringback.panel.provider import ProviderPages
from ringback.panel.resetting import HelpingPages, ResetPages
from ringback.panel.second_factor import SecondFactorPages
from ringback.panel.settings_page import SettingsPages


def door_pages(door: Door, settings: Settings | None) -> list[PageSet]:
    """Login and profile; with settings also the page that shows them."""
    entering = Entering(door)
    pages: list[PageSet] = [LoginPages(door, entering), ProfilePages(door, entering)]
    pages.extend(_proving_pages(door, entering))
    return pages if settings is None else [*pages, SettingsPages(door.shell, settings, door.clock.now)]


def _proving_pages(door: Door, entering: Entering) -> list[PageSet]:
    proving = door.proving
    if proving is None:
        return []
    pages: list[PageSet] = [
        SecondFactorPages(door, entering, proving),
        ResetPages(door, proving),
        HelpingPages(door, proving),
    ]
    return pages if proving.sending is None else [*pages, ProviderPages(door, entering, proving.sending)]
