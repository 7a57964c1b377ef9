"""Secrets that must be read again, such as those of second factors: sealed before they are stored."""

from typing import Protocol

from ringback.errors import RingbackError


class SealFault(RingbackError):
    """A secret cannot be sealed, or cannot be opened; the text never holds any of it."""


class Seal(Protocol):
    """`about` names the place a value is for, as `totp usr_...`: sealed for one place it opens at no other."""

    def seal(self, value: str, about: str) -> str:
        """Make what may be stored. Raises SealFault."""

    def open(self, sealed: str, about: str) -> str:
        """Read it again. Raises SealFault."""


class RotatingSeal(Seal, Protocol):
    """A seal whose key can be changed while it is used."""

    def begin_rotation(self) -> str:
        """Seal with a new key from now on, and open with the earlier ones too; returns its id."""

    def end_rotation(self) -> None:
        """Open with the new key only."""
