"""`ringback queue`: text queues, who serves them, and how they work."""

import asyncio
import json
from functools import partial
from typing import Annotated

import typer

from ringback import control
from ringback.assembly import surroundings_of
from ringback.cli.shared import ConfigOption, check_schema, visible, who, write_alone
from ringback.config import Settings, load
from ringback.core.text_queues import TextQueue
from ringback.errors import RingbackError
from ringback.ports.storage import Tx
from ringback.store.database import peek

queue_commands = typer.Typer(no_args_is_help=True, help="Text queues, who serves them, and how they work.")

Queue = Annotated[str, typer.Argument(help="Its name, or its id.")]
Words = Annotated[list[str] | None, typer.Argument(help="What to set, as WORD=VALUE; `queue show` has every word.")]
Out = Annotated[bool, typer.Option("--out", help="Take it out again.")]


@queue_commands.command("list")
def list_command(config: ConfigOption = None) -> None:
    """Print every queue with its strategy, its members, and what it stands beside."""
    from ringback.flow.queues_by_words import in_words

    settings = load(config)
    check_schema(settings)
    for queue in peek(settings.database.url, lambda tx: tx.queues.all().all):
        print(visible(in_words(queue)))


@queue_commands.command("show")
def show_command(queue: Queue, config: ConfigOption = None) -> None:
    """Print all that is said of a queue, each word as `queue set` takes it."""
    from ringback.core.queue_forms import write_plan
    from ringback.flow.queues import in_a_line

    settings = load(config)
    check_schema(settings)
    found, members = peek(settings.database.url, partial(_whole, queue))
    print(f"{visible(found.name)}  {found.public_id}{'  the main queue' if found.main else ''}")
    print(f"members: {visible(', '.join(members) or 'nobody')}")
    print(f"beside: {visible(in_a_line(found.voice) or 'no queue of Asterisk')}")
    print(f"numbers: {'all that no other queue has' if found.main else ', '.join(found.numbers) or 'none'}")
    for word, value in write_plan(found.plan, surroundings_of(settings).known).items():
        print(f"{word}={visible(value)}")


def _whole(words: str, tx: Tx) -> tuple[TextQueue, list[str]]:
    from ringback.flow.queues import known_queue

    queue, agents = known_queue(words, tx), tx.queues.agents()
    return queue, [agents[one].login for one in queue.members if one in agents]


@queue_commands.command("add")
def add_command(name: Queue, words: Words = None, config: ConfigOption = None) -> None:
    """Make a queue that says what we suggest, with these words set."""
    _tell(load(config), change="add", queue=name, words=_as_json(words))


@queue_commands.command("set")
def set_command(queue: Queue, words: Words = None, config: ConfigOption = None) -> None:
    """Have a queue work in another way."""
    _tell(load(config), change="set", queue=queue, words=_as_json(words))


@queue_commands.command("rename")
def rename_command(
    queue: Queue, name: Annotated[str, typer.Argument(help="Its new name.")], config: ConfigOption = None
) -> None:
    """Call it something else."""
    _tell(load(config), change="rename", queue=queue, name=name)


@queue_commands.command("remove")
def remove_command(
    queue: Queue,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this, say what goes with it.")] = False,
    config: ConfigOption = None,
) -> None:
    """Take it away. Its open sessions go to the main queue."""
    settings = load(config)
    if yes:
        _tell(settings, change="remove", queue=queue)
        return
    check_schema(settings)
    for line in peek(settings.database.url, partial(_what_goes, queue)):
        print(visible(line))
    print("Nothing is removed yet: add --yes.")


def _what_goes(words: str, tx: Tx) -> list[str]:
    from ringback.flow.queues import known_queue, what_goes
    from ringback.flow.queues_by_words import told_of

    return told_of(what_goes(known_queue(words, tx).public_id, tx))


@queue_commands.command("member")
def member_command(
    queue: Queue,
    login: Annotated[str, typer.Argument(help="Their login or extension.")],
    out: Out = False,
    config: ConfigOption = None,
) -> None:
    """Have somebody serve it, or no more."""
    _tell(load(config), change="member", queue=queue, login=login, out=_out(out))


@queue_commands.command("voice")
def voice_command(
    queue: Queue,
    voice: Annotated[str, typer.Argument(help="A queue of Asterisk's, as PBX/QUEUE.")],
    out: Out = False,
    config: ConfigOption = None,
) -> None:
    """Have it stand beside a queue of Asterisk's, or no more."""
    _tell(load(config), change="voice", queue=queue, voice=voice, out=_out(out))


@queue_commands.command("number")
def number_command(
    queue: Queue,
    number: Annotated[str, typer.Argument(help="One of our numbers, in E.164.")],
    out: Out = False,
    config: ConfigOption = None,
) -> None:
    """Have texts to a number come here when nobody has them, or no more."""
    _tell(load(config), change="number", queue=queue, number=number, out=_out(out))


@queue_commands.command("map")
def map_command(
    pbx: Annotated[str, typer.Option("--pbx", help="The PBX; without it, all of them.")] = "",
    apply: Annotated[bool, typer.Option("--apply", help="Make it; without this, say what would be made.")] = False,
    config: ConfigOption = None,
) -> None:
    """Make text queues of the queues that Asterisk has now, with their members. Asks the running daemon."""
    settings = load(config)
    words = {"pbx": pbx, "apply": "yes" if apply else "", "by": f"shell {who()}"}
    answer = asyncio.run(control.ask(settings.paths.state, "queue-map", **words))
    if answer is None:
        raise RingbackError("Ringback does not run here, so nobody knows Asterisk's queues; start it first")
    print(visible_lines(answer["said"]))


def visible_lines(text: str) -> str:
    """Lines of an answer, each in letters that can be seen."""
    return "\n".join(visible(line) for line in text.splitlines())


def _as_json(words: list[str] | None) -> str:
    """What was written as WORD=VALUE, as JSON. Raises RingbackError."""
    pairs = [word.partition("=") for word in words or ()]
    if wrong := next((word for word, sign, _ in pairs if not sign), ""):
        raise RingbackError(f"{wrong} sets nothing: write WORD=VALUE, as in strategy=broadcast")
    return json.dumps({word: value for word, _, value in pairs})


def _out(out: bool) -> str:
    return "out" if out else ""


def _tell(settings: Settings, **words: str) -> None:
    tell(settings, {**words, "by": f"shell {who()}"})


def tell(settings: Settings, words: control.Words) -> None:
    """Have the daemon change a queue or an agent; alone, where none runs."""
    from ringback.flow.queues_by_words import change_queues_by_words

    answer = asyncio.run(control.ask(settings.paths.state, "queue", **words))
    if answer is None:
        check_schema(settings)
        around = surroundings_of(settings)
        print(visible(write_alone(settings, lambda clock: partial(change_queues_by_words, words, around, clock.now()))))
    else:
        print(visible(answer["said"]))
