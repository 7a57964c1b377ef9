"""What a browser was tricked into sending: requests under a name that is not ours, forms that are from elsewhere."""

import hmac
import re
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from aiohttp import web

from ringback.panel.site import LOOPBACK_NAMES, Site
from ringback.panel.tokens import as_bytes
from ringback.panel.words import FROM_ELSEWHERE

CSRF_HEADER = "X-Ringback-CSRF"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")
"""What a proxy adds, so that an address of this machine is not somebody who sits at it."""


def host_of(authority: str) -> str:
    """The name in a Host header, without its port."""
    return re.sub(r":[0-9]*\Z", "", authority).lower()


def local_path(text: str) -> str:
    """Read where to go after the login: a place of ours, or else, as for `//elsewhere`, the start page."""
    plain = text.isascii() and text.isprintable() and " " not in text and "\\" not in text
    if not plain or not text.startswith("/") or text.startswith(("//", "/login", "/logout")):
        return "/"
    return text


def check_host(request: web.Request, site: Site) -> None:
    """Refuse a name that is not ours: a page of another site could point its own name at this machine."""
    if site.hosts and host_of(request.host) not in site.hosts:
        raise web.HTTPMisdirectedRequest


async def check_form(request: web.Request, csrf: str, public: SplitResult) -> None:
    """Refuse what may come from another site: the browser says where from, and the form has our token."""
    if not _is_ours(request, public):
        raise web.HTTPForbidden(reason=FROM_ELSEWHERE)
    token = request.headers.get(CSRF_HEADER) or (await _form(request)).get("csrf")
    if not isinstance(token, str) or not hmac.compare_digest(as_bytes(token), csrf.encode()):
        raise web.HTTPForbidden(reason=FROM_ELSEWHERE)


def _is_ours(request: web.Request, public: SplitResult) -> bool:
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if site not in (None, "same-origin") or (origin is None and site is None):
        return False
    if origin is None:
        return True
    try:
        asked = urlsplit(origin)
    except ValueError:
        return False
    if public.netloc and (asked.scheme, asked.netloc) == (public.scheme, public.netloc):
        return True
    known = not public.netloc or host_of(request.host) in LOOPBACK_NAMES
    return known and asked.scheme in ("http", "https") and asked.netloc.lower() == request.host.lower()


async def _form(request: web.Request) -> Mapping[str, object]:
    """Read the form, once for all who ask. A body can be broken in a dozen ways, and each is the sender's fault."""
    try:
        return await request.post()
    except web.HTTPException:
        raise
    except Exception as problem:  # what aiohttp raises for a broken charset, boundary or packing has no common name
        raise web.HTTPBadRequest from problem
