"""A PostgreSQL of the bench's own that does every flush, started unprivileged on a free port."""

import contextlib
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg

from bench.daemon import free_port
from bench.process import Child, Stalled

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
READY_WITHIN = 20.0


class Cluster:
    """A running server."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._names = 0

    def create(self) -> str:
        """Make an empty database and return its address."""
        self._names += 1
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "bench{self._names}"')
        return self.url(f"bench{self._names}")

    def url(self, name: str) -> str:
        return f"postgresql://ringback@127.0.0.1:{self._port}/{name}"


@contextlib.contextmanager
def cluster(environ: Mapping[str, str] | None = None) -> Iterator[Cluster]:
    """Run a server for as long as the block lasts. Its settings are PostgreSQL's own: fsync is on."""
    user = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="ringback-bench-pg-"))
    try:
        if user is not None:
            shutil.chown(folder, user)
        data, port = folder / "data", free_port()
        make = [BINARIES[-1] / "initdb", "-D", data, "-U", "ringback", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(make, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)
        options = ("-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}")
        words = (BINARIES[-1] / "postgres", "-D", data, "-p", str(port), *options)
        # SIGINT, since a smart shutdown waits for connections
        with Child(words, folder / "log", environ, user=user, cwd=folder, end_with="INT") as child:
            _wait(port, child, folder / "log")
            yield Cluster(port)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def databases(environ: Mapping[str, str] | None = None) -> Iterator[Iterator[str] | None]:
    """Empty databases, one after the other, for as long as the block lasts; None where PostgreSQL is not here."""
    if not BINARIES:
        yield None
        return
    with cluster(environ) as server:
        yield (server.create() for _ in itertools.count())


def _unprivileged() -> str | None:
    """PostgreSQL refuses to run as root: the user it runs as then."""
    if os.geteuid() != 0:
        return None
    return "postgres" if "postgres" in {entry.pw_name for entry in pwd.getpwall()} else "nobody"


def _wait(port: int, child: Child, log: Path) -> None:
    end = time.monotonic() + READY_WITHIN
    while child.alive and time.monotonic() < end:
        try:
            psycopg.connect(f"postgresql://ringback@127.0.0.1:{port}/postgres", connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise Stalled(f"PostgreSQL does not listen; its log says {log.read_text(errors='replace')[-500:]}")
