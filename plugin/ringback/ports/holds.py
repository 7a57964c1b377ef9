"""A carrier that is held back, as everything that shows it knows it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Held:
    """One carrier that is held back. `why` is a sentence, `by` a person's name, or a word for what did it by itself."""

    carrier: str
    why: str
    since: datetime
    by: str

    @property
    def lift(self) -> str:
        """The command that ends it."""
        return f"ringback carrier release {self.carrier}"
