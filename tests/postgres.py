"""A PostgreSQL of our own: started unprivileged on a free port, stopped by its process id, gone with its folder."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def unprivileged() -> str | None:
    """PostgreSQL refuses to run as root; the user it runs as then, or None when we are nobody special."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


LOOK = """
SELECT c.relname, c.relkind, a.attname, a.atttypid, a.attnotnull, i.indisvalid, pg_get_constraintdef(k.oid), t.tgname
FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
LEFT JOIN pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_constraint k ON k.conrelid = c.oid
LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal
WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
"""
EMPTY = """
DO $$ DECLARE name text; BEGIN
SET LOCAL session_replication_role = replica;
FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('DELETE FROM %I', name);
END LOOP;
FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' LOOP
    EXECUTE format('ALTER SEQUENCE %I RESTART', name);
END LOOP;
-- as the migrations leave it
INSERT INTO text_queue (public_id, name, main, plan, created_at, changed_at)
VALUES ('que_00000000000000000000000000', 'main', true, '{}', 0, 0);
END $$
"""


def _look(conninfo: str) -> list[tuple[object, ...]]:
    """What a database is made of: tables, columns, indexes, constraints."""
    with psycopg.connect(conninfo) as connection:
        return connection.execute(LOOK).fetchall()


class Cluster:
    """A running server. `url(name)` makes an empty database."""

    def __init__(self, folder: Path, port: int, process: "subprocess.Popen[bytes]") -> None:
        self.folder = folder
        self.port = port
        self.process = process
        self._spare: list[str] = []
        self._looks: list[tuple[object, ...]] | None = None

    def conninfo(self, name: str) -> str:
        return f"postgresql://ringback@127.0.0.1:{self.port}/{name}"

    def create(self, name: str, template: str = "template0") -> str:
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.conninfo(name)

    def lend(self, name: str) -> str:
        """An empty database with our schema: one that somebody gave back, or a new one of that name.

        To make one costs a fifth of a second, and to empty one a hundredth.
        """
        return self._spare.pop() if self._spare else self.create(name, "template")

    def give_back(self, conninfo: str) -> None:
        """Empty it for the next one, unless somebody changed its schema or is still connected."""
        name = conninfo.rpartition("/")[2]
        with psycopg.connect(conninfo, autocommit=True) as connection:
            if self._looks is None:
                self._looks = _look(self.conninfo("template"))
            others = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
            busy = connection.execute(others, (name,)).fetchone() != (0,)
            if not busy and _look(conninfo) == self._looks:
                connection.execute(EMPTY)
                self._spare.append(conninfo)
                return
        self.drop(name)

    def drop(self, name: str) -> None:
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    """Run a server for as long as the block lasts."""
    if not BINARIES:
        raise RuntimeError("PostgreSQL is missing: apt-get install postgresql")
    user = unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="rb-pg-"))
    try:
        if user is not None:
            shutil.chown(folder, user)
        data, port = folder / "data", free_port()
        subprocess.run(
            [BINARIES[-1] / "initdb", "-D", data, "-U", "ringback", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True,
            user=user,
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )
        options = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [BINARIES[-1] / "postgres", "-D", data, "-p", str(port), *options], user=user, cwd=folder, stderr=log
            )
        made = Cluster(folder, port, process)
        try:
            _wait(port, process, folder / "log")
            yield made
        finally:
            # a drill may have put another process into its place
            made.process.terminate()  # a smart shutdown would wait for forgotten connections
            made.process.send_signal(2)
            made.process.wait(20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            psycopg.connect(f"postgresql://ringback@127.0.0.1:{port}/postgres", connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text(errors="replace")[-2000:]) from None
            time.sleep(0.05)  # the server has no event to wait for before it listens
