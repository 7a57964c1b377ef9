"""A real provider of OpenID Connect, run as a process of its own on a free port of loopback: oidc-provider-mock."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.postgres import free_port

ANA = {
    "sub": "u-1",
    "preferred_username": "ana",
    "name": "Ana Kovačević",
    "email": "ana@example.com",
    "groups": ["staff", "ringback-admins"],
}
BEN = {"sub": "u-2", "preferred_username": "ben", "name": "Ben", "email": "ben@example.com", "groups": ["staff"]}


@contextlib.contextmanager
def provider(log: Path, *people: dict[str, object]) -> Iterator[str]:
    """Start one that knows these people; gives its issuer."""
    port = free_port()
    claims = [word for one in people for word in ("--user-claims", json.dumps(one))]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "-p", str(port), "-n", "true", *claims]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, "NO_COLOR": "1"})
    try:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            assert process.poll() is None, log.read_text()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)
