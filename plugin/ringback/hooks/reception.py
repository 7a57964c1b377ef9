"""What becomes of a hook that has arrived whole: believed or not, read, put on disk, and only then acknowledged."""

import asyncio
import re
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import structlog

from ringback.errors import StoreFault
from ringback.hooks.addresses import Place, Public
from ringback.hooks.forms import FORM, Fields, read_form
from ringback.hooks.limits import BODY, LARGEST_BODY, USUAL, Limits
from ringback.hooks.tally import Counts, Tally
from ringback.ports import Carrier, CarrierEvent, Clock, Hook, Hooked, Unreadable

log = structlog.get_logger("hooks")


SMALL_FORM = 64 * 1024


class Intake(Protocol):
    """Where hooks go. Both are on disk when they return, may be repeated, and raise StoreFault when they cannot."""

    async def take(self, carrier: str, events: Sequence[CarrierEvent], raw: bytes) -> None: ...

    async def quarantine(self, carrier: str, raw: bytes, why: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Reply:
    """What a caller gets to hear; to strangers always the same."""

    status: int
    body: str
    content_type: str = "text/plain"
    headers: tuple[tuple[str, str], ...] = ()


BROKEN = Reply(400, "this is not HTTP\n")
REFUSED = Reply(403, "refused\n")
NOTHING = Reply(404, "nothing is here\n")
ONLY_POST = Reply(405, "only POST\n", headers=(("Allow", "POST"),))
TOO_LARGE = Reply(413, "too large\n")
PACKED = Reply(415, "send it as it is, without Content-Encoding\n")
FAULT = Reply(500, "a fault of ours\n")
# never 429: there are carriers that do not try again after it
LATER = Reply(503, "try again\n", headers=(("Retry-After", "5"),))


def hooked(carriers: Mapping[str, Carrier]) -> dict[str, Hooked]:
    """Choose the carriers that call us."""
    return {name: cast(Hooked, carrier) for name, carrier in carriers.items() if hasattr(carrier, "trusts")}


class Reception:
    """Where the hooks of all carriers come in. `public_url` is never empty: a signature covers it."""

    def __init__(
        self,
        carriers: Mapping[str, Hooked],
        intake: Intake,
        public_url: str,
        clock: Clock,
        limits: Limits = USUAL,
    ) -> None:
        self.public = Public(public_url)
        self.limits = limits
        self.tally = Tally(clock)
        self.stopping = False
        self._carriers = carriers
        self._intake = intake
        self._clock = clock
        self._in_hand = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The carriers that call us."""
        return tuple(self._carriers)

    def counts(self) -> Mapping[str, Counts]:
        """What became of the hooks, by carrier; under no name those for carriers that are not here."""
        return self.tally.all()

    def largest(self, place: Place) -> int:
        """How many bytes a body may have here; a carrier asks for more by `largest_hook`."""
        return min(getattr(self._carriers.get(place.carrier), "largest_hook", BODY), LARGEST_BODY)

    def later(self, place: Place, why: str) -> Reply:
        """Put a hook off. That of a name nobody has is not worth a count of its own."""
        self.tally.put_off(place.carrier if place.carrier in self._carriers else "", why)
        return LATER

    async def receive(self, place: Place, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Believe, read and store a hook, and say what to answer."""
        form = await _form(headers.get("content-type", ""), body)
        hook = Hook(self.public.called(target), headers, form, body, self._clock.now())
        carrier = self._carriers.get(place.carrier)
        if carrier is None:
            self.tally.refused("", f"no carrier {place.carrier} takes hooks")
            return REFUSED
        if not _trusts(carrier, hook):
            self.tally.refused(place.carrier, _doubt(hook, self.public))
            return REFUSED
        if self.stopping or self._in_hand >= self.limits.in_hand:
            return self.later(place, "stopping" if self.stopping else f"{self._in_hand} hooks wait for the disk")
        self._in_hand += 1
        try:
            return await self._believed(place, carrier, hook)
        finally:
            self._in_hand -= 1

    async def _believed(self, place: Place, carrier: Hooked, hook: Hook) -> Reply:
        try:
            async with asyncio.timeout(self.limits.store_s):
                await self._store(place.carrier, carrier, hook)
        except StoreFault as problem:
            return self.later(place, str(problem))
        except TimeoutError:
            return self.later(place, f"the disk takes longer than {self.limits.store_s:.3g} s")
        except Exception as problem:
            # not stored, whatever it was, so not acknowledged
            log.error("a hook could not be stored", carrier=place.carrier, problem=named(problem))
            return self.later(place, "a fault of ours")
        return Reply(200, carrier.answer.body, carrier.answer.content_type)

    async def _store(self, name: str, carrier: Hooked, hook: Hook) -> None:
        """Take what it brings. What cannot be read or filed is ours to look at: the carrier would only repeat it."""
        try:
            events = carrier.read(hook)
            if events:
                await self._intake.take(name, events, hook.body)
        except (StoreFault, TimeoutError):
            raise
        except Unreadable as problem:
            why = str(problem)
        except Exception as problem:
            why = f"reading it failed: {named(problem)}"
        else:
            self.tally.taken(name)
            return
        await self._intake.quarantine(name, hook.body, why)
        self.tally.unreadable(name, why)


async def _form(content_type: str, body: bytes) -> Fields | None:
    """Take a large one apart beside the loop: anybody may send it, and 1 MiB of escapes takes a tenth of a second."""
    if len(body) <= SMALL_FORM:
        return read_form(content_type, body)
    return await asyncio.to_thread(read_form, content_type, body)


def _trusts(carrier: Hooked, hook: Hook) -> bool:
    """A check that fails has not passed."""
    try:
        return carrier.trusts(hook)
    except Exception as problem:
        log.error("a signature could not be checked", problem=named(problem))
        return False


def named(problem: BaseException) -> str:
    """Say what failed and where. Its own words may quote a text, which belongs into no log."""
    frames = traceback.extract_tb(problem.__traceback__)
    where = f" in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(problem).__name__}{where}"


_HOST = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::[0-9]{1,5})?")
"""A name with a dot in it; addresses and `localhost` are what proxies make of it."""


def _doubt(hook: Hook, public: Public) -> str:
    """Guess why a hook was not believed, for a person. Whoever forges one may steer this guess and nothing else."""
    if hook.form is None and hook.headers.get("content-type", "").lower().startswith(FORM):
        return "its form cannot be read: not UTF-8, broken, or too many fields"
    for name in ("x-forwarded-host", "host"):
        host = hook.headers.get(name, "").lower()
        if len(host) <= 80 and _HOST.fullmatch(host) and host.partition(":")[0] != public.host.partition(":")[0]:
            return f"it was sent to {host}, and hooks.public_url says {public.host}"
    return "the signature does not fit hooks.public_url and the carrier's key"
