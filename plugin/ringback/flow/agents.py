"""Agents: what each of them carries, and whether they are at their desk. Each change has its line in the audit."""

from dataclasses import dataclass
from datetime import datetime

from ringback.core.permissions import OF_ROLE, Action
from ringback.core.presence import AtDesk
from ringback.flow.refusing import Because, Refused
from ringback.ports.people import Account
from ringback.ports.queues import Agent
from ringback.ports.storage import Tx

MOST = 50
"""Sessions at once, and what a call counts as at most."""


@dataclass(frozen=True, slots=True)
class Load:
    """What an agent carries; being on a call counts as `voice_weight` sessions."""

    capacity: int = 3
    voice_weight: int = 1
    follows_phone: bool = True

    def __str__(self) -> str:
        phone = "follows the phone" if self.follows_phone else "whatever the phone says"
        return f"{self.capacity} sessions, a call counts as {self.voice_weight}, {phone}"


def takes_sessions(account: Account) -> bool:
    """Whether somebody may log in, and a role of theirs includes it."""
    return account.disabled_at is None and any(Action.TAKE_SESSIONS in OF_ROLE[role] for role in account.roles)


def load_of(agent: Agent | None) -> Load:
    """What somebody carries; the usual for who was never set up."""
    return Load() if agent is None else Load(agent.capacity, agent.voice_weight, agent.follows_phone)


def read_load(capacity: str, voice_weight: str, follows_phone: bool) -> Load:
    """What a form or command says. Raises Refused."""
    return Load(_count(capacity, 1, Because.BAD_CAPACITY), _count(voice_weight, 0, Because.BAD_WEIGHT), follows_phone)


def _count(text: str, least: int, because: Because) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) < 4 and least <= int(text) <= MOST):
        raise Refused(because)
    return int(text)


def set_up_agent(account: Account, load: Load, by: str, now: datetime, tx: Tx) -> None:
    """Have them carry this much. What they have already stays with them."""
    agent = tx.queues.agent(account.id)
    before = load_of(agent)
    if agent is not None and before == load:
        return
    tx.queues.set_up(account.id, load.capacity, load.voice_weight, load.follows_phone, now)
    detail = f"{account.login}: {before} to {load}"
    tx.audit.note(by, "agent_set_up", account.public_id, detail, now, before=str(before), after=str(load))


def put_at_desk(account: Account, desk: AtDesk, by: str, now: datetime, tx: Tx) -> None:
    """Say for them that they are ready, or away."""
    agent = tx.queues.agent(account.id)
    if agent is None or agent.desk is desk:
        return
    tx.queues.at_desk(account.id, desk, now)
    detail = f"{account.login}: {agent.desk} to {desk}"
    tx.audit.note(by, "agent_desk", account.public_id, detail, now, before=agent.desk, after=desk)
