"""`ringback agent`: who takes sessions, how many, and whether they are at their desk."""

from typing import Annotated

import typer

from ringback.cli.queue import tell
from ringback.cli.shared import ConfigOption, check_schema, visible, who
from ringback.config import load
from ringback.core.presence import AtDesk
from ringback.flow.agents import load_of
from ringback.ports.storage import Tx
from ringback.store.database import peek

agent_commands = typer.Typer(no_args_is_help=True, help="Who takes sessions, how many, and whether they are there.")

NOBODY = "Nobody is an agent yet: make somebody a member of a queue with `ringback queue member`."

Login = Annotated[str, typer.Argument(help="Their login or extension.")]


@agent_commands.command("list")
def list_command(config: ConfigOption = None) -> None:
    """Print everybody who is an agent: what they carry, their queues, and what they said of their desk."""
    settings = load(config)
    check_schema(settings)
    for line in peek(settings.database.url, _lines) or [NOBODY]:
        print(visible(line))


def _lines(tx: Tx) -> list[str]:
    queues, loads = tx.queues.all().all, tx.sessions.loads()
    lines = []
    for agent in tx.queues.agents().values():
        mine = ", ".join(queue.name for queue in queues if agent.account in queue.members) or "no queue"
        has = loads.get(agent.account, 0)
        state = "disabled" if agent.disabled else agent.desk
        lines.append(f"{agent.login}  {state}  has {has} of {load_of(agent)}  ({mine})")
    return lines


@agent_commands.command("set")
def set_command(
    login: Login,
    capacity: Annotated[str, typer.Option("--capacity", help="Sessions at once.")] = "",
    call_counts: Annotated[str, typer.Option("--call-counts", help="As how many a call counts.")] = "",
    phone: Annotated[str, typer.Option("--phone", help="follow: what the PBX says counts; ignore: not.")] = "",
    config: ConfigOption = None,
) -> None:
    """Set what an agent carries. What is not named stays."""
    if phone not in ("", "follow", "ignore"):
        raise typer.BadParameter("write follow or ignore", param_hint="--phone")
    follows = {"": "", "follow": "yes", "ignore": "no"}[phone]
    words = {"change": "agent", "login": login, "capacity": capacity, "voice_weight": call_counts}
    tell(load(config), {**words, "follows_phone": follows, "by": f"shell {who()}"})


@agent_commands.command("ready")
def ready_command(login: Login, config: ConfigOption = None) -> None:
    """Say that an agent is at their desk. They get sessions while a page of theirs is open."""
    tell(load(config), {"change": "desk", "login": login, "desk": AtDesk.READY, "by": f"shell {who()}"})


@agent_commands.command("away")
def away_command(login: Login, config: ConfigOption = None) -> None:
    """Say that an agent is away. They get no new sessions, and keep those they have."""
    tell(load(config), {"change": "desk", "login": login, "desk": AtDesk.AWAY, "by": f"shell {who()}"})
