"""Shipped files are found in a checkout and in a wheel."""

import pytest

from ringback import resources
from ringback.resources import shipped


@pytest.mark.parametrize("name", ["dialplan/ringback_manager.conf", "dialplan/ringback_extensions.conf", "web"])
def test_what_ships_is_found(name):
    assert shipped(name).exists()


def test_inside_a_wheel_the_shipped_folder_comes_first(tmp_path, monkeypatch):
    wheel = tmp_path / "_shipped"
    (wheel / "web").mkdir(parents=True)
    monkeypatch.setattr(resources, "ROOTS", (wheel, tmp_path))
    assert shipped("web") == wheel / "web"


def test_what_does_not_ship_is_named():
    with pytest.raises(FileNotFoundError, match="web/nothing did not come with this installation"):
        shipped("web/nothing")
