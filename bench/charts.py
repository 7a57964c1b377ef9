"""Draws what was measured: bars with their range, latencies as points, statements as lines. Plain SVG, light and dark.

python -m bench.charts [--to FOLDER] RESULTS.json ...
"""

import argparse
import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from bench.figures import is_peer, number

WIDTH = 760
LABEL = 220
RIGHT = 130
ROW = 26
TOP = 58
STYLE = """text{font:13px system-ui,sans-serif;fill:#24292f}.t{font-size:15px;font-weight:600}.s{fill:#57606a}
.o{fill:#1f6feb;stroke:#1f6feb}.p{fill:#8c959f;stroke:#8c959f}.w{stroke:#24292f;stroke-width:1.5}
.g{stroke:#8c959f;stroke-opacity:.3}.b{fill:#fff}.l{fill:none;stroke-width:2}circle.r{fill:none!important;stroke-width:2}
@media(prefers-color-scheme:dark){.b{fill:#0d1117}text{fill:#e6edf3}.s{fill:#9198a1}.o{fill:#4493f8;stroke:#4493f8}
.p{fill:#6e7681;stroke:#6e7681}.w{stroke:#e6edf3}}"""
FIRST = "Ringback, SQLite"
SHADES = ("#1f6feb", "#bf8700", "#1a7f37", "#8250df", "#cf222e", "#0598bc", "#bc4c00", "#6e7781")
"""Lines; each is told by its label too, so that nobody needs the colours."""


@dataclass(frozen=True, slots=True)
class Value:
    """One subject's figure over all rounds."""

    subject: str
    median: float
    rounds: tuple[float, ...]
    unit: str

    @property
    def name(self) -> str:
        return self.subject.removeprefix("peer ")

    @property
    def look(self) -> str:
        return "p" if is_peer(self.subject) else "o"


Scale = Callable[[float], float]


class Results:
    """Figures of some runs; of one measured twice, the later counts."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._values: dict[tuple[str, str], dict[str, Value]] = {}
        for path in paths:
            for one in json.loads(path.read_text())["figures"]:
                value = Value(one["subject"], one["median"], tuple(one["rounds"]), one["unit"])
                self._values.setdefault((one["scenario"], one["figure"]), {})[value.subject] = value

    def of(self, scenario: str, figure: str) -> list[Value]:
        """Ours before the peers, by name."""
        found = self._values.get((scenario, figure), {}).values()
        return sorted(found, key=lambda value: (is_peer(value.subject), value.subject != FIRST, value.subject))

    def figures(self, scenario: str) -> list[str]:
        return [figure for known, figure in self._values if known == scenario]


def bars(title: str, note: str, groups: Sequence[tuple[str, list[Value]]]) -> str:
    """Groups of bars from zero, the range of the rounds as a line over each."""
    most = max(max(value.rounds) for _, values in groups for value in values)
    room = WIDTH - LABEL - RIGHT
    drawn, y = [], TOP
    for name, values in groups:
        drawn.append(text(16, y + 14, name, "s"))
        y += ROW
        for value in values:
            end = LABEL + room * value.median / most
            low, high = (LABEL + room * bound / most for bound in (min(value.rounds), max(value.rounds)))
            drawn += [
                text(32, y + 14, value.name),
                f'<rect class="{value.look}" x="{LABEL}" y="{y + 3}" width="{end - LABEL:.1f}" height="14" rx="2"/>',
                line(low, y + 10, high, y + 10),
                text(max(end, high) + 8, y + 14, f"{number([value.median])} {value.unit}"),
            ]
            y += ROW
        y += 8
    return page(title, note, y, drawn)


def points(title: str, note: str, groups: Sequence[tuple[str, list[tuple[Value, Value]]]]) -> str:
    """p50 as a point and p99 as a ring, on a scale of powers of ten."""
    all_of_them = [value.median for _, pairs in groups for pair in pairs for value in pair]
    scale, powers = by_powers(all_of_them, LABEL, WIDTH - RIGHT)
    drawn, y = [], TOP + 14
    for name, pairs in groups:
        drawn.append(text(16, y + 14, name, "s"))
        y += ROW
        for middle, worst in pairs:
            left, right = scale(middle.median), scale(worst.median)
            drawn += [
                text(32, y + 14, middle.name),
                line(left, y + 10, right, y + 10, "g"),
                circle(left, y + 10, middle.look),
                circle(right, y + 10, f"{middle.look} r"),
                text(right + 10, y + 14, f"{number([middle.median])} / {number([worst.median])} {middle.unit}"),
            ]
            y += ROW
        y += 8
    grid = [line(scale(power), TOP, scale(power), y, "g") for power in powers]
    grid += [text(scale(power) + 3, TOP + 8, f"{power:g}", "s") for power in powers]
    return page(title, note, y, [*grid, *drawn])


def lines(title: str, note: str, series: Sequence[tuple[str, list[tuple[float, float]]]], unit: str) -> str:
    """Each a line through its points, both axes in powers of ten."""
    across, sizes = by_powers([x for _, row in series for x, _ in row], 80, WIDTH - 250)
    height = 300
    up, powers = by_powers([y for _, row in series for _, y in row], height, 0)
    drawn = []
    for power in powers:
        y = TOP + up(power)
        drawn += [line(80, y, WIDTH - 250, y, "g"), text(16, y + 4, f"{power:g} {unit}", "s")]
    drawn += [text(across(size) - 14, TOP + height + 20, short(size), "s") for size in sizes]
    label = float(TOP - 12)
    ends = sorted(series, key=lambda one: up(one[1][-1][1]))
    for place, (name, row) in enumerate(ends):
        shade = SHADES[place % len(SHADES)]
        path = " ".join(f"{across(x):.1f},{TOP + up(y):.1f}" for x, y in row)
        end = (across(row[-1][0]), TOP + up(row[-1][1]))
        label = max(label + 18, end[1])
        drawn.append(f'<polyline class="l" style="stroke:{shade}" points="{path}"/>')
        drawn += [f'<circle style="fill:{shade}" cx="{across(x):.1f}" cy="{TOP + up(y):.1f}" r="3.5"/>' for x, y in row]
        drawn.append(f'<path style="stroke:{shade}" d="M{end[0] + 5:.1f} {end[1]:.1f}L{WIDTH - 238} {label:.1f}"/>')
        drawn.append(text(WIDTH - 232, label + 4, name))
    return page(title, note, TOP + height + 30, drawn)


def by_powers(values: Sequence[float], begin: float, end: float) -> tuple[Scale, list[float]]:
    """A scale from the power of ten below all values to the one above, and the powers on it."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)

    def scale(value: float) -> float:
        return begin + (end - begin) * (math.log10(value) - low) / (high - low)

    return scale, [10.0**power for power in range(low, high + 1)]


