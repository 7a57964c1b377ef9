"""Texts on their way out, every try, and what carriers said of them."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, text

from ringback.store.tables.columns import count, flag, identifier, maybe_moment, metadata, moment, ref, words

_WAITING = text("state IN ('queued', 'held')")

_PUT_OFF = text("state = 'held' AND reason = 'carrier_hold'")

_FLYING = text("state IN ('queued', 'held', 'submitting')")

_DOUBTFUL = text("state IN ('held', 'unconfirmed', 'unresolved')")

_OPEN_RUN = text("state IN ('reading', 'open', 'paused', 'cancelling', 'expiring', 'broken')")
_AWAITED = text("state IN ('accepted', 'sent')")

_IN_DOUBT = text("state = 'unconfirmed'")
_UNASKED = text("state = 'unconfirmed' AND asked_at IS NULL")
_NO_ANSWER = text("outcome = 'unconfirmed'")
_OF_BULK = text("bulk_id IS NOT NULL")
_NAMED = text("reference <> ''")
# A run to many people: one text with places for each person's words. `made`: how many are messages by now, which is
# also the `seq` of the last one; `segments`: of those. `rejected`: how many were turned away as it came in.
# `account_id`: the user who asked for it, or for whom a program did.
bulk = Table(
    "bulk",
    metadata,
    identifier(),
    Column("public_id", Text, nullable=False, unique=True),
    words("name", ""),
    words("asked_by"),
    words("did"),
    words("body"),
    words("class_"),
    words("basis"),
    words("language"),
    words("campaign", ""),
    words("reference", ""),
    words("doubt", "once"),
    words("state"),
    moment("created_at"),
    moment("changed_at"),
    moment("not_before"),
    moment("expires_at"),
    count("total"),
    count("made"),
    count("cancelled"),
    count("rejected"),
    count("segments"),
    Column("account_id", BigInteger, ForeignKey("account.id")),
    Index("ix_bulk_open", "not_before", "id", sqlite_where=_OPEN_RUN, postgresql_where=_OPEN_RUN),
)

# A recipient of a run whose text is not made yet; gone once it is. `words` are its own, as JSON.
bulk_item = Table(
    "bulk_item",
    metadata,
    Column("bulk_id", BigInteger, ForeignKey("bulk.id"), primary_key=True, autoincrement=False),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    words("peer"),
    words("words", ""),
    Index("ix_bulk_item_peer", "peer"),
)

# `urgency`: how urgent it is, 0 first. `doubt`: what to do when nobody knows whether it was sent. `asked_at`: when its
# carrier was asked for it and nothing came of it, so that no more is done by itself.
message = Table(
    "message",
    metadata,
    identifier(),
    Column("public_id", Text, nullable=False, unique=True),
    ref("thread_id", "thread"),
    words("carrier"),
    words("class_"),
    words("basis"),
    words("language"),
    words("pbx", ""),
    words("cause"),
    flag("automatic"),
    words("body"),
    count("segments", "1"),
    words("state"),
    Column("reason", Text),
    moment("not_before"),
    moment("created_at"),
    moment("state_at"),
    moment("expires_at"),
    Column("call_id", BigInteger, ForeignKey("call.id")),
    Column("rule", Text),
    count("step"),
    count("tries"),
    Column("account_id", BigInteger, ForeignKey("account.id")),
    Column("answers_id", BigInteger, ForeignKey("incoming.id")),
    words("command", ""),
    words("windows", ""),
    count("urgency", "2"),
    words("campaign", ""),
    words("reference", ""),
    words("doubt", "once"),
    count("resends"),
    maybe_moment("asked_at"),
    Column("bulk_id", BigInteger, ForeignKey("bulk.id")),
    UniqueConstraint("call_id", "rule", "step"),
    UniqueConstraint("answers_id"),
    Index("ix_message_thread_id_created_at_id", "thread_id", "created_at", "id"),
    Index("ix_message_doubtful", "thread_id", sqlite_where=_DOUBTFUL, postgresql_where=_DOUBTFUL),
    Index(
        "ix_message_waiting", "carrier", "urgency", "not_before", "id", sqlite_where=_WAITING, postgresql_where=_WAITING
    ),
    Index("ix_message_expiring", "expires_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
    Index("ix_message_put_off", "carrier", sqlite_where=_PUT_OFF, postgresql_where=_PUT_OFF),
    Index("ix_message_open", "thread_id", sqlite_where=_FLYING, postgresql_where=_FLYING),
    Index("ix_message_awaited", "carrier", "state_at", sqlite_where=_AWAITED, postgresql_where=_AWAITED),
    Index("ix_message_in_doubt", "state_at", sqlite_where=_IN_DOUBT, postgresql_where=_IN_DOUBT),
    Index("ix_message_unasked", "carrier", "state_at", sqlite_where=_UNASKED, postgresql_where=_UNASKED),
    Index("ix_message_reference_id", "reference", "id", sqlite_where=_NAMED, postgresql_where=_NAMED),
    Index("ix_message_bulk_id_state", "bulk_id", "state", sqlite_where=_OF_BULK, postgresql_where=_OF_BULK),
)

part = Table(
    "part",
    metadata,
    identifier(),
    ref("message_id", "message"),
    count("seq"),
    words("body"),
    words("state"),
    Index("ix_part_message_id", "message_id"),
)

# `provider_key` is the one form under which a carrier's id is found, however it writes it.
attempt = Table(
    "attempt",
    metadata,
    identifier(),
    Column("public_id", Text, nullable=False, unique=True),
    ref("part_id", "part"),
    ref("message_id", "message"),
    words("carrier"),
    count("epoch"),
    moment("opened_at"),
    maybe_moment("closed_at"),
    Column("outcome", Text),
    Column("cause", Text),
    Column("provider_id", Text),
    Column("provider_key", Text),
    Index("ix_attempt_message_id", "message_id"),
    Index("ix_attempt_carrier_provider_key", "carrier", "provider_key"),
    Index("ix_attempt_in_doubt", "carrier", "closed_at", sqlite_where=_NO_ANSWER, postgresql_where=_NO_ANSWER),
    Index("ix_attempt_open", "carrier", sqlite_where=text("outcome IS NULL"), postgresql_where=text("outcome IS NULL")),
)

receipt = Table(
    "receipt",
    metadata,
    identifier(),
    ref("attempt_id", "attempt"),
    words("carrier"),
    words("provider_id"),
    words("status"),
    moment("carrier_at"),
    moment("received_at"),
    words("error", ""),
    UniqueConstraint("carrier", "provider_id", "status", "carrier_at"),
    Index("ix_receipt_attempt_id", "attempt_id"),
)

receipt_parked = Table(
    "receipt_parked",
    metadata,
    identifier(),
    words("carrier"),
    words("provider_id"),
    words("status"),
    moment("carrier_at"),
    moment("received_at"),
    words("error", ""),
    words("provider_key", ""),
    UniqueConstraint("carrier", "provider_id", "status", "carrier_at"),
    Index("ix_receipt_parked_carrier_provider_key", "carrier", "provider_key"),
    Index("ix_receipt_parked_received_at", "received_at"),
)

message_event = Table(
    "message_event",
    metadata,
    identifier(),
    ref("message_id", "message"),
    moment("at"),
    words("state"),
    Column("reason", Text),
    words("detail", ""),
    Index("ix_message_event_message_id", "message_id"),
)
