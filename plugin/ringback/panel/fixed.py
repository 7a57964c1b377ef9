"""What a template says by itself alone is worked out once, when the template is read: fixed texts, fixed icons.

Each language has its engine, so a translation is as fixed as its text. A page of fifty texts asks for six hundred.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Protocol, cast

from jinja2 import Environment, nodes
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

PURE = ("_", "gettext", "static")
"""Of the globals, what makes the same of the same."""


REMEMBERED = ("icon",)
"""Macros that are called with few words, all of them ours, and that a page calls for each of its rows."""
MOST = 4096

Made = Callable[..., str]


class Saying(Protocol):
    """What `_` is in a template."""

    def __call__(self, text: str, **places: object) -> Markup: ...


def saying(translate: Callable[[str], str]) -> Saying:
    """Make a `_` that remembers. What goes into the places of a text is escaped; the text is ours."""

    @lru_cache(MOST)
    def alone(text: str) -> Markup:
        return Markup(translate(text)) % {}  # noqa: S704 - texts of ours and of our translators

    def say(text: str, **places: object) -> Markup:
        return Markup(translate(text)) % places if places else alone(text)  # noqa: S704 - as above

    return say


class FixedEnvironment(Environment):
    """An engine that puts what is fixed into the words of a template as it reads it."""

    _fixed: "dict[str, Made]"

    def share(self, *templates: str) -> None:
        """Hand the macros of these files to every template that is read from now on.

        They know of nothing but what they are handed, so with fixed words they always say the same. A template that
        took them by `from` would look them up anew for each row that it is included for.
        """
        self._fixed = {name: cast(Made, self.globals[name]) for name in PURE}
        for template in templates:
            shared = vars(self.get_template(template).module)
            macros = {name: macro for name, macro in shared.items() if not name.startswith("_")}
            macros |= {name: lru_cache(MOST)(macro) for name, macro in macros.items() if name in REMEMBERED}
            self.globals |= macros
            self._fixed |= macros

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree: nodes.Template = _Fix(self._fixed).visit(super()._parse(source, name, filename))
        return tree


class _Fix(NodeTransformer):
    def __init__(self, fixed: "dict[str, Made]") -> None:
        self._fixed = fixed

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - jinja2 finds it by this name
        self.generic_visit(node)
        said = [argument.value for argument in node.args if isinstance(argument, nodes.Const)]
        alone = len(said) == len(node.args) and not node.kwargs and node.dyn_args is None and node.dyn_kwargs is None
        make = self._fixed.get(node.node.name) if alone and isinstance(node.node, nodes.Name) else None
        return node if make is None else nodes.Const(make(*said), lineno=node.lineno)
