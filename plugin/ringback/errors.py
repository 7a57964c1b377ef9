"""Ways to fail, named by what to do next."""

import traceback
from pathlib import Path


class RingbackError(Exception):
    """Anything we raise on purpose; the text says what is wrong and what to do."""


class ConfigFault(RingbackError):
    """The configuration cannot be used. `faults` has one line for each: file, key, cure."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class StoreFault(RingbackError):
    """The database cannot do what was asked now."""


class StoreAway(StoreFault):
    """The server of the database cannot be reached; it may come back by itself."""


class StoreBusy(StoreFault):
    """Try again later: the writer's queue is full, the disk is full or the database is locked."""


class Locked(StoreFault):
    """Another Ringback holds this state folder."""


class SendFailed(RingbackError):
    """The carrier did not take the text."""


class Unreachable(SendFailed):
    """Try again: provably nothing was sent (refused, DNS, TLS, bind)."""


class Throttled(Unreachable):
    """Try again, not before `wait` seconds have passed."""

    def __init__(self, text: str, wait: float) -> None:
        super().__init__(text)
        self.wait = wait


class Rejected(SendFailed):
    """Do not try again: the carrier refuses this text for good."""


class Blocked(Rejected):
    """Rejected because the person opted out at the carrier; record it."""


class Unconfirmed(SendFailed):
    """The request left and no answer came. Nobody knows whether it was sent."""


class ProtocolError(RingbackError):
    """The other side sent something that is not its protocol."""


class PbxAway(RingbackError):
    """Asterisk cannot be asked now."""


class PbxRefused(RingbackError):
    """Asterisk answered no: wrong password, or the account may not do this."""


def told(problem: BaseException) -> str:
    """A failure for a log: our own words and the system's as they are; of any other its kind and its place.

    What libraries say may quote what they worked on: a text, a number.
    """
    if isinstance(problem, RingbackError | OSError):
        return str(problem) or type(problem).__name__
    frames = traceback.extract_tb(problem.__traceback__)
    where = f" in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(problem).__name__}{where}"
