"""Reads a page the way a browser would: elements with their attributes, and the text inside them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

EMPTY = frozenset({"meta", "link", "input", "br", "use", "path"})


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    inside: "list[Element]" = field(default_factory=list)
    words: str = ""

    @property
    def classes(self) -> set[str]:
        return set((self.attributes.get("class") or "").split())

    def by_class(self, name: str) -> "list[Element]":
        return [element for element in self.inside if name in element.classes]

    def by_tag(self, name: str) -> "list[Element]":
        return [element for element in self.inside if element.tag == name]


class Page(HTMLParser):
    """All elements of a page, in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(html)
        self.close()
        assert self._open == [], "an element is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        for around in self._open:
            around.inside.append(element)
        self.elements.append(element)
        if tag not in EMPTY:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag, f"{tag} closes another element"

    def handle_data(self, data: str) -> None:
        for around in self._open:
            around.words += data

    def by_class(self, name: str) -> list[Element]:
        return [element for element in self.elements if name in element.classes]

    def by_tag(self, name: str) -> list[Element]:
        return [element for element in self.elements if element.tag == name]
