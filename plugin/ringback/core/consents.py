"""What people said yes or no to: an append-only ledger, folded into what holds now."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ringback.core.messages import MessageClass


class ConsentKind(StrEnum):
    GIVEN = "given"
    WITHDRAWN = "withdrawn"


class Method(StrEnum):
    """How somebody said so."""

    KEY_PRESS = "key_press"
    REPLY = "reply"
    AGENT = "agent"
    KEYWORD = "keyword"
    WRITTEN = "written"


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """One line of the ledger. `scope` is what it is for: `conversation`, a topic, or `*`; `prompt` names the words they
    heard and their version, `evidence` the text, task or note; `until` is None for what does not run out."""

    kind: ConsentKind
    class_: MessageClass
    scope: str
    method: Method
    at: datetime
    prompt: str = ""
    call: int | None = None
    evidence: str = ""
    by: str = ""
    until: datetime | None = None


ANY_SCOPE = "*"
CONVERSATION = "conversation"
"""The scope of a yes to go on by text about what somebody called for."""


@dataclass(frozen=True, slots=True)
class Consents:
    """What holds now: for each class and scope how long, None for without end."""

    given: tuple[tuple[MessageClass, str, datetime | None], ...] = ()

    def holds(self, class_: MessageClass, scope: str, now: datetime) -> bool:
        """Whether a text of this class about this is wanted. A yes to advertising is a yes to nothing else."""
        return any(
            class_ is given and known in (scope, ANY_SCOPE) and (until is None or until > now)
            for given, known, until in self.given
        )


NOTHING_SAID = Consents()


def fold(holding: Consents, event: ConsentEvent) -> Consents:
    """What holds after a line of the ledger. A no to one thing takes back a yes to everything of its class too."""
    gone = {event.scope} | ({ANY_SCOPE} if event.kind is ConsentKind.WITHDRAWN else set())
    whole = event.kind is ConsentKind.WITHDRAWN and event.scope == ANY_SCOPE
    left = [
        (class_, scope, until)
        for class_, scope, until in holding.given
        if class_ is not event.class_ or not (whole or scope in gone)
    ]
    if event.kind is ConsentKind.GIVEN:
        left.append((event.class_, event.scope, event.until))
    return Consents(tuple(sorted(left, key=lambda one: one[:2])))
