"""Keys that must not lie in the database: a file in the state folder, or a credential of systemd's.

A file has a key a line, in hex; the last one is in use, those before it can still be read with. A credential counts
before the file. Whoever has only the database, or a copy of it, has none of them.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from ringback.errors import StoreFault

BYTES = 32
OPEN_TO_OTHERS = 0o037
"""systemd lets a group read its credentials where it cannot set finer rights."""
CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""Where systemd puts what `LoadCredential=` names; there a key is called `ringback-` and its name."""


@dataclass(frozen=True, slots=True)
class Key:
    """`id` tells keys apart and says nothing about the secret."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        return sha256(b"ringback key " + self.secret).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Keys:
    """`current` is in use; `all` are those that may be met, by their ids."""

    current: Key
    all: Mapping[str, Key] = field(repr=False)


def open_keys(state: Path, name: str) -> Keys:
    """The keys of this name; one is made where there is none. Raises StoreFault for a file that is no such file."""
    found = [*_read(state / f"{name}.key"), *_credential(name)]
    if not found:
        found = [_make(state / f"{name}.key")]
    return _keys(found)


def known_keys(state: Path, name: str) -> Keys | None:
    """The same, and None where there is none: for whoever only looks."""
    found = [*_read(state / f"{name}.key"), *_credential(name)]
    return _keys(found) if found else None


def read_keys(path: Path) -> Keys | None:
    """The keys in a file somewhere else, such as a copy that an auditor keeps."""
    found = _read(path)
    return _keys(found) if found else None


def _keys(found: list[Key]) -> Keys:
    return Keys(found[-1], {key.id: key for key in found})


def _credential(name: str) -> list[Key]:
    folder = os.environ.get(CREDENTIALS, "")
    return _read(Path(folder) / f"ringback-{name}") if folder else []


def _read(path: Path) -> list[Key]:
    try:
        mode = path.stat().st_mode
        words = path.read_bytes().split()
    except FileNotFoundError:
        return []
    except OSError as problem:
        raise StoreFault(f"{path}: cannot be read: {problem.strerror}") from problem
    if mode & OPEN_TO_OTHERS:
        raise StoreFault(f"{path}: is open to others (mode {mode & 0o777:04o}): chmod 0600 {path}")
    try:
        found = [Key(bytes.fromhex(word.decode())) for word in words]
    except ValueError as problem:
        raise StoreFault(f"{path}: is no key file; put the one of your backup in its place") from problem
    if not found or any(len(key.secret) != BYTES for key in found):
        raise StoreFault(f"{path}: is no key file; put the one of your backup in its place")
    return found


def _make(path: Path) -> Key:
    """On disk before anything is made with it, whole or not at all, and for nobody else to read."""
    key = Key(secrets.token_bytes(BYTES))
    half = path.with_name(f"{path.name}.new")
    try:
        handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, f"{key.secret.hex()}\n".encode())
            os.fsync(handle)
        finally:
            os.close(handle)
        half.rename(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as problem:
        raise StoreFault(f"{path}: cannot be written: {problem.strerror}") from problem
    return key
