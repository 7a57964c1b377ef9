"""Text queues, their members and what agents carry, as the store keeps them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ringback.core.presence import AtDesk
from ringback.core.text_queues import Plan, Queues, TextQueue, VoiceName


@dataclass(frozen=True, slots=True)
class Agent:
    """A user who takes sessions. `capacity` sessions at once; being on a call counts as `voice_weight` of them.

    `phone` is the name of their phone at the PBX (`122`), empty for none, and `follows_phone` whether what the PBX
    says of it counts. `turn` is when a session was last given or offered to them.
    """

    account: int
    public_id: str
    login: str
    name: str
    phone: str
    capacity: int = 3
    voice_weight: int = 1
    follows_phone: bool = True
    desk: AtDesk = AtDesk.READY
    desk_since: datetime | None = None
    turn: datetime | None = None
    disabled: bool = False


class TextQueues(Protocol):
    """The writes, inside a step. `all` is one look per version, remembered by the writer."""

    def all(self) -> Queues: ...
    def make(self, name: str, plan: Plan, now: datetime) -> TextQueue:
        """Raises LookupError for a name that is taken."""

    def rename(self, queue: TextQueue, name: str, now: datetime) -> None: ...
    def change(self, queue: TextQueue, plan: Plan, now: datetime) -> None: ...
    def remove(self, queue: TextQueue, now: datetime) -> None:
        """Its numbers, voice queues and members go with it; its sessions must be elsewhere before."""

    def put_members(self, queue: TextQueue, accounts: Sequence[int], now: datetime) -> None:
        """These and no others."""

    def put_voice(self, queue: TextQueue, voice: Sequence[VoiceName], now: datetime) -> None:
        """These and no others; one that belonged to another queue comes over."""

    def put_numbers(self, queue: TextQueue, numbers: Sequence[str], now: datetime) -> None:
        """Our numbers whose texts come here when nobody has them; these and no others. The main queue has the rest."""

    def agents(self) -> Mapping[int, Agent]:
        """Everybody who is a member of a queue, or was set up as an agent."""

    def agent(self, account: int) -> Agent | None: ...
    def set_up(self, account: int, capacity: int, voice_weight: int, follows_phone: bool, now: datetime) -> None: ...
    def at_desk(self, account: int, desk: AtDesk, now: datetime) -> None: ...
    def took_turn(self, account: int, now: datetime) -> None: ...
    def models(self) -> Mapping[VoiceName, str]:
        """What was learned of the waits of Asterisk's queues, in words of whoever learned it."""

    def keep_models(self, models: Mapping[VoiceName, str], now: datetime) -> None: ...


class ReadQueues(Protocol):
    """The reads beside the writer."""

    async def queues(self) -> Queues: ...
    async def agents(self) -> Mapping[int, Agent]: ...
    async def models(self) -> Mapping[VoiceName, str]: ...
