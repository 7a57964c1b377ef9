"""Whether a password is right: ours, or one that a directory is asked about."""

from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from ringback.flow.admitting import admit
from ringback.panel.door import Door
from ringback.panel.tokens import new_token
from ringback.ports.directories import DirectoryAway, PasswordDirectory
from ringback.ports.people import Account


@dataclass(frozen=True, slots=True)
class Vouched:
    """Somebody whose password was right, by which means; `renewed` is a newer hash of it."""

    account: Account
    method: str
    renewed: str = ""


async def vouch(door: Door, account: Account | None, login: str, password: str) -> Vouched | None:
    """Who this is; None for whatever is wrong. A login of our own never goes to the directory.

    One that is wrong takes as long as if it did, so that nobody learns which are ours.

    Raises TooBusy, DirectoryAway, NotAdmitted.
    """
    local = account if account is not None and not account.outside else None
    stored = local.password if local is not None and local.disabled_at is None else ""
    verified = await door.hasher.verify(stored, password)
    if local is not None and verified.good:
        return Vouched(local, "password", verified.renewed)
    return await _ask(door, account, login, password)


async def _ask(door: Door, account: Account | None, login: str, password: str) -> Vouched | None:
    asked = door.proving.asked if door.proving else None
    # a directory may take an empty password for a question of nobody's, and say yes
    if asked is None or not login or not password:
        return None
    if account is not None and not _theirs(account, asked):
        await _as_for_nobody(asked)
        return None
    person = await asked.check(login, password)
    if person is None:
        return None
    return Vouched(await door.change(partial(admit, person, asked.admission, door.clock.now())), asked.admission.kind)


def _theirs(account: Account, asked: PasswordDirectory) -> bool:
    """Whether an account is one that the directory is asked about."""
    return bool(account.outside) and account.source == asked.admission.kind and account.disabled_at is None


async def _as_for_nobody(asked: PasswordDirectory) -> None:
    with suppress(DirectoryAway):
        await asked.check(new_token(), new_token())
