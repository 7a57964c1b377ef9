"""docs/sessions.md draws the tables of sessions, no more and no less."""

import re
from pathlib import Path

from ringback.core.sessions import MOVES, OVER, Due, SessionState, Why
from ringback.core.text_queues import Note

PAGE = (Path(__file__).parents[2] / "docs" / "sessions.md").read_text("utf-8")


def part(heading: str) -> str:
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def words_under(heading: str) -> list[str]:
    """The first cell of each row."""
    return re.findall(r"^\| `(\w+)` \|", part(heading), re.MULTILINE)


def test_the_diagram_has_every_move_and_no_other():
    drawn = re.findall(r"^    (\w+) --> (\w+)$", PAGE, re.MULTILINE)
    assert len(drawn) == len(set(drawn))
    assert set(drawn) == {(old, new) for old, moves in MOVES.items() for new in moves}


def test_every_state_has_a_row_and_what_is_over_says_so():
    assert words_under("States") == list(SessionState)
    over = re.findall(r"^\| `(\w+)` \| .* \| yes \|$", part("States"), re.MULTILINE)
    assert set(over) == OVER


def test_every_deadline_has_a_row():
    assert words_under("What happens by itself") == [due for due in Due if due is not Due.NONE]


def test_every_text_has_a_row():
    assert words_under("What a queue says by itself") == list(Note)


def test_every_reason_has_a_row():
    assert sorted(words_under("Reasons")) == sorted(Why)


def test_what_decides_where_a_text_goes_is_named_by_its_reason():
    decides = re.findall(r"\| `(\w+)` \|$", part("Where a text goes"), re.MULTILINE)
    assert set(decides) == {Why.LIVE_CALL, Why.CLAIMED_BEFORE, Why.RETURNED, Why.NUMBERS_QUEUE}
