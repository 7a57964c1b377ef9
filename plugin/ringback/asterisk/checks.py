"""What `ringback check` asks one PBX: the line, the account, the dialplan, the clock; each fault with its cure."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from ringback.asterisk.ami import Account, Ami, Deaf
from ringback.asterisk.rights import contexts_calling_us, dangerous, dialplan_version, rights
from ringback.asterisk.standing import Standing, State
from ringback.errors import PbxAway, PbxRefused
from ringback.ports import Clock

DIALPLAN_VERSION = "1"
"""The `ringback-dialplan` of the include shipped with this program; a test reads it out of the file."""
LONGEST_WAIT_S = 8.0
LOOK_EACH_S = 0.25
CLOCKS_APART_S = 5.0


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that was looked at. `fix` is empty when it is well. `unseen` is what was not looked at therefore."""

    what: str
    found: str
    fix: str = ""
    unseen: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the configuration says of one PBX."""

    account: Account
    inbound: tuple[str, ...]
    trust_caller_id: bool
    allow_dangerous: bool


@asynccontextmanager
async def line_to(account: Account, clock: Clock) -> AsyncIterator[Ami]:
    ami = Ami(account, clock, Deaf())
    ami.start()
    try:
        yield ami
    finally:
        ami.close()


async def check_pbx(expected: Expected, clock: Clock) -> list[Checked]:
    """Log in and ask. An account may be in use only once, so with a daemon running the daemon has to ask."""
    async with line_to(expected.account, clock) as ami:
        found = await check_line(expected, ami, clock)
        standing = ami.standing
    if not found[0].unseen or standing.state not in (State.AWAY, State.REFUSED):
        return found
    # since when it is so is not known, and nobody tries again once this has ended
    return [replace(found[0], found=standing.why or found[0].found), *found[1:]]


async def check_line(expected: Expected, ami: Ami, clock: Clock) -> list[Checked]:
    """Ask over a line that is there. What cannot be asked any more after a fault is named as not looked at."""
    account = expected.account
    name = f"asterisk {account.pbx}"
    standing = await _settled(ami)
    if standing.state is not State.LIVE:
        return [Checked(name, standing.text(clock.now()), _how_to_reach(standing.state, account), ", ".join(ASKED))]
    found = [Checked(name, f"logged in at {account.host}:{account.port} as {account.user}")]
    left = list(ASKED)
    try:
        while left:
            found += await ASKED[left[0]](expected, ami, clock)
            del left[0]
    except (PbxAway, PbxRefused) as problem:
        fix = "give the account write = reporting and run this again"
        found.append(Checked(name, str(problem), fix, ", ".join(left)))
    return found


async def _settled(ami: Ami) -> Standing:
    """Wait until the line is live or refused, or until a try has failed and the next one is set."""
    for _ in range(int(LONGEST_WAIT_S / LOOK_EACH_S)):
        standing = await ami.settled(LOOK_EACH_S)
        if standing.state in (State.LIVE, State.REFUSED) or standing.next_try is not None:
            break
    return ami.standing


def _how_to_reach(state: State, account: Account) -> str:
    if state is State.REFUSED:
        return (
            f"compare user {account.user} and its secret with manager.conf, see that it has write = reporting, "
            "then `manager reload` in Asterisk"
        )
    return (
        f"see that Asterisk runs, that manager.conf has enabled = yes and bindaddr and port {account.port}, "
        f"and that nobody else uses {account.user}"
    )


async def _account(expected: Expected, ami: Ami, _clock: Clock) -> list[Checked]:
    name = f"account {expected.account.user}"
    allowed = await rights(ami)
    found = []
    if missing := allowed.missing():
        found.append(Checked(name, f"may not send {', '.join(missing)}", "add write = reporting to the account"))
    if too_much := dangerous(allowed):
        fix = "" if expected.allow_dangerous else f"take {', '.join(too_much)} out of the account's write line"
        found.append(Checked(name, f"may write {', '.join(too_much)}, which Ringback does not need", fix))
    return found or [Checked(name, "may do what is needed and no more")]


async def _dialplan(expected: Expected, ami: Ami, _clock: Clock) -> list[Checked]:
    version = await dialplan_version(ami)
    if version != DIALPLAN_VERSION:
        found = f"the include is version {version}, not {DIALPLAN_VERSION}" if version else "the include is not loaded"
        return [
            Checked(
                "dialplan",
                found,
                "copy ringback_extensions.conf again, #include it in extensions.conf, then `dialplan reload`",
            )
        ]
    calling = await contexts_calling_us(ami, expected.inbound)
    silent = [context for context in expected.inbound if context not in calling]
    if silent and not expected.trust_caller_id:
        return [
            Checked(
                "dialplan",
                f"no call of ringback-call in {', '.join(silent)}",
                "add Gosub(ringback-call,s,1(${EXTEN})) as the first step there; "
                "without it nobody is texted, since nothing tells whether a number is withheld",
            )
        ]
    return [Checked("dialplan", f"include version {version}, called from {', '.join(sorted(calling)) or 'nowhere'}")]


async def _time(expected: Expected, ami: Ami, clock: Clock) -> list[Checked]:
    name = f"asterisk {expected.account.pbx}"
    stamp = (await ami.ask("Ping")).get("Timestamp")
    try:
        apart = abs(float(stamp) - clock.now().timestamp())
    except ValueError:
        return [Checked("clock", f"{name} does not tell its time")]
    if apart > CLOCKS_APART_S:
        return [Checked("clock", f"{name} is {apart:.0f} s away from ours", "run NTP on both machines")]
    return [Checked("clock", f"within {max(apart, 0.1):.1f} s of {name}")]


ASKED: Mapping[str, Callable[[Expected, Ami, Clock], Awaitable[list[Checked]]]] = {
    "account": _account,
    "dialplan": _dialplan,
    "clock": _time,
}
"""What a line is asked, in this order."""
