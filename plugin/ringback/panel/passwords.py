"""Passwords: which are too easy to guess, and how they are kept (Argon2id)."""

import asyncio
import secrets
import unicodedata
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING

from ringback.errors import RingbackError
from ringback.panel.words import N_

if TYPE_CHECKING:
    from argon2 import PasswordHasher

LEAST, MOST = 10, 200
TOO_FEW_WORDS = 3

# OWASP asks for 19 MiB and two rounds at least. glibc gives back to the system at once only what is larger than 32 MiB;
# of smaller blocks it keeps 20 to 60 MB for the next time.
MEMORY_KIB, ROUNDS, LANES = 33 * 1024, 2, 1
AT_ONCE, MOST_WAITING = 2, 16

TOO_SHORT = N_("Too short: use ten characters or more. A few words in a row are easy to keep in mind.")
TOO_LONG = N_("Too long: use two hundred characters at most.")
TOO_OBVIOUS = N_("Too easy to guess: it is made of words that everybody tries. Use other words.")
TOO_CLOSE = N_("Too easy to guess: it is the name of the login or of the business. Use other words.")
TOO_BARE = N_("Too easy to guess: it has no letters. A few words in a row are easy to keep in mind.")
TOO_REGULAR = N_("Too easy to guess: the same characters come again and again. Use other words.")

_LOOKALIKE = str.maketrans("013457@$!|", "oieastasii")


class TooBusy(RingbackError):
    """Too many people log in at this moment."""


@dataclass(frozen=True, slots=True)
class Verified:
    """`renewed` is a new hash of a good password whose old one was made with other parameters, else empty."""

    good: bool
    renewed: str = ""


def prepare(password: str) -> bytes:
    """One form for the same letters, however a keyboard composes them."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def weakness(password: str, login: str, business: str) -> str:
    """Say why a password is not taken, in a text to translate; empty when it may be."""
    if len(password) > MOST:
        return TOO_LONG
    plain = unicodedata.normalize("NFKC", password).casefold()
    if len(plain) < LEAST:
        return TOO_SHORT
    if len(set(plain)) < 5 or _runs(plain):
        return TOO_REGULAR
    if not _letters(plain):
        return TOO_BARE
    own = {_letters(login), _letters(business), *(_letters(part) for part in business.split())} - {""}
    for words, why in ((obvious_words(), TOO_OBVIOUS), (obvious_words() | own, TOO_CLOSE)):
        if any(_fewest(skeleton, words) <= TOO_FEW_WORDS for skeleton in _skeletons(plain)):
            return why
    return ""


@cache
def obvious_words() -> frozenset[str]:
    """What passwords in breached lists are made of."""
    return frozenset(files("ringback.panel").joinpath("obvious.txt").read_text("utf-8").split())


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalpha())


def _skeletons(plain: str) -> set[str]:
    """The letters of a password, also with `0` read as `o` and the like; what stands round them says little."""
    core = plain.strip("".join(letter for letter in plain if not letter.isalpha()))
    return {
        _letters(plain),
        _letters(core.translate(_LOOKALIKE)),
        _letters(core.replace("1", "l").translate(_LOOKALIKE)),
    }


def _fewest(skeleton: str, words: Collection[str]) -> float:
    """The fewest of these words that make it up without a rest; infinite where they do not."""
    fewest = [0.0] + [inf] * len(skeleton)
    for end in range(1, len(skeleton) + 1):
        begins = (end - len(word) for word in words if skeleton.endswith(word, 0, end))
        fewest[end] = min((fewest[begin] + 1 for begin in begins), default=inf)
    return fewest[-1]


def _runs(plain: str) -> bool:
    """Whether it is one piece over and over, or counts up or down all the way."""
    again = any(plain == (plain[:size] * len(plain))[: len(plain)] for size in range(1, len(plain) // 2 + 1))
    steps = {ord(later) - ord(before) for before, later in pairwise(plain)}
    return again or steps <= {1} or steps <= {-1}


class Hasher:
    """Hashes in threads, two at once: each takes 33 MiB while it lasts."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._nobody = ""
        self.verified = 0
        """How many verifications were run."""

    @cached_property
    def _argon(self) -> "PasswordHasher":
        # 20 ms that a daemon nobody logs in to need not pay
        from argon2 import PasswordHasher  # noqa: PLC0415 - loaded with the first password

        return PasswordHasher(time_cost=ROUNDS, memory_cost=MEMORY_KIB, parallelism=LANES)

    async def hash(self, password: str) -> str:
        """Make what is stored. Raises TooBusy."""
        async with self._turn():
            return await asyncio.to_thread(lambda: self._argon.hash(prepare(password)))

    async def verify(self, stored: str, password: str) -> Verified:
        """Compare; an empty `stored` costs the same and never fits. Raises TooBusy."""
        async with self._turn():
            return await asyncio.to_thread(self._verify, stored, prepare(password[: MOST + 1]))

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= MOST_WAITING:
            raise TooBusy("too many people log in at this moment; try again in a few seconds")
        self._waiting += 1
        try:
            async with self._turns:
                yield
        finally:
            self._waiting -= 1

    def _verify(self, stored: str, password: bytes) -> Verified:
        from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415 - with `_argon`

        self.verified += 1
        nobody = self._hash_of_nobody()
        try:
            self._argon.verify(stored or nobody, password)
        except (VerificationError, InvalidHashError):
            return Verified(False)
        if not stored:
            return Verified(False)
        return Verified(True, self._argon.hash(password) if self._argon.check_needs_rehash(stored) else "")

    def _hash_of_nobody(self) -> str:
        """Made anew each start from a password that nobody has, with the parameters of now."""
        if not self._nobody:
            self._nobody = self._argon.hash(secrets.token_bytes(32))
        return self._nobody
