"""Every page of the panel by a name: what is measured, and what is pictured, goes through this table."""

import re
from collections.abc import Callable, Iterable, Mapping

from ringback.core.operations import Surface
from ringback.panel.operations import OPERATIONS
from tests.browser import office, seeds
from tests.browser.house import MAIN, SERVICE, House
from tests.browser.visitor import Visitor

Find = Callable[[House], str]


def at(path: str) -> Find:
    return lambda _house: path


def thread(peer: str, more: str = "", **did: str) -> Find:
    return lambda house: house.thread(peer, **did) + more


PEOPLE_FILE = (
    "login,name,extension,roles,departments\n"
    "mia,Mia Nguyễn-Tran,101,agent,Service > Front desk\n"
    "noor,Noor van der Berg,120,agent,Sales\n"
)
WRONG_FILE = "login,name,extension,roles\nana,,101,emperor\n,=1+1,120,agent\n"


def people_preview(text: str) -> Find:
    """The preview of an import, which is begun with a file."""
    return lambda house: Visitor(house, seeds.ANA).upload("/users/import", text)


def grid(more: str = "") -> Find:
    return at(f"/permissions{more}")


PLACES: Mapping[str, Find] = {
    "inbox": at("/threads?view=all"),
    "inbox-waiting": at("/threads"),
    "inbox-held": at("/threads?view=doubt"),
    "inbox-not-found": at("/threads?number=%2B12025550199"),
    "search": at("/threads/search?q=heating"),
    "search-empty": at("/threads/search"),
    "search-nothing": at("/threads/search?q=nobody+wrote+this"),
    "search-number": at("/threads/search?q=512+555+0123"),
    "search-right-to-left": at("/threads/search?q=%D7%A9%D7%9C%D7%95%D7%9D"),
    "thread": thread(seeds.TALK),
    "thread-about": thread(seeds.TALK, "#about"),
    "thread-unconfirmed": thread(seeds.ARABIC),
    "thread-right-to-left": thread(seeds.HEBREW),
    "thread-stopped": thread(seeds.STOPPED),
    "thread-spanish": thread(seeds.ALTO, did=SERVICE),
    "thread-photo": thread(seeds.PHOTO),
    "thread-part-missing": thread(seeds.PARTIAL),
    "thread-failed": thread(seeds.FAILED),
    "thread-held": thread(seeds.HELD),
    "thread-old": thread(seeds.OLD),
    "sessions": at("/sessions"),
    "calls": at("/calls"),
    "calls-none": at("/calls?day=2020-01-01"),
    "call": lambda house: house.call(seeds.TALK),
    "call-texted": lambda house: house.call(seeds.WINDOW),
    "call-queue": lambda house: house.call(seeds.QUEUE),
    "tasks": at("/tasks"),
    "tasks-done": at("/tasks?view=done"),
    "health": at("/health"),
    "settings": at("/settings"),
    "users": at("/users"),
    "users-import": at("/users/import"),
    "users-preview": people_preview(PEOPLE_FILE),
    "users-preview-wrong": people_preview(WRONG_FILE),
    "user": lambda house: house.user(seeds.LONG_NAME),
    "user-in-two": lambda house: house.user(office.LIAT),
    "permissions": grid(),
    "permissions-kinds": grid("?class=promotional&way=send"),
    "permissions-nobody": grid("?q=nobody"),
    "permissions-one-row": grid("?q=101&rows=1&cols=2"),
    "permissions-preview": grid("/preview"),
    "permissions-history": grid("/history"),
    "permissions-bulk": grid("/bulk"),
    "permissions-copy": lambda house: f"/permissions/copy?to={house.public_id('account', office.MIA)}",
    "permissions-why": grid("/why"),
    "permissions-why-not": grid(f"/why?who=wolfgang&way=send&number={office.SALES[1:]}&to={seeds.TALK[1:]}"),
    "permissions-why-yes": grid(f"/why?who=104&way=send&number={office.RENTALS[1:]}"),
    "permissions-why-nobody": grid("/why?who=nobody&number=12"),
    "permissions-files": grid("/files"),
    "permissions-mine": grid("/mine"),
    "permissions-card": lambda house: f"/permissions/of/{house.public_id('account', office.LIAT)}",
    "permissions-card-all": lambda house: f"/permissions/of/{house.public_id('account', office.JOERG)}?all=1",
    "permissions-department": lambda house: f"/permissions/of/{house.public_id('department', 'Night desk')}",
    "permissions-everyone": grid("/of/everyone"),
    "permissions-number": grid(f"/number/{office.MIAMI}"),
    "departments": at("/departments"),
    "department": lambda house: f"/departments/{house.public_id('department', 'Sales')}",
    "department-remove": lambda house: f"/departments/{house.public_id('department', 'Sales')}/remove",
    "numbers": at("/numbers"),
    "number": at(f"/numbers/{MAIN}"),
    "number-owned": at(f"/numbers/{office.MIAMI}"),
    "number-group": lambda house: f"/numbers/groups/{house.public_id('number_group', 'Washington')}",
    "queues": at("/queues"),
    "queue-new": at("/queues/new"),
    "queue": lambda house: f"/queues/{house.public_id('text_queue', office.QUEUE)}",
    "queue-main": lambda house: f"/queues/{house.public_id('text_queue', 'main')}",
    "queue-remove": lambda house: f"/queues/{house.public_id('text_queue', office.QUEUE)}/remove",
    "queue-map": at("/queues/map"),
    "queue-agents": at("/queues/agents"),
    "board": at("/board"),
    "board-none": at("/board?start=api"),
    "board-session": lambda house: f"/board/sessions/{house.session()}",
    "lists": at("/lists"),
    "lists-only": at("/lists/only"),
    "lists-stopped": at("/lists/stopped"),
    "lists-found": at("/lists/never?q=%2B12025550172"),
    "lists-wrong": at("/lists/never?q=nobody"),
    "lists-import": at("/lists/never/import"),
    "audit": at("/audit"),
    "audit-nothing": at("/audit?who=nobody+here&since=2026-02-30"),
    "person": thread(seeds.TALK, "/person"),
    "api": at("/api"),
    "api-key": lambda house: house.key("shop"),
    "api-runs": at("/api/runs"),
    "api-run": lambda house: house.run("Closed on Friday"),
    "api-run-off": lambda house: house.run("Service is due") + "?ask=cancel",
    "carrier": at("/health/carriers/main"),
    "profile": at("/profile"),
    "second-factor": at("/profile/second-factor"),
    "more": at("/more"),
    "handsets": at("/handset"),
    "no-such-page": at("/nowhere"),
}
"""For an administrator who is logged in."""

