"""What the bench needs of the machine: the interpreter with the peers' packages, the C tools; and what it is like."""

import hashlib
import importlib.util
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

from bench.process import ROOT

TOOLS = ROOT / "bench" / "tools"
BIN = TOOLS / "bin"
REQUIREMENTS = ROOT / "requirements" / "bench.txt"


def use_interpreter_with_peers() -> None:
    """Go on under an interpreter that has `requests`: this one, or that of our own venv, made when it is missing.

    All that is compared runs under the same one.
    """
    if importlib.util.find_spec("requests") is not None:
        return
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "ringback"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    mark = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    home = cache / f"bench-{version}-{mark}"
    python = home / "bin" / "python"
    if not (home / "complete").exists():
        print(f"requests is not installed here: making {home} from {REQUIREMENTS.relative_to(ROOT)}", flush=True)
        venv.create(home, clear=True, with_pip=True)
        install = (python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--require-hashes", "-r")
        subprocess.run([*install, REQUIREMENTS], check=True)
        (home / "complete").touch()
    os.chdir(ROOT)
    os.execv(python, [str(python), "-m", "bench.run", *sys.argv[1:]])


def build_tools() -> None:
    """Compile what is missing or older than its source."""
    BIN.mkdir(exist_ok=True)
    for source, target, flags in (
        ("httpsink.c", "httpsink", ("-Wno-unused-result",)),
        ("httpflood.c", "httpflood", ("-Wno-unused-result",)),
        ("slowsync.c", "slowsync.so", ("-shared", "-fPIC")),
    ):
        built = BIN / target
        newest = max((TOOLS / name).stat().st_mtime for name in (source, "common.h", "sha1.h"))
        if not built.exists() or built.stat().st_mtime < newest:
            command = ["gcc", "-O2", "-Wall", "-Wextra", *flags, "-o", built, TOOLS / source]
            subprocess.run([str(word) for word in command], check=True)


def describe() -> dict[str, object]:
    """The machine, and how fast it is just now: a busy one has another share of a processor in each round."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "kernel": platform.release(),
        "spin_ms": round(spin_ms(), 1),
        "flushes_a_second": round(flushes()),
    }


def spin_ms() -> float:
    """How long a fixed piece of work takes one core; the best of five."""

    def once() -> float:
        begun = time.perf_counter()
        sum(range(2_000_000))
        return time.perf_counter() - begun

    return min(once() for _ in range(5)) * 1000


def flushes() -> float:
    """How often a second the disk of the temporary folder takes 4 KiB and says that it has them."""
    with tempfile.TemporaryFile() as file:
        begun, done = time.perf_counter(), 0
        while (spent := time.perf_counter() - begun) < 0.5:
            file.write(bytes(4096))
            file.flush()
            os.fdatasync(file.fileno())
            done += 1
        return done / spent


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "unknown")
