"""`ringback session`: what is open now. `ringback explain` tells the story of one."""

from functools import partial
from typing import Annotated

import typer

from ringback.cli.shared import ConfigOption, check_schema, visible
from ringback.config import load
from ringback.core.sessions import Session
from ringback.ports.storage import Tx
from ringback.store.database import peek

session_commands = typer.Typer(no_args_is_help=True, help="Sessions that are open now.")


@session_commands.command("list")
def list_command(
    queue: Annotated[str, typer.Option("--queue", help="Of one queue alone.")] = "",
    config: ConfigOption = None,
) -> None:
    """Print every open session: its id, who it is with, its state, its queue and who has it."""
    settings = load(config)
    check_schema(settings)
    lines = peek(settings.database.url, partial(_lines, queue))
    for line in lines:
        print(visible(line))
    if not lines:
        print("No session is open.")


def _lines(words: str, tx: Tx) -> list[str]:
    from ringback.flow.queues import queue_of

    queues, agents = tx.queues.all().all, tx.queues.agents()
    names = {account: agent.login for account, agent in agents.items()}
    return [
        _line(session, queue.name, names)
        for queue in ((queue_of(words, queues),) if words else queues)
        for session in tx.sessions.of_queue(queue.id)
    ]


def _line(session: Session, queue: str, names: dict[int, str]) -> str:
    whose = names.get(session.agent or session.offered_to or 0, "")
    since = f"since {session.changed_at:%Y-%m-%d %H:%M:%S} UTC"
    parts = [session.public_id, session.peer, f"at {session.did}", session.state, queue, whose, since]
    return "  ".join(part for part in parts if part)
