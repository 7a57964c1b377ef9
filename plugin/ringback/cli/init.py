"""`ringback init`: asks what nobody can guess, writes a configuration that works, and the files Asterisk needs.

It writes only into its own folder. What the admin has to change in Asterisk is printed, never done.
"""

import grp
import json
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from ringback.cli.init_text import NEXT, NUMBER, TOML
from ringback.config import Address, load, read
from ringback.config.callers import Dialplan
from ringback.config.values import countries, read_country, read_zone
from ringback.core.numbers import NumberFormat, read_number
from ringback.errors import ConfigFault
from ringback.resources import shipped

SYSTEM_FOLDER = Path("/etc/ringback")
SYSTEM_STATE = "/var/lib/ringback"
SECRET_FILE = Path("secrets/asterisk.main.secret")
TOKEN_FILE = Path("secrets/dialplan.token")
MANAGER_FILE = Path("asterisk/ringback_manager.conf")
EXTENSIONS_FILE = Path("asterisk/ringback_extensions.conf")
SETTINGS_FILE = Path("asterisk/ringback_settings.conf")
ROUTINES = ("ringback_extensions.conf", "ringback_texts.conf", "ringback_offers.conf")
"""What goes to Asterisk as we ship it; the first brings the others."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered. `dids` are E.164; everything is checked again as a configuration before a file is written."""

    business: str
    country: str
    zone: str
    dids: tuple[str, ...]
    asterisk_host: str = "127.0.0.1"
    asterisk_port: int = 5038
    ami_user: str = "ringback"
    inbound_contexts: tuple[str, ...] = ("from-trunk",)
    carrier: str = "loopback"
    state: str = SYSTEM_STATE


class Existing(StrEnum):
    """What to do with files that are there already."""

    KEEP = "keep"
    REPLACE = "replace"


def run_init(answers: Answers, folder: Path, existing: Existing = Existing.KEEP, group: str = "ringback") -> list[Path]:
    """Write everything into `folder` and return the files. Raise ConfigFault, with nothing written, if it cannot be.

    If `group` exists and may be given, it can read the secrets; else only the owner can. A secret that is there is
    kept, since Asterisk may have it already.
    """
    text = toml_of(answers)
    secret = _kept(folder / SECRET_FILE) or secrets.token_urlsafe(24)
    token = _kept(folder / TOKEN_FILE) or secrets.token_urlsafe(32)
    read(text, folder / "ringback.toml", {"RINGBACK_ASTERISK__MAIN__SECRET": secret})
    manager = shipped("dialplan/ringback_manager.conf").read_text("utf-8")
    files = {
        Path("ringback.toml"): text,
        SECRET_FILE: f"{secret}\n",
        TOKEN_FILE: f"{token}\n",
        MANAGER_FILE: manager.replace("@USER@", answers.ami_user).replace("@SECRET@", secret),
        **{Path("asterisk") / name: shipped(f"dialplan/{name}").read_text("utf-8") for name in ROUTINES},
        SETTINGS_FILE: _asks_with(token, Dialplan().listen),
    }
    _refuse_to_overwrite(folder, files, existing)
    return _write_all(folder, files, group)


def run_dialplan(folder: Path, group: str = "ringback") -> list[Path]:
    """Write only what the dialplan asks with, for a `ringback.toml` that is there; a token that is there is kept."""
    settings = load(folder / "ringback.toml")
    known = settings.dialplan.token
    token = secrets.token_urlsafe(32) if known is None else known.get_secret_value()
    files = {SETTINGS_FILE: _asks_with(token, settings.dialplan.listen)}
    # what stands elsewhere, as in the environment, is not written down a second time
    if known is None or (folder / TOKEN_FILE).is_file():
        files = {TOKEN_FILE: f"{token}\n", **files}
    return _write_all(folder, files, group)


def _asks_with(token: str, listen: Address) -> str:
    """Fill in the file that tells the dialplan where to ask, and with what."""
    text = shipped("dialplan/ringback_settings.conf").read_text("utf-8")
    return text.replace("@URL@", f"http://{listen}").replace("@TOKEN@", token)