OPEN: Mapping[str, Find] = {
    "login": at("/login"),
    "reset": at("/reset"),
    "reset-over": at("/reset?token=nobody-has-this"),
    "handset": at("/handset/+12025550147"),
}
"""For anybody."""

NO_PAGE: Mapping[str, str] = {
    "/static/{name}": "a file",
    "/healthz": "for programs",
    "/readyz": "for programs",
    "/metrics": "for programs",
    "/": "leads to the inbox",
    "/login/code": "only between the password and the code",
    "/login/oidc": "leads to the provider",
    "/login/oidc/back": "comes from the provider",
    "/login/oidc/leave": "comes from the provider",
    "/users/export": "a file",
    "/permissions/export": "a file",
    "/audit/export": "a file",
    "/lists/{list}/export": "a file",
    "/lists/{list}/faults": "a file",
}
"""What answers and is no page to look at, and why not."""


def without_place(paths: Iterable[str]) -> list[str]:
    """Pages of the panel that none of these addresses is of."""
    addresses = [path.partition("?")[0].partition("#")[0] for path in paths]
    pages = [row.path for row in OPERATIONS if row.surface is Surface.PAGE and row.method == "GET"]
    fixed = {path for path in pages if "{" not in path}
    return [page for page in pages if page not in NO_PAGE and not any(_is_of(one, page, fixed) for one in addresses)]


def _is_of(address: str, page: str, fixed: set[str]) -> bool:
    if address in fixed:
        return address == page
    return re.fullmatch(re.sub(r"\\{[a-z]+\\}", "[^/]+", re.escape(page)), address) is not None
