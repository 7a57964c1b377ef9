"""The `ringback` command. Exit codes: 0 done, 1 not done, 2 wrong configuration, 3 another Ringback runs here."""

import gc
import signal
import sys

from ringback.errors import ConfigFault, Locked, RingbackError

DONE, NOT_DONE, WRONG_CONFIG, HELD = 0, 1, 2, 3


def main() -> None:
    """Run one command; what went wrong is one clear line a fault on standard error."""
    daemon = sys.argv[1:2] == ["run"]
    if daemon:
        # there is nothing yet to stop in order; `service.leave_when_told` takes over
        signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(DONE))
    # what is imported stays: to look for garbage in it is a seventh of the time to the first call
    gc.disable()
    from ringback.cli.commands import cli

    gc.freeze()
    gc.enable()
    if not daemon:
        # a command prints its answer, and what it logs goes where faults go
        from ringback.logs import LogFormat, LogLevel, start_logging

        start_logging(LogFormat.PLAIN, LogLevel.WARNING)
    try:
        cli()
    except ConfigFault as fault:
        _fail(fault.faults, WRONG_CONFIG)
    except Locked as problem:
        _fail([str(problem)], HELD)
    except RingbackError as problem:
        _fail([str(problem)], NOT_DONE)


def _fail(lines: list[str], code: int) -> None:
    print("\n".join(lines), file=sys.stderr)
    sys.exit(code)
