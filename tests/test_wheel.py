"""What a user installs: the wheel carries pages, dialplan and migrations, and finds them."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The wheel, built offline and unpacked as an installer would."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(installed: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command], cwd=installed, env={"PYTHONPATH": str(installed)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "name",
    [
        "dialplan/ringback_extensions.conf",
        "dialplan/ringback_manager.conf",
        "dialplan/ringback_settings.conf",
        "service/ringback.service",
        "web/static/panel.css",
        "web/templates/base.j2",
    ],
)
def test_the_wheel_finds_what_is_no_python(installed, name):
    found = run(installed, "-c", f"from ringback.resources import shipped; print(shipped({name!r}))")
    assert found.strip() == str(installed / "ringback" / "_shipped" / name)


def test_the_wheel_makes_a_database(installed, tmp_path):
    url = f"sqlite:///{tmp_path / 'db'}"
    run(installed, "-c", f"from ringback.store.schema import prepare; prepare({url!r})")
    assert (tmp_path / "db").stat().st_size > 0


def test_the_wheel_has_the_command(installed):
    assert run(installed, "-m", "ringback.cli", "version").strip()


def test_the_wheel_carries_no_tests_and_no_lab(installed):
    top = {path.name for path in installed.iterdir()}
    assert {name.partition("-")[0] for name in top} == {"ringback"}
