"""Which carrier a `type` names."""

import importlib.metadata
import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest

import ringback.carriers
from ringback.carriers import build_carrier, load
from ringback.carriers.loopback import Loopback
from ringback.carriers.loopback import build as build_loopback
from ringback.errors import ConfigFault
from ringback.ports import CarrierContext
from tests.fakes.hand_clock import HandClock


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch):
    """Two packages outside the tree: one that works, one that does not load."""
    points = EntryPoints(
        [
            EntryPoint("pigeon", "ringback.carriers.loopback:build", "ringback.carriers"),
            EntryPoint("broken", "no_such_package_here:build", "ringback.carriers"),
            EntryPoint("loopback", "no_such_package_here:build", "ringback.carriers"),
        ]
    )
    monkeypatch.setattr(ringback.carriers, "entry_points", lambda **want: points.select(**want))


def test_a_type_is_a_file_here():
    assert load("loopback") is build_loopback


def test_a_type_may_come_from_another_package(outside: None):
    assert load("pigeon") is build_loopback


def test_a_file_here_wins_over_another_package(outside: None):
    assert load("loopback") is build_loopback


def test_a_package_that_does_not_load_is_a_fault(outside: None):
    with pytest.raises(ConfigFault) as caught:
        load("broken")
    assert caught.value.faults == [
        "type = \"broken\" does not load from no_such_package_here:build: No module named 'no_such_package_here'"
    ]


@pytest.mark.parametrize(
    "type_name",
    [
        pytest.param("twilo", id="a slip of the pen"),
        pytest.param("", id="nothing"),
        pytest.param("options", id="a file that carriers share"),
        pytest.param("../config", id="a path"),
        pytest.param("os", id="a module of Python"),
        pytest.param("loopback.build", id="a dotted name"),
        pytest.param("__init__", id="the package itself"),
    ],
)
def test_an_unknown_type_is_a_fault_that_names_the_known(type_name: str, outside: None):
    with pytest.raises(ConfigFault) as caught:
        load(type_name)
    assert caught.value.faults == [f'type = "{type_name}" is not a carrier; known are loopback, twilio, broken, pigeon']


def test_looking_up_a_carrier_does_not_import_the_others():
    before = set(sys.modules)
    load("loopback")
    assert {name for name in set(sys.modules) - before if name.startswith("ringback.carriers.")} <= {
        "ringback.carriers.loopback",
        "ringback.carriers.options",
    }


def test_no_package_outside_is_needed():
    assert list(importlib.metadata.entry_points(group=ringback.carriers.ENTRY_POINTS)) == []


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        pytest.param({}, "carriers.main.type is missing; known are loopback, twilio", id="no type"),
        pytest.param(
            {"type": "smoke"},
            'carriers.main: type = "smoke" is not a carrier; known are loopback, twilio',
            id="a type nobody knows",
        ),
        pytest.param(
            {"type": "loopback", "window": 0},
            "carriers.main.window must be a whole number from 1 to 1000",
            id="a fault of the carrier's own options",
        ),
    ],
)
def test_build_carrier_names_the_key(table: dict, fault: str, tmp_path):
    with pytest.raises(ConfigFault) as caught:
        build_carrier("main", table, CarrierContext(HandClock(), tmp_path))
    assert caught.value.faults == [fault]


def test_build_carrier_makes_the_carrier_of_a_table(tmp_path):
    carrier = build_carrier("desk", {"type": "loopback", "window": 3}, CarrierContext(HandClock(), tmp_path))
    assert isinstance(carrier, Loopback)
    assert (carrier.name, carrier.window) == ("desk", 3)
