"""What the log says of the dialplan's questions."""

import structlog

from ringback.core.numbers import mask
from ringback.core.reasons import Reason
from ringback.flow.dialplan_callers import Caller
from ringback.flow.dialplan_words import Question

log = structlog.get_logger("dialplan")


def tell(verb: str, asked: Caller, reason: Reason, question: Question | None = None, **more: object) -> None:
    """One log line a decision."""
    about = {} if question is None else {"kind": str(question.kind), "queue": question.queue}
    log.info(
        "dialplan",
        asked=verb,
        call=asked.uniqueid,
        pbx=asked.pbx,
        caller=mask(asked.number.e164) if asked.number.e164 else str(asked.number.kind),
        did=asked.did,
        answer="yes" if reason is Reason.ALLOWED else "no",
        reason=str(reason),
        **about,
        **more,
    )
