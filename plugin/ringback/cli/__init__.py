"""The `ringback` command. Exit codes: 0 done, 1 not done, 2 wrong configuration, 3 another Ringback runs here."""

import gc
import sys

from ringback.errors import ConfigFault, Locked, RingbackError

DONE, NOT_DONE, WRONG_CONFIG, HELD = 0, 1, 2, 3


def main() -> None:
    """Run one command; what went wrong is one clear line a fault on standard error."""
    # what is imported stays: to look for garbage in it is a seventh of the time to the first call
    gc.disable()
    from ringback.cli.commands import cli

    gc.freeze()
    gc.enable()
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
