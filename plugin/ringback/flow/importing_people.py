"""Bringing people in from a table or a PBX: first what would change, then all of it in one step, or nothing.

That step keeps every text waiting while it lasts: what is planned before it holds when nobody was changed meanwhile,
and what it stores goes in many rows a statement.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from ringback.core.department_tree import BETWEEN, path_of
from ringback.core.people_rows import Sheet
from ringback.core.plurals import count_of
from ringback.errors import RingbackError
from ringback.flow.owners import keep_served
from ringback.flow.people import in_words, let_sessions_go, note_of_changes
from ringback.flow.planning_people import Known, Origin, Person, Plan, plan_people
from ringback.ports.people import Account, Contact, Described, Newcomer, Noted
from ringback.ports.storage import Tx

SHOWN = 20
"""Faults that a command prints."""


class Faulty(RingbackError):
    """The import cannot be carried out as it is; nothing was stored."""

    def __init__(self, plan: Plan) -> None:
        shown = "\n".join(str(one) for one in plan.troubles[:SHOWN])
        more = f"\nand {len(plan.troubles) - SHOWN} more" if len(plan.troubles) > SHOWN else ""
        super().__init__(f"{shown}{more}\nNothing was stored.")
        self.plan = plan


@dataclass(frozen=True, slots=True)
class Ready:
    """A plan that was made before the step, and for whom."""

    plan: Plan
    known: Known

    @classmethod
    def make(cls, sheet: Sheet, origin: Origin, known: Known) -> "Ready":
        return cls(plan_people(sheet, origin, known), known)

    def holds(self, known: Known) -> bool:
        """Whether they are as they were."""
        same_book = self.known.book.version == known.book.version
        return same_book and list(self.known.accounts) == list(known.accounts)


def import_people(sheet: Sheet, origin: Origin, by: str, now: datetime, tx: Tx, *, ready: Ready | None = None) -> Plan:
    """Bring people in: all of them, or none. Raises Faulty, and Refused where a number would be left to nobody."""
    known = Known(tx.accounts.all(), tx.grants.book())
    plan = ready.plan if ready is not None and ready.holds(known) else plan_people(sheet, origin, known)
    if plan.troubles:
        raise Faulty(plan)
    keep_served(partial(_store, plan, origin, by, now, tx), by, now, tx)
    told = [count_of(len(plan.new), "new user"), f"{len(plan.changed)} changed", f"{plan.same} as before"]
    tx.audit.note(by, "people_import", origin.source, ", ".join(told), now)
    return plan


def _store(plan: Plan, origin: Origin, by: str, now: datetime, tx: Tx) -> None:
    rows = _make_departments(plan, by, now, tx)
    members = tx.grants.book().members
    made = _add(plan.new, origin, by, now, tx)
    changed = _change(plan.changed, by, now, tx)
    joining = [
        (account.id, rows[path.casefold()], "" if place or members.get(account.id) else "main")
        for person, account in (*zip(plan.new, made, strict=True), *changed)
        for place, path in enumerate(person.joins)
    ]
    if joining:
        tx.departments.join_all(joining, now)


def _make_departments(plan: Plan, by: str, now: datetime, tx: Tx) -> Mapping[str, int]:
    tree = tx.grants.book().departments
    rows = {path_of(tree, one.id).casefold(): one.id for one in tree.values()}
    for path in plan.departments:
        above, _, name = path.rpartition(BETWEEN)
        made = tx.departments.add(name, rows.get(above.casefold()), now)
        assert made is not None, "the plan was made in this very step"
        rows[path.casefold()] = made.id
        tx.audit.note(by, "department_add", made.public_id, path, now)
    return rows


def _add(people: Sequence[Person], origin: Origin, by: str, now: datetime, tx: Tx) -> list[Account]:
    newcomers = [Newcomer(one.login, one.roles, _described(one.said)) for one in people]
    made = tx.accounts.bring_all(newcomers, origin.source, now)
    notes = [Noted(one.public_id, f"{one.login}, {in_words(one.roles)}, from {origin.source}") for one in made]
    tx.audit.note_all(by, "user_add", notes, now)
    return made


def _change(people: Sequence[Person], by: str, now: datetime, tx: Tx) -> list[tuple[Person, Account]]:
    found = [(one, one.account) for one in people if one.account is not None]
    tx.accounts.describe_all({account.id: _described(one.said) for one, account in found}, now)
    for person, account in found:
        if person.roles != account.roles:
            tx.accounts.change_roles(account.id, person.roles, now)
            let_sessions_go(account.id, person.roles, by, now, tx)
    notes = [note_of_changes(account, person.changes) for person, account in found]
    tx.audit.note_all(by, "user_describe", notes, now)
    return found


def _described(said: Mapping[str, str]) -> Described:
    contact = Contact(said.get("extension", ""), said.get("endpoint", ""), said.get("mail", ""), said.get("mobile", ""))
    return Described(said.get("name", ""), said.get("language", ""), contact)
