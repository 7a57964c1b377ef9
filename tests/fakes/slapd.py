"""A real LDAP directory: Debian's slapd, started on free ports of loopback, with a few people and groups in it."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import ldap3
import trustme

from tests.postgres import free_port

BASE = "dc=example,dc=com"
ADMIN, SECRET = f"cn=admin,{BASE}", "directory-secret"
PASSWORD = "correct horse battery"

CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile {folder}/pid
argsfile {folder}/args
TLSCertificateFile {folder}/cert.pem
TLSCertificateKeyFile {folder}/key.pem
database mdb
suffix "{base}"
rootdn "{admin}"
rootpw {secret}
directory {folder}/db
overlay memberof
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
"""

PEOPLE = {
    "ana": ("Ana Kovačević", "ana@example.com"),
    "ben": ("Ben O’Neil", "ben@example.com"),
    "zoe*)(uid=*": ("Zoe (odd)", ""),
}
GROUPS = {"ringback-admins": ["ana"], "sales": ["ben", "ana"]}


@dataclass
class Slapd:
    """A running one. `stop` ends it before its time."""

    url: str
    tls_url: str
    ca: Path
    process: "subprocess.Popen[bytes]"

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)

    def as_admin(self) -> ldap3.Connection:
        connection = ldap3.Connection(ldap3.Server(self.url), ADMIN, SECRET)
        assert connection.bind()
        return connection


def dn_of(login: str) -> str:
    return f"uid={ldap3.utils.dn.escape_rdn(login)},ou=people,{BASE}"


@contextlib.contextmanager
def slapd() -> Iterator[Slapd]:
    """Start one, and end it and its folder."""
    folder = Path(tempfile.mkdtemp(prefix="slapd-"))
    binary = shutil.which("slapd", path=f"{os.environ['PATH']}:/usr/sbin")
    assert binary, "apt-get install slapd"
    (folder / "db").mkdir()
    ca = trustme.CA()
    ca.cert_pem.write_to_path(folder / "ca.pem")
    made = ca.issue_cert("localhost")
    made.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    made.private_key_pem.write_to_path(folder / "key.pem")
    config = folder / "slapd.conf"
    config.write_text(CONFIG.format(folder=folder, base=BASE, admin=ADMIN, secret=SECRET))
    url, tls_url = (f"{scheme}://localhost:{free_port()}" for scheme in ("ldap", "ldaps"))
    with (folder / "log").open("wb") as log:
        listen = f"{url} {tls_url}".replace("localhost", "127.0.0.1")
        process = subprocess.Popen([binary, "-f", str(config), "-h", listen, "-d", "0"], stderr=log, stdout=log)
    found = Slapd(url, tls_url, folder / "ca.pem", process)
    try:
        _wait(int(url.rpartition(":")[2]), process, folder / "log")
        _fill(found.as_admin())
        yield found
    finally:
        found.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise AssertionError(f"slapd did not start: {log.read_text()}")


def _fill(admin: ldap3.Connection) -> None:
    add(admin, BASE, ["dcObject", "organization"], {"o": "Example"})
    for unit in ("people", "groups"):
        add(admin, f"ou={unit},{BASE}", ["organizationalUnit"], {})
    for login, (name, mail) in PEOPLE.items():
        said = {"cn": name, "sn": name, "uid": login, "userPassword": PASSWORD} | ({"mail": mail} if mail else {})
        add(admin, dn_of(login), ["inetOrgPerson"], said)
    for group, members in GROUPS.items():
        add(admin, f"cn={group},ou=groups,{BASE}", ["groupOfNames"], {"member": [dn_of(one) for one in members]})
    admin.unbind()


def add(admin: ldap3.Connection, dn: str, classes: list[str], said: dict[str, object]) -> None:
    assert admin.add(dn, classes, said), admin.result
