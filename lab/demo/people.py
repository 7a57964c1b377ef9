"""Who works at the demo's business. Each story has somebody of its own, so that stories run side by side."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a login; `extension` is their phone."""

    login: str
    name: str
    role: str
    extension: str = ""

    @property
    def words(self) -> dict[str, str]:
        """What the daemon is told of them."""
        named = {"login": self.login, "name": self.name, "role": self.role}
        return {**named, "extension": self.extension, "language": ""}


ANNA = Person("anna", "Anna Example", "administrator")
BEA = Person("bea", "Bea Example", "agent")
CARA = Person("cara", "Cara Example", "agent", extension="172")
