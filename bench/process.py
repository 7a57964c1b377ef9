"""Children of the bench: started in their own session, measured through /proc, ended by their id only."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STALL = 15.0
"""Seconds without any progress after which waiting is given up."""


class Stalled(Exception):
    """Something did not happen in time; the text says what."""


class Child:
    """A running child. `ask` writes a line to it and waits for its answer."""

    def __init__(
        self,
        words: Sequence[str | Path],
        log: Path,
        environ: Mapping[str, str] | None = None,
        *,
        user: str | None = None,
        cwd: Path | None = None,
        end_with: str = "TERM",
    ) -> None:
        self._end_with = signal.Signals[f"SIG{end_with}"]
        path = os.pathsep.join([str(ROOT / "plugin"), str(ROOT)])
        self._log = log.open("ab")
        self._process = subprocess.Popen(
            [str(word) for word in words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={**os.environ, "PYTHONPATH": path, **(environ or {})},
            start_new_session=True,
            user=user,
            cwd=cwd,
        )

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def line(self) -> str:
        """Its next line of output."""
        assert self._process.stdout is not None
        said = self._process.stdout.readline().strip()
        if not said:
            raise Stalled(f"{self._process.args!r} ended; its log is {self._log.name}")
        return said

    def ask(self, *words: object) -> str:
        assert self._process.stdin is not None
        print(*words, file=self._process.stdin, flush=True)
        return self.line()

    def rss(self) -> float:
        """Resident memory in MB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def peak(self) -> float:
        """The most resident memory there was, in MB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        if self.alive:
            self._process.send_signal(self._end_with)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if stream is not None:
                stream.close()


def wait_for(count: Callable[[], int], wanted: int, what: str, every: float = 0.05) -> None:
    """Wait until `count` is as wanted; raise Stalled when it stands still too long."""
    last, since = -1, time.monotonic()
    while (now := count()) < wanted:
        if now != last:
            last, since = now, time.monotonic()
        elif time.monotonic() - since > STALL:
            raise Stalled(f"{now} of {wanted} {what}")
        time.sleep(every)
