"""Figures of now that only the database knows."""

from ringback.store.sql import sql
from ringback.store.tx import Runner

WAITING = sql(
    """SELECT carrier, count(*) FROM
    (SELECT carrier FROM message WHERE state IN ('queued', 'held')
    ORDER BY carrier, urgency, not_before, id LIMIT :most) AS waiting GROUP BY carrier"""
)


class Figures:
    """Satisfies `ports.figures.Figures`."""

    def __init__(self, run: Runner) -> None:
        self._run = run

    def waiting(self, most: int) -> dict[str, int]:
        return dict(self._run.all(WAITING, most=most))
