"""The pages of whoever sets things up: people, rights, lists, the record, keys. Loaded when somebody first looks."""

from collections.abc import Callable
from dataclasses import dataclass

from ringback.behind import Behind
from ringback.core.numbers import Number
from ringback.flow.advice import Advice, consider
from ringback.flow.permits import Permits
from ringback.panel.app import PageSet
from ringback.panel.audit import AuditPages, Shelf
from ringback.panel.carriers import CarrierPages
from ringback.panel.door import Door
from ringback.panel.keys import KeyPages, Locksmith
from ringback.panel.list_files import ListFiles
from ringback.panel.listed import ListedActs
from ringback.panel.lists import ListPages
from ringback.panel.logged_in import principal_of
from ringback.panel.people_pages import people_pages
from ringback.panel.people_parts import Registry
from ringback.panel.permissions_pages import permission_pages
from ringback.panel.permissions_parts import GrantOffice
from ringback.panel.person_file import Cabinet, PersonPages
from ringback.panel.runs import Office, RunPages
from ringback.ports.pairs import Thread
from ringback.ports.people import Account
from ringback.staffing import make_lines
from ringback.store.grants import ReadGrants
from ringback.store.keys import Ring
from ringback.store.late import read_calls, read_person, read_record, read_threads
from ringback.store.read_bulks import StoredBulks
from ringback.store.read_people import StoredPeople


@dataclass(frozen=True, slots=True)
class Keys:
    """What these pages need of the front beside what stands behind all pages. `typed` reads a number as somebody types
    it; `keys_changed` is called after a program's key is another."""

    door: Door
    permits: Permits
    ring: Ring
    keys_changed: Callable[[], None]
    typed: Callable[[str], Number]


def administration_pages(behind: Behind, keys: Keys) -> list[PageSet]:
    """Everything below `front.ADMINISTERED`."""
    return [*_people(behind, keys), *_permissions(behind, keys), *_lists(behind, keys), *_house(behind, keys)]


def _people(behind: Behind, keys: Keys) -> list[PageSet]:
    directory, grants = StoredPeople(behind.database), ReadGrants(behind.database)
    registry = Registry(keys.door, directory, keys.permits, grants, behind.settings.business.default_country)
    return people_pages(registry, make_lines(behind.settings, behind.carriers), behind.askers, behind.imports)


def _permissions(behind: Behind, keys: Keys) -> list[PageSet]:
    door, grants = keys.door, ReadGrants(behind.database)
    watching = door.guard.watching
    office = GrantOffice(door.shell, keys.permits, grants, door.people, behind.database, behind.clock, watching)

    async def ask_gates(account: Account, number: str, to: str) -> Advice | None:
        """What every gate would say to a text of this account to somebody; changes nothing."""
        peer = keys.typed(to)
        if not peer.e164:
            return None
        who, now = principal_of(account), behind.clock.now()
        thread = Thread(0, "", 0, number, peer.e164)
        return await behind.database.commit(lambda tx: consider(behind.house, who, thread, "", now, tx))

    return permission_pages(office, ask_gates)


def _lists(behind: Behind, keys: Keys) -> list[PageSet]:
    shell, database = keys.door.shell, behind.database
    return [
        ListPages(shell, behind.lists, keys.typed),
        ListFiles(shell, behind.lists, keys.typed, behind.settings.business.zone, behind.clock),
        ListedActs(shell, behind.lists, read_threads(database), read_calls(database)),
    ]


def _house(behind: Behind, keys: Keys) -> list[PageSet]:
    door, database, clock = keys.door, behind.database, behind.clock
    shell, verifier = door.shell, behind.recordkeeping.verifier
    shelf = Shelf(read_record(database), behind.recordkeeping, door.people, keys.ring, database, clock)
    inbox = read_threads(database)
    cabinet = Cabinet(read_person(database), inbox, behind.retention, verifier, database, clock)
    per_minute = behind.house.limits.per_number_per_minute
    return [
        CarrierPages(shell, behind.reins),
        KeyPages(shell, Locksmith(keys.ring, door.people, database, clock, keys.keys_changed)),
        AuditPages(shell, shelf),
        PersonPages(shell, cabinet),
        RunPages(shell, Office(StoredBulks(database), behind.runs, keys.ring, per_minute, clock)),
    ]
