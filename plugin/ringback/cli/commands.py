"""Every command by its name."""

import typer

from ringback import __version__
from ringback.cli.agent import agent_commands
from ringback.cli.audit import audit_commands
from ringback.cli.backup import backup_command, restore_command
from ringback.cli.bulk import bulk_commands
from ringback.cli.carrier import carrier_commands
from ringback.cli.check import check_command
from ringback.cli.department import department_commands
from ringback.cli.dialplan import dialplan_commands
from ringback.cli.doctor import doctor_command
from ringback.cli.erase import erase_command
from ringback.cli.explain import explain_command
from ringback.cli.grant import allowance_command, grant_command
from ringback.cli.init import init_command
from ringback.cli.key import key_commands
from ringback.cli.lists import list_commands, staging_command
from ringback.cli.number import number_commands
from ringback.cli.pause import pause_command
from ringback.cli.person import person_command
from ringback.cli.queue import queue_commands
from ringback.cli.replay import replay_command
from ringback.cli.run import migrate_command, run_command
from ringback.cli.secrets import secrets_commands
from ringback.cli.session import session_commands
from ringback.cli.settle import settle_command
from ringback.cli.status import status_command
from ringback.cli.trust_clock import trust_clock_command
from ringback.cli.trying import try_command
from ringback.cli.user import user_commands
from ringback.cli.user_files import export_command, import_command
from ringback.cli.user_help import reset_command, totp_off_command

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
cli.command("person")(person_command)
cli.command("trust-clock")(trust_clock_command)
cli.command("settle")(settle_command)
cli.command("explain")(explain_command)
cli.command("try")(try_command)
cli.command("grant")(grant_command)
cli.command("allowance")(allowance_command)
cli.command("replay")(replay_command)
cli.add_typer(carrier_commands, name="carrier")
user_commands.command("reset")(reset_command)
user_commands.command("totp-off")(totp_off_command)
user_commands.command("import")(import_command)
user_commands.command("export")(export_command)
cli.command("staging")(staging_command)
cli.add_typer(list_commands, name="list")
cli.add_typer(dialplan_commands, name="dialplan")
cli.add_typer(user_commands, name="user")
cli.add_typer(department_commands, name="department")
cli.add_typer(number_commands, name="number")
cli.add_typer(queue_commands, name="queue")
cli.add_typer(agent_commands, name="agent")
cli.add_typer(session_commands, name="session")
cli.add_typer(audit_commands, name="audit")
cli.add_typer(secrets_commands, name="secrets")
cli.add_typer(key_commands, name="key")
cli.add_typer(bulk_commands, name="bulk")


@cli.command("version")
def version_command() -> None:
    """Print the version."""
    print(__version__)
