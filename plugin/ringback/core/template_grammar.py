"""What of Liquid an owner may use: output, if, unless, case and our filters. All else is refused with its cure.

python-liquid reads and renders. It forgives much and knows more than we want, so its tokens are checked for what it
would skip in silence (`template_tags`), and its tree, here, for anything that is not on our lists.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from liquid import Environment, RenderContext
from liquid.ast import BlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.builtin.content import Literal as ContentTag
from liquid.builtin.expressions import BooleanExpression, Filter, FilteredExpression, Path, StringLiteral
from liquid.builtin.expressions.arguments import PositionalArgument
from liquid.builtin.expressions.logical import (
    ContainsExpression,
    EqExpression,
    LogicalAndExpression,
    LogicalOrExpression,
    NeExpression,
)
from liquid.builtin.expressions.primitive import IntegerLiteral
from liquid.builtin.illegal import Illegal
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.case_tag import CaseNode, CaseTag, MultiExpressionBlockNode
from liquid.builtin.tags.if_tag import IfNode, IfTag
from liquid.builtin.tags.unless_tag import UnlessNode, UnlessTag
from liquid.exceptions import LiquidError
from liquid.expression import Expression
from liquid.template import BoundTemplate

from ringback.core.segments import SEGMENT_CAP, Encoding, measure
from ringback.core.template_filters import FILTERS, LONGEST, FilterOverflow
from ringback.core.template_tags import DEEPEST, check_tags, unknown_tag
from ringback.core.templates import Name, TemplateFault, choices

_SWALLOWED = re.compile(r"\{%-?\s*(raw|doc)\b")  # the lexer takes these two whole
_BLANKS = re.compile(r"\s{40}")
_NONE: frozenset[str] = frozenset()


class _Environment(Environment):
    """Liquid with only our tags and filters. The limits are a second fence behind the checks below."""

    block_nesting_limit = 2 * DEEPEST
    loop_iteration_limit = 1
    local_namespace_limit = 1
    output_stream_limit = 4 * LONGEST

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        for tag in (ContentTag, Output, Illegal, IfTag, UnlessTag, CaseTag):
            self.add_tag(tag)
        self.filters.update(FILTERS)


_ENVIRONMENT = _Environment()


@dataclass(frozen=True, slots=True)
class Rendering:
    """A checked template, ready to be filled in."""

    bound: BoundTemplate

    def render(self, values: Mapping[str, str | None], /) -> str:
        try:
            return self.bound.render(values)
        except (LiquidError, FilterOverflow) as fault:
            raise TemplateFault(f"the text grows too long as it is filled in: shorten it ({fault})") from fault


def check(source: str, names: Mapping[str, Name]) -> tuple[tuple[str, ...], Rendering]:
    """Parse a template; return the names it uses and what renders it. Raises TemplateFault."""
    try:
        _check_signs(source)
        check_tags(_ENVIRONMENT.tokenizer()(source))
        bound = _ENVIRONMENT.from_string(source)
    except LiquidError as fault:
        raise TemplateFault(f"{fault.message}: look at the braces, quotes and tags") from fault
    used = sorted(set(_names(bound.nodes, names, frozenset())))
    _check_length(source, bound, {name: names[name] for name in used})
    return tuple(used), Rendering(bound)


def _check_signs(source: str) -> None:
    """Refuse what the lexer would take whole, and what it would take a second over."""
    if swallowed := _SWALLOWED.search(source):
        raise unknown_tag(swallowed[1])
    if _BLANKS.search(source):
        raise TemplateFault("there are 40 blanks in a row: take them out")
    for opening, closing in (("{{", "}}"), ("{%", "%}")):
        if source.count(opening) != source.count(closing):
            raise TemplateFault(f"'{opening}' and '{closing}' are not in pairs: close what is open, and nothing else")


def _names(nodes: list[Node], names: Mapping[str, Name], sure: frozenset[str]) -> Iterator[str]:
    """Yield every name in use; refuse what is not on our lists. `sure` are the names that cannot be missing here."""
    for node in nodes:
        match node:
            case ContentNode():
                continue
            case OutputNode():
                yield from _output_names(node.expression, names, sure)
            case IfNode() | UnlessNode():
                conditions = [node.condition, *(branch.expression for branch in node.alternatives)]
                for condition in conditions:
                    yield from _condition_names(condition, names)
            case _:
                assert isinstance(node, CaseNode)  # the environment above knows no other
                yield from _condition_names(node.expression, names)
        for block, also_sure in _branches(node):
            yield from _names(block.nodes, names, sure | also_sure)


def _branches(node: Node) -> Iterator[tuple[BlockNode, frozenset[str]]]:
    """Yield the blocks of which one is rendered, each with the names that are there if it is."""
    match node:
        case IfNode() | UnlessNode():
            given = _implied(node.condition)
            inside, otherwise = (given, _NONE) if isinstance(node, IfNode) else (_NONE, given)
            yield node.consequence, inside
            for branch in node.alternatives:
                yield branch.block, otherwise | _implied(branch.expression)
            if node.default:
                yield node.default, otherwise
        case CaseNode():
            for block in node.blocks:
                yield (block.block if isinstance(block, MultiExpressionBlockNode) else block), _NONE


def _implied(condition: Expression) -> frozenset[str]:
    """The names that cannot be missing where this holds."""
    match condition:
        case BooleanExpression():
            return _implied(condition.expression)
        case Path():
            return frozenset({str(condition)})
        case LogicalAndExpression():
            return _implied(condition.left) | _implied(condition.right)
        case LogicalOrExpression():
            return _implied(condition.left) & _implied(condition.right)
    return _NONE


def _condition_names(condition: Expression, names: Mapping[str, Name]) -> Iterator[str]:
    match condition:
        case Path():
            yield _known(condition, names)
        case StringLiteral() if condition.value.strip():
            return
        case (
            BooleanExpression()
            | LogicalAndExpression()
            | LogicalOrExpression()
            | EqExpression()
            | NeExpression()
            | ContainsExpression()
        ):
            for side in condition.children():
                yield from _condition_names(side, names)
        case _:
            raise TemplateFault(
                f"'{condition}' is not allowed in a condition: write {{% if queue %}}, or compare a name with a quoted "
                "text by == != contains"
            )


def _known(path: Path, names: Mapping[str, Name]) -> str:
    name = str(path)
    if name not in names:
        raise TemplateFault(f"'{name}' is not a name here: {choices(names)}")
    return name


def _output_names(output: Expression, names: Mapping[str, Name], sure: frozenset[str]) -> Iterator[str]:
    assert isinstance(output, FilteredExpression)  # the other kind, `a if b else c`, is switched off
    filters = output.filters or []
    for one in filters:
        _check_filter(one)
    if not isinstance(output.left, Path | StringLiteral):
        raise TemplateFault(f"'{{{{ {output.left} }}}}' is no name: write it as plain text")
    if filters and _is_default(filters[0]):
        sure |= {str(output.left)}
    for part in output.children():
        if isinstance(part, Path):
            name = _known(part, names)
            if names[name].literal is None and name not in sure:
                raise TemplateFault(
                    f"'{name}' may be missing: put its sentence inside {{% if {name} %}} ... {{% endif %}}"
                )
            yield name


def _is_default(one: Filter) -> bool:
    match [argument.value for argument in one.args]:
        case [StringLiteral() as other]:
            return one.name == "default" and bool(other.value.strip())
    return False


def _check_filter(one: Filter) -> None:
    known = FILTERS.get(one.name)
    if known is None:
        raise TemplateFault(f"'{one.name}' is not a filter here: use one of {', '.join(FILTERS)}")
    values = [argument.value for argument in one.args if isinstance(argument, PositionalArgument)]
    fits = len(values) == len(one.args) and known.needs <= len(values) <= len(known.takes)
    if not fits or not all(map(_is_a, values, known.takes)):
        takes = ", ".join("a number" if kind is int else "a quoted text or a name" for kind in known.takes) or "nothing"
        raise TemplateFault(f"'{one}' cannot be used so: '{one.name}' takes {takes}")


def _is_a(value: Expression, kind: type) -> bool:
    if kind is int:
        return isinstance(value, IntegerLiteral) and value.value >= 0
    return isinstance(value, Path | StringLiteral)


def _check_length(source: str, bound: BoundTemplate, used: Mapping[str, Name]) -> None:
    """Refuse what could outgrow the cap: of each choice the longest branch, of each output the longest value."""
    encoding = measure(source + "".join(name.longest for name in used.values())).encoding
    known = RenderContext(bound, globals={key: name.longest for key, name in used.items()})
    missing = RenderContext(bound, globals={key: name.literal or None for key, name in used.items()})
    try:
        units = _longest(bound.nodes, (known, missing), encoding)
    except FilterOverflow as fault:
        raise TemplateFault(str(fault)) from fault
    cap = SEGMENT_CAP * (67 if encoding is Encoding.UCS2 else 153)
    if units > cap:
        why = ", since a value may bring letters that make all of it dearer" if used else ""
        raise TemplateFault(f"the text can grow to {units} characters, {SEGMENT_CAP} parts hold {cap}{why}: shorten it")


def _longest(nodes: list[Node], contexts: tuple[RenderContext, ...], encoding: Encoding) -> int:
    units = 0
    for node in nodes:
        match node:
            case ContentNode():
                units += _units(node.text, encoding)
            case OutputNode():
                units += max(_units(str(node.expression.evaluate(one) or ""), encoding) for one in contexts)
            case _:
                units += max((_longest(block.nodes, contexts, encoding) for block, _ in _branches(node)), default=0)
    return units


def _units(text: str, encoding: Encoding) -> int:
    return len(text.encode("utf-16-le")) // 2 if encoding is Encoding.UCS2 else measure(text).units
