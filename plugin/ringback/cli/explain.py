"""`ringback explain`: what was seen of a call, which rule spoke, what the gates said, and what came of it both ways."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated

import typer

from ringback.assembly import make_reader
from ringback.cli.explain_rights import Question, explain_right
from ringback.cli.grant import ClassOption
from ringback.cli.shared import ConfigOption, check_schema, visible
from ringback.cli.telling_threads import in_order
from ringback.config import Settings, load
from ringback.core.grants import ANY_CLASS, Way
from ringback.core.ids import kind_of
from ringback.ports.stories import Stories
from ringback.store.database import reader

NOTHING = (
    "nothing is known of {what}; give a linkedid, a phone number, or an id of a call (call_...), "
    "text (msg_..., inb_..., att_...), thread (thr_...), session (ses_...) or task (task_...)"
)


def explain_command(
    what: Annotated[str | None, typer.Argument(help="A linkedid, an id of ours, or a phone number.")] = None,
    user: Annotated[str, typer.Option(help="Instead: may this user, by login or extension, ...")] = "",
    number: Annotated[str, typer.Option(help="... use this number of ours? And why?")] = "",
    way: Annotated[Way, typer.Option(help="For what.")] = Way.SEND,
    class_: ClassOption = None,
    to: Annotated[str, typer.Option(help="What would a text of theirs to this number meet?")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    config: ConfigOption = None,
) -> None:
    """Tell the whole story of a call, a text or a person, with the reason of every step; or why somebody may not."""
    settings = load(config)
    if bool(user) != bool(number) or (what is None) != bool(user):
        raise typer.BadParameter("say what to explain, or --user and --number")
    if what is None:
        explain_right(settings, Question(user, number, way, class_ or ANY_CLASS, to), as_json=as_json)
        return
    stories = _look_up(settings, what)
    if not stories:
        typer.echo(NOTHING.format(what=visible(what)), err=True)
        raise typer.Exit(1)
    if as_json:
        print(json.dumps(asdict(stories), default=_plain))
    else:
        told = in_order(stories, settings.business.zone)
        # numbers, names and texts come from anywhere: nothing in them may move the cursor or begin a line
        print("\n\n".join("\n".join(map(visible, lines)) for lines in told))


def _look_up(settings: Settings, what: str) -> Stories:
    """Ids as they stand; phone numbers in any form people write."""
    # brings SQLAlchemy along, for which `ringback run` should not wait
    from ringback.store.stories import find

    check_schema(settings)
    wanted = [what.strip()]
    if kind_of(wanted[0]) is None and (number := make_reader(settings)("", what).e164):
        wanted.append(number)
    engine = reader(settings.database.url)
    try:
        with engine.connect() as connection:
            found = (find(connection, each) for each in wanted)
            return next(filter(None, found), Stories())
    finally:
        engine.dispose()


def _plain(value: object) -> str | float:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError(f"{type(value).__name__} has no JSON form")
