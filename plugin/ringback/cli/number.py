"""`ringback number`: what is said of our numbers. They are added in the configuration."""

import asyncio
from datetime import datetime
from functools import partial
from typing import Annotated

import typer

from ringback import control
from ringback.cli.shared import ConfigOption, check_schema, visible, who, write_alone
from ringback.config import Settings, load
from ringback.core.book import Book
from ringback.core.grants import Way
from ringback.core.head_count import Heads
from ringback.flow.numbers_by_words import change_numbers_by_words
from ringback.flow.owners import owner_name
from ringback.flow.refusing import SENTENCES, Because
from ringback.ports.grants import NumberCard
from ringback.ports.storage import Tx
from ringback.store.database import peek
from ringback.store.schema import schema_version

number_commands = typer.Typer(no_args_is_help=True, help="Our numbers: labels, groups, owners.")
group_commands = typer.Typer(no_args_is_help=True, help="Groups of numbers: places and campaigns.")
number_commands.add_typer(group_commands, name="group")

Number = Annotated[str, typer.Argument(help="One of our numbers, as in +12025550101.")]
Group = Annotated[str, typer.Argument(help="The name of a group.")]
Somebody = "a department by its path, or a user by login or extension; - for nobody"


@number_commands.command("list")
def list_command(config: ConfigOption = None) -> None:
    """Print our numbers: label, group, owner, fallback, how many may send and read."""
    settings = load(config)
    if schema_version(settings.database.url) is None:
        return
    check_schema(settings)
    for line in peek(settings.database.url, partial(_lines, settings)):
        print(line)


def _lines(settings: Settings, tx: Tx) -> list[str]:
    book = tx.grants.book()
    heads = Heads(book)
    return [_line(card, book, heads, settings, tx) for card in tx.numbers.all()]


def _line(card: NumberCard, book: Book, heads: Heads, settings: Settings, tx: Tx) -> str:
    group = book.groups[card.group].name if card.group is not None else "-"
    owner, fallback = owner_name(card.owner, tx) or "nobody", owner_name(card.fallback, tx)
    state = "" if card.e164 in settings.numbers else "former"
    said = [
        f"{card.e164:16}",
        f"{visible(card.label) or '-':20}",
        f"{visible(group):14}",
        f"{visible(owner)}{f', else {visible(fallback)}' if fallback else ''}",
        f"{heads.allowed(Way.SEND, card.e164)} may send, {heads.allowed(Way.RECEIVE, card.e164)} may read",
        "new texts go out from it" if card.outbound else "",
        state,
    ]
    return "  ".join(part for part in said if part)


@number_commands.command("label")
def label_command(
    number: Number,
    label: Annotated[str, typer.Argument(help="What people call it; empty for nothing.")],
    config: ConfigOption = None,
) -> None:
    """Call a number something."""
    _tell(load(config), change="describe", number=number, label=label)


@number_commands.command("put")
def put_command(
    number: Number,
    group: Annotated[str, typer.Argument(help="The name of a group; - for none.")],
    config: ConfigOption = None,
) -> None:
    """Put a number into a group."""
    _tell(load(config), change="describe", number=number, group=group)


@number_commands.command("own")
def own_command(
    number: Number,
    owner: Annotated[str | None, typer.Option(help=f"Who owns it: {Somebody}.")] = None,
    fallback: Annotated[str | None, typer.Option(help=f"Who does when nobody of them is left: {Somebody}.")] = None,
    config: ConfigOption = None,
) -> None:
    """Say who owns a number. What is not named stays."""
    given = {name: value for name, value in (("owner", owner), ("fallback", fallback)) if value is not None}
    if not given:
        raise typer.BadParameter("give --owner, --fallback, or both")
    _tell(load(config), change="own", number=number, **given)


@number_commands.command("outbound")
def outbound_command(number: Number, config: ConfigOption = None) -> None:
    """Have new texts go out from this number where nobody names another."""
    settings = load(config)
    if number not in settings.numbers:
        raise typer.BadParameter(SENTENCES[Because.FORMER])
    _tell(settings, change="outbound", number=number)


@group_commands.command("add")
def group_add_command(name: Group, config: ConfigOption = None) -> None:
    """Make a group."""
    _tell(load(config), change="group-add", name=name)


@group_commands.command("rename")
def group_rename_command(
    group: Group, name: Annotated[str, typer.Argument(help="Its new name.")], config: ConfigOption = None
) -> None:
    """Call a group something else."""
    _tell(load(config), change="group-rename", group=group, name=name)


@group_commands.command("remove")
def group_remove_command(group: Group, config: ConfigOption = None) -> None:
    """Take a group away with the grants for it. Its numbers stay."""
    _tell(load(config), change="group-remove", group=group)


def _tell(settings: Settings, **words: str) -> None:
    words["by"] = f"shell {who()}"
    answer = asyncio.run(control.ask(settings.paths.state, "number", **words))
    if answer is None:
        print(write_alone(settings, lambda clock: partial(_change, words, settings, clock.now())))
    else:
        print(answer["said"])


def _change(words: dict[str, str], settings: Settings, now: datetime, tx: Tx) -> str:
    """Without a daemon that has run since, the database need not know every number of the configuration."""
    tx.numbers.know(settings.numbers, now)
    return change_numbers_by_words(words, now, tx)
