"""What a browser keeps of us: cookies, the tokens in them, and what is made of these."""

import hmac
import secrets
from datetime import timedelta
from hashlib import sha256

from aiohttp import web

COOKIE = "__Host-ringback"
DOOR_COOKIE = "__Host-ringback-door"
"""Stands in for the session where nobody is logged in, so that a form there has a token too."""
THEME_COOKIE = "ringback-theme"
KEYS_COOKIE = "ringback-keys"


def new_token() -> str:
    return secrets.token_urlsafe(32)


def hash_of(token: str) -> str:
    """What is stored of a token: it has 256 random bits, so a fast hash is enough."""
    return sha256(as_bytes(token)).hexdigest()


def csrf_of(token: str) -> str:
    """The token for forms, made from the one in the cookie, so that it needs no place of its own."""
    return hmac.digest(as_bytes(token), b"csrf", "sha256").hex()


def as_bytes(token: str) -> bytes:
    # what a stranger sends need not be UTF-8
    return token.encode("utf-8", "surrogatepass")


def put_cookie(answer: web.StreamResponse, name: str, value: str, lasts: timedelta | None = None) -> None:
    """Set a cookie as strictly as can be: for this host, never to scripts, never across sites."""
    age = None if lasts is None else round(lasts.total_seconds())
    answer.set_cookie(name, value, path="/", secure=True, httponly=True, samesite="Lax", max_age=age)


def drop_cookie(answer: web.StreamResponse, name: str) -> None:
    answer.del_cookie(name, path="/", secure=True, httponly=True, samesite="Lax")
