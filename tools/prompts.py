"""The prompts that callers hear, spoken: dialplan/prompts/LANGUAGE.txt becomes LANGUAGE/ringback/NAME.wav for Asterisk.

    python -m tools.prompts              all languages, into build/prompts
    python -m tools.prompts es pt        these

The voice is espeak-ng's: clear, and nobody takes it for a person. Files of your own of the same names do as well.
"""

import argparse
import shutil
import subprocess
import sys
import wave
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import cos, gcd, pi, sin
from operator import mul
from pathlib import Path

ROOT = Path(__file__).parents[1]
WORDS = ROOT / "dialplan" / "prompts"
OUT = ROOT / "build" / "prompts"
VOICES = {"en": "en-us", "es": "es", "fr": "fr-fr", "de": "de", "pt": "pt-pt", "it": "it"}
PACE = "150"
"""Words a minute: a little slower than the voice's own, since a telephone takes much away."""
RATE = 8_000
"""Hertz of a telephone line; Asterisk plays a WAV file of 16 bits and one channel at this rate."""
REACH = 24
"""Samples to each side that one of the result is made from."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One line of a file of prompts."""

    name: str
    words: str
    version: str


def read_prompts(text: str) -> list[Prompt]:
    """Read `name|words|version` a line; `#` begins a remark. Raises ValueError for a line that is none of both."""
    return [
        Prompt(*(part.strip() for part in line.split("|", 2)))
        for line in text.splitlines()
        if line.strip() and not line.startswith("#")
    ]


def make(language: str, out: Path) -> list[Path]:
    """Speak every prompt of a language."""
    folder = out / language / "ringback"
    folder.mkdir(parents=True, exist_ok=True)
    prompts = read_prompts((WORDS / f"{language}.txt").read_text("utf-8"))
    return [_speak(prompt, VOICES[language], folder / f"{prompt.name}.wav") for prompt in prompts]


def _speak(prompt: Prompt, voice: str, file: Path) -> Path:
    raw = file.with_suffix(".raw.wav")
    command = ["espeak-ng", "-v", voice, "-s", PACE, "-w", str(raw), "--", prompt.words]
    subprocess.run(command, check=True)  # noqa: S603  # words of our own files, after `--`
    with wave.open(str(raw)) as spoken:
        samples, rate = array("h", spoken.readframes(spoken.getnframes())), spoken.getframerate()
    raw.unlink()
    with wave.open(str(file), "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(RATE)
        written.writeframes(array("h", resampled(samples, rate, RATE)).tobytes())
    return file


def resampled(samples: Sequence[int], rate: int, wanted: int) -> Iterator[int]:
    """The same sound at another rate, without what is too high for it: a windowed sinc, one set of weights a phase."""
    step = gcd(rate, wanted)
    up, down = wanted // step, rate // step
    sets = [_weights(phase / up, min(1.0, wanted / rate)) for phase in range(up)]
    padded = [0] * REACH + list(samples) + [0] * REACH
    for number in range(len(samples) * up // down):
        at, phase = divmod(number * down, up)
        around = padded[at + 1 : at + 1 + 2 * REACH]
        yield max(-32_768, min(32_767, round(sum(map(mul, around, sets[phase])))))


def _weights(shift: float, width: float) -> list[float]:
    distances = [place - shift for place in range(1 - REACH, REACH + 1)]
    weights = [_sinc(width * distance) * (0.5 + 0.5 * cos(pi * distance / (REACH + 1))) for distance in distances]
    total = sum(weights)
    return [weight / total for weight in weights]


def _sinc(value: float) -> float:
    return sin(pi * value) / (pi * value) if value else 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description="Speak the prompts that callers hear.")
    parser.add_argument("language", nargs="*", choices=[*VOICES, []], help="all unless named")
    parser.add_argument("--out", type=Path, default=OUT, help="where to write")
    said = parser.parse_args()
    if not shutil.which("espeak-ng"):
        sys.exit("espeak-ng is missing; as root: apt-get install espeak-ng")
    for language in said.language or VOICES:
        sys.stdout.write(f"{language}: {len(make(language, said.out))} prompts in {said.out / language / 'ringback'}\n")
    sys.stdout.write("copy the folders of your languages into Asterisk's sounds, as dialplan/README.md shows\n")


if __name__ == "__main__":
    main()
