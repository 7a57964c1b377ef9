"""Who is at a PBX, as far as our account may ask: phones, their names, mailboxes, hints and queues.

`PJSIPShowEndpoints` takes `write = system`, which brings far more than looking, so it is not asked. `write = reporting`
is enough for all that is asked here (found out on a real Asterisk; tests/lab/test_people_lab.py).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ringback.asterisk.codec import Event
from ringback.asterisk.rights import Asking
from ringback.errors import PbxRefused
from ringback.ports.directory import Asked, Found

MOST_NAMES_ASKED = 3_000
_CALLER_ID = re.compile(r'"?([^"<]*?)"?\s*<([^<>]*)>\s*')
_EXTENSION = re.compile(r"[0-9]{2,8}")
_NAME = re.compile(r"PJSIP/[\w.@+-]{1,80}")
UNKNOWN = frozenset({"", "<unknown>", "(null)", "unknown", "device"})


@dataclass(slots=True)
class _Phone:
    """What was heard of one device."""

    name: str = ""
    extension: str = ""
    mail: str = ""
    queues: list[str] = field(default_factory=list)
    told: bool = False
    """Whether something says that a person is behind it: a mailbox, a queue, a hint, a name in FreePBX."""


async def ask_people(ami: Asking) -> Asked:
    """Ask a PBX who is there. Raises PbxAway."""
    return await _Asker(ami).all()


class _Asker:
    def __init__(self, ami: Asking) -> None:
        self._ami = ami
        self._phones: dict[str, _Phone] = {}
        self._by_hint: dict[str, _Phone] = {}
        self._refused: list[str] = []

    async def all(self) -> Asked:
        for line in await self._list("DeviceStateList"):
            if _NAME.fullmatch(line.get("Device")):
                self._phone(line.get("Device"))
        for line in await self._list("ExtensionStateList"):
            self._hint(line)
        for line in await self._list("QueueStatus"):
            self._member(line)
        freepbx = await self._freepbx()
        for line in await self._list("VoicemailUsersList"):
            self._mailbox(line)
        await self._caller_ids()
        for extension, name in freepbx.items():
            phone = self._of_extension(extension)
            if phone is not None:
                phone.name, phone.told = name, True
        return self._asked()

    async def _list(self, action: str, **fields: str) -> list[Event]:
        try:
            return await self._ami.ask_list(action, **fields)
        except PbxRefused as problem:
            # an Asterisk without queues or voicemail does not know the action, and one without entries says so
            if "ermission" in str(problem):
                self._refused.append(action)
            return []

    def _phone(self, device: str) -> _Phone:
        return self._phones.setdefault(device, _Phone())

    def _hint(self, line: Event) -> None:
        for device in line.get("Hint").split(",")[0].split("&"):
            if _NAME.fullmatch(device) and _EXTENSION.fullmatch(line.get("Exten")):
                phone = self._phone(device)
                phone.told = True
                phone.extension = phone.extension or line.get("Exten")
                self._by_hint.setdefault(phone.extension, phone)

    def _member(self, line: Event) -> None:
        if line.name != "QueueMember":
            return
        device = line.get("StateInterface") or line.get("Location")
        if not _NAME.fullmatch(device):
            return
        phone = self._phone(device)
        phone.told = True
        if line.get("Queue") not in phone.queues:
            phone.queues.append(line.get("Queue"))
        name = line.get("Name")
        if name not in UNKNOWN and name != device and not name.startswith("Local/"):
            phone.name = phone.name or name

    async def _freepbx(self) -> Mapping[str, str]:
        """FreePBX keeps what its `users` table says of an extension in Asterisk's own database as well."""
        names: dict[str, str] = {}
        for line in await self._list("DBGetTree", Family="AMPUSER"):
            _, _, extension, *rest = (*line.get("Key").split("/"), "", "")
            if rest[:1] == ["cidname"] and line.get("Val") not in UNKNOWN:
                names[extension] = line.get("Val")
                if _EXTENSION.fullmatch(extension):
                    self._phone(f"PJSIP/{extension}")
        return names

    def _mailbox(self, line: Event) -> None:
        phone = self._of_extension(line.get("VoiceMailbox"))
        if phone is None:
            return
        phone.told = True
        if line.get("Fullname") not in UNKNOWN:
            phone.name = line.get("Fullname")
        if line.get("Email") not in UNKNOWN:
            phone.mail = line.get("Email").split(",")[0].strip()

    def _of_extension(self, extension: str) -> _Phone | None:
        return self._phones.get(f"PJSIP/{extension}") or self._by_hint.get(extension)

    async def _caller_ids(self) -> None:
        """The caller id of a phone is how others see its person; asked only where nothing else names them."""
        nameless = [device for device, phone in self._phones.items() if not phone.name]
        for device in nameless[:MOST_NAMES_ASKED]:
            try:
                value = (await self._ami.ask("Getvar", Variable=f"PJSIP_ENDPOINT({device[6:]},callerid)")).get("Value")
            except PbxRefused:
                self._refused.append("Getvar")
                return
            if (found := _CALLER_ID.fullmatch(value)) and value not in UNKNOWN:
                phone = self._phones[device]
                phone.name = "" if found[1].strip() in UNKNOWN else found[1].strip()
                if _EXTENSION.fullmatch(found[2]):
                    phone.extension = phone.extension or found[2]
                    self._by_hint.setdefault(phone.extension, phone)

    def _asked(self) -> Asked:
        people, left_out = dict[str, list[tuple[str, _Phone]]](), []
        for device, phone in sorted(self._phones.items()):
            name = device.partition("/")[2]
            extension = phone.extension or (name if _EXTENSION.fullmatch(name) else "")
            if extension and (phone.told or _EXTENSION.fullmatch(name)):
                people.setdefault(extension, []).append((device, phone))
            else:
                left_out.append(device)
        found = [_person(extension, phones) for extension, phones in people.items()]
        return Asked(tuple(found), tuple(left_out), tuple(self._refused))


def _person(extension: str, phones: list[tuple[str, _Phone]]) -> Found:
    """Who is at an extension. A desk phone and a softphone are one person; the one named like it comes first."""
    phones = sorted(phones, key=lambda one: one[0] != f"PJSIP/{extension}")
    name = next((phone.name for _, phone in phones if phone.name), "")
    mail = next((phone.mail for _, phone in phones if phone.mail), "")
    queues = {queue for _, phone in phones for queue in phone.queues}
    return Found(phones[0][0], extension, name, mail, tuple(sorted(queues)))
