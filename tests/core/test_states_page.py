"""docs/states.md draws the tables of the core, no more and no less."""

import re
from pathlib import Path

from ringback.core.calls import PRECEDENCE, Outcome
from ringback.core.messages import _FOLD, CORRECTIONS, MOVES, RESENDS, State

PAGE = (Path(__file__).parents[2] / "docs" / "states.md").read_text("utf-8")


def rows_under(heading):
    part = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \| .+? \| ?(.*?) ?\|?$", part, re.MULTILINE)


def test_the_diagram_has_every_move_and_no_other():
    drawn = re.findall(r"^    (\w+) --> (\w+)$", PAGE, re.MULTILINE)
    assert len(drawn) == len(set(drawn))
    assert set(drawn) == {(old, new) for old, moves in MOVES.items() for new in moves}


def test_the_diagram_begins_where_a_text_is_filed():
    assert set(re.findall(r"\[\*\] --> (\w+)", PAGE)) == {State.HELD, State.QUEUED, State.REFUSED, State.SUBMITTING}


def test_every_state_has_a_row():
    assert [state for state, _ in rows_under("Texts")] == list(State)


def test_the_moves_of_a_persons_word_stand_in_their_table():
    part = PAGE.partition("\n## A person's word\n")[2].partition("\n## ")[0]
    drawn = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", part, re.MULTILINE)
    assert len(drawn) == len(set(drawn))
    assert set(drawn) == {(old, new) for old, moves in CORRECTIONS.items() for new in moves}


def test_the_move_of_a_text_that_is_sent_once_more_stands_in_its_table():
    part = PAGE.partition("\n## Texts in doubt\n")[2].partition("\n## ")[0]
    drawn = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", part, re.MULTILINE)
    assert drawn == [(old, new) for old, moves in RESENDS.items() for new in moves]


def test_states_called_final_leave_only_by_a_receipt_or_a_persons_word():
    final = {state for state, last in rows_under("Texts") if last == "yes"}
    corrected = {State.ACCEPTED, State.SENT, State.DELIVERED, State.UNDELIVERED, State.FAILED}
    assert final == {state for state, moves in MOVES.items() if moves <= corrected} - {State.ACCEPTED, State.SENT}


def test_the_fold_is_written_in_its_order():
    told = re.search(r"least far along does: (.+?)\.", PAGE, re.DOTALL)
    assert told is not None
    assert re.findall(r"`(\w+)`", told[1]) == list(_FOLD)


def test_outcomes_stand_in_their_precedence():
    order = [outcome for outcome, _ in PRECEDENCE]
    assert [outcome for outcome, _ in rows_under("Calls")] == [*order, Outcome.FAILED]
    assert set(order) == set(Outcome) - {Outcome.FAILED}
