"""The file in which a checker outside the daemon reads what came to the handsets and went out from them."""

import errno
import json
import os
import weakref
from pathlib import Path

from ringback.errors import Unreachable
from ringback.ports.handsets import HandsetText, Passage

_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


class Journal:
    """One JSON object a line, ASCII, handed to the system in one write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # opened by the first text, so that a carrier can be built only to check its options
        self._file: int | None = None

    def write(self, text: HandsetText, passage: Passage = Passage.WHOLE) -> None:
        """Append the text, or raise Unreachable and leave no half line behind."""
        told: dict[str, str | list[str]] = {"kind": "text", "attempt": text.attempt, "message": text.message}
        if text.mine:
            told = {"kind": "reply", "passage": passage, "media": [link.url for link in text.media]}
        told |= {"sender": text.sender, "to": text.to, "text": text.text}
        line = _encode(told | {"at": text.at.isoformat(), "provider_id": text.provider_id})
        data = f"{line}\n".encode("ascii")
        try:
            self._append(data)
        except OSError as problem:
            raise Unreachable(f"{self._path.name} cannot be written: {problem.strerror}") from problem

    def _append(self, data: bytes) -> None:
        if self._file is None:
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            # a carrier has no close of its own: the file goes with it
            weakref.finalize(self, os.close, self._file)
        written = os.write(self._file, data)
        if written < len(data):
            os.ftruncate(self._file, os.fstat(self._file).st_size - written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
