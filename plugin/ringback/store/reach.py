"""The newest rows of some of our numbers: one look into an index for each number, and a page of what they have.

A page has at most so many rows, so it is made of no more numbers than that: those whose first row comes first. They are
found by one row of each, and only they are read on. Somebody with three of three hundred numbers pays for three.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from ringback.core.grants import Reach

LITE, POST = "sqlite", "postgresql"
MINE: Mapping[str, str] = {
    LITE: "SELECT value FROM json_each(:reach)",
    POST: "SELECT value FROM json_array_elements_text(CAST(:reach AS json))",
}
"""The numbers of a reach, one a row."""
OF_NO_NUMBER = ""
"""What stands where a number would, in a row that is about none."""


def as_json(reach: Reach, *more: str) -> str:
    """A reach that is not everything, as statements take it."""
    return json.dumps([*sorted(reach.numbers), *more])


@dataclass(frozen=True, slots=True)
class Walk:
    """Rows of a table by `at` and `id`, from the place `:at`, `:id` on; `turn` is DESC or ASC.

    Whose they are stands in the column `whose`: a number, or with `by_row` the row of one. `where` are more conditions,
    in words of the table alone. There must be an index of `whose`, `at` and `id`.
    """

    table: str
    columns: str
    at: str
    whose: str
    by_row: bool = False
    where: str = ""
    turn: str = "DESC"

    def page(self, kind: str) -> str:
        """The statement for one kind of database. It takes `:reach`, `:at`, `:id` and `:most`."""
        return self._lite() if kind == LITE else self._post()

    def _probe(self, whose: str, what: str, most: str) -> str:
        sign = "<" if self.turn == "DESC" else ">"
        return f"""SELECT {what} FROM {self.table} x WHERE x.{self.whose} = {whose} {self.where}
        AND (x.{self.at}, x.id) {sign} (:at, :id) ORDER BY {self._order("x")} LIMIT {most}"""

    def _order(self, name: str) -> str:
        return f"{name}.{self.at} {self.turn}, {name}.id {self.turn}"

    def _lite(self) -> str:
        # in SQLite a CROSS JOIN keeps its order
        mine, one = ("mine.value", "json_each(:reach) mine")
        ours = f"{one} CROSS JOIN number ours" if self.by_row else one
        of = "ours.e164 = mine.value AND" if self.by_row else ""
        whose = "ours.id" if self.by_row else mine
        # what is sorted has two columns, and only the rows of the page are read as a whole
        return f"""SELECT {self._named("page")} FROM
        (SELECT some.id AS id FROM
          (SELECT {whose} AS whose FROM {ours} CROSS JOIN {self.table} top
            WHERE {of} top.id = ({self._probe(whose, "x.id", "1")}) ORDER BY {self._order("top")} LIMIT :most) AS best
          CROSS JOIN {self.table} some WHERE some.id IN ({self._probe("best.whose", "x.id", ":most")})
          ORDER BY {self._order("some")} LIMIT :most) AS few
        CROSS JOIN {self.table} page WHERE page.id = few.id ORDER BY {self._order("page")}"""

    def _post(self) -> str:
        mine = f"({MINE[POST]}) AS mine"
        ours = f"{mine} JOIN number ours ON ours.e164 = mine.value" if self.by_row else mine
        whose = "ours.id" if self.by_row else "mine.value"
        return f"""SELECT {self._named("page")} FROM
        (SELECT {whose} AS whose FROM {ours}
          CROSS JOIN LATERAL ({self._probe(whose, f"x.{self.at}, x.id", "1")}) AS top
          ORDER BY {self._order("top")} LIMIT :most) AS best
        CROSS JOIN LATERAL ({self._probe("best.whose", self._named("x"), ":most")}) AS page
        ORDER BY {self._order("page")} LIMIT :most"""

    def _named(self, name: str) -> str:
        return ", ".join(f"{name}.{column}" for column in self.columns.split())
