"""The count of commits, kept in the database itself: it tells a database that lost its end."""

from ringback.store.sql import sql
from ringback.store.tx import Row

COUNT = sql(
    """INSERT INTO setting (key, value, changed_at, changed_by) VALUES ('commits', :count, 0, 'writer')
    ON CONFLICT (key) DO UPDATE SET value = excluded.value"""
)
COUNTED = sql("SELECT value FROM setting WHERE key = 'commits'")


def count_of(row: Row | None) -> int:
    """0 when it never counted, or somebody wrote nonsense there."""
    words = str(row[0]) if row else ""
    return int(words) if words.isascii() and words.isdigit() else 0
