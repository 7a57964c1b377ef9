"""docs/panel.md and its pictures keep up with the panel."""

import re
from pathlib import Path

from ringback.panel.call_words import TEXT
from ringback.panel.places import PLACES, SET_UP
from tests.browser.shots import LAST, SHOWN

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "panel.md").read_text("utf-8")
PICTURES = {path.name: path.stat().st_size for path in (ROOT / "docs" / "shots").glob("*")}


def test_every_page_has_its_pictures_and_no_other_is_there():
    wanted = {
        f"{name}-{width}-{theme}.png" for name in SHOWN + LAST for width in (360, 1440) for theme in ("light", "dark")
    }
    assert set(PICTURES) == wanted


def test_the_pictures_are_small():
    assert sum(PICTURES.values()) < 3_000_000


def test_every_picture_that_is_shown_is_there_and_says_what_it_shows():
    shown = re.findall(r'srcset="shots/([\w-]+\.png)"><img src="shots/([\w-]+\.png)" alt="[^"]{8,}"', PAGE)
    assert len(shown) == PAGE.count("<img")
    assert {name for pair in shown for name in pair} <= set(PICTURES)


def test_every_state_of_a_text_is_explained():
    rows = re.findall(r"^\| (.+?) \| .+ \|$", PAGE, re.MULTILINE)
    words = {word for row in rows for word in row.split(", ")}
    assert {mark.word for mark in TEXT.values()} <= words


def test_the_keys_are_those_of_the_pages():
    (keys,) = re.findall(r"^\| `g` then (.+?) \| goes to (.+) \|$", PAGE, re.MULTILINE)
    # whoever may not see the matrix has a page of their own at its key
    places = [place for place in PLACES + SET_UP if place.unless is None]
    assert re.findall(r"`(\w)`", keys[0]) == [place.key for place in places]
    assert keys[1] == ", ".join(place.word.lower() for place in places)
