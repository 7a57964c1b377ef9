"""Figures of now that only the database knows."""

from collections.abc import Mapping
from typing import Protocol


class Figures(Protocol):
    def waiting(self, most: int) -> Mapping[str, int]:
        """How many texts wait for each carrier, counted up to `most` in all."""
        ...
