"""A PBX that speaks AMI over TCP: banner, Login, FullyBooted, lists, events; and it can be cut, hung, mute or rude.

async with FakePbx() as pbx:
    ...connect to 127.0.0.1:pbx.port...
    await pbx.client()                      # somebody is logged in and has taken the snapshot
    pbx.say("Hangup", Uniqueid="lab-1.1")   # to all who are logged in
    pbx.cut()                               # the connections break, the port stays open
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ringback.asterisk.codec import Event

Lines = list[tuple[str, str]]

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
REPORTING = {
    "CoreShowChannels": "List currently active channels.  (Priv: system,reporting,all)",
    "CoreStatus": "Show PBX core status variables.  (Priv: system,reporting,all)",
    "DeviceStateList": "List the current known device states.  (Priv: call,reporting,all)",
    "Getvar": "Gets a channel variable or function value.  (Priv: call,reporting,all)",
    "ListCommands": "List available manager commands.  (Priv: <none>)",
    "Ping": "Keepalive command.  (Priv: <none>)",
    "QueueStatus": "Show queue status.  (Priv: <none>)",
    "ShowDialPlan": "Show dialplan contexts and extensions  (Priv: config,reporting,all)",
    "ConfbridgeList": "List participants in a conference.  (Priv: reporting,all)",
}

CHANNEL = {
    # Every event about a channel holds all of this, in this order.
    "Channel": "PJSIP/carrier-00000001",
    "ChannelState": "6",
    "ChannelStateDesc": "Up",
    "CallerIDNum": "+15125550123",
    "CallerIDName": "Pat Example",
    "ConnectedLineNum": "<unknown>",
    "ConnectedLineName": "<unknown>",
    "Language": "en",
    "AccountCode": "",
    "Context": "from-trunk",
    "Exten": "+12025550101",
    "Priority": "1",
    "Uniqueid": "1",
    "Linkedid": "1",
}


def message(lines: Iterable[tuple[str, str]]) -> bytes:
    """The lines as Asterisk writes them."""
    return b"".join(f"{name}: {value}\r\n".encode() for name, value in lines) + b"\r\n"


def event(name: str, **fields: str) -> bytes:
    """An event about a channel, as Asterisk writes it; `Cause_txt` becomes `Cause-txt`."""
    named = {key.replace("_", "-"): value for key, value in fields.items()}
    about = {**CHANNEL, "Linkedid": fields.get("Uniqueid", "1")} | named
    return message([("Event", name), ("Privilege", "call,all"), *about.items()])


@dataclass(eq=False)
class Client:
    """One connection to the fake."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    logged_in: bool = False

    def write(self, data: bytes) -> None:
        if not self.writer.is_closing():
            self.writer.write(data)


