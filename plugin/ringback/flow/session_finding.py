"""Finding the session somebody means, and asking whether they may: what they may not see is not there."""

from enum import Enum

from ringback.core.grants import Way
from ringback.core.ids import Kind
from ringback.core.messages import MessageClass
from ringback.core.permissions import Action, Principal
from ringback.core.sessions import WITH_AGENT, Session
from ringback.core.text_queues import TextQueue
from ringback.errors import RingbackError
from ringback.flow.permits import NotThere, Unwritten, allow, allow_way, of_kind, see
from ringback.flow.session_agents import agent_of, name_of
from ringback.ports.people import Account
from ringback.ports.storage import Tx


class Gone(RingbackError):
    """Another was quicker: `holds` is the session as it is now, `agent` the name of who has it, if anybody has."""

    def __init__(self, holds: Session, agent: str) -> None:
        super().__init__(f"{agent} has it now" if agent else f"it is {holds.state} now")
        self.holds = holds
        self.agent = agent


class Needs(Enum):
    """What somebody needs beside the role: what they do ends in a text of theirs, or they only put it away."""

    SEND = "send"
    SEE = "see"


def find(who: Principal, session: str, action: Action, tx: Tx) -> Session:
    """A session by its public id; what they may not see is not there."""
    allow(who, action)
    missing = f"there is no session {session}"
    found = tx.sessions.get(of_kind(Kind.SESSION, session))
    if found is None:
        raise NotThere(missing)
    see(who, found.did, tx, missing)
    return found


def for_agent(who: Principal, session: str, needs: Needs, tx: Tx) -> tuple[Session, int]:
    """A session for somebody who takes sessions, with the row of their account."""
    found = find(who, session, Action.TAKE_SESSIONS, tx)
    if needs is Needs.SEND:
        allow_way(see(who, found.did, tx), Way.SEND, found.did, MessageClass.CONVERSATIONAL)
    return found, row_of(who)


def find_mine(who: Principal, session: str, tx: Tx) -> tuple[Session, int]:
    """One that they have. Whoever may not send any more may still put it away."""
    found, me = for_agent(who, session, Needs.SEE, tx)
    must(has_it(found, me), found, tx)
    return found, me


def row_of(who: Principal) -> int:
    if who.account is None:
        raise Unwritten("only a user of the panel can have sessions")
    return who.account


def has_it(session: Session, account: int) -> bool:
    return session.state in WITH_AGENT and session.agent == account


def must(holds: object, session: Session, tx: Tx) -> None:
    if not holds:
        raise gone(session, tx)


def gone(session: Session, tx: Tx) -> Gone:
    """What is said to whoever came second."""
    holder = session.agent if session.state in WITH_AGENT else session.offered_to
    return Gone(session, name_of(holder, tx))


def must_be_able(account: int, session: Session, tx: Tx) -> None:
    if agent_of(account, session.did, tx) is None:
        raise Unwritten("they may not answer texts of this number, or are no agent; choose somebody else")


def account_of(public_id: str, tx: Tx) -> Account:
    """An account by its public id; raises NotThere."""
    account = tx.accounts.get(of_kind(Kind.USER, public_id))
    if account is None:
        raise NotThere(f"there is no user {public_id}")
    return account


def queue_of(public_id: str, tx: Tx) -> TextQueue:
    """A text queue by its public id; raises NotThere."""
    wanted = of_kind(Kind.QUEUE, public_id)
    queue = next((queue for queue in tx.queues.all().all if queue.public_id == wanted), None)
    if queue is None:
        raise NotThere(f"there is no queue {public_id}")
    return queue
