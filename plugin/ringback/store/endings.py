"""What a batch knows of its calls: read once for all, and kept true while their beginnings and ends are stored."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from ringback.store.sql import for_each
from ringback.store.tx import Runner

KNOWN = for_each(
    """SELECT each.pbx, each.uniqueid, c.id, c.ended_at IS NOT NULL FROM {each}
    LEFT JOIN call c ON c.pbx = each.pbx AND c.uniqueid = each.uniqueid""",
    pbx="text",
    uniqueid="text",
)


@dataclass(slots=True)
class Known:
    """One call. `id` is None until it has a row; `over`: its end is stored."""

    id: int | None
    over: bool


class Endings:
    """A memory of the writer's transaction."""

    tables = frozenset({"call"})

    def __init__(self, run: Runner) -> None:
        self._run = run
        self._known: dict[tuple[str, str], Known] = {}
        run.remember(self)

    def forget(self) -> None:
        self._known.clear()

    def read(self, calls: Iterable[tuple[str, str]]) -> None:
        """Read ahead what is known of calls, by their PBX and uniqueid."""
        for pbx, uniqueid, id_, over in self._run.all(KNOWN, each=json.dumps(sorted(set(calls)))):
            self._known[pbx, uniqueid] = Known(id_, bool(over))

    def of(self, pbx: str, uniqueid: str) -> Known | None:
        return self._known.get((pbx, uniqueid))
