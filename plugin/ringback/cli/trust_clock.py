"""`ringback trust-clock`: the clock is right, although it shows a moment far beyond all that is known."""

import asyncio
from functools import partial

from ringback import control
from ringback.cli.shared import ConfigOption, who, write_alone
from ringback.config import load
from ringback.core.permissions import at_the_shell
from ringback.flow.retention import trust_clock


def trust_clock_command(config: ConfigOption = None) -> None:
    """Say that the clock is right. Until then nothing is deleted for its age."""
    settings, by = load(config), who()
    answer = asyncio.run(control.ask(settings.paths.state, "trust-clock", by=by))
    if answer is not None:
        print(answer["said"])
        return
    print(write_alone(settings, lambda clock: partial(trust_clock, at_the_shell(by), clock.now())))
