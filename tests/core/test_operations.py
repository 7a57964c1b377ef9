"""What an operation is called, on each surface."""

import pytest

from ringback.core.operations import OF_A_NUMBER, About, Free, Operation, Surface
from ringback.core.permissions import Action


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        (
            Operation(Surface.PAGE, "GET", "/threads/{thread}", Action.READ_THREADS, About.THREAD),
            "GET /threads/{thread}",
        ),
        (Operation(Surface.PROGRAM, "POST", "/v1/messages", Action.SEND, About.NUMBER), "POST /v1/messages"),
        (Operation(Surface.COMMAND, "", "user add", Free.MACHINE, About.PERSON), "user add"),
    ],
    ids=["a page", "of a program", "a command without a method"],
)
def test_an_operation_is_called_by_its_method_and_its_path(operation: Operation, name: str):
    assert operation.name == name


def test_what_belongs_to_a_number_is_no_list_of_many_and_no_person():
    assert {About.LIST, About.PERSON, About.HOUSE} & OF_A_NUMBER == set()
