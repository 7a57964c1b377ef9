"""Who said yes to which texts, and who took it back: each a line of the ledger, written as they said it.

What somebody says no to holds at once, since the gate `consent` reads the ledger's fold in the transaction that sends.
"""

from datetime import datetime, timedelta

from ringback.core.consents import ANY_SCOPE, CONVERSATION, ConsentEvent, ConsentKind, Method
from ringback.core.messages import MessageClass
from ringback.ports.pairs import Thread
from ringback.ports.storage import Tx

CONVERSATION_LASTS = timedelta(hours=24)
"""A yes to go on by text is for what they called about. Whoever writes back keeps the conversation alive by that."""


def say_yes(
    thread: Thread,
    class_: MessageClass,
    scope: str,
    method: Method,
    prompt: str,
    call: int | None,
    now: datetime,
    tx: Tx,
    *,
    evidence: str = "",
    by: str = "",
    until: datetime | None = None,
) -> ConsentEvent:
    """Write down a yes. `prompt` names the words they heard and their version, `call` is the row of the call,
    `evidence` the text or note. A yes to a conversation ends with it, unless `until` says otherwise."""
    if until is None and scope == CONVERSATION:
        until = now + CONVERSATION_LASTS
    return _write(
        thread, ConsentEvent(ConsentKind.GIVEN, class_, scope, method, now, prompt, call, evidence, by, until), tx
    )


def withdraw(
    thread: Thread,
    class_: MessageClass,
    scope: str,
    method: Method,
    prompt: str,
    call: int | None,
    now: datetime,
    tx: Tx,
    *,
    evidence: str = "",
    by: str = "",
) -> ConsentEvent:
    """Write down that they take a yes back; the scope `*` is all of the class."""
    return _write(
        thread, ConsentEvent(ConsentKind.WITHDRAWN, class_, scope, method, now, prompt, call, evidence, by), tx
    )


def _write(thread: Thread, event: ConsentEvent, tx: Tx) -> ConsentEvent:
    tx.consents.add(thread.id, event)
    return event


def take_all_back(thread: Thread, method: Method, evidence: str, now: datetime, tx: Tx) -> None:
    """They said STOP: whatever they said yes to before is over, also after a START."""
    for class_ in dict.fromkeys(class_ for class_, _scope, _until in tx.consents.holds(thread.id).given):
        withdraw(thread, class_, ANY_SCOPE, method, "", None, now, tx, evidence=evidence)
