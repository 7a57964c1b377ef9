"""A real Asterisk of one's own: fetched, configured, started on free ports, waited for, stopped.

`python -m lab.asterisk` runs one in the foreground until Ctrl-C.
"""

import contextlib
import os
import re
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.lines import PHONES, TEXT_LINES, phone_of, prompts, queue_of
from lab.pbx import NOBODY, Account, Pbx
from lab.ready import answers_sip, free_ports, fully_booted

HERE = Path(__file__).parent
SHIPPED = HERE.parent / "dialplan"

# Asterisk complains about a missing file and is content with an empty one.
EMPTY = (
    *(
        "acl",
        "amd",
        "ari",
        "ccss",
        "cdr_manager",
        "cli",
        "cli_aliases",
        "cli_permissions",
        "codecs",
        "confbridge",
        "dnsmgr",
    ),
    *("dsp", "enum", "extconfig", "geolocation", "http", "phoneprov", "pjproject", "pjsip_notify", "pjsip_wizard"),
    *("res_curl", "sorcery", "stasis", "statsd", "udptl", "websocket_client"),
)
BOOT = 30.0  # seconds; it takes a third of one, except on a machine that is busy
LONGEST_SOCKET = 107


class LabFault(Exception):
    """The lab's Asterisk cannot be had; the text says why."""


@dataclass(frozen=True, slots=True)
class Times:
    """Whole seconds: how long +1 202 555 lines ring, how long +1 212 555 lines ring, how long a parked call waits."""

    ring: int = 2
    long: int = 30
    park: int = 5


def fetch(suite: str = "") -> Path:
    """Where an unpacked Asterisk is; the first time it is fetched. `suite` is Debian's, for another than the usual one.

    Raises LabFault.
    """
    environ = {**os.environ, "SUITE": suite} if suite else None
    done = subprocess.run([HERE / "fetch-asterisk"], stdout=subprocess.PIPE, text=True, check=False, env=environ)
    if done.returncode:
        raise LabFault("no Asterisk: fetch-asterisk says why above")
    return Path(done.stdout.strip())


