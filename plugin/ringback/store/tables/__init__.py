"""The schema, described once: migrations, page reads and the tests of the hot statements go by it.

Times are integer microseconds since 1970 UTC and end in `_at`. `id` joins, `public_id` is what people and programs see.
"""

from ringback.store.tables.calls import (
    UNANSWERED,
    WITH_TEXT,
    WITHOUT_TEXT,
    call,
    call_event,
    call_leg,
    cool_down,
    pbx_gap,
    pending_text,
)
from ringback.store.tables.columns import metadata
from ringback.store.tables.house import (
    DONE_TASK,
    DUE_TASK,
    OPEN_TASK,
    account,
    api_key,
    audit,
    idempotency,
    login,
    meter,
    setting,
    task,
)
from ringback.store.tables.search import search_again
from ringback.store.tables.texts import attempt, bulk, bulk_item, message, message_event, part, receipt, receipt_parked
from ringback.store.tables.threads import (
    WAITS,
    inbound_raw,
    incoming,
    incoming_piece,
    media,
    number,
    opt_out_event,
    pair_facts,
    thread,
)

__all__ = [
    "DONE_TASK",
    "DUE_TASK",
    "OPEN_TASK",
    "UNANSWERED",
    "WAITS",
    "WITHOUT_TEXT",
    "WITH_TEXT",
    "account",
    "api_key",
    "attempt",
    "audit",
    "bulk",
    "bulk_item",
    "call",
    "call_event",
    "call_leg",
    "cool_down",
    "idempotency",
    "inbound_raw",
    "incoming",
    "incoming_piece",
    "login",
    "media",
    "message",
    "message_event",
    "metadata",
    "meter",
    "number",
    "opt_out_event",
    "pair_facts",
    "part",
    "pbx_gap",
    "pending_text",
    "receipt",
    "receipt_parked",
    "search_again",
    "setting",
    "task",
    "thread",
]
