"""The pages of users, departments and numbers, put together."""

from collections.abc import Mapping

from ringback.flow.imports import Imports
from ringback.panel.app import PageSet
from ringback.panel.departments import DepartmentPages
from ringback.panel.numbers import Line, NumberPages
from ringback.panel.people import UserPages
from ringback.panel.people_files import PeopleFiles
from ringback.panel.people_parts import Registry
from ringback.panel.user_page import UserPage
from ringback.ports.directory import AskPbx


def people_pages(registry: Registry, lines: Mapping[str, Line], pbxs: AskPbx, imports: Imports) -> list[PageSet]:
    """Everything below /users, /departments and /numbers. What has a fixed name comes before what is an id."""
    return [
        UserPages(registry),
        PeopleFiles(registry, pbxs, imports),
        UserPage(registry),
        DepartmentPages(registry),
        NumberPages(registry, lines),
    ]