class Asterisk:
    """One running Asterisk. It needs no event loop, so that one may serve many tests."""

    def __init__(self, tree: Path, times: Times) -> None:
        self.tree, self.times = tree, times
        self.run = _short_folder()
        self.account = Account("ringback", secrets.token_hex(16))  # from the template we ship
        self.lab_account = Account("lab", secrets.token_hex(16))  # may do everything
        self.token = secrets.token_urlsafe(24)  # with which the dialplan asks
        self.ami_port = self.sip_port = self.carrier_port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    @contextlib.contextmanager
    def running(cls, times: Times | None = None, suite: str = "") -> Iterator["Asterisk"]:
        """Start one, wait until it is fully booted, stop it at the end."""
        asterisk = cls(fetch(suite), times or Times())
        try:
            asterisk.boot()
            yield asterisk
        finally:
            asterisk.stop()
            shutil.rmtree(asterisk.run, ignore_errors=True)

    @classmethod
    @contextlib.asynccontextmanager
    async def start(cls, times: Times | None = None) -> AsyncIterator[Pbx]:
        """The same with phones, for one who needs nothing else: `async with Asterisk.start() as pbx:`."""
        with cls.running(times) as asterisk:
            async with asterisk.opened() as pbx:
                yield pbx

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[Pbx]:
        """Phones, callers and AMI logins on this Asterisk, all closed at the end."""
        async with contextlib.AsyncExitStack() as stack:
            yield Pbx(self, stack)

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def log(self) -> str:
        """What Asterisk wrote into its full log."""
        path = self.run / "log" / "full.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def boot(self) -> None:
        """Start on ports that are free now; should somebody take one meanwhile, once more on others."""
        for attempt in range(3):
            self.ami_port, self.sip_port, self.carrier_port = free_ports(
                socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_DGRAM
            )
            self._render()
            try:
                self._launch()
            except LabFault:
                if attempt == 2:
                    raise
            else:
                return

    def restart(self) -> None:
        """Start once more after `stop` or `kill`, on the same ports."""
        self._launch()

    def stop(self) -> None:
        """End it as an init system would."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
        self.kill()

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def cli_command(self) -> str:
        """What to type for its console."""
        return shlex.join([*self._binary(), "-r"])

    def cli(self, command: str) -> str:
        """What `asterisk -rx` says."""
        return subprocess.run([*self._binary(), "-rx", command], stdout=subprocess.PIPE, text=True, check=True).stdout

    def _launch(self) -> None:
        # With its parent killed nobody would stop it: the kernel does.
        leash = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
        command = [*leash, *self._binary(), "-f", "-n"]
        before = len(self.log)
        with (self.run / "console.log").open("ab") as console:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,  # a Ctrl-C is for us, and we stop it
            )
        try:
            self._wait(before)
        except LabFault:
            self.kill()
            raise

    def _wait(self, before: int) -> None:
        """Return when it says FullyBooted and answers SIP: an open port says too little, and may be another's."""
        end, user, secret = time.monotonic() + BOOT, self.lab_account.user, self.lab_account.secret
        while time.monotonic() < end and self._process and self._process.poll() is None:
            if "already in use" in self.log[before:]:
                break
            if fully_booted(self.ami_port, user, secret) and answers_sip(self.sip_port, self._name):
                return
            time.sleep(0.02)
        complaints = re.findall(r".*(?:WARNING|ERROR)\[.*", self.log[before:])
        console = (self.run / "console.log").read_text("utf-8", "replace")
        raise LabFault("\n".join(["Asterisk did not start:", *complaints, *console.splitlines()[-5:]]))

    @property
    def _name(self) -> str:
        """What it calls itself by SIP; nobody else's answer may pass for ours."""
        return f"lab-{self.run.name}"

    def _binary(self) -> list[str]:
        """The tree brings its own loader and libraries; the machine's are not asked."""
        loader = next(self.tree.glob("usr/lib/*/ld-linux*.so.*"))
        libraries = f"{loader.parent}:{loader.parent}/asterisk:{self.tree}/usr/lib"
        program = [str(loader), "--library-path", libraries, str(self.tree / "usr/sbin/asterisk")]
        return [*program, "-C", str(self.run / "etc/asterisk.conf")]

    def _render(self) -> None:
        """Fill the run folder: our conf with its marks, and the two shipped files as an owner would install them."""
        for folder in (
            "etc",
            "varlib/keys",
            "data/sounds/en",
            "data/sounds/digits",
            "data/sounds/ringback",
            "agi-bin",
            "spool/outgoing",
            "run",
            "log/cdr-csv",
            "log/cel-custom",
            "cache",
            "moh",
        ):
            (self.run / folder).mkdir(parents=True, exist_ok=True)
        share = self.tree / "usr/share/asterisk"
        for name in ("documentation", "rest-api", "static-http"):  # without its documentation Asterisk refuses options
            _link(self.run / "data" / name, share / name)
        for sound in share.glob("sounds/en_US_f_Allison/*"):
            _link(self.run / "data/sounds/en" / sound.name, sound)
        (self.run / "data/sounds/en/digits").unlink(missing_ok=True)
        (self.run / "moh/silence.sln").write_bytes(bytes(128_000))
        # a tenth of a second each, in any language: stories have no time to listen
        for name in (
            *(f"ringback/{prompt}" for prompt in prompts(SHIPPED)),
            *(f"digits/{digit}" for digit in range(10)),
        ):
            (self.run / f"data/sounds/{name}.sln").write_bytes(bytes(1_600))
        for name in EMPTY:
            (self.run / f"etc/{name}.conf").write_text("; empty on purpose\n")
        marks = self._marks()
        for source in [*HERE.glob("conf/*.conf"), *SHIPPED.glob("*.conf")]:
            text = source.read_text()
            for mark, value in marks.items():
                text = text.replace(f"@{mark}@", value)
            (self.run / "etc" / source.name).write_text(text)

    def _marks(self) -> dict[str, str]:
        modules = next(self.tree.glob("usr/lib/**/asterisk/modules"))
        return {
            "RUN": str(self.run),
            "MODDIR": str(modules),
            "AMI_PORT": str(self.ami_port),
            "SIP_PORT": str(self.sip_port),
            "CARRIER_PORT": str(self.carrier_port),
            "RING": str(self.times.ring),
            "LONG": str(self.times.long),
            "PARK": str(self.times.park),
            "USER": self.account.user,
            "SECRET": self.account.secret,
            "LAB_SECRET": self.lab_account.secret,
            "NAME": self._name,
            "PHONES": "\n".join(phone_of(number) for number in PHONES),
            "TEXT_QUEUES": "\n".join(queue_of(line) for line in TEXT_LINES),
            "URL": NOBODY,
            "TOKEN": self.token,
        }


def _short_folder() -> Path:
    """A new folder; its control socket's path has to fit into a Unix socket address."""
    folder = Path(tempfile.mkdtemp(prefix="rb-"))
    if len(str(folder / "run/asterisk.ctl")) <= LONGEST_SOCKET:
        return folder
    folder.rmdir()
    return Path(tempfile.mkdtemp(prefix="rb-", dir="/tmp"))


def _link(name: Path, target: Path) -> None:
    name.unlink(missing_ok=True)
    name.symlink_to(target)


def main() -> None:
    """Run one until Ctrl-C or SIGTERM and say where it is."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Asterisk.running() as asterisk:
        _describe(asterisk)
        try:
            os.waitpid(asterisk.pid, 0)
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is being stopped; asking twice must not leave half


def _describe(asterisk: Asterisk) -> None:
    host, ours, lab = "127.0.0.1", asterisk.account, asterisk.lab_account
    print(f"folder   {asterisk.run}")
    print(f"AMI      {host}:{asterisk.ami_port}  {ours.user} {ours.secret}  (all rights: {lab.user} {lab.secret})")
    print(f"phones   {host}:{asterisk.sip_port}  {PHONES[0]} and on, password phone-secret")
    print(f"trunk    {host}:{asterisk.sip_port}  no password; call +12025550101")
    print(f"carrier  {host}:{asterisk.carrier_port}  where calls to outside go")
    print(f"CLI      {asterisk.cli_command}", flush=True)


if __name__ == "__main__":
    main()
