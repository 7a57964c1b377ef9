"""Every page of the panel by a name: what is measured, and what is pictured, goes through this table."""

from collections.abc import Callable, Mapping

from tests.browser import seeds
from tests.browser.house import SERVICE, House

Find = Callable[[House], str]


def at(path: str) -> Find:
    return lambda _house: path


def thread(peer: str, more: str = "", **did: str) -> Find:
    return lambda house: house.thread(peer, **did) + more


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
    "user": lambda house: house.user(seeds.LONG_NAME),
    "api": at("/api"),
    "api-key": lambda house: house.key("shop"),
    "api-runs": at("/api/runs"),
    "api-run": lambda house: house.run("Closed on Friday"),
    "api-run-off": lambda house: house.run("Service is due") + "?ask=cancel",
    "carrier": at("/health/carriers/main"),
    "profile": at("/profile"),
    "more": at("/more"),
    "handsets": at("/handset"),
    "no-such-page": at("/nowhere"),
}
"""For an administrator who is logged in."""

OPEN: Mapping[str, Find] = {"login": at("/login"), "handset": at("/handset/+12025550147")}
"""For anybody."""
