"""What SQLite writes and flushes, in order: a file system of SQLite's that notes each call and hands it on.

SQLite's own `sqlite3_vfs` is the seam: a copy of the usual one becomes the default, whose files write, cut and flush
through us. Only Python's `ctypes` is needed, and what is watched knows nothing of it. It works where Python uses the
machine's SQLite library, as it does on Debian; elsewhere `record` raises.
"""

import ctypes
import ctypes.util
from collections.abc import Iterator
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_int64, c_void_p
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Protocol

SHARED = ("-wal", "-journal", "-shm")


class Deed(StrEnum):
    """What a line of the record is. The last two are not SQLite's."""

    WRITE = "w"
    CUT = "c"
    FLUSH = "f"
    DELETE = "d"
    TOLD = "t"
    """Somebody outside was told that a thing is kept."""
    LEFT = "l"
    """The bytes of an attempt left."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the record: which file, at which place, with which bytes."""

    deed: Deed
    name: str
    place: int = 0
    data: bytes = b""


class Sink(Protocol):
    def __call__(self, line: Line) -> None: ...


class Record:
    """The record as a file. One `write` a line, so that threads do not mix theirs."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("ab", buffering=1024 * 1024)

    def __call__(self, line: Line) -> None:
        head = f"{line.deed} {line.place} {len(line.data)} {line.name}\n".encode()
        self._file.write(head + line.data)

    def close(self) -> None:
        self._file.close()


def read_record(path: Path) -> Iterator[Line]:
    """The lines of a record, in the order they happened."""
    with path.open("rb") as file:
        while head := file.readline():
            deed, place, size, name = head.decode().rstrip("\n").split(" ", 3)
            yield Line(Deed(deed), name, int(place), file.read(int(size)))


class _Vfs(ctypes.Structure):
    """sqlite3_vfs as far as it is used here (www.sqlite.org/c3ref/vfs.html)."""


_OPEN = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, POINTER(c_int))
_DELETE = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)
_WRITE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_CUT = CFUNCTYPE(c_int, c_void_p, c_int64)
_FLUSH = CFUNCTYPE(c_int, c_void_p, c_int)
_Vfs._fields_ = [
    ("version", c_int),
    ("file_size", c_int),
    ("longest_path", c_int),
    ("next", c_void_p),
    ("name", c_char_p),
    ("data", c_void_p),
    ("open", _OPEN),
    ("delete", _DELETE),
    ("rest", c_void_p * 14),
]
_METHODS = 19  # the version, and eighteen functions of version 3 (www.sqlite.org/c3ref/io_methods.html)
_AT_WRITE, _AT_CUT, _AT_FLUSH = 3, 4, 5
_keep: list[object] = []  # what SQLite points to must not go


def record(sink: Sink) -> None:
    """From now on, every database that this process opens tells `sink` what it writes."""
    Watch(sink).install()


class Watch:
    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._names: dict[int, str] = {}
        self._methods: dict[int, ctypes.Array[c_void_p]] = {}
        self._library = ctypes.CDLL(ctypes.util.find_library("sqlite3") or "libsqlite3.so.0")
        self._library.sqlite3_vfs_find.restype = POINTER(_Vfs)
        self._usual = self._library.sqlite3_vfs_find(None)
        self._at_usual = ctypes.addressof(self._usual.contents)

    def install(self) -> None:
        ours = _Vfs.from_buffer_copy(self._usual.contents)
        ours.name, ours.next = b"watched", None
        ours.open, ours.delete = _OPEN(self._open), _DELETE(self._delete)
        _keep.extend((self, ours))
        if self._library.sqlite3_vfs_register(ctypes.byref(ours), 1):
            raise RuntimeError("SQLite does not let itself be watched")

    def _open(self, _vfs: int, name: int | None, file: int, flags: int, out: object) -> int:
        code: int = self._usual.contents.open(self._at_usual, name, file, flags, out)
        if code == 0 and name is not None:
            path = Path(ctypes.string_at(name).decode()).name
            self._names[file] = path
            at = c_void_p.from_address(file)  # the first field of a sqlite3_file points to its methods
            assert at.value is not None
            at.value = ctypes.addressof(self._watched(at.value))
        return code

    def _delete(self, _vfs: int, name: bytes, sync: int) -> int:
        code: int = self._usual.contents.delete(self._at_usual, name, sync)
        if code == 0:
            self._sink(Line(Deed.DELETE, Path(name.decode()).name))
        return code

    def _watched(self, at: int) -> "ctypes.Array[c_void_p]":
        """The methods of a kind of file, three of them replaced."""
        if at not in self._methods:
            methods = (c_void_p * _METHODS).from_buffer_copy((c_void_p * _METHODS).from_address(at))
            for place, kind, made in (
                (_AT_WRITE, _WRITE, self._write),
                (_AT_CUT, _CUT, self._cut),
                (_AT_FLUSH, _FLUSH, self._flush),
            ):
                function = kind(made(kind(methods[place])))
                _keep.append(function)
                methods[place] = ctypes.cast(function, c_void_p)
            self._methods[at] = methods
        return self._methods[at]

    def _write(self, usual):
        def write(file: int, data: int, size: int, place: int) -> int:
            code: int = usual(file, data, size, place)
            if code == 0:
                self._sink(Line(Deed.WRITE, self._names[file], place, ctypes.string_at(data, size)))
            return code

        return write

    def _cut(self, usual):
        def cut(file: int, size: int) -> int:
            code: int = usual(file, size)
            if code == 0:
                self._sink(Line(Deed.CUT, self._names[file], size))
            return code

        return cut

    def _flush(self, usual):
        def flush(file: int, flags: int) -> int:
            code: int = usual(file, flags)
            if code == 0:
                self._sink(
                    Line(Deed.FLUSH, self._names[file])
                )  # after it returned, so what was told before is not on disk
            return code

        return flush
