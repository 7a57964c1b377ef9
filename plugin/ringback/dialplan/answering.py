"""From a verb and its parameters to the line that is answered, in time or not at all."""

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import structlog

from ringback.core.offers import OfferKind
from ringback.core.reasons import Reason
from ringback.dialplan import answers
from ringback.dialplan.answers import Said, line_of
from ringback.dialplan.limits import USUAL, Limits
from ringback.dialplan.tally import Counts, Tally
from ringback.dialplan.words import Fields, Unread, read
from ringback.errors import StoreFault, told
from ringback.flow.dialplan_words import Accepted, Offered, Question, Sent, TextNow, Wait
from ringback.ports import Clock

log = structlog.get_logger("dialplan")


class Asked(Protocol):
    """What answers the questions (`flow.dialplan.Dialplan`)."""

    async def textable(self, question: Question) -> Reason: ...
    async def consent(self, question: Question) -> Reason: ...
    async def agents(self, question: Question) -> int: ...
    async def wait(self, question: Question) -> Wait: ...
    async def offer(self, question: Question) -> Offered: ...
    async def accept(self, question: Question) -> Accepted: ...
    async def decline(self, question: Question) -> int | None: ...
    async def state(self, question: Question) -> TextNow: ...
    async def letgo(self, question: Question) -> str: ...
    async def send(self, question: Question) -> Sent: ...
    async def reply(self, question: Question) -> str | None: ...
    async def optout(self, question: Question) -> Reason: ...


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing that is asked: the parameters it cannot do without, and how it is answered."""

    needed: tuple[str, ...]
    ask: Callable[[Asked, Question], Awaitable[Said]]


async def _textable(asked: Asked, question: Question) -> Said:
    return answers.yes_or_no(await asked.textable(question))


async def _consent(asked: Asked, question: Question) -> Said:
    return answers.yes_or_no(await asked.consent(question))


async def _agents(asked: Asked, question: Question) -> Said:
    return answers.count(await asked.agents(question))


async def _wait(asked: Asked, question: Question) -> Said:
    return answers.wait(await asked.wait(question))


def _in_a_queue(question: Question) -> None:
    """Whoever is texted later need not wait in a queue; everybody else does."""
    if not question.queue and question.kind is not OfferKind.TEXT_BACK:
        raise Unread("queue", "is missing")


async def _offer(asked: Asked, question: Question) -> Said:
    _in_a_queue(question)
    return answers.offer(await asked.offer(question))


async def _accept(asked: Asked, question: Question) -> Said:
    _in_a_queue(question)
    return answers.accepted(await asked.accept(question))


async def _decline(asked: Asked, question: Question) -> Said:
    _in_a_queue(question)
    return answers.declined(await asked.decline(question))


async def _state(asked: Asked, question: Question) -> Said:
    return answers.state(await asked.state(question))


async def _letgo(asked: Asked, question: Question) -> Said:
    return answers.done(await asked.letgo(question))


async def _send(asked: Asked, question: Question) -> Said:
    if not question.body and question.note is None:
        raise Unread("body64", "is missing")
    return answers.sent(await asked.send(question))


async def _reply(asked: Asked, question: Question) -> Said:
    return answers.reply(await asked.reply(question))


async def _optout(asked: Asked, question: Question) -> Said:
    reason = await asked.optout(question)
    return answers.done("" if reason is Reason.ALLOWED else reason)


VERBS: Mapping[str, Verb] = {
    "textable": Verb((), _textable),
    "consent": Verb((), _consent),
    "agents": Verb((), _agents),
    "wait": Verb(("queue",), _wait),
    "offer": Verb(("kind",), _offer),
    "accept": Verb(("kind", "prompt", "key"), _accept),
    "decline": Verb(("kind",), _decline),
    "state": Verb(("text",), _state),
    "letgo": Verb(("text",), _letgo),
    "send": Verb((), _send),
    "reply": Verb(("text",), _reply),
    "optout": Verb((), _optout),
}


class Answer(NamedTuple):
    """A status of HTTP, which FastAGI does without, and the line."""

    status: int
    line: bytes = b""


class Answering:
    """Answers every question within `limits.answer_s`, or with nothing. `took` gets the seconds of each answer."""

    def __init__(
        self,
        asked: Asked,
        token: str,
        clock: Clock,
        took: Callable[[float], None] = lambda _seconds: None,
        limits: Limits = USUAL,
    ) -> None:
        self.limits = limits
        self.tally = Tally(clock, took)
        self._asked = asked
        self._token = token.encode()
        self._in_hand = 0

    def counts(self) -> Counts:
        return self.tally.counts()

    def knows(self, token: str) -> bool:
        """Whether this is our secret, in a time that does not tell how much of it is."""
        known = hmac.compare_digest(self._token, token.encode("utf-8", "replace"))
        if not known:
            self.tally.refused()
        return known

    def late(self, verb: str, within_s: float) -> None:
        """Note that somebody got no answer in time, as far as they asked anything."""
        if verb in VERBS:
            self.tally.failed(verb, "late", f"it would have taken longer than {within_s:.3g} s")

    async def answer(self, verb: str, fields: Callable[[], Fields]) -> Answer:
        """Answer one question of somebody who showed the secret. Never raises."""
        rule = VERBS.get(verb)
        if rule is None:
            self.tally.failed("", "unknown", "there is no such question; is the library newer than this Ringback?")
            return Answer(404)
        if self._in_hand >= self.limits.in_hand:
            self.tally.failed(verb, "busy", f"{self.limits.in_hand} others wait for theirs")
            return Answer(503)
        self._in_hand += 1
        try:
            return await self._answer(verb, rule, fields)
        finally:
            self._in_hand -= 1

    async def _answer(self, verb: str, rule: Verb, fields: Callable[[], Fields]) -> Answer:
        begun = time.perf_counter()
        try:
            question = read(fields(), rule.needed)
            async with asyncio.timeout(self.limits.answer_s):
                said = await rule.ask(self._asked, question)
        except Unread as problem:
            self.tally.failed(verb, "bad", str(problem))
            return Answer(400, f"bad|{problem.name}|{problem.why}".encode())
        except TimeoutError:
            self.late(verb, self.limits.answer_s)
            return Answer(503)
        except StoreFault as fault:
            self.tally.failed(verb, "late", str(fault))
            return Answer(503)
        except Exception as problem:  # the call must go on, whatever is wrong with us
            log.exception("answering the dialplan failed", verb=verb, problem=told(problem))
            self.tally.failed(verb, "fault", "a fault of ours")
            return Answer(500)
        self.tally.answered(verb, said[0], time.perf_counter() - begun)
        return Answer(200, line_of(said))
