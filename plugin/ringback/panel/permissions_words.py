"""What the pages of permissions call ways, kinds of text, and where a right comes from."""

from collections.abc import Callable, Mapping

from ringback.core.book import Book
from ringback.core.grants import ALL_NUMBERS, ANY_CLASS, Effect, Level, Right, Subject, Way
from ringback.core.messages import MessageClass
from ringback.flow.roster import Column, Row
from ringback.panel.words import N_, spaced

Say = Callable[..., str]
"""Translates a text and fills in its places."""

WAYS: Mapping[Way, tuple[str, str]] = {
    Way.SEND: (N_("Send"), N_("Send texts")),
    Way.RECEIVE: (N_("Receive"), N_("Receive and read texts")),
    Way.BULK: (N_("To many"), N_("Send to many at once")),
    Way.MMS: (N_("Pictures"), N_("Send pictures")),
    Way.EXPORT: (N_("Export"), N_("Take texts away as a file")),
}
"""What a way is called over a column, and in a sentence of its own."""
KINDS: Mapping[str, str] = {
    ANY_CLASS: N_("All kinds of text"),
    MessageClass.CONVERSATIONAL: N_("Answers to people"),
    MessageClass.TRANSACTIONAL: N_("Notices"),
    MessageClass.PROMOTIONAL: N_("Advertising"),
}
WAY_CHOICES: Mapping[str, str] = {
    "both": N_("Both ways"),
    **{str(way): words[1] for way, words in WAYS.items()},
    "all": N_("All rights"),
}
"""Which ways a page shows, by the word in its address."""
CHOICES: Mapping[str, str] = {"inherit": N_("Inherit"), "allow": N_("Allow"), "deny": N_("Deny")}
"""The three states of a cell."""
BECAME: Mapping[Effect | None, str] = {None: N_("inherits"), Effect.ALLOW: N_("allowed"), Effect.DENY: N_("denied")}
"""What a cell says, in a history."""
BECAME_CLASS: Mapping[Effect | None, str] = {None: "", Effect.ALLOW: "ok-t", Effect.DENY: "bad-t"}

SET = {Effect.ALLOW: N_("Allowed, set here"), Effect.DENY: N_("Not allowed, denied here")}
WEAK = N_("Not allowed, though it is allowed here")
"""Something else at the same level denies it, or it takes another right that is missing."""
FROM: Mapping[tuple[Level, Effect], str] = {
    (Level.USER, Effect.ALLOW): N_("Allowed by another grant of this row"),
    (Level.USER, Effect.DENY): N_("Not allowed, another grant of this row denies it"),
    (Level.DEPARTMENT, Effect.ALLOW): N_("Allowed, from %(name)s"),
    (Level.DEPARTMENT, Effect.DENY): N_("Not allowed, %(name)s denies it"),
    (Level.EVERYONE, Effect.ALLOW): N_("Allowed, from everyone"),
    (Level.EVERYONE, Effect.DENY): N_("Not allowed, denied to everyone"),
    (Level.ROLE, Effect.ALLOW): N_("Allowed, they are an administrator"),
    (Level.ROLE, Effect.DENY): N_("Not allowed, their role does not include it"),
    (Level.NOTHING, Effect.DENY): N_("Not allowed, nobody granted it"),
    (Level.CLOSED, Effect.DENY): N_("Not allowed, the account is disabled"),
}
"""Where a cell has its value from, short enough to be read out for each."""
OWNED = N_("Allowed, the number is theirs")
TAKES: Mapping[Way, str] = {
    Way.SEND: N_("Not allowed, it takes sending as well"),
    Way.RECEIVE: N_("Not allowed, it takes receiving as well"),
}

EVERYONE_NAME = N_("Everyone")
ALL_NAME = N_("All numbers")
GROUP_NAME = N_("All of %(group)s")


def origin_in_words(right: Right, subject: Subject, said: Effect | None, book: Book, say: Say) -> str:
    """Where one cell has its value from; `said` is what is set in it."""
    origin, grant = right.origin, right.origin.grant
    if said is not None:
        return say(SET[said] if said is right.effect else WEAK)
    if origin.under is not None:
        return say(TAKES[origin.under])
    if grant is not None and grant.owner:
        return say(OWNED)
    if grant is not None and grant.subject == subject:
        return say(FROM[Level.USER, right.effect])
    name = ""
    if grant is not None and grant.subject.level is Level.DEPARTMENT:
        name = book.departments[grant.subject.id].name
    return say(FROM[origin.level, right.effect], name=name)


def row_name(row: Row, say: Say) -> str:
    """Who a row is for; a user with their extension."""
    if row.subject.level is Level.EVERYONE:
        return say(EVERYONE_NAME)
    return f"{row.extension} {row.name}" if row.extension else row.name


def column_name(column: Column, say: Say) -> str:
    """Which numbers a column is for."""
    if column.scope == ALL_NUMBERS:
        return say(ALL_NAME)
    if not column.number:
        return say(GROUP_NAME, group=column.name)
    return f"{column.name} {spaced(column.number)}" if column.name else spaced(column.number)
