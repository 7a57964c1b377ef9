"""SIP messages as values: parse what came, render what goes, answer a digest challenge. No sockets here."""

import hashlib
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

CRLF = "\r\n"
Address = tuple[str, int]
Header = tuple[str, str]


class NotSip(Exception):
    """A datagram that is no SIP message."""


@dataclass(frozen=True, slots=True)
class Message:
    """One request or response. `start` is its first line."""

    start: str
    headers: tuple[Header, ...]
    body: str = ""

    def get(self, name: str) -> str:
        """The first value of a header, empty when it is missing."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def all(self, *names: str) -> list[Header]:
        """Every header of these names, in the order they came."""
        wanted = {name.lower() for name in names}
        return [(key, value) for key, value in self.headers if key.lower() in wanted]

    @property
    def status(self) -> int:
        """The code of a response, 0 for a request."""
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        return self.get("CSeq").split()[1]

    @property
    def cseq(self) -> int:
        return int(self.get("CSeq").split()[0])

    @property
    def call_id(self) -> str:
        return self.get("Call-ID")

    @property
    def branch(self) -> str:
        return parameter(self.get("Via"), "branch")

    @property
    def contact(self) -> str:
        """The URI the other side wants to be reached at."""
        return address(self.get("Contact"))

    def encode(self) -> bytes:
        body = self.body.encode()
        lines = [self.start, *(f"{key}: {value}" for key, value in self.headers), f"Content-Length: {len(body)}"]
        return (CRLF.join(lines) + CRLF * 2).encode() + body


def parse(datagram: bytes) -> Message:
    """Read one datagram. Raises NotSip."""
    head, _, body = datagram.decode("utf-8", "replace").partition(CRLF * 2)
    start, *lines = head.split(CRLF)
    pairs = (line.partition(":") for line in lines)
    message = Message(start, tuple((key.strip(), value.strip()) for key, _, value in pairs), body)
    if not re.match(r"\d+ \w+$", message.get("CSeq")) or not message.call_id:
        raise NotSip(start)
    return message


def parameter(header: str, name: str) -> str:
    """`;name=value` of a header, empty when it is missing."""
    found = re.search(rf";\s*{name}=([^;>,\s]+)", header)
    return found.group(1) if found else ""


def address(header: str) -> str:
    """The URI between the angle brackets."""
    found = re.search(r"<([^>]+)>", header)
    return found.group(1) if found else header


def new_branch() -> str:
    return f"z9hG4bK{uuid.uuid4().hex}"


def new_call_id() -> str:
    return uuid.uuid4().hex


def quoted(name: str) -> str:
    """A display name as SIP writes it (RFC 3261 25.1)."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def sdp(host: str, port: int) -> str:
    """An offer or an answer for plain telephone audio."""
    return CRLF.join(
        [
            "v=0",
            f"o=lab 1 1 IN IP4 {host}",
            "s=-",
            f"c=IN IP4 {host}",
            "t=0 0",
            f"m=audio {port} RTP/AVP 0 101",
            "a=rtpmap:0 PCMU/8000",
            "a=rtpmap:101 telephone-event/8000",
            "a=fmtp:101 0-16",
            "",
        ]
    )


def audio_address(body: str) -> tuple[str, int]:
    """Where an SDP body wants its audio."""
    host, port = re.search(r"c=IN IP4 (\S+)", body), re.search(r"m=audio (\d+)", body)
    if host is None or port is None:
        raise NotSip("no audio in the SDP")
    return host.group(1), int(port.group(1))


def authorization(challenge: Message, method: str, uri: str, user: str, secret: str) -> Header:
    """The header that answers a 401 or 407 (RFC 2617, MD5, qop=auth)."""
    asked = challenge.get("WWW-Authenticate") or challenge.get("Proxy-Authenticate")
    given = dict(re.findall(r'(\w+)="?([^",]+)"?', asked))
    nonce_count, client_nonce = "00000001", "abcdef01"
    ours, what = _md5([user, given["realm"], secret]), _md5([method, uri])
    proof = _md5([ours, given["nonce"], nonce_count, client_nonce, "auth", what])
    parts = {
        "username": user,
        "realm": given["realm"],
        "nonce": given["nonce"],
        "uri": uri,
        "response": proof,
        "cnonce": client_nonce,
    }
    if "opaque" in given:
        parts["opaque"] = given["opaque"]
    name = "Authorization" if challenge.get("WWW-Authenticate") else "Proxy-Authorization"
    text = ", ".join(f'{key}="{value}"' for key, value in parts.items())
    return name, f"Digest {text}, algorithm=MD5, qop=auth, nc={nonce_count}"


def _md5(parts: Iterable[str]) -> str:
    return hashlib.md5(":".join(parts).encode()).hexdigest()
