"""The file of one person: everything known of a number, for them, a carrier or a court, with what proves it.

A zip of JSON for programs, HTML for people and the rows of the record as a table. `manifest.json` has the hash of each,
and where the record was: whoever has the database can show that nothing was put in or left out since.
"""

import json
import zipfile
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from html import escape
from io import BytesIO

from ringback.core.permissions import Principal
from ringback.ports.person import Known
from ringback.ports.record import Checked
from ringback.ports.storage import Tx
from ringback.sheets import write_csv

COLUMNS = ("row", "at", "who", "action", "about", "detail", "before", "after", "source", "request")
STYLE = """body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: .3rem 0 .3rem 1rem; }
dt { color: #555; } dd { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; }
section { border-top: 1px solid #ccc; } ol { padding-inline-start: 1.2rem; }"""
NAMES = {"public_id": "id", "did": "our number", "peer": "their number", "rang": "rang, s", "waited": "waited, s"}
"""What names of values are on the page; others are as they are."""
TITLES = (
    ("threads", "Threads, opt-outs and consent"),
    ("calls", "Calls, and the texts that went after them"),
    ("texts", "Texts that were written to them"),
    ("incoming", "Texts that came from them"),
    ("sessions", "Sessions with agents"),
    ("tasks", "Tasks"),
    ("listed", "Lists they are on"),
    ("waits", "Runs that have yet to reach them"),
    ("quiet", "Rules that leave them alone for a while"),
    ("not_textable", "Why texts to them were found not to arrive"),
    ("record", "What people and programs did about them"),
)


@dataclass(frozen=True, slots=True)
class Made:
    """Who had the file made, when, for which business, and what came of looking through the record then."""

    by: str
    at: datetime
    business: str
    checked: Checked


def make_file(known: Known, made: Made) -> bytes:
    """The zip."""
    data = as_data(known)
    parts = {
        "person.json": (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode(),
        "person.html": as_page(known.number, data, made).encode(),
        "record.csv": b"".join(write_csv([COLUMNS, *map(_cells, known.record)])),
    }
    parts["manifest.json"] = _manifest(known.number, parts, made)
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            info = zipfile.ZipInfo(name, made.at.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            file.writestr(info, content)
    return packed.getvalue()


def note(who: Principal, number: str, size: int | str, now: datetime, tx: Tx) -> None:
    """That a person was written out; the record names them by their hash."""
    tx.audit.note(who.label, "write_out", tx.retention.ghost(number), f"{size} bytes", now)


def as_data(known: Known) -> dict[str, object]:
    """Plain values, in the order they are shown."""
    stories = asdict(known.stories)
    rest = {name: value for name, value in asdict(known).items() if name != "stories"}
    return {"number": known.number} | {name: _plain((stories | rest)[name]) for name, _ in TITLES}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def as_page(number: str, data: dict[str, object], made: Made) -> str:
    """The same for people: a page that needs nothing beside it. It is in English, as records are."""
    title = escape(f"What {made.business} knows of {number}")
    written = f"Written out {made.at.isoformat(timespec='seconds')} by {made.by}. {_proof(made.checked)}"
    lines = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style></head><body>',
        f"<h1>{title}</h1>",
        f"<p>{escape(written)}</p>",
    ]
    for name, heading in TITLES:
        lines.append(f"<section><h2>{heading}</h2>{_shown(data[name]) or '<p>None.</p>'}</section>")
    return "\n".join([*lines, "</body></html>"]) + "\n"


def _shown(value: object) -> str:
    """Nested lists of names and values; what is empty is left out."""
    if isinstance(value, dict):
        rows = [(NAMES.get(name, str(name).replace("_", " ")), _shown(inner)) for name, inner in value.items()]
        told = "".join(f"<dt>{escape(name)}</dt><dd>{shown}</dd>" for name, shown in rows if shown)
        return f"<dl>{told}</dl>" if told else ""
    if isinstance(value, list):
        items = [shown for inner in value if (shown := _shown(inner))]
        return "<ol>" + "".join(f"<li>{item}</li>" for item in items) + "</ol>" if items else ""
    if value is None or value == "":
        return ""
    return escape(str(value))


def _proof(checked: Checked) -> str:
    if checked.fault is not None:
        return f"The record of who did what is NOT whole: {checked.fault}."
    return (
        f"The record of who did what is whole; its last row was {checked.head.row}, sealed {checked.head.seal or '-'}."
    )


def _cells(entry: object) -> list[str]:
    from_entry = asdict(entry)  # type: ignore[call-overload]  # an Entry
    return [str(_plain(from_entry["id" if name == "row" else name])) for name in COLUMNS]


def _manifest(number: str, parts: dict[str, bytes], made: Made) -> bytes:
    checked = made.checked
    words = {
        "number": number,
        "made_at": made.at.isoformat(),
        "made_by": made.by,
        "business": made.business,
        "sha256": {name: sha256(content).hexdigest() for name, content in parts.items()},
        "record": {
            "whole": checked.fault is None,
            "fault": str(checked.fault or ""),
            "notes": list(checked.notes),
            "rows": checked.rows,
            "last_row": checked.head.row,
            "seal": checked.head.seal,
            "checked_at": checked.at.isoformat(),
        },
    }
    return (json.dumps(words, indent=1) + "\n").encode()