def toml_of(answers: Answers) -> str:
    """Fill in the commented `ringback.toml`."""
    return TOML.substitute(
        business=_quote(answers.business),
        zone=_quote(answers.zone),
        country=_quote(answers.country),
        state=_quote(answers.state),
        host=_quote(answers.asterisk_host),
        port=answers.asterisk_port,
        user=_quote(answers.ami_user),
        inbound=f"[{', '.join(_quote(context) for context in answers.inbound_contexts)}]",
        carrier=_quote(answers.carrier),
        numbers="\n".join(NUMBER.substitute(did=_quote(did)) for did in answers.dids),
    )


def _quote(text: str) -> str:
    # what JSON escapes TOML escapes alike, but for one letter that JSON leaves as it is
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _kept(file: Path) -> str:
    return file.read_text("utf-8").strip() if file.is_file() else ""


def _refuse_to_overwrite(folder: Path, files: Mapping[Path, str], existing: Existing) -> None:
    there = [name for name in files if (folder / name).exists()]
    if there and existing is Existing.KEEP:
        raise ConfigFault([f"{folder / name}: is there already: move it away, or use --force" for name in there])


def _write_all(folder: Path, files: Mapping[Path, str], group: str) -> list[Path]:
    gid = _group_id(group)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for inner in ("secrets", "asterisk"):
            (folder / inner).mkdir(exist_ok=True)
        _share(folder / "secrets", gid, alone=0o700, shared=0o750)
        return [_write(folder / name, text, gid) for name, text in files.items()]
    except OSError as problem:
        raise ConfigFault([f"{problem.filename or folder}: cannot be written: {problem.strerror}"]) from problem


