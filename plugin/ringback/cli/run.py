"""`ringback run`: the daemon, until SIGTERM or Ctrl-C. `ringback migrate`: bring the database to this version."""

import asyncio
from typing import Annotated

import typer

from ringback.app import App
from ringback.cli.shared import ConfigOption
from ringback.clock import SystemClock
from ringback.config import load
from ringback.logs import LogFormat, LogLevel, start_logging
from ringback.service import leave_when_told
from ringback.store.holding import hold
from ringback.store.schema import HEAD, prepare, schema_version


def run_command(
    config: ConfigOption = None,
    log: Annotated[LogFormat, typer.Option(help="How log lines look.")] = LogFormat.PLAIN,
    level: Annotated[LogLevel, typer.Option(help="The least that is logged.")] = LogLevel.INFO,
) -> None:
    """Follow calls and send texts until told to stop."""
    settings = load(config)
    start_logging(log, level)
    asyncio.run(_run(App(settings, SystemClock())))


async def _run(app: App) -> None:
    leave_when_told(app.stop)
    await app.serve()


def migrate_command(config: ConfigOption = None) -> None:
    """Make the database, or bring it to this version. Refuses while a daemon runs."""
    settings = load(config)
    with hold(settings.paths.state):
        before = schema_version(settings.database.url)
        prepare(settings.database.url, settings.paths.state)
    print(f"schema {HEAD}, nothing to do" if before == HEAD else f"schema {before or 'none'} -> {HEAD}")
