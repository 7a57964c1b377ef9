"""What texts say, by their words: an index of each database's own kind for what went out and one for what came in.

Their rows have the ids of the texts, so the newest are found first. Texts are put in some moments after they are
written; how far that is done is in the settings `search:out` and `search:in`.
"""

from collections.abc import Mapping

from sqlalchemy import BigInteger, Column, ForeignKey, Table

from ringback.store.search import INDEXES
from ringback.store.tables.columns import metadata

# Texts that came in pieces and changed after they were put in, or that were not whole when their turn came.
search_again = Table(
    "search_again",
    metadata,
    Column("incoming_id", BigInteger, ForeignKey("incoming.id"), primary_key=True, autoincrement=False),
)

# `words` are folded already. `whose` has the words t12 and n3, so that one thread or one number is looked through as
# fast as all; PostgreSQL has them among the words, with a mark that no word has. A copy of the words is kept in
# SQLite, since what is taken out of an index must be told to it word for word.
_MADE_AS: Mapping[str, tuple[str, ...]] = {
    "sqlite": (
        """CREATE VIRTUAL TABLE {name} USING fts5(words, whose, columnsize=0, prefix='2 3',
    tokenize='unicode61 remove_diacritics 2')""",
    ),
    "postgresql": (
        """CREATE TABLE {name} (
    id BIGINT NOT NULL,
    words TSVECTOR NOT NULL,
    CONSTRAINT pk_{name} PRIMARY KEY (id)
)""",
        "CREATE INDEX ix_{name}_words ON {name} USING gin (words) WITH (fastupdate=off)",
    ),
}

SPECIAL: Mapping[str, tuple[str, ...]] = {
    kind: tuple(statement.format(name=name) for name in INDEXES for statement in statements)
    for kind, statements in _MADE_AS.items()
}
"""By database: the statements that SQLAlchemy has no words for."""
