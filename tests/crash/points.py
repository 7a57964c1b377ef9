"""The named places where the daemon can be made to die, read by the child and by the tests."""

import json
from dataclasses import dataclass
from pathlib import Path

STEPS, CARRIERS = "step", "carrier"
MOMENTS = ("before", "within", "after")
"""Before the commit is asked for; inside its transaction; after the flush, before anything else is done. For a send:
before the first byte, once the carrier has it, after its answer."""


@dataclass(frozen=True, slots=True)
class Point:
    """The steps, or the call of a carrier, at which to die."""

    kind: str
    names: tuple[str, ...]


@dataclass(slots=True)
class Armed:
    """What the child asks at each of its steps: whether to die here. `file` is written by the test."""

    file: Path
    state: Path

    def at(self, kind: str, name: str, moment: str, _what: object) -> bool:
        try:
            armed = json.loads(self.file.read_bytes())
        except (FileNotFoundError, ValueError):
            return False
        return armed["kind"] == kind and name in armed["names"] and armed["moment"] == moment

    def arrived(self) -> str:
        """Everything the carriers' ledgers hold; an attempt is looked for in it."""
        found = [self.state.parent / "carrier.jsonl", self.state / "handset.jsonl"]
        return "".join(path.read_text() for path in found if path.exists())


def arm(file: Path, point: Point, moment: str) -> None:
    spare = file.with_suffix(".new")
    spare.write_text(json.dumps({"kind": point.kind, "names": point.names, "moment": moment}))
    spare.rename(file)
