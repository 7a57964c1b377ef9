"""Secrets at rest: sealed with a key that lies in a file of its own, never in the database.

The file `ringback.key` is made with the first secret, in the state folder, for its owner alone; systemd's credential
`ringback.key` comes before it. Each line is a key: its id, and 32 bytes in base64. The first seals, the others only
open what was sealed before a rotation. A sealed value is `v1.KEY.DATA`, each with a nonce of its own.
"""

import base64
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ringback.ports.sealing import SealFault

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

FILE = "ringback.key"
FORBIDDEN_MODE = 0o077
FORBIDDEN_FOR_CREDENTIAL = 0o037
"""systemd lets a group read its credentials where it cannot set finer rights."""
KEY_BYTES, NONCE_BYTES, ID_BYTES = 32, 12, 4
FORM = "v1"


@dataclass(frozen=True, slots=True)
class Key:
    """One line of the file. The bytes stay out of `repr`."""

    id: str
    secret: bytes = field(repr=False)


class Sealer:
    """Satisfies `ports.sealing.Seal`. Looks at the file when it has to: a key that was put there meanwhile counts."""

    def __init__(self, state: Path, environ: Mapping[str, str]) -> None:
        self._state = state
        credentials = environ.get("CREDENTIALS_DIRECTORY", "")
        given = Path(credentials) / FILE if credentials else None
        self._given = given if given is not None and given.is_file() else None
        self._keys: tuple[Key, ...] = ()

    @property
    def ours(self) -> bool:
        """Whether the file is ours to change; systemd's is not."""
        return self._given is None

    def seal(self, value: str, about: str) -> str:
        key = self._current()
        nonce = secrets.token_bytes(NONCE_BYTES)
        data = nonce + _cipher(key).encrypt(nonce, value.encode(), about.encode())
        return f"{FORM}.{key.id}.{base64.urlsafe_b64encode(data).decode()}"

    def open(self, sealed: str, about: str) -> str:
        form, _, rest = sealed.partition(".")
        name, _, text = rest.partition(".")
        key = self._named(name) if form == FORM else None
        if key is None:
            raise SealFault(f"a secret was sealed with the key {name[:16] or 'of another form'!r}, which {FILE} lacks")
        return _opened(key, text, about)

    def key_of(self, sealed: str) -> str:
        """The id of the key a value is sealed with."""
        return sealed.split(".")[1] if sealed.count(".") == 2 else ""

    @property
    def current(self) -> str:
        """The id of the key that seals."""
        return self._current().id

    def begin_rotation(self) -> str:
        """Put a new key first, and keep the others; of systemd's file the first line is the new one. Returns its id."""
        self._keys = self._read()
        if self.ours:
            self._write((_new_key(), *self._keys))
        return self._current().id

    def end_rotation(self) -> None:
        """Drop the keys that nothing is sealed with any more."""
        if self.ours:
            self._write(self._keys[:1])

    def _current(self) -> Key:
        if not self._keys:
            self._keys = self._read()
        if not self._keys:
            self._make()
        return self._keys[0]

    def _named(self, name: str) -> Key | None:
        found = next((key for key in self._keys if key.id == name), None)
        if found is None:
            self._keys = self._read()
            found = next((key for key in self._keys if key.id == name), None)
        return found

    def _make(self) -> None:
        if not self.ours:
            raise SealFault(f"the credential {FILE} holds no key")
        with suppress(FileExistsError):  # somebody else was faster, and theirs counts
            _put(self._state / FILE, (_new_key(),), os.O_EXCL)
        self._keys = self._read()

    def _read(self) -> tuple[Key, ...]:
        path = self._given or self._state / FILE
        try:
            mode = path.stat().st_mode
            lines = path.read_text("ascii").split("\n")
        except FileNotFoundError:
            return ()
        except (OSError, UnicodeDecodeError) as problem:
            raise SealFault(f"{path} cannot be read: {getattr(problem, 'strerror', None) or 'it is no text'}") from None
        if mode & (FORBIDDEN_MODE if self.ours else FORBIDDEN_FOR_CREDENTIAL):
            raise SealFault(f"{path} is open to others (mode {mode & 0o777:04o}): chmod 0600 {path}")
        return tuple(_key(line, path) for line in lines if line.strip())

    def _write(self, keys: tuple[Key, ...]) -> None:
        beside = self._state / f"{FILE}.new"
        beside.unlink(missing_ok=True)
        _put(beside, keys, os.O_EXCL)
        beside.replace(self._state / FILE)
        _sync_folder(self._state)
        self._keys = keys


def _cipher(key: Key) -> "ChaCha20Poly1305":
    # 30 ms that a daemon without second factors need not pay
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305  # noqa: PLC0415

    return ChaCha20Poly1305(key.secret)


def _opened(key: Key, text: str, about: str) -> str:
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - with `_cipher`

    try:
        data = base64.urlsafe_b64decode(text.encode())
        plain: bytes = _cipher(key).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], about.encode())
        return plain.decode()
    except (ValueError, InvalidTag):
        raise SealFault("a sealed secret was changed, or belongs elsewhere") from None


def _new_key() -> Key:
    return Key(secrets.token_bytes(ID_BYTES).hex(), secrets.token_bytes(KEY_BYTES))


def _key(line: str, path: Path) -> Key:
    name, _, text = line.strip().partition(" ")
    try:
        secret = base64.b64decode(text, validate=True)
    except ValueError:
        secret = b""
    if not name.isalnum() or len(secret) != KEY_BYTES:
        raise SealFault(f"{path} holds a line that is no key: an id, a space, and 32 bytes in base64")
    return Key(name, secret)


def _put(path: Path, keys: tuple[Key, ...], flag: int) -> None:
    text = "".join(f"{key.id} {base64.b64encode(key.secret).decode()}\n" for key in keys)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | flag, 0o600), "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
