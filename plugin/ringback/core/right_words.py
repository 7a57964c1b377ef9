"""What a right is called in words: whether somebody may do a thing with a number of ours, and who decided it.

Whole sentences with named places, so that each can be translated; `tools/words.py` takes them from here, since the
core knows of no pages. Whom to ask is for the page to say.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ringback.core.book import Book
from ringback.core.grants import ALL_NUMBERS, Effect, Grant, Level, Right, Way
from ringback.core.messages import MessageClass
from ringback.core.permissions import Role

_YES, _NO = Effect.ALLOW, Effect.DENY

YOU: Mapping[tuple[Way, Effect], str] = {
    (Way.SEND, _YES): "You may send from %(number)s.",
    (Way.SEND, _NO): "You may not send from %(number)s.",
    (Way.RECEIVE, _YES): "You may see what %(number)s sends and gets.",
    (Way.RECEIVE, _NO): "You may not see what %(number)s sends and gets.",
    (Way.BULK, _YES): "You may send to many at once from %(number)s.",
    (Way.BULK, _NO): "You may not send to many at once from %(number)s.",
    (Way.MMS, _YES): "You may send pictures from %(number)s.",
    (Way.MMS, _NO): "You may not send pictures from %(number)s.",
    (Way.EXPORT, _YES): "You may take the texts of %(number)s away as a file.",
    (Way.EXPORT, _NO): "You may not take the texts of %(number)s away as a file.",
}
"""To whoever is asking for themselves."""
THEY: Mapping[tuple[Way, Effect], str] = {
    (Way.SEND, _YES): "%(who)s may send from %(number)s.",
    (Way.SEND, _NO): "%(who)s may not send from %(number)s.",
    (Way.RECEIVE, _YES): "%(who)s may see what %(number)s sends and gets.",
    (Way.RECEIVE, _NO): "%(who)s may not see what %(number)s sends and gets.",
    (Way.BULK, _YES): "%(who)s may send to many at once from %(number)s.",
    (Way.BULK, _NO): "%(who)s may not send to many at once from %(number)s.",
    (Way.MMS, _YES): "%(who)s may send pictures from %(number)s.",
    (Way.MMS, _NO): "%(who)s may not send pictures from %(number)s.",
    (Way.EXPORT, _YES): "%(who)s may take the texts of %(number)s away as a file.",
    (Way.EXPORT, _NO): "%(who)s may not take the texts of %(number)s away as a file.",
}
"""Of somebody else."""

UNDER_WORDS: Mapping[Way, str] = {
    Way.SEND: "It takes the right to send as well.",
    Way.RECEIVE: "It takes the right to see texts as well.",
}

_NUMBER, _GROUP, _ALL = "number", "group", "all"
BECAUSE: Mapping[tuple[Level, Effect, str], str] = {
    (Level.USER, _YES, _NUMBER): "A grant to the user alone allows it for this number.",
    (Level.USER, _NO, _NUMBER): "A grant to the user alone denies it for this number.",
    (Level.USER, _YES, _GROUP): "A grant to the user alone allows it for the numbers of %(group)s.",
    (Level.USER, _NO, _GROUP): "A grant to the user alone denies it for the numbers of %(group)s.",
    (Level.USER, _YES, _ALL): "A grant to the user alone allows it for all numbers.",
    (Level.USER, _NO, _ALL): "A grant to the user alone denies it for all numbers.",
    (Level.DEPARTMENT, _YES, _NUMBER): "The department %(department)s allows it for this number.",
    (Level.DEPARTMENT, _NO, _NUMBER): "The department %(department)s denies it for this number.",
    (Level.DEPARTMENT, _YES, _GROUP): "The department %(department)s allows it for the numbers of %(group)s.",
    (Level.DEPARTMENT, _NO, _GROUP): "The department %(department)s denies it for the numbers of %(group)s.",
    (Level.DEPARTMENT, _YES, _ALL): "The department %(department)s allows it for all numbers.",
    (Level.DEPARTMENT, _NO, _ALL): "The department %(department)s denies it for all numbers.",
    (Level.EVERYONE, _YES, _NUMBER): "It is allowed to everyone for this number.",
    (Level.EVERYONE, _NO, _NUMBER): "It is denied to everyone for this number.",
    (Level.EVERYONE, _YES, _GROUP): "It is allowed to everyone for the numbers of %(group)s.",
    (Level.EVERYONE, _NO, _GROUP): "It is denied to everyone for the numbers of %(group)s.",
    (Level.EVERYONE, _YES, _ALL): "It is allowed to everyone for all numbers.",
    (Level.EVERYONE, _NO, _ALL): "It is denied to everyone for all numbers.",
}
"""By who a grant is for, what it says, and the kind of its scope."""
OWNED: Mapping[Level, str] = {
    Level.USER: "The number belongs to the user.",
    Level.DEPARTMENT: "The number belongs to the department %(department)s.",
}
"""What follows from owning a number."""
OF_ROLE: Mapping[Role, str] = {
    Role.ADMINISTRATOR: "Administrators may where no grant denies it.",
}
WITHOUT_GRANT: Mapping[tuple[Level, Effect], str] = {
    (Level.NOTHING, _NO): "Nobody has granted it.",
    (Level.ROLE, _NO): "No role of theirs includes it.",
    (Level.CLOSED, _NO): "The account is disabled.",
    (Level.KEY, _NO): "The key is held to other numbers.",
    (Level.SCOPE, _NO): "The key does not have the scope that this takes.",
    (Level.MACHINE, _YES): "Commands on this machine, and keys that act for nobody, may use every number.",
}
OF_CLASS: Mapping[MessageClass, str] = {
    MessageClass.CONVERSATIONAL: "The grant is about answers to people.",
    MessageClass.TRANSACTIONAL: "The grant is about notices.",
    MessageClass.PROMOTIONAL: "The grant is about advertising.",
}
"""Where the grant that decided is about one class of texts."""
SENTENCES: tuple[str, ...] = (
    *YOU.values(),
    *THEY.values(),
    *UNDER_WORDS.values(),
    *BECAUSE.values(),
    *OWNED.values(),
    *OF_ROLE.values(),
    *WITHOUT_GRANT.values(),
    *OF_CLASS.values(),
)
"""All of them, for the translators."""


@dataclass(frozen=True, slots=True)
class Told:
    """One to four sentences, each a template for `values`: whether, and then why."""

    sentences: tuple[str, ...]
    values: Mapping[str, str]

    def say(self, translate: Callable[[str], str]) -> str:
        """The whole in the language of `translate`."""
        return " ".join(translate(sentence) % self.values for sentence in self.sentences)

    def why(self, translate: Callable[[str], str]) -> str:
        """The same without the first sentence, where a page shows the answer itself."""
        return " ".join(translate(sentence) % self.values for sentence in self.sentences[1:])


def told(right: Right, way: Way, number: str, book: Book, who: str = "") -> Told:
    """What to say of a right to do `way` with `number`. `who` is the name of whom it is about, empty for "you"."""
    grant = right.origin.grant
    values = {"who": who, "number": number, "department": _department(grant, book), "group": _group(grant, book)}
    head = (THEY if who else YOU)[way, right.effect]
    under = (UNDER_WORDS[right.origin.under],) if right.origin.under is not None else ()
    class_ = (OF_CLASS[MessageClass(grant.class_)],) if grant is not None and grant.class_ else ()
    return Told((head, *under, _because(right), *class_), values)


def in_english(right: Right, way: Way, number: str, book: Book, who: str = "") -> str:
    """The same as one line, for programs, commands, the log and the audit."""
    return told(right, way, number, book, who).say(str)


def _because(right: Right) -> str:
    origin = right.origin
    if origin.role is not None:
        return OF_ROLE[origin.role]
    if origin.grant is None:
        return WITHOUT_GRANT[origin.level, right.effect]
    if origin.grant.owner:
        return OWNED[origin.level]
    return BECAUSE[origin.level, right.effect, _kind(origin.grant.scope)]


def _kind(scope: str) -> str:
    if scope == ALL_NUMBERS:
        return _ALL
    return _GROUP if scope.startswith("group:") else _NUMBER


def _department(grant: Grant | None, book: Book) -> str:
    if grant is None or grant.subject.level is not Level.DEPARTMENT:
        return ""
    department = book.departments.get(grant.subject.id)
    return department.name if department else ""


def _group(grant: Grant | None, book: Book) -> str:
    if grant is None or _kind(grant.scope) != _GROUP:
        return ""
    group = book.groups.get(int(grant.scope.removeprefix("group:")))
    return group.name if group else ""
