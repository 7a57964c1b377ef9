"""What a network can make of a text that somebody writes: one event, several, the same twice."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from ringback.core.segments import split
from ringback.ports import Incoming, Piece
from ringback.ports.handsets import Passage


def in_parts(text: Incoming) -> list[Incoming]:
    """Cut a text as it goes over the air. A text of one part is cut in two; one character stays whole."""
    words = split(text.text)
    if len(words) == 1:
        middle = len(text.text) // 2
        words = [part for part in (text.text[:middle], text.text[middle:]) if part]
    if len(words) < 2:
        return [text]
    return [
        replace(
            text,
            provider_id=f"{text.provider_id}.{number}",
            text=part,
            piece=Piece(text.provider_id, number, len(words)),
            media=text.media if number == 1 else (),
        )
        for number, part in enumerate(words, 1)
    ]


PASSAGES: Mapping[Passage, Callable[[Incoming], list[Incoming]]] = {
    Passage.WHOLE: lambda text: [text],
    Passage.IN_PARTS: in_parts,
    Passage.MIXED_UP: lambda text: in_parts(text)[::-1],
    Passage.PART_MISSING: lambda text: in_parts(text)[:-1] or [text],
    Passage.TWICE: lambda text: [text, text],
    Passage.WITHOUT_ID: lambda text: [replace(text, provider_id="")],
}
