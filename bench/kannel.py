"""Kannel as a peer: HTTP in by its smsbox, HTTP out by an `http` smsc of its bearerbox, both as children."""

import shutil
import socket
import time
import urllib.request
from pathlib import Path

from bench.daemon import free_port
from bench.process import Child, Stalled

READY_WITHIN = 15.0
PATHS = "/usr/sbin:/usr/bin:/bin"


def programs() -> tuple[str, str] | None:
    """Where bearerbox and smsbox are, None when they are not here."""
    found = [shutil.which(name, path=PATHS) for name in ("bearerbox", "smsbox")]
    return (found[0], found[1]) if found[0] and found[1] else None


class Kannel:
    """Both boxes. `store` is `none` or `spool`; `receipts` the port its smsc takes receipts at."""

    def __init__(self, folder: Path, store: str, sink: int, receipts: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "spool").mkdir(exist_ok=True)
        self.port = free_port()
        self._admin, boxes = free_port(), free_port()
        path = folder / "kannel.conf"
        path.write_text(_configuration(folder, store, sink, receipts, (self._admin, boxes, self.port)))
        found = programs()
        assert found is not None
        self._boxes = [Child((found[0], "-v", "4", path), folder / "bearerbox.log")]
        try:
            _wait(boxes, self._boxes[0])
            self._boxes.append(Child((found[1], "-v", "4", path), folder / "smsbox.log"))
            _wait(self.port, self._boxes[1])
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> "Kannel":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def cpu(self) -> float:
        return sum(box.cpu() for box in self._boxes)

    def peak(self) -> float:
        return sum(box.peak() for box in self._boxes)

    def stop(self) -> None:
        for box in reversed(self._boxes):
            box.stop()

    def status(self) -> str:
        """What its admin page says, for a run that stalls."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._admin}/status.txt?password=bench") as answer:
            return str(answer.read().decode())


def _wait(port: int, child: Child) -> None:
    end = time.monotonic() + READY_WITHIN
    while child.alive and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 0.5).close()
            return
        except OSError:
            time.sleep(0.02)
    raise Stalled("Kannel does not listen")


def _configuration(folder: Path, store: str, sink: int, receipts: int, ports: tuple[int, int, int]) -> str:
    admin, boxes, sendsms = ports
    kept = f'store-type = spool\nstore-location = "{folder}/spool"\n' if store == "spool" else ""
    return f"""
group = core
admin-port = {admin}
admin-password = bench
admin-allow-ip = "127.0.0.1"
smsbox-port = {boxes}
box-allow-ip = "127.0.0.1"
log-file = "{folder}/bearerbox.txt"
log-level = 4
{kept}
group = smsc
smsc = http
smsc-id = sink
system-type = kannel
smsc-username = bench
smsc-password = bench
send-url = "http://127.0.0.1:{sink}/cgi-bin/sendsms"
port = {receipts}
dlr-url = "http://127.0.0.1:{receipts}/?username=bench&password=bench&from=sink"
connect-allow-ip = "127.0.0.1"
max-pending-submits = 100

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
log-file = "{folder}/smsbox.txt"
log-level = 4

group = sendsms-user
username = bench
password = bench
max-messages = 5
"""