@dataclass(eq=False)
class FakePbx:
    """The knobs are plain attributes; change them at any time. `port` stays the same when it stops and starts."""

    users: dict[str, str] = field(default_factory=lambda: {"ringback": "secret"})
    commands: dict[str, str] = field(default_factory=lambda: dict(REPORTING))
    channels: list[Lines] = field(default_factory=list)
    dialplan: dict[str, list[Lines]] = field(default_factory=dict)
    queues: list[Event] = field(default_factory=list)
    """Lines of QueueStatus."""
    devices: list[Event] = field(default_factory=list)
    """Lines of DeviceStateList."""
    variables: dict[str, dict[str, str]] = field(default_factory=dict)
    """Of each channel by its name; any other variable of any channel is empty."""
    uptime: int = 100
    booted: bool = True
    """Whether FullyBooted is sent behind the login; `boot()` sends it later."""
    mute: bool = False
    """Reads, answers nothing and says nothing: a hung Asterisk, or a half-open connection."""
    taken: set[str] = field(default_factory=set)
    """Users that are logged in from somewhere else, where an account lets in one at a time."""
    silent_to: set[str] = field(default_factory=set)
    """Actions that are never answered."""
    banner: bytes = BANNER
    before_answer: Callable[[str, dict[str, str]], None] | None = None
    """Called with the action's name and headers before it is answered: say or cut something there."""
    heard: list[dict[str, str]] = field(default_factory=list)
    """Every action that came, in order."""
    connections: int = 0
    port: int = 0

    def __post_init__(self) -> None:
        self._server: asyncio.Server | None = None
        self._clients: list[Client] = []
        self._handlers: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> "FakePbx":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; at the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=2**20)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            self._server.close()
        self.cut()
        if self._handlers:
            await asyncio.wait(self._handlers)
        self._server = None

    # -- waiting for what a client does

    async def until(self, seen: Callable[[], bool], within: float = 10.0) -> None:
        """Wait until `seen()` holds; it is looked at whenever a client did something."""
        async with asyncio.timeout(within), self._changed:
            await self._changed.wait_for(seen)

    async def action(self, name: str, count: int = 1) -> dict[str, str]:
        """Wait for the action to have come so many times; return the last one."""
        await self.until(lambda: len(self.asked(name)) >= count)
        return self.asked(name)[count - 1]

    def asked(self, name: str) -> list[dict[str, str]]:
        return [action for action in self.heard if action.get("Action") == name]

    async def client(self, count: int = 1) -> None:
        """Wait until so many snapshots were asked for, all connections counted."""
        await self.action("CoreShowChannels", count)

    # -- saying things

    def say(self, name: str, **fields: str) -> None:
        """Send an event about a channel to all who are logged in."""
        self.raw(event(name, **fields))

    def raw(self, data: bytes) -> None:
        """Send these bytes to all who are logged in."""
        for client in self._clients:
            if client.logged_in and not self.mute:
                client.write(data)

    async def portions(self, data: bytes, size: int) -> None:
        """Send these bytes so many at a time, each by itself."""
        for begin in range(0, len(data), size):
            self.raw(data[begin : begin + size])
            await self.drained()

    async def drained(self) -> None:
        """Wait until the clients have taken what was said."""
        for client in list(self._clients):
            await client.writer.drain()

    def boot(self) -> None:
        """Asterisk is fully booted now, and says so to all."""
        self.booted = True
        self.raw(self._fully_booted())

    def cut(self) -> None:
        """Break every connection at once."""
        for client in self._clients:
            client.writer.transport.abort()
        self._clients.clear()

    def restart(self) -> None:
        """A new Asterisk: connections broken, no channels, the clock of `Uptime` at zero."""
        self.channels.clear()
        self.uptime = 0
        self.cut()

    # -- the conversation

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        task.add_done_callback(self._handlers.discard)
        client = Client(reader, writer)
        self._clients.append(client)
        self.connections += 1
        if not self.mute:
            client.write(self.banner)
        try:
            await self._noticed()
            while True:
                await self._hear(client, await reader.readuntil(b"\r\n\r\n"))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.transport.abort()
            if client in self._clients:
                self._clients.remove(client)
            await self._noticed()

    async def _hear(self, client: Client, data: bytes) -> None:
        lines = [line.partition(": ") for line in data.decode().removesuffix("\r\n\r\n").split("\r\n")]
        action = {name: value for name, _, value in lines}
        assert len(action) == len(lines), f"a header came twice: {data!r}"
        self.heard.append(action)
        name = action.get("Action", "")
        if self.before_answer is not None:
            self.before_answer(name, action)
        if not self.mute and name not in self.silent_to:
            self._answer(client, name, action)
        await self._noticed()

    async def _noticed(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _answer(self, client: Client, name: str, action: dict[str, str]) -> None:
        action_id = ("ActionID", action.get("ActionID", ""))
        if name == "Login":
            self._login(client, action)
        elif name == "Logoff":
            client.write(message([("Response", "Goodbye"), action_id]))
            client.writer.close()
        elif not client.logged_in or (name not in self.commands and name != "Ping"):
            client.write(message([("Response", "Error"), action_id, ("Message", "Permission denied")]))
        else:
            client.write(self._answers(name, action, action_id))

    def _login(self, client: Client, action: dict[str, str]) -> None:
        action_id = ("ActionID", action.get("ActionID", ""))
        secret = self.users.get(action.get("Username", ""))
        if secret is None or secret != action.get("Secret"):
            client.write(message([("Response", "Error"), action_id, ("Message", "Authentication failed")]))
            client.writer.close()
            return
        if action["Username"] in self.taken:
            client.write(message([("Response", "Error"), action_id, ("Message", "Login Already In Use")]))
            client.writer.close()
            return
        client.write(message([("Response", "Success"), action_id, ("Message", "Authentication accepted")]))
        client.logged_in = True
        if self.booted:
            client.write(self._fully_booted())

    def _fully_booted(self) -> bytes:
        uptime = str(self.uptime)
        told = [("Uptime", uptime), ("LastReload", uptime), ("Status", "Fully Booted")]
        return message([("Event", "FullyBooted"), ("Privilege", "system,all"), *told])

    def _answers(self, name: str, action: dict[str, str], action_id: tuple[str, str]) -> bytes:
        success = [("Response", "Success"), action_id]
        match name:
            case "Ping":
                return message([*success, ("Ping", "Pong"), ("Timestamp", "1795303507.222289")])
            case "ListCommands":
                return message([*success, *self.commands.items()])
            case "CoreShowChannels":
                return self._list("CoreShowChannel", "CoreShowChannelsComplete", self.channels, action_id)
            case "QueueStatus":
                return self._told("QueueStatusComplete", self.queues, action_id)
            case "DeviceStateList":
                return self._told("DeviceStateListComplete", self.devices, action_id)
            case "ShowDialPlan" if action.get("Context") not in self.dialplan:
                text = f"Did not find context {action.get('Context')}"
                return message([("Response", "Error"), action_id, ("Message", text)])
            case "ShowDialPlan":
                lines = self.dialplan[action["Context"]]
                return self._list("ListDialplan", "ShowDialPlanComplete", lines, action_id)
            case "Getvar":
                name = action.get("Variable", "")
                value = self.variables.get(action.get("Channel", ""), {}).get(name, "")
                return message([*success, ("Variable", name), ("Value", value)])
        return message(success)

    def _told(self, end: str, items: list[Event], action_id: tuple[str, str]) -> bytes:
        """A list whose lines are not all of one kind; their ActionID stands where Asterisk writes it."""
        begin = message([("Response", "Success"), action_id, ("EventList", "start"), ("Message", "will follow")])
        body = b"".join(message([("Event", one.name), *one.fields.items(), action_id]) for one in items)
        return begin + body + message([("Event", end), action_id, ("EventList", "Complete")])

    def _list(self, item: str, end: str, items: list[Lines], action_id: tuple[str, str]) -> bytes:
        begin = message([("Response", "Success"), action_id, ("EventList", "start"), ("Message", "will follow")])
        body = b"".join(message([("Event", item), action_id, *lines]) for lines in items)
        closing = [("Event", end), action_id, ("EventList", "Complete"), ("ListItems", str(len(items)))]
        return begin + body + message(closing)


def channel(uniqueid: str, context: str = "from-trunk", **fields: str) -> Lines:
    """A line of CoreShowChannels."""
    base = {
        **CHANNEL,
        "Channel": f"PJSIP/carrier-{uniqueid}",
        "Context": context,
        "Uniqueid": uniqueid,
        "Linkedid": uniqueid,
        "Application": "Queue",
        "ApplicationData": "",
        "Duration": "00:00:02",
        "BridgeId": "",
    }
    return list((base | fields).items())
