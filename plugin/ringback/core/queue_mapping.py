"""What text queues would come of the queues of a PBX: which are there, who would serve them, and whom nobody knows."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from ringback.core.text_queues import Queues, TextQueue, VoiceName
from ringback.core.voice_queues import VoiceMember, VoiceQueue

LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works here, as far as a PBX knows them. `takes`: their role lets them take sessions."""

    id: int
    name: str
    extension: str
    endpoint: str
    takes: bool


@dataclass(frozen=True, slots=True)
class Mapped:
    """One queue of a PBX. `text` is the text queue that is there for it; without one `name` would be made.

    `beside`: it stands beside that text queue already. `join` would become members, `inside` are members; `cannot` are
    people whose role does not let them, and `unknown` members of the voice queue who are no users.
    """

    voice: VoiceName
    name: str
    text: TextQueue | None
    beside: bool
    join: tuple[Person, ...]
    inside: tuple[Person, ...]
    cannot: tuple[Person, ...]
    unknown: tuple[VoiceMember, ...]

    @property
    def changes(self) -> bool:
        """Whether anything would be made or changed."""
        return not self.beside or bool(self.join)


@dataclass(frozen=True, slots=True)
class Sketch:
    """Everything that would be made, in the order of the PBXs and of their queues' names."""

    queues: tuple[Mapped, ...]

    @property
    def unknown(self) -> tuple[VoiceMember, ...]:
        """Whom nobody knows, each once."""
        return tuple({one.interface: one for queue in self.queues for one in queue.unknown}.values())

    @property
    def digest(self) -> str:
        """Another one for another mapping: whoever applies one says which they saw."""
        said = [
            (one.voice, one.name, one.text.id if one.text else 0, one.beside, [who.id for who in one.join])
            for one in self.queues
        ]
        return blake2b(repr(said).encode("utf-8", "surrogatepass"), digest_size=9).hexdigest()


def map_queues(
    voices: Iterable[VoiceQueue],
    queues: Queues,
    people: Sequence[Person],
    only: Collection[VoiceName] | None = None,
) -> Sketch:
    """Say what would be made of these queues; with `only` of no others. `people` are those who can log in."""
    known = sorted(voices, key=lambda one: (one.pbx, one.name))
    pbxs_of: dict[str, set[str]] = {}
    for one in known:
        pbxs_of.setdefault(one.name.casefold(), set()).add(one.pbx)
    by_endpoint = {one.endpoint.casefold(): one for one in people if one.endpoint}
    by_extension = {one.extension: one for one in people if one.extension}
    wanted = [one for one in known if only is None or VoiceName(one.pbx, one.name) in only]
    return Sketch(
        tuple(
            _mapped(one, queues, by_endpoint, by_extension, _name_of(one, len(pbxs_of[one.name.casefold()])))
            for one in wanted
        )
    )


def _name_of(voice: VoiceQueue, pbxs: int) -> str:
    """Its own name, with that of its PBX where another has a queue of this name."""
    behind = f" ({voice.pbx})" if pbxs > 1 else ""
    return " ".join(f"{voice.name[: LONGEST_NAME - len(behind)]}{behind}".split())


def _mapped(
    voice: VoiceQueue,
    queues: Queues,
    by_endpoint: Mapping[str, Person],
    by_extension: Mapping[str, Person],
    name: str,
) -> Mapped:
    own = queues.of_voice(voice.pbx, voice.name)
    text = own or next((one for one in queues.all if one.name.casefold() == name.casefold()), None)
    members = text.members if text else ()
    found: dict[int, Person] = {}
    unknown = []
    for member in voice.members:
        person = by_endpoint.get(member.interface.casefold()) or by_extension.get(member.phone)
        if person is None:
            unknown.append(member)
        else:
            found[person.id] = person
    inside = tuple(one for one in found.values() if one.id in members)
    others = [one for one in found.values() if one.id not in members]
    return Mapped(
        VoiceName(voice.pbx, voice.name),
        text.name if text else name,
        text,
        own is not None,
        tuple(one for one in others if one.takes),
        inside,
        tuple(one for one in others if not one.takes),
        tuple(unknown),
    )
