"""What costs start-up time and memory comes only when it is used."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        pytest.param("templates", ["liquid"], id="Liquid with the first template"),
        pytest.param("schedules", ["holidays"], id="holidays with the first calendar that has some"),
        pytest.param(
            "numbers",
            ["phonenumbers.geocoder", "phonenumbers.geodata", "phonenumbers.carrier", "phonenumbers.timezone"],
            id="places, carriers and zones of numbers never",
        ),
    ],
)
def test_a_module_of_the_core_is_light(module, heavy):
    seen = f"import sys, ringback.core.{module}; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True, env=_environment())
    assert found.stdout.strip() == "[]"


def _environment():
    return {"PYTHONPATH": ":".join(path for path in sys.path if path)}
