"""A backup: one file with the database and a manifest, by which a restore knows what it is and that it is whole."""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from ringback import __version__
from ringback.errors import StoreFault
from ringback.store.counting import count_of
from ringback.store.tx import Row

FORM = 1
"""The form of the manifest; a later one is not read."""

MANIFEST, DATA = "manifest.json", "database"
COUNTED = ("message", "attempt", "incoming", "call", "opt_out_event", "audit")
"""Tables whose rows the manifest counts, so that a restore can compare."""

CHUNK = 1024 * 1024


class NoBackup(StoreFault):
    """The file is no backup that this Ringback can use."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is in a backup. `at` is when it was begun, `commits` how far the database was."""

    kind: str
    schema: str
    ringback: str
    epoch: int
    commits: int
    at: str
    counts: dict[str, int]
    size: int = 0
    sha256: str = ""
    form: int = FORM


def manifest_of(kind: str, ask: Callable[[str], Row | None], now: datetime) -> Manifest:
    """Look at a database through `ask`, which runs one statement in the snapshot that is backed up."""

    (schema,) = ask("SELECT version_num FROM alembic_version") or ("none",)
    epoch = count_of(ask("SELECT value FROM setting WHERE key = 'epoch'"))
    commits = count_of(ask("SELECT value FROM setting WHERE key = 'commits'"))
    return Manifest(kind, schema, __version__, epoch, commits, f"{now:%Y-%m-%dT%H:%M:%SZ}", counts_of(ask))


def counts_of(ask: Callable[[str], Row | None]) -> dict[str, int]:
    return {table: count_of(ask(f"SELECT count(*) FROM {table}")) for table in COUNTED}


def pack(manifest: Manifest, data: Path, target: Path) -> Manifest:
    """Put a copy of the database and its manifest into one file, which is there whole or not at all.

    It is put together beside the copy.
    """
    part = data.with_name("backup")
    handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as out:
        size, digest = _digest(data)
        whole = Manifest(**{**asdict(manifest), "size": size, "sha256": digest})
        with tarfile.open(fileobj=out, mode="w") as tar:
            words = json.dumps(asdict(whole), indent=1).encode()
            tar.addfile(_member(MANIFEST, len(words)), io.BytesIO(words))
            with data.open("rb") as copy:
                tar.addfile(_member(DATA, size), copy)
        out.flush()
        os.fsync(out.fileno())
    part.replace(target)
    flush_folder(target.parent)
    return whole


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    return member


def _digest(path: Path) -> tuple[int, str]:
    with path.open("rb") as copy:
        digest = hashlib.file_digest(copy, "sha256")
        return copy.tell(), digest.hexdigest()


def flush_folder(folder: Path) -> None:
    """Only then a new name in it outlives a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_manifest(backup: Path) -> Manifest:
    """Raises NoBackup for what is none."""
    with _opened(backup) as tar:
        return _manifest(backup, tar)


def unpack(backup: Path, target: Path) -> Manifest:
    """Write the copy of the database to `target` and flush it. Raises NoBackup when it is not whole."""
    with _opened(backup) as tar:
        manifest = _manifest(backup, tar)
        try:
            source = tar.extractfile(DATA)
            size, digest = _copy(source, target) if source else (0, "")
        except (tarfile.TarError, KeyError, EOFError) as problem:
            raise NoBackup(f"{backup} is damaged: {problem}") from problem
    if (size, digest) != (manifest.size, manifest.sha256):
        raise NoBackup(f"{backup} is damaged: the database in it is not what was put into it")
    return manifest


def _copy(source: IO[bytes], target: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as out:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    return size, digest.hexdigest()


def _opened(backup: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(backup, mode="r:")
    except (tarfile.TarError, EOFError) as problem:
        raise NoBackup(f"{backup} is no backup of Ringback's: {problem}") from problem
    except OSError as problem:
        raise NoBackup(f"{backup} cannot be read: {problem.strerror or problem}") from problem


def _manifest(backup: Path, tar: tarfile.TarFile) -> Manifest:
    try:
        member = tar.extractfile(MANIFEST)
        words = json.loads(member.read(CHUNK)) if member else {}
        if int(words["form"]) > FORM:
            raise NoBackup(f"{backup} was made by a newer Ringback ({words['ringback']}); upgrade Ringback")
        return Manifest(**words)
    except (tarfile.TarError, EOFError, KeyError, ValueError, TypeError) as problem:
        raise NoBackup(f"{backup} is no backup of Ringback's, or is damaged") from problem