def short(size: float) -> str:
    return f"{size / 1_000_000:g}M" if size >= 1_000_000 else f"{size:,.0f}"


def text(x: float, y: float, words: str, look: str = "") -> str:
    named = f' class="{look}"' if look else ""
    return f'<text{named} x="{x:.0f}" y="{y:.0f}">{escape(words)}</text>'


def line(x: float, y: float, to_x: float, to_y: float, look: str = "w") -> str:
    return f'<line class="{look}" x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}"/>'


def circle(x: float, y: float, look: str) -> str:
    return f'<circle class="{look}" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'


def page(title: str, note: str, height: float, drawn: Sequence[str]) -> str:
    size = f'viewBox="0 0 {WIDTH} {height + 12:.0f}" role="img" aria-label="{escape(title, quote=True)}"'
    head = [text(16, 26, title, "t"), text(16, 44, note, "s")]
    # a ground of its own: the page around may be light where the reader's system is dark
    ground = '<rect class="b" width="100%" height="100%"/>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {size}><style>{STYLE}</style>{ground}'
    return "\n".join([svg, *head, *drawn, "</svg>\n"])


RATES = {
    "asked, sent and confirmed": ("api", "with receipts, all the way"),
    "asked and sent, no receipts": ("api", "without receipts, submitted"),
}
LOADS = {
    "1,000 a second": "1000/s, submitted",
    "200 a second": "200/s, submitted",
    "64 at once": "with receipts, at once, submitted",
}
WATCHED = {
    "ask: facts of the pairs": "asked, 100 a commit: crowd.CROWD",
    "ask: rows of texts": "asked, 100 a commit: rows into message, each",
    "claim 20 that are due": "claim of 20: outbox.DUE",
    "receipt: find its text": "receipt of now, 100 a commit: outcomes.BY_PROVIDER",
    "receipt: move its text": "receipt of now, 100 a commit: outcomes.MOVE",
    "one text and its history": "read: one text",
    "a thread": "read: thread",
    "search": "read: search, one found",
}


def draw(results: Results) -> dict[str, str]:
    """File name -> SVG, for whatever was measured."""
    drawn = {}
    rates = [(name, found) for name, what in RATES.items() if (found := results.of(*what))]
    if rates:
        note = "Texts a second over HTTP, in and out. More is better. The line is the range of the rounds."
        drawn["rates.svg"] = bars("From the API to the carrier", note, rates)
    waits = [
        (name, list(zip(middle, worst, strict=True)))
        for name, figure in LOADS.items()
        if (middle := results.of("api", f"{figure} p50")) and (worst := results.of("api", f"{figure} p99"))
    ]
    if waits:
        note = "Milliseconds from the request to the carrier: point p50, ring p99. Less is better."
        drawn["waits.svg"] = points("How long a text takes", note, waits)
    if slow := results.of("api_slowdisk", "submitted, 256 at once"):
        note = "Texts a second with every flush slowed. More is better."
        drawn["slow-disk.svg"] = bars("On slow disks, 256 at once", note, [("", slow)])
    for kind in ("SQLite", "PostgreSQL"):
        if series := _grown(results, kind):
            note = "Microseconds, p50, by how many texts there are."
            drawn[f"growth-{kind.lower()}.svg"] = lines(f"Hot statements on {kind}", note, series, "us")
    return drawn


def _grown(results: Results, kind: str) -> list[tuple[str, list[tuple[float, float]]]]:
    series = []
    for name, figure in WATCHED.items():
        row = []
        for value in results.of("statements", f"{figure}, p50"):
            subject, _, size = value.subject.partition(", ")
            if subject == kind:
                row.append((float(size.replace(",", "")), value.median))
        if len(row) > 1:
            series.append((name, sorted(row)))
    return series


def write(paths: Iterable[Path], folder: Path) -> list[Path]:
    """Draw what these results have, into this folder."""
    drawn = draw(Results(paths))
    if drawn:
        folder.mkdir(parents=True, exist_ok=True)
    for name, svg in drawn.items():
        (folder / name).write_text(svg)
    return [folder / name for name in drawn]


if __name__ == "__main__":
    words = argparse.ArgumentParser(prog="python -m bench.charts", description=__doc__)
    words.add_argument("results", nargs="+", type=Path)
    words.add_argument("--to", type=Path, default=Path("docs/charts"))
    asked = words.parse_args()
    for path in write(asked.results, asked.to):
        print(path)
