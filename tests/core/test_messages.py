"""The states of a text only ever move forward, and its parts always fold to the same state."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.core.messages import (
    CORRECTIONS,
    MOVES,
    OPEN,
    PartState,
    ReceiptStatus,
    State,
    fold,
    may_correct,
    may_move,
)

FINAL = {State.DELIVERED, State.FAILED, State.EXPIRED, State.CANCELLED, State.REFUSED}

# How far a text is from our hands. Waiting, queueing and trying may go round; everything behind only goes on.
RANK = {
    **dict.fromkeys((State.HELD, State.QUEUED, State.SUBMITTING), 0),
    State.UNCONFIRMED: 1,
    State.UNRESOLVED: 2,
    State.ACCEPTED: 3,
    State.SENT: 4,
    State.NO_RECEIPT: 5,
    State.UNDELIVERED: 6,
    **dict.fromkeys(FINAL, 7),
}


def test_every_state_has_its_moves():
    assert set(MOVES) == set(State)
    assert {state for state, moves in MOVES.items() if not moves} == FINAL


@pytest.mark.parametrize("old", State)
def test_a_text_never_moves_backwards(old):
    for new in MOVES[old]:
        assert RANK[new] > RANK[old] or {old, new} <= OPEN, f"{old} -> {new}"


@given(st.lists(st.sampled_from(State), max_size=30))
def test_whatever_is_said_in_whatever_order_a_text_that_left_does_not_come_back(said):
    state, walked = State.QUEUED, [State.QUEUED]
    for new in said:
        if may_move(state, new):
            state = new
            walked.append(new)
    gone = [state for state in walked if state not in OPEN]
    assert [RANK[state] for state in gone] == sorted({RANK[state] for state in gone})
    assert walked[-len(gone) :] == gone or not gone


@given(st.permutations(list(ReceiptStatus) * 2))
def test_receipts_in_any_order_end_delivered(receipts):
    state = State.SUBMITTING
    for receipt in receipts:
        if may_move(state, State(receipt)):
            state = State(receipt)
    assert state is State.DELIVERED


@pytest.mark.parametrize(
    ("old", "new", "allowed"),
    [
        pytest.param(State.DELIVERED, State.ACCEPTED, False, id="a late accepted after delivered"),
        pytest.param(State.DELIVERED, State.UNDELIVERED, False, id="delivered is never taken back"),
        pytest.param(State.UNDELIVERED, State.DELIVERED, True, id="delivered after all"),
        pytest.param(State.UNCONFIRMED, State.QUEUED, False, id="what is in doubt is never sent again by itself"),
        pytest.param(State.UNRESOLVED, State.DELIVERED, True, id="a receipt corrects what was given up"),
        pytest.param(State.NO_RECEIPT, State.DELIVERED, True, id="a receipt after 72 hours"),
        pytest.param(State.ACCEPTED, State.CANCELLED, False, id="what the carrier took cannot be called off"),
        pytest.param(State.SUBMITTING, State.QUEUED, True, id="provably not sent: back in the queue"),
        pytest.param(State.SUBMITTING, State.CANCELLED, False, id="too late to call off"),
        pytest.param(State.REFUSED, State.QUEUED, False, id="a no stays a no"),
        pytest.param(State.UNRESOLVED, State.FAILED, True, id="a person says after days that it did not go"),
        pytest.param(State.FAILED, State.DELIVERED, False, id="a carrier's no stays a no"),
        pytest.param(State.ACCEPTED, State.UNCONFIRMED, False, id="what the carrier took is not in doubt"),
    ],
)
def test_moves_that_matter(old, new, allowed):
    assert may_move(old, new) is allowed


SAID = (State.ACCEPTED, State.FAILED)
"""What a text in doubt becomes by a person's word."""


@pytest.mark.parametrize("said", SAID)
def test_a_persons_word_can_be_taken_back_and_every_receipt_outranks_it(said):
    later = {State(receipt) for receipt in ReceiptStatus} - {said}
    assert all(may_correct(said, state) for state in {State.UNCONFIRMED, *later})
    assert not any(may_correct(said, state) for state in OPEN), "nothing is sent again"


def test_only_a_persons_word_is_corrected():
    assert set(CORRECTIONS) == set(SAID)
    assert not any(may_move(old, new) for old, moves in CORRECTIONS.items() for new in moves)


@pytest.mark.parametrize("old", State)
def test_whatever_may_happen_may_happen_to_a_word_too(old):
    assert {new for new in State if may_correct(old, new)} >= MOVES[old]


def test_every_state_can_be_reached():
    assert {new for moves in MOVES.values() for new in moves} | {State.HELD, State.QUEUED} == set(State)


@pytest.mark.parametrize(
    ("parts", "state"),
    [
        pytest.param([PartState.DELIVERED, PartState.DELIVERED], State.DELIVERED, id="all arrived"),
        pytest.param([PartState.DELIVERED, PartState.SENT], State.SENT, id="the one least far along"),
        pytest.param([PartState.ACCEPTED, PartState.SENT], State.ACCEPTED, id="one is only taken"),
        pytest.param([PartState.DELIVERED, PartState.UNDELIVERED], State.UNDELIVERED, id="one did not arrive"),
        pytest.param([PartState.DELIVERED, PartState.FAILED], State.FAILED, id="one was turned away"),
        pytest.param([PartState.FAILED, PartState.UNCONFIRMED], State.UNCONFIRMED, id="doubt is worst"),
        pytest.param([PartState.ACCEPTED, PartState.QUEUED], State.QUEUED, id="one waits still"),
        pytest.param([PartState.QUEUED, PartState.SUBMITTING], State.SUBMITTING, id="one is on its way"),
    ],
)
def test_the_state_of_a_long_text(parts, state):
    assert fold(parts) is state


@given(st.lists(st.sampled_from(PartState), min_size=1, max_size=4))
def test_the_order_of_parts_does_not_matter(parts):
    assert {fold(list(order)) for order in itertools.permutations(parts)} == {fold(parts)}
    assert fold(parts) in {State(part) for part in parts}


@given(st.sampled_from(PartState), st.integers(1, 10))
def test_parts_that_agree_name_the_message(part, count):
    assert fold([part] * count) is State(part)
