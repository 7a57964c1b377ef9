"""How the tags of a template have to stand: checked on Liquid's tokens, before its parser forgives what is amiss.

The parser drops a second `else`, words after `else`, text before the first `when` and what it cannot read behind
`when`, all in silence; and it goes a call deeper for each bracket and each `and`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain, pairwise

from liquid.token import TOKEN_CONTENT, TOKEN_EOF, TOKEN_EXPRESSION, TOKEN_OUTPUT, TOKEN_TAG, Token

from ringback.core.templates import TemplateFault

_NO_LISTS = "there are no lists to go through; use if, unless or case"
_NO_VARIABLES = "there are no variables of your own; write the text where it belongs"
_NO_PARTS = "a template stands alone; write the text out"
_NO_COMMENTS = "put comments beside the template, after a # in the file"
CURES = {
    "for": _NO_LISTS,
    "tablerow": _NO_LISTS,
    "cycle": _NO_LISTS,
    "assign": _NO_VARIABLES,
    "capture": _NO_VARIABLES,
    "increment": _NO_VARIABLES,
    "decrement": _NO_VARIABLES,
    "include": _NO_PARTS,
    "render": _NO_PARTS,
    "comment": _NO_COMMENTS,
    "doc": _NO_COMMENTS,
    "#": _NO_COMMENTS,
    "raw": "a text is sent as it stands; write the words without it",
    "echo": "write {{ business }}",
}

FOLLOWERS = {"if": ("elsif", "else"), "unless": ("elsif", "else"), "case": ("when", "else")}
CONDITIONAL = frozenset({"if", "unless", "case", "elsif", "when"})
DEEPEST = 5
MOST_OPERATORS = 8

_QUOTED = re.compile(r""""([^"]*)"|'([^']*)'""")
_WHEN = re.compile(r'""(?:\s*(?:,|\bor\b)\s*"")*')
_OPERATOR = re.compile(r"\b(?:and|or|contains)\b|[=!<>]+|\|")
_END = Token(TOKEN_EOF, "", -1, "")


@dataclass(slots=True)
class _Open:
    """A tag that is still open, and what was seen inside it."""

    tag: str
    awaits_when: bool
    had_else: bool = False
    whens: set[str] = field(default_factory=set)


def check_tags(tokens: Iterable[Token]) -> None:
    """See that every tag is known, has its words, is closed, and that nothing stands where Liquid would drop it."""
    opened: list[_Open] = []
    for token, after in pairwise(chain(tokens, [_END])):
        if token.kind == TOKEN_TAG:
            _check_tag(token.value, after.value if after.kind == TOKEN_EXPRESSION else "", opened)
        elif token.kind == TOKEN_EXPRESSION:
            _check_expression(token.value)
        else:
            _check_text(token, opened)
    if opened:
        raise TemplateFault(f"'{opened[-1].tag}' is not closed: write {{% end{opened[-1].tag} %}}")


def unknown_tag(tag: str) -> TemplateFault:
    return TemplateFault(
        f"'{tag}' is not allowed: {CURES.get(tag, 'the tags are if, unless and case, each with its end')}"
    )


def _check_tag(tag: str, words: str, opened: list[_Open]) -> None:
    followers = FOLLOWERS[opened[-1].tag] if opened else ()
    if tag in FOLLOWERS:
        opened.append(_Open(tag, awaits_when=tag == "case"))
    elif opened and tag == f"end{opened[-1].tag}":
        opened.pop()
    elif tag in followers:
        _check_follower(tag, words, opened[-1])
    else:
        raise unknown_tag(tag)
    if tag not in CONDITIONAL and words:
        raise TemplateFault(f"'{tag}' stands alone: take '{words}' out, or write elsif or when")
    if len(opened) > DEEPEST:
        raise TemplateFault(f"tags stand more than {DEEPEST} deep in one another: write it flatter")


def _check_follower(tag: str, words: str, block: _Open) -> None:
    if block.had_else or (tag == "else" and block.awaits_when):
        raise TemplateFault(f"'{tag}' is out of place in '{block.tag}': 'else' comes last, once")
    block.had_else = tag == "else"
    block.awaits_when = False
    if tag != "when":
        return
    if not _WHEN.fullmatch(_QUOTED.sub('""', words)):
        raise TemplateFault(f"'when {words}' cannot be read: write quoted texts with 'or' between them")
    for found in _QUOTED.finditer(words):
        text = found[1] or found[2] or ""
        if text in block.whens:
            raise TemplateFault(f"'when' names '{text}' twice: take one out")
        block.whens.add(text)


def _check_expression(words: str) -> None:
    """Refuse what would make the parser go round and round, and paths into values."""
    bare = _QUOTED.sub('""', words)
    if bad := next((sign for sign in ".[(" if sign in bare), None):
        raise TemplateFault(f"'{bad}' in '{words}': names are plain words, without dots, brackets or ranges")
    if len(_OPERATOR.findall(bare)) > MOST_OPERATORS:
        raise TemplateFault(f"'{words[:40]}' has more than {MOST_OPERATORS} steps: write it shorter")


def _check_text(token: Token, opened: list[_Open]) -> None:
    if opened and opened[-1].awaits_when and (token.kind == TOKEN_OUTPUT or not token.value.isspace()):
        raise TemplateFault("text stands between 'case' and its first 'when': move it out")
    stray = next((end for end in ("}}", "%}") if end in token.value), None)
    if token.kind == TOKEN_CONTENT and stray:
        raise TemplateFault(f"'{stray}' closes nothing: open it, or leave it out")
