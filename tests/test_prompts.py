"""What callers hear: the same prompts in every language, named as the dialplan plays them, spoken by espeak-ng."""

import re
import wave
from array import array
from math import pi, sin
from pathlib import Path

import pytest

from tools.prompts import VOICES, WORDS, make, read_prompts, resampled

DIALPLAN = "".join(file.read_text() for file in WORDS.parent.glob("ringback_*.conf"))
ENGLISH = read_prompts((WORDS / "en.txt").read_text("utf-8"))
ASKED = ("deflect", "wait-text", "text-back")


def prompts(language: str):
    return read_prompts((WORDS / f"{language}.txt").read_text("utf-8"))


def test_each_prompt_that_is_played_is_written_and_no_other():
    said = re.findall(
        r"ringback-say,s,1\(([a-z-]+)\)|ringback-key,s,1\(([a-z-]+)\)|Read\(\w+,ringback/([a-z-]+),", DIALPLAN
    )
    proposed = re.findall(r"ringback-propose,s,1\(.*,([a-z-]+),\d+\)", DIALPLAN)
    assert sorted({name for names in said for name in names if name} | set(proposed)) == sorted(
        one.name for one in ENGLISH
    )
    assert sorted(proposed) == sorted(ASKED)


def test_the_dialplan_tells_the_version_of_what_they_heard():
    told = dict(re.findall(r"ringback-propose,s,1\(.*,([a-z-]+),(\d+)\)", DIALPLAN))
    assert told == {one.name: one.version for one in ENGLISH if one.name in ASKED}


@pytest.mark.parametrize("language", VOICES)
def test_every_language_has_every_prompt_in_the_same_version(language: str):
    found = prompts(language)
    assert [(one.name, one.version) for one in found] == [(one.name, one.version) for one in ENGLISH]
    assert all(len(one.words) >= 5 for one in found)
    for question in (one for one in found if one.name in (*ASKED, "mobile-ok")):
        assert ("1" in question.words, "2" in question.words) == (True, True), question


def test_a_line_that_is_none_is_refused():
    with pytest.raises(TypeError):
        read_prompts("deflect|only words\n")


def test_they_are_spoken_as_asterisk_plays_them(tmp_path: Path):
    files = make("it", tmp_path)
    assert [file.relative_to(tmp_path) for file in files] == [Path(f"it/ringback/{one.name}.wav") for one in ENGLISH]
    assert sorted(tmp_path.rglob("*.wav")) == sorted(files)
    for file in files:
        with wave.open(str(file)) as spoken:
            shape = (spoken.getnchannels(), spoken.getsampwidth(), spoken.getframerate())
            samples = array("h", spoken.readframes(spoken.getnframes()))
        assert shape == (1, 2, 8_000)
        assert 0.4 < len(samples) / 8_000 < 20
        assert max(samples) > 3_000


@pytest.mark.parametrize(
    ("hertz", "least", "most"),
    [
        pytest.param(440, 9_500, 10_500, id="a voice stays as loud as it was"),
        pytest.param(3_000, 9_000, 10_500, id="and its highest part too"),
        pytest.param(7_000, 0, 300, id="what a telephone cannot carry does not come back as another tone"),
    ],
)
def test_a_tone_at_another_rate(hertz: int, least: int, most: int):
    tone = [round(10_000 * sin(2 * pi * hertz * number / 22_050)) for number in range(4_410)]
    heard = list(resampled(tone, 22_050, 8_000))
    assert len(heard) == 1_600
    assert least <= max(heard[200:1_400]) <= most
