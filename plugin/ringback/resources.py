"""Finds what travels with the package but is no Python: `web/`, `dialplan/` and `service/`."""

from pathlib import Path

_HERE = Path(__file__).resolve().parent
ROOTS = (_HERE / "_shipped", _HERE.parent.parent)
"""In a wheel the folders lie inside the package; in a checkout, also an editable one, at its top."""


def shipped(name: str) -> Path:
    """Return the path of a shipped file or folder, such as `dialplan/ringback_manager.conf`."""
    for root in ROOTS:
        if (root / name).exists():
            return root / name
    raise FileNotFoundError(f"{name} did not come with this installation: install ringback again")
