"""Values from outside the file: `RINGBACK_SECTION__KEY` in the environment, files in `secrets/`, systemd's credentials.

A file `asterisk.main.secret` or a variable `RINGBACK_ASTERISK__MAIN__SECRET` names one value; whoever can read a secret
that is not theirs can send texts in our name, so a secret that others may read is a fault.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ringback.config.faults import Faults, nearest

PREFIX = "RINGBACK_"
FOLDER = "secrets"
CREDENTIALS = "CREDENTIALS_DIRECTORY"
FORBIDDEN_MODE = 0o037
"""What a secret's mode may not have: anything for others, writing or running for the group."""


@dataclass(frozen=True, slots=True)
class Given:
    """A value, and the variable or file it stands in."""

    value: str
    origin: str


Outside = dict[tuple[str, ...], Given]


def gather(folder: Path, environ: Mapping[str, str], sections: Sequence[str], faults: Faults) -> Outside:
    """Collect everything; the environment wins over credentials, and these over the secrets folder."""
    found: Outside = {}
    for path, file in _files(folder / FOLDER):
        if path[0] in sections:
            _take(path, file, f"{FOLDER}/{file.name}", found, faults)
        else:
            faults.add_line(f"{FOLDER}/{file.name}: belongs to no section: {nearest(path[0], sections)}")
    if credentials := environ.get(CREDENTIALS):
        # other programs' credentials may lie there too, so what we do not know is no fault
        for path, file in _files(Path(credentials)):
            if path[0] in sections:
                _take(path, file, f"credential {file.name}", found, faults)
    for name, value in environ.items():
        if name.startswith(PREFIX) and "__" in name:
            _take_variable(name, value, sections, found, faults)
    return found


def _files(folder: Path) -> Iterator[tuple[tuple[str, ...], Path]]:
    if folder.is_dir():
        for file in sorted(folder.iterdir()):
            if file.is_file() and not file.name.startswith("."):
                yield tuple(file.name.split(".")), file


def _take(path: tuple[str, ...], file: Path, origin: str, found: Outside, faults: Faults) -> None:
    if mode := file.stat().st_mode & FORBIDDEN_MODE:
        others = "others" if mode & 0o007 else "its group"
        faults.add_line(f"{origin}: is open to {others} (mode {file.stat().st_mode & 0o777:04o}): chmod 0640 {file}")
    try:
        # an editor ends the last line; that is not part of the secret
        found[path] = Given(file.read_text("utf-8").rstrip("\r\n"), origin)
    except OSError as problem:
        faults.add(path, f"cannot be read from {file}: {problem.strerror}")
    except UnicodeDecodeError:
        faults.add(path, f"is not UTF-8 in {file}: write it as text")


def _take_variable(name: str, value: str, sections: Sequence[str], found: Outside, faults: Faults) -> None:
    path = tuple(name.removeprefix(PREFIX).lower().split("__"))
    if path[0] in sections:
        found[path] = Given(value, name)
    else:
        faults.add_line(f"{name}: belongs to no section: {nearest(path[0], sections)}")


def place(found: Outside, tables: Mapping[str, Mapping[str, object]], named: Sequence[str], faults: Faults) -> Outside:
    """Give names the spelling they have in the file, since the environment knows neither small letters nor dashes.

    Tables of the `named` sections are made by the file alone, so that a misspelt name adds no second one.
    """
    placed: Outside = {}
    for path, given in found.items():
        section, *rest = path
        table = tables.get(section, {})
        spelled = (section, *_spelled(tuple(rest), table))
        if section in named and (len(spelled) == 1 or spelled[1] not in table):
            names = [name for name in table if not name.startswith("[")]
            faults.add_line(
                f"{given.origin}: belongs to no {section} of the file: {nearest('.'.join(rest[:1]), names)}"
            )
        else:
            placed[spelled] = given
    return placed


def _spelled(names: tuple[str, ...], table: Mapping[str, object]) -> tuple[str, ...]:
    if not names:
        return ()
    name = next((key for key in table if _folded(key) == _folded(names[0])), names[0])
    below = table.get(name)
    return (name, *_spelled(names[1:], below if isinstance(below, Mapping) else {}))


def _folded(name: str) -> str:
    return name.lower().replace("-", "_")
