"""The order of bytes: nothing leaves on a socket that depends on a write to the WAL which is not yet flushed.

`flush_violations([...])` runs any command that uses the store under strace and says where that order was broken. What
depends on what is read off the bytes: our ids of attempts and texts, when they go out, and the carrier's id of a text
that came in, when its hook is answered, must stand in the WAL, with the end of their transaction, before the last
flush. Needs Debian's `strace`, and a database that is new to the command.
"""

import re
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

WATCHED = "pwrite64,fdatasync,fsync,sendto,recvfrom"
LONGEST = 4200  # a page and a little; strace shows no more of any buffer

ID = re.compile(r"(?:msg|att)_[0-9a-z]{26}|SM[0-9a-f]{32}")
SAID = re.compile(r"(?:msg|att)_[0-9a-z]{26}")
"""Ids of ours that whoever gets these bytes may rely on."""
HOOK = re.compile(r"MessageSid=(SM[0-9a-f]{32})")
"""The carrier's id in a hook; the next bytes on its line acknowledge it."""

_LINE = re.compile(r"(\d+) +(?:<\.\.\. )?(\w+)(\(| resumed>)(.*)", re.DOTALL)
_FILE = re.compile(r"(\d+)<([^>]*)>")
_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|(.))", re.DOTALL)
_NAMED = {"n": "\n", "t": "\t", "r": "\r", "v": "\v", "f": "\f"}
FRAME_HEAD = 24


@dataclass(slots=True)
class Judged:
    """What a trace shows. `sends` and `answers` count what was looked at; `violations` has a line for each fault."""

    sends: int = 0
    answers: int = 0
    violations: list[str] = field(default_factory=list)


def flush_violations(command: Sequence[str], **more: object) -> list[str]:
    """Run a command under strace to its end; return what left before it was on disk."""
    return judged(command, **more).violations


def judged(command: Sequence[str], **more: object) -> Judged:
    """The same, with how much was looked at. Raises CalledProcessError when the command fails."""
    with tempfile.TemporaryDirectory(prefix="rb-strace-") as folder:
        trace = Path(folder) / "trace"
        options = ["-f", "--seccomp-bpf", "-qq", "-y", "-s", str(LONGEST), "-e", "signal=none", "-o", str(trace)]
        subprocess.run(["strace", *options, "-e", f"trace={WATCHED}", *command], check=True, **more)
        with trace.open(encoding="latin-1") as lines:
            return judge(lines)


def judge(lines: Iterable[str]) -> Judged:
    """Read a trace of strace."""
    reading = _Reading()
    for line in lines:
        reading.take(line)
    return reading.judged


@dataclass(slots=True)
class _Wal:
    """Transactions are numbered as their last page is written; `flushed` says how many are on disk."""

    born: dict[str, int] = field(default_factory=dict)
    whole: int = 0
    flushed: int = 0
    ends: bool = False

    def write(self, data: str) -> None:
        if data.endswith('"...') or len(data) > 4 * FRAME_HEAD + 2:
            for name in ID.findall(data):
                self.born.setdefault(name, self.whole)
            self.whole += self.ends
            self.ends = False
        elif len(head := plain(data)) == FRAME_HEAD:
            # www.sqlite.org/fileformat2.html#the_write_ahead_log: the size after a commit, 0 in all other frames
            self.ends = head[4:8] != "\0\0\0\0"

    def holds(self, name: str) -> bool:
        return self.born.get(name, self.whole) < self.flushed


@dataclass(slots=True)
class _Reading:
    judged: Judged = field(default_factory=Judged)
    wals: dict[str, _Wal] = field(default_factory=dict)
    begun: dict[str, str] = field(default_factory=dict)
    flushing: dict[str, tuple[_Wal, int]] = field(default_factory=dict)
    hooks: dict[str, str] = field(default_factory=dict)

    def take(self, line: str) -> None:
        """One line; a call that another thread's came between has two, and counts as begun with the first."""
        match = _LINE.match(line)
        if match is None:
            return
        thread, call, mark, rest = match.groups()
        if mark == "(":
            self._begins(thread, call, rest)
            self.begun[thread] = rest
            if rest.endswith("<unfinished ...>\n"):
                return
        else:
            rest = self.begun.pop(thread, "") + rest
        self._ends(thread, call, rest)

    def _begins(self, thread: str, call: str, rest: str) -> None:
        file = _FILE.match(rest)
        if file is None:
            return
        if file[2].endswith("-wal"):
            wal = self.wals.setdefault(file[2], _Wal())
            if call == "pwrite64":
                wal.write(rest.split(", ", 1)[1].rsplit(", ", 2)[0])
            elif call in ("fdatasync", "fsync"):
                self.flushing[thread] = (wal, wal.whole)
        elif call == "sendto":
            self._leaves(file[0], rest)

    def _ends(self, thread: str, call: str, rest: str) -> None:
        if call in ("fdatasync", "fsync") and (at := self.flushing.pop(thread, None)):
            wal, whole = at
            if rest.rstrip().endswith("= 0"):
                wal.flushed = max(wal.flushed, whole)
        elif call == "recvfrom" and (file := _FILE.match(rest)) and (hook := HOOK.search(rest)):
            self.hooks[file[0]] = hook[1]

    def _leaves(self, socket: str, data: str) -> None:
        hook = self.hooks.pop(socket, None)
        names = set(SAID.findall(data))
        self.judged.sends += bool(names)
        if hook is not None:
            self.judged.answers += 1
            names.add(hook)
        for name in sorted(names):
            if not any(wal.holds(name) for wal in self.wals.values()):
                self.judged.violations.append(f"{name} left on {socket} and is not on disk")


def plain(shown: str) -> str:
    """The bytes that strace shows in quotes, a character each."""
    inner = shown.removesuffix("...").strip('"')
    return _ESCAPE.sub(lambda match: chr(int(match[1], 8)) if match[1] else _NAMED.get(match[2], match[2]), inner)
