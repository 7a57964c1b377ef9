"""`ringback status`: how the running daemon is, on one screen."""

import asyncio
import json
from datetime import datetime
from typing import Annotated, cast

import typer

from ringback import control
from ringback.cli.shared import ConfigOption, visible
from ringback.config import load
from ringback.panel.health import Standing

Row = dict[str, str]
READY = "ready: a missed call becomes a text"
NOT_READY = "NOT READY: a missed call becomes no text now"
GONE = (Standing.AWAY, Standing.NEEDS_YOU, Standing.STOPPED)
NOT_RUNNING = "no Ringback runs on {state}"


def status_command(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    config: ConfigOption = None,
) -> None:
    """Tell how the daemon is: its parts, what waits, and what a person should know. Exit 1 unless it is ready."""
    state = load(config).paths.state
    words = asyncio.run(control.ask(state, "status"))
    if words is None:
        typer.echo(json.dumps({"running": False, "ready": False}) if as_json else NOT_RUNNING.format(state=state))
        raise typer.Exit(1)
    health = json.loads(words["health"])
    figures = json.loads(words.get("figures", "{}"))
    print(
        json.dumps({"running": True, **health, **figures}, indent=2) if as_json else "\n".join(lines(health, figures))
    )
    if not health["ready"]:
        raise typer.Exit(1)


def lines(health: dict[str, object], figures: dict[str, object]) -> list[str]:
    """The screen: the answer first, then what is wrong, then the parts, then the figures."""
    parts = cast(list[Row], health["parts"])
    told = [READY if health["ready"] else NOT_READY]
    for finding in cast(list[Row], health["findings"]):
        told.append(f"{finding['tone']:5}  {visible(finding['what'])}")
        told += [f"       {visible(finding[more])}" for more in ("means", "fix") if finding[more]]
    width = max((len(part["name"]) for part in parts), default=0)
    told += [f"{part['name']:{width}}  {part['state']:9}  {_why(part)}".rstrip() for part in parts]
    told += [f"{name.replace('_', ' ')}: {_plain(value)}" for name, value in figures.items()]
    return told


def _plain(value: object) -> str:
    """A figure, or figures by name."""
    if isinstance(value, dict):
        return visible(", ".join(f"{name} {one}" for name, one in value.items())) or "none"
    return "never" if value is None else visible(str(value))


def _why(part: Row) -> str:
    since = f"since {datetime.fromisoformat(part['since']):%Y-%m-%d %H:%M} UTC" if part["state"] in GONE else ""
    why = ": ".join(word for word in (since, part["detail"]) if word)
    return visible(" ".join(word for word in (why, part["fix"] and f"({part['fix']})") if word))
