"""Letting in people of a directory: who they are here, as what they work, and whom they must not be taken for."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from ringback.core.department_tree import path_of
from ringback.core.grants import Department
from ringback.core.permissions import Role
from ringback.errors import RingbackError
from ringback.flow.departments import join_department, leave_department
from ringback.flow.people import Details, NewUser, add_user, describe_user, in_words, read_login, read_name, set_roles
from ringback.flow.refusing import Because as WhyRefused
from ringback.flow.refusing import Refused
from ringback.ports.directories import Admission, Person
from ringback.ports.people import Account, Contact
from ringback.ports.storage import Tx


class Because(StrEnum):
    """Why somebody of a directory does not get in."""

    DISABLED = "disabled"
    TAKEN = "taken"
    STRANGER = "stranger"
    NO_ROLE = "no_role"
    BAD_LOGIN = "bad_login"
    FIRST = "first"


SENTENCES: Mapping[Because, str] = {
    Because.DISABLED: "You may not log in here. Ask an administrator.",
    Because.TAKEN: "Somebody else has your login here. Ask an administrator.",
    Because.STRANGER: "You have no account here. Ask an administrator.",
    Because.NO_ROLE: "None of your groups may log in here. Ask an administrator.",
    Because.BAD_LOGIN: "Your login cannot be used here. Ask an administrator.",
    Because.FIRST: "Nobody administers this panel yet. The first user is added on the machine itself.",
}


class NotAdmitted(RingbackError):
    """They do not get in."""

    def __init__(self, why: Because) -> None:
        super().__init__(SENTENCES[why])
        self.why = why


def admit(person: Person, admission: Admission, now: datetime, tx: Tx) -> Account:
    """Find or make the account of somebody whom a directory vouches for. Raises NotAdmitted.

    They are known by who they are there, never by their login: a stranger of the same name gets nobody's account.
    """
    account = tx.accounts.of_outside(person.outside)
    if account is None:
        account = _new(person, admission, now, tx)
    elif account.disabled_at is not None:
        raise NotAdmitted(Because.DISABLED)
    else:
        _follow(account, person, admission, now, tx)
    _describe(account, person, admission, now, tx)
    _put_into_departments(account, person, admission, now, tx)
    latest = tx.accounts.get(account.public_id)
    assert latest is not None
    return latest


def roles_of(person: Person, admission: Admission) -> frozenset[Role]:
    """What their groups make them, else what everybody of this directory is."""
    mapped = frozenset(role for role, groups in admission.roles.items() if groups & person.groups)
    return mapped or frozenset([admission.default_role] if admission.default_role else [])


def _new(person: Person, admission: Admission, now: datetime, tx: Tx) -> Account:
    if not admission.create:
        raise NotAdmitted(Because.STRANGER)
    roles = roles_of(person, admission)
    if not roles:
        raise NotAdmitted(Because.NO_ROLE)
    if tx.accounts.administrators() == 0:
        # whoever comes first must not become the owner of the house by a mapping nobody has tried
        raise NotAdmitted(Because.FIRST)
    try:
        login = read_login(person.login)
    except Refused as refused:
        raise NotAdmitted(Because.BAD_LOGIN) from refused
    if tx.accounts.find(login) is not None:
        raise NotAdmitted(Because.TAKEN)
    made = add_user(NewUser(login, _name(person), roles, ""), admission.kind, now, tx)
    tx.accounts.bring_in(made.id, admission.kind, person.outside, now)
    return made


def _follow(account: Account, person: Person, admission: Admission, now: datetime, tx: Tx) -> None:
    """Their groups may have changed. Without a map, what an administrator chose here stays."""
    if not admission.roles:
        return
    roles = roles_of(person, admission)
    if not roles:
        raise NotAdmitted(Because.NO_ROLE)
    try:
        set_roles(account.public_id, roles, admission.kind, now, tx)
    except Refused as refused:  # the last administrator stays one, and so does the last who serves a number
        if refused.why is WhyRefused.LAST_OF_NUMBER:
            # it was refused for what came of it, and the rest of this step goes on
            tx.accounts.change_roles(account.id, account.roles, now)
        tx.audit.note(admission.kind, "user_role", account.public_id, f"kept {in_words(account.roles)}", now)


def _describe(account: Account, person: Person, admission: Admission, now: datetime, tx: Tx) -> None:
    name, mail = _name(person) or account.name, _mail(person.mail) or account.mail
    if (name, mail) != (account.name, account.mail):
        contact = Contact(account.extension, account.endpoint, mail, account.mobile)
        describe_user(account.public_id, Details(name, contact, account.language), admission.kind, now, tx)


def _put_into_departments(account: Account, person: Person, admission: Admission, now: datetime, tx: Tx) -> None:
    """Those that the map names, and only those: memberships that were given here stay."""
    if not admission.departments:
        return
    book = tx.grants.book()
    by_name = {department.name: department for department in book.departments.values()}
    now_in = frozenset(book.members.get(account.id, ()))
    for name, groups in admission.departments.items():
        department = by_name.get(name)
        if department is None:
            continue
        if groups & person.groups and department.id not in now_in:
            join_department(account.public_id, department.public_id, "", admission.kind, now, tx)
        elif not groups & person.groups and department.id in now_in:
            _leave(account, department, admission.kind, now, tx)


def _leave(account: Account, department: Department, by: str, now: datetime, tx: Tx) -> None:
    """Whoever alone sees what comes in at a number stays, whatever the directory says."""
    main = "main" if tx.grants.book().members[account.id][0] == department.id else ""
    try:
        leave_department(account.public_id, department.public_id, by, now, tx)
    except Refused:
        # it was refused for what came of it, and the rest of this step goes on
        tx.departments.join(account.id, department.id, now, main)
        where = path_of(tx.grants.book().departments, department.id)
        detail = f"kept in {where}: nobody else is left for its numbers"
        tx.audit.note(by, "department_leave", account.public_id, detail, now)


def _name(person: Person) -> str:
    try:
        return read_name(person.name[:80])
    except Refused:
        return ""


def _mail(text: str) -> str:
    plain = text.isascii() and text.isprintable() and " " not in text and text.count("@") == 1
    return text if plain and len(text) <= 254 else ""
