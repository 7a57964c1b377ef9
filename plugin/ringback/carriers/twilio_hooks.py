"""Twilio's calls to us: whether it was Twilio, and what it says.

The signature is described at www.twilio.com/docs/usage/webhooks/webhooks-security; Twilio asks to use its own library
instead of that page, so what is done here is what the library does, proven with signatures the library made. It glues
names and values together without marks between them: where one ends and the next begins, the signature does not say.
"""

import hmac
import re
from base64 import b64encode
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

from ringback.carriers.twilio_list import SID
from ringback.carriers.twilio_words import COMMANDS, RECEIVED, STATUSES, loss
from ringback.ports import CarrierEvent, Hook, Incoming, MediaLink, Receipt, Unreadable

SIGNATURE = "x-twilio-signature"
SETTINGS = "x-twilio-webhooks-signature-settings"
"""Comes with hooks signed by a key of our own instead of the account's: `key=...,algorithm=HMAC_SHA256`."""
HASHES = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}
USUAL_PORTS = {"http": 80, "https": 443}
BODY_HASH = "bodySHA256"
MOST_MEDIA = 10
OTHERS = frozenset({"whatsapp", "rcs", "messenger"})

_OUR_ATTEMPT = re.compile(r"att_[0-9a-z]{26}")


def trusts(hook: Hook, key: str, shared_key: str) -> bool:
    """Say whether Twilio signed this with the account's key, or with the shared key where the hook says so."""
    settings = hook.headers.get(SETTINGS, "")
    secret = shared_key if settings else key
    algorithm = HASHES.get(_algorithm(settings))
    signed = hook.headers.get(SIGNATURE, "")
    if not secret or algorithm is None or not signed or not _body_is_signed(hook):
        return False
    fields = "".join(f"{name}{value}" for name, value in sorted(set(hook.form or ())))
    given = signed.encode("utf-8", "surrogatepass")
    # with and without the port: Twilio's own machines do not agree on it
    bare, ported = (_sign(address + fields, secret, algorithm) for address in _addresses(hook.url))
    # not `or`: both are always compared
    return hmac.compare_digest(bare, given) | hmac.compare_digest(ported, given)


def _algorithm(settings: str) -> str:
    for part in settings.split(","):
        name, _, value = part.partition("=")
        if name.strip() == "algorithm" and value.strip():
            return value.strip().upper()
    return "HMAC_SHA1"


def _sign(signed: str, secret: str, algorithm: str) -> bytes:
    # half a character cannot come from Twilio; it is carried along so that it cannot pass for another one
    signing = _keyed(secret, algorithm).copy()
    signing.update(signed.encode("utf-8", "surrogatepass"))
    return b64encode(signing.digest())


@lru_cache(maxsize=64)
def _keyed(secret: str, algorithm: str) -> hmac.HMAC:
    """The key, put in place once."""
    # not hmac.digest: that one lets the writer's thread go first, and the loop waits for its turn at every signature
    return hmac.new(secret.encode(), None, algorithm)


def _body_is_signed(hook: Hook) -> bool:
    """A form is part of what is signed; any other body is by its hash in the query, and there has to be one."""
    if hook.form is not None:
        return True
    hashes = _query(hook.url).get(BODY_HASH, [])
    if not hashes:
        return not hook.body
    return hmac.compare_digest(sha256(hook.body).hexdigest().encode(), hashes[0].encode("utf-8", "surrogatepass"))


def _addresses(url: str) -> tuple[str, str]:
    """The address without its port, and with it."""
    base, _, query = url.partition("?")
    after = f"?{query}" if query else ""
    bare, ported = _bases(base)
    return bare + after, ported + after


@lru_cache(maxsize=64)
def _bases(url: str) -> tuple[str, str]:
    """The same of what each hook of a carrier has in common."""
    parts = urlsplit(url)
    port = parts.port or USUAL_PORTS.get(parts.scheme, 80)
    bare = parts.netloc.rpartition(":")[0] if parts.port else parts.netloc
    return parts._replace(netloc=bare).geturl(), parts._replace(netloc=f"{bare}:{port}").geturl()


def read(hook: Hook) -> list[CarrierEvent]:
    """Return the text or the receipt that a hook brings. Raise Unreadable for what makes no sense.

    The fields tell which of the two it is, so a hook that was set up at the wrong address is still understood.
    """
    if hook.form is None:
        raise Unreadable("it is no form")
    fields = _Fields(hook.form)
    sid = fields.one("MessageSid") or fields.one("SmsSid")
    if not SID.fullmatch(sid):
        raise Unreadable("it names no message" if not sid else "MessageSid is not the id of a message")
    status = fields.one("MessageStatus") or fields.one("SmsStatus")
    if status in STATUSES:
        return [_receipt(hook, fields, sid, status)]
    if status and status not in RECEIVED:
        raise Unreadable("MessageStatus is a word that Ringback does not know")
    return [_incoming(hook, fields, sid)]


def _receipt(hook: Hook, fields: "_Fields", sid: str, status: str) -> Receipt:
    attempts = _query(hook.url).get("attempt", [])
    ours = attempts[0] if len(attempts) == 1 and _OUR_ATTEMPT.fullmatch(attempts[0]) else ""
    # Twilio does not say when it happened
    return Receipt(sid, STATUSES[status], None, ours, loss(status, fields.one("ErrorCode")))


def _incoming(hook: Hook, fields: "_Fields", sid: str) -> Incoming:
    sender, to = address_of(fields.one("From")), address_of(fields.one("To"))
    found = [(fields.one(f"MediaUrl{n}"), fields.one(f"MediaContentType{n}")) for n in range(MOST_MEDIA)]
    media = tuple(MediaLink(url, content_type) for url, content_type in found if url)
    if not media and not fields.has("Body"):
        raise Unreadable("it has neither a text nor a picture")
    command = COMMANDS.get(fields.one("OptOutType"), "")
    return Incoming(sid, sender, to, fields.one("Body"), hook.received_at, None, media, command)


def address_of(number: str) -> str:
    """Return the number a text came from or went to. Raise Unreadable for another network's address.

    Were `whatsapp:` cut off, the answer would go to the same person by SMS.
    """
    network, mark, _ = number.partition(":")
    if mark:
        raise Unreadable(f"it came by {network if network in OTHERS else 'another network'}, not as a text message")
    if not number.strip():
        raise Unreadable("it lacks From or To")
    return number


class _Fields:
    """The fields of a form by name. One that comes twice with two values is a reason not to believe either."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, set[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, set()).add(value)

    def has(self, name: str) -> bool:
        return name in self._values

    def one(self, name: str) -> str:
        values = self._values.get(name, {""})
        if len(values) > 1:
            raise Unreadable(f"{name} comes with two values")
        return next(iter(values))


def _query(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query)
