"""What an import of people would change, line by line, and what is wrong with it. Nothing is stored here."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from ringback.core.book import Book
from ringback.core.department_tree import BETWEEN, DEEPEST, Tree, by_words, path_of
from ringback.core.people_rows import Column, Fault, PersonRow, Sheet, Trouble, paths_in
from ringback.core.permissions import Role
from ringback.flow.contacts import read_endpoint, read_extension, read_mail, read_mobile
from ringback.flow.departments import read_department_name
from ringback.flow.people import Change, differences, fold_login, in_words, read_login, read_name, read_roles, said_of
from ringback.flow.refusing import SENTENCES, Because, Refused
from ringback.ports.people import Account

DEFAULT_ROLES = frozenset({Role.AGENT})


class Merge(StrEnum):
    """What holds where both sides say something of a person who is here already."""

    SAYS = "says"
    """What comes in, where it says something: a list that somebody keeps."""
    FILLS = "fills"
    """What is here: a PBX knows less of a person than those who typed it in."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where people come from. `country` is where mobiles are that name none; `languages` those the panel has."""

    source: str
    merge: Merge
    country: str
    languages: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """Who is here already."""

    accounts: Sequence[Account]
    book: Book


@dataclass(frozen=True, slots=True)
class Person:
    """What becomes of one line: `account` is who it is about, None for somebody new. `joins` are paths."""

    line: int
    login: str
    account: Account | None
    said: Mapping[str, str]
    roles: frozenset[Role]
    joins: tuple[str, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do. With `troubles` it does nothing."""

    people: tuple[Person, ...]
    troubles: tuple[Trouble, ...]
    departments: tuple[str, ...]
    """Paths that are made."""
    left_out: tuple[str, ...] = ()

    @property
    def new(self) -> tuple[Person, ...]:
        return tuple(one for one in self.people if one.account is None)

    @property
    def changed(self) -> tuple[Person, ...]:
        return tuple(one for one in self.people if one.account is not None and one.changes)

    @property
    def same(self) -> int:
        return len(self.people) - len(self.new) - len(self.changed)


def plan_people(sheet: Sheet, origin: Origin, known: Known) -> Plan:
    """Say what an import would do to those who are here."""
    planner = _Planner(origin, known, frozenset((one.line, one.column) for one in sheet.troubles))
    planner.see_who_moves(sheet.rows)
    people = [planner.person(row) for row in sheet.rows]
    found = tuple(one for one in people if one is not None)
    if sheet.rows and not sheet.troubles:
        planner.check_administrators(found)
    troubles = sorted((*sheet.troubles, *planner.troubles), key=lambda one: (one.line, one.column))
    return Plan(found, tuple(troubles), tuple(planner.made), sheet.left_out)


@dataclass
class _Planner:
    origin: Origin
    known: Known
    wrong: frozenset[tuple[int, str]]
    """Cells that are known to be wrong; one fault each is enough."""
    troubles: list[Trouble] = field(default_factory=list)
    made: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        active = [one for one in self.known.accounts if one.disabled_at is None]
        self._by_login = {one.login: one for one in self.known.accounts}
        self._by_extension = {one.extension: one for one in active if one.extension}
        self._by_endpoint = {one.endpoint: one for one in active if one.endpoint}
        self._moves: dict[int, str] = {}
        self._met: dict[int, int] = {}
        self._joinable = _Joinable(self.known.book.departments)

    def see_who_moves(self, rows: Sequence[PersonRow]) -> None:
        """Who gets another extension in this very table leaves the one they have: two people may swap theirs."""
        if self.origin.merge is Merge.FILLS:
            return
        for row in rows:
            login, extension = fold_login(row.get(Column.LOGIN)), row.get(Column.EXTENSION)
            if extension and (account := self._by_login.get(login)) is not None:
                self._moves[account.id] = extension

    def person(self, row: PersonRow) -> Person | None:
        """What one line means; what is wrong with it is noted."""
        before = len(self.troubles)
        said = {str(column): self._read(row, column) for column in READERS if row.get(column)}
        account, login = self._whom(row, said)
        self._check_extension(row, said.get("extension", ""), account)
        roles = self._roles(row, account)
        joins = self._joins(row, account)
        if len(self.troubles) > before or not login:
            return None
        return self._planned(row, login, account, said, roles, joins)

    def _planned(
        self,
        row: PersonRow,
        login: str,
        account: Account | None,
        said: Mapping[str, str],
        roles: frozenset[Role],
        joins: tuple[str, ...],
    ) -> Person:
        was = said_of(account) if account else {}
        fills = account is not None and self.origin.merge is Merge.FILLS
        now = {what: value for what, value in said.items() if not (fills and was.get(what))}
        changes = [*differences(was, {**was, **now})]
        if account is not None and roles != account.roles:
            changes.append(("roles", in_words(account.roles), in_words(roles)))
        if joins:
            changes.append(("departments", "", ", ".join(joins)))
        return Person(row.line, login, account, {**was, **now}, roles, joins, tuple(changes))

    def _read(self, row: PersonRow, column: Column) -> str:
        """A cell as it is stored; empty, and noted, when it is wrong."""
        try:
            return READERS[column](row.get(column), self.origin)
        except Refused as refused:
            self._trouble(row, column, refused)
            return ""

    def _whom(self, row: PersonRow, said: Mapping[str, str]) -> tuple[Account | None, str]:
        try:
            login = read_login(row.get(Column.LOGIN)) if row.get(Column.LOGIN) else ""
            account = self._by_login.get(login) if login else self._by_phone(said)
            login = login or (account.login if account else read_login(said.get("extension", "")))
        except Refused as refused:
            if row.get(Column.LOGIN) or said.get("extension"):
                self._trouble(row, Column.LOGIN, refused)
            return None, ""
        # somebody who has this login and is somebody else: their extension was taken from them
        account = account or self._by_login.get(login)
        if account is not None and self._met.setdefault(account.id, row.line) != row.line:
            values = {"cell": account.login, "other": str(self._met[account.id])}
            self.troubles.append(Trouble(row.line, Column.LOGIN, Fault.AGAIN, values))
        return account, login

    def _by_phone(self, said: Mapping[str, str]) -> Account | None:
        found = self._by_extension.get(said.get("extension", ""))
        return found or self._by_endpoint.get(said.get("endpoint", ""))

    def _check_extension(self, row: PersonRow, extension: str, account: Account | None) -> None:
        holder = self._by_extension.get(extension)
        stays = holder is not None and self._moves.get(holder.id, extension) == extension
        if holder is not None and stays and (account is None or holder.id != account.id):
            self._trouble(row, Column.EXTENSION, Refused(Because.EXTENSION_TAKEN, who=holder.called))

    def _roles(self, row: PersonRow, account: Account | None) -> frozenset[Role]:
        present = account.roles if account else DEFAULT_ROLES
        if not row.get(Column.ROLES) or (account is not None and self.origin.merge is Merge.FILLS):
            return present
        try:
            return read_roles(row.get(Column.ROLES).replace(";", " ").casefold())
        except Refused as refused:
            self._trouble(row, Column.ROLES, refused)
            return present

    def _joins(self, row: PersonRow, account: Account | None) -> tuple[str, ...]:
        """The departments they are not in yet, those that are not there yet among them."""
        mine = self.known.book.members.get(account.id, ()) if account else ()
        joins: list[str] = []
        for path in paths_in(row.get(Column.DEPARTMENTS)):
            try:
                where = self._joinable.find([read_department_name(name) for name in path], self.made)
            except Refused as refused:
                self._trouble(row, Column.DEPARTMENTS, refused)
                continue
            found = by_words(self.known.book.departments, where)
            if (found is None or found.id not in mine) and where not in joins:
                joins.append(where)
        return tuple(joins)

    def _trouble(self, row: PersonRow, column: Column, refused: Refused) -> None:
        if (row.line, column) in self.wrong:
            return
        sentence = SENTENCES[refused.why]
        self.troubles.append(Trouble(row.line, column, Fault.BAD, refused.values, sentence))

    def check_administrators(self, people: Sequence[Person]) -> None:
        """Somebody must be able to manage users when it is done."""
        becomes = {one.account.id: one.roles for one in people if one.account}
        stay = any(
            Role.ADMINISTRATOR in becomes.get(one.id, one.roles)
            for one in self.known.accounts
            if one.disabled_at is None
        )
        if not stay and not any(Role.ADMINISTRATOR in one.roles for one in people if one.account is None):
            self.troubles.append(Trouble(0, "", Fault.NO_ADMINISTRATOR, {}))


class _Joinable:
    """Departments that are here, and those that an import makes."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._where = {one.name.casefold(): path_of(tree, one.id) for one in tree.values()}

    def find(self, names: Sequence[str], made: list[str]) -> str:
        """The path of a department; what of it is not there yet goes to `made`. Raises Refused."""
        if len(names) > DEEPEST:
            raise Refused(Because.TOO_DEEP)
        where = self._where.get(names[0].casefold(), "") if len(names) == 1 else ""
        if where:
            return where
        path = ""
        for name in names:
            path = self._step(path, name, made)
        return path

    def _step(self, above: str, name: str, made: list[str]) -> str:
        known = self._where.get(name.casefold())
        wanted = f"{above}{BETWEEN}{name}" if above else name
        if known is None:
            if wanted.count(BETWEEN) >= DEEPEST:
                raise Refused(Because.TOO_DEEP)
            self._where[name.casefold()] = wanted
            made.append(wanted)
            return wanted
        # a path may begin anywhere in the tree, and then goes on as the tree does
        if above and known.casefold() != wanted.casefold():
            raise Refused(Because.DEPARTMENT_TAKEN, path=known)
        return known


def _language(text: str, origin: Origin) -> str:
    code = text.strip()
    if origin.languages and code not in origin.languages:
        raise Refused(Because.BAD_LANGUAGE)
    return code


READERS: Mapping[Column, Callable[[str, Origin], str]] = {
    Column.NAME: lambda text, _origin: read_name(text),
    Column.EXTENSION: lambda text, _origin: read_extension(text),
    Column.ENDPOINT: lambda text, _origin: read_endpoint(text),
    Column.MAIL: lambda text, _origin: read_mail(text),
    Column.MOBILE: lambda text, origin: read_mobile(text, origin.country),
    Column.LANGUAGE: _language,
}
"""How each cell is read that is stored as it stands."""


def row_of(account: Account, departments: Sequence[str]) -> list[str]:
    """Somebody as a line of a table, in the columns that an import reads."""
    said = {
        **said_of(account),
        "login": account.login,
        "roles": in_words(account.roles),
        "departments": "; ".join(departments),
    }
    return [said[column] for column in Column]