def _write(file: Path, text: str, gid: int | None) -> Path:
    """Put the whole file in place at once; nobody else can read it at any moment."""
    draft = file.with_name(f".{file.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
        stream.write(text)
    _share(draft, gid, alone=0o600, shared=0o640)
    return draft.replace(file)


def _group_id(group: str) -> int | None:
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        return None


def _share(path: Path, gid: int | None, *, alone: int, shared: int) -> None:
    """Let the group read it, if there is one and we may give things to it."""
    mode = alone
    if gid is not None:
        try:
            os.chown(path, -1, gid)
            mode = shared
        except PermissionError:
            mode = alone
    path.chmod(mode)


def guess_zone(etc: Path = Path("/etc")) -> str:
    """Say which time zone this machine keeps; empty if it does not tell."""
    named = etc / "timezone"
    if named.is_file() and (zone := named.read_text("utf-8").strip()):
        return zone
    return str((etc / "localtime").resolve()).partition("/zoneinfo/")[2]


def init_command(
    business: Annotated[str | None, typer.Option(help="The name that stands in texts.")] = None,
    country: Annotated[str | None, typer.Option(help="The country of your numbers, two letters.")] = None,
    zone: Annotated[str | None, typer.Option(help="The time zone of the business.")] = None,
    did: Annotated[str | None, typer.Option(help="Your numbers, with commas between them.")] = None,
    asterisk_host: Annotated[str | None, typer.Option(help="Where Asterisk's manager (AMI) listens.")] = None,
    asterisk_port: Annotated[int | None, typer.Option(help="The port of the manager.")] = None,
    ami_user: Annotated[str | None, typer.Option(help="The manager account to make for Ringback.")] = None,
    inbound_context: Annotated[str | None, typer.Option(help="Contexts where calls from outside start.")] = None,
    carrier: Annotated[str, typer.Option(help="How texts are sent; loopback shows them on a page.")] = "loopback",
    folder: Annotated[Path | None, typer.Option(help="Where to write: /etc/ringback for root, else here.")] = None,
    dialplan: Annotated[
        bool, typer.Option("--dialplan", help="Write only what the dialplan asks with, for the ringback.toml there.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over what is there; the secret is kept.")] = False,
) -> None:
    """Write ringback.toml and the files for Asterisk. What no option says is asked."""
    if dialplan:
        _tell_written(lambda: run_dialplan(_where(folder)))
        return
    code = ask(country, "Country of your numbers (two letters, as in US)", None, _country)
    answers = Answers(
        business=ask(business, "Name of the business, as it stands in texts", None, _filled),
        country=code,
        zone=ask(zone, "Time zone", guess_zone(), _zone),
        dids=ask(did, "Your numbers, with commas between them", None, partial(read_dids, country=code)),
        asterisk_host=ask(asterisk_host, "Asterisk's manager (AMI): host", "127.0.0.1", _filled),
        asterisk_port=ask(asterisk_port, "Asterisk's manager (AMI): port", "5038", _port),
        ami_user=ask(ami_user, "Manager account to make", "ringback", _account),
        inbound_contexts=ask(inbound_context, "Contexts where calls from outside start", "from-trunk", _words),
        carrier=carrier,
        state=SYSTEM_STATE if _where(folder) == SYSTEM_FOLDER else "state",
    )
    _tell_written(lambda: run_init(answers, _where(folder), Existing.REPLACE if force else Existing.KEEP))
    typer.echo(what_next(answers, _where(folder)))


def _tell_written(write: Callable[[], list[Path]]) -> None:
    try:
        files = write()
    except ConfigFault as fault:
        typer.echo("\n".join(fault.faults), err=True)
        raise typer.Exit(2) from fault
    typer.echo("\n".join(f"wrote {file}" for file in files))


def what_next(answers: Answers, folder: Path) -> str:
    """Say what the admin has to do in Asterisk, for the three kinds there are."""
    return NEXT.substitute(
        manager=folder / MANAGER_FILE,
        extensions=folder / EXTENSIONS_FILE,
        texts=folder / "asterisk" / ROUTINES[1],
        offers=folder / "asterisk" / ROUTINES[2],
        settings=folder / SETTINGS_FILE,
        contexts=", ".join(f"[{context}]" for context in answers.inbound_contexts),
    )


def _country(text: str) -> str:
    return read_country(text.strip().upper())


def _where(folder: Path | None) -> Path:
    return folder or (SYSTEM_FOLDER if os.geteuid() == 0 else Path.cwd())


T = TypeVar("T")


def ask(given: object, question: str, default: str | None, reader: Callable[[str], T]) -> T:
    """Take the option, or ask until the answer can be read. Without anybody to ask, name the option and exit 2."""
    if given is not None:
        return _read(reader, str(given))
    try:
        answer: T = typer.prompt(question, default=default, value_proc=partial(_read, reader))
    except typer.Abort as gone:
        typer.echo(f"no answer to: {question}; give it as an option (ringback init --help)", err=True)
        raise typer.Exit(2) from gone
    return answer


def _read(reader: Callable[[str], T], text: str) -> T:
    try:
        return reader(text)
    except ValueError as problem:
        raise typer.BadParameter(str(problem)) from problem


def _filled(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("write something that can be read")
    return text.strip()


def _words(text: str) -> tuple[str, ...]:
    words = tuple(word.strip() for word in text.split(",") if word.strip())
    if not words:
        raise ValueError("write at least one")
    return words


def _zone(text: str) -> str:
    return read_zone(text).key


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise ValueError("write a number from 1 to 65535")
    return int(text)


def _account(text: str) -> str:
    """It becomes the head of a section in manager.conf."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", text):
        raise ValueError("write letters, digits, - and _ only")
    return text


def read_dids(text: str, country: str) -> tuple[str, ...]:
    """Read numbers as people of this country write them."""
    read_all = [read_number(word, NumberFormat.AS_IS, country) for word in _words(text)]
    if bad := [number.raw for number in read_all if number.e164 is None]:
        raise ValueError(f"{', '.join(bad)} is not a number of {countries()[country]}, nor +1... of another country")
    return tuple(dict.fromkeys(number.e164 for number in read_all if number.e164))
