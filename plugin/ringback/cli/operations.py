"""What each command asks: to be run on this machine, by root or whom the daemon belongs to. The system decides that, by
the rights of the state folder and of the control socket in it. A command without a row here fails the build."""

from ringback.core.operations import About, Free, Operation, Surface

_NAMES: dict[About, str] = {
    About.HOUSE: """run, init, check, migrate, version, status, doctor, backup, restore, pause, trust-clock, replay,
        try, staging, secrets rotate, audit list, audit export, audit verify, dialplan check""",
    About.QUEUE: """queue list, queue show, queue add, queue set, queue rename, queue remove, queue member, queue voice,
        queue number, queue map""",
    About.CARRIER: "carrier list, carrier hold, carrier release",
    About.KEY: "key list, key add, key revoke",
    About.PERSON: """user list, user add, user edit, user role, user password, user reset, user totp-off, user disable,
        user enable, user logout, agent list, agent set, agent ready, agent away, user import, user export,
        department list, department add, department rename, department move, department join, department leave,
        department remove, grant, allowance""",
    About.NUMBER: """number list, number label, number put, number own, number outbound, number group add,
        number group rename, number group remove""",
    About.LIST: "explain, erase, person, settle, list show, list add, list remove, list import, bulk list",
    About.SESSION: "session list",
    About.RUN: "bulk show, bulk cancel",
}
COMMANDS: tuple[Operation, ...] = tuple(
    Operation(Surface.COMMAND, "ringback", " ".join(name.split()), Free.MACHINE, about)
    for about, names in _NAMES.items()
    for name in names.split(",")
)
