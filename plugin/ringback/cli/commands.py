"""Every command by its name."""

import typer

from ringback import __version__
from ringback.cli.backup import backup_command, restore_command
from ringback.cli.bulk import bulk_commands
from ringback.cli.carrier import carrier_commands
from ringback.cli.check import check_command
from ringback.cli.doctor import doctor_command
from ringback.cli.erase import erase_command
from ringback.cli.explain import explain_command
from ringback.cli.init import init_command
from ringback.cli.key import key_commands
from ringback.cli.pause import pause_command
from ringback.cli.replay import replay_command
from ringback.cli.run import migrate_command, run_command
from ringback.cli.settle import settle_command
from ringback.cli.status import status_command
from ringback.cli.trust_clock import trust_clock_command
from ringback.cli.trying import try_command
from ringback.cli.user import user_commands

HELP = "The `ringback` command. Exit codes: 0 done, 1 not done, 2 wrong configuration, 3 another Ringback runs here."

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=HELP)
cli.command("run")(run_command)
cli.command("init")(init_command)
cli.command("check")(check_command)
cli.command("migrate")(migrate_command)
cli.command("backup")(backup_command)
cli.command("restore")(restore_command)
cli.command("doctor")(doctor_command)
cli.command("status")(status_command)
cli.command("pause")(pause_command)
cli.command("erase")(erase_command)
cli.command("trust-clock")(trust_clock_command)
cli.command("settle")(settle_command)
cli.command("explain")(explain_command)
cli.command("try")(try_command)
cli.command("replay")(replay_command)
cli.add_typer(carrier_commands, name="carrier")
cli.add_typer(user_commands, name="user")
cli.add_typer(key_commands, name="key")
cli.add_typer(bulk_commands, name="bulk")


@cli.command("version")
def version_command() -> None:
    """Print the version."""
    print(__version__)
