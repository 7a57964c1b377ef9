"""`ringback settle`: what became of a text that nobody knows about, said at the shell."""

import asyncio
from enum import StrEnum
from functools import partial
from typing import Annotated

import typer

from ringback import control
from ringback.cli.shared import ConfigOption, who, write_alone
from ringback.config import load
from ringback.core.permissions import at_the_shell
from ringback.errors import RingbackError
from ringback.flow.settling import SENTENCES, Settled, settle_by_words


class How(StrEnum):
    SENT = "sent"
    NOT_SENT = "not-sent"
    UNDO = "undo"
    ASK = "ask"


class NotSettled(RingbackError):
    """The text is as it was; the sentence says why."""


SETTLED = frozenset({Settled.DONE, Settled.FOUND})


def settle_command(
    message: Annotated[str, typer.Argument(help="The text, as in msg_...")],
    how: Annotated[How, typer.Argument(help="What became of it; or take that back; or ask its carrier.")],
    config: ConfigOption = None,
) -> None:
    """Say what became of a text that nobody knows about. Nothing is ever sent again by this."""
    settings = load(config)
    words = {"message": message, "how": str(how), "by": who()}
    answer = asyncio.run(control.ask(settings.paths.state, "settle", **words))
    if answer is not None:
        settled = Settled(answer["settled"])
    elif how is How.ASK:
        raise NotSettled("only a running daemon asks carriers; start it, or say sent or not-sent")
    else:
        by = at_the_shell(words["by"])
        settled = write_alone(settings, lambda clock: partial(settle_by_words, words, by, clock.now()))
    if settled not in SETTLED:
        raise NotSettled(f"{message}: {SENTENCES[settled]}")
    print(f"{message}: {SENTENCES[settled]}")
