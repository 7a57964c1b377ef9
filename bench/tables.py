"""Writes the tables of docs/performance.md from what was measured, between the marks that stand there.

python -m bench.tables RESULTS.json ...      of a figure that was measured twice, the later counts
"""

import argparse
import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from bench.figures import number, times
from bench.process import ROOT

PAGE = ROOT / "docs" / "performance.md"
OURS = ("Ringback, SQLite", "Ringback, PostgreSQL")
PEERS = ("peer Kannel, memory", "peer Kannel, spool")
MARKED = r"(<!-- {name} -->\n).*?(<!-- end -->)"
MOST_LOST = 12
"""Of statements that grew, so many are shown, the worst first."""

Figure = dict[str, Any]
Found = dict[tuple[str, str], dict[str, Figure]]


def load(paths: Iterable[Path]) -> tuple[Found, list[Figure]]:
    """Figures by scenario and name, then by subject; and what each run says of itself."""
    found: Found = {}
    runs = []
    for path in paths:
        run = json.loads(path.read_text())
        runs.append({**run, "path": path})
        for one in run["figures"]:
            found.setdefault((one["scenario"], one["figure"]), {})[one["subject"]] = one
    return found, runs


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def head(*cells: str) -> list[str]:
    return [row(*cells), f"|{'---|' * len(cells)}"]


def value(one: Figure | None) -> str:
    return number(one["rounds"]) if one else "-"


def compared(found: Found, scenario: str, names: Sequence[str]) -> list[str]:
    """Ours and the peers side by side; behind ours how many times better than each peer."""
    lines = head("figure", *(name.removeprefix("peer ") for name in (*OURS, *PEERS)))
    for name in names:
        subjects = found.get((scenario, name), {})
        if not subjects:
            continue
        unit = next(iter(subjects.values()))["unit"]
        cells = [_with_ratios(subjects, who) for who in OURS] + [value(subjects.get(who)) for who in PEERS]
        lines.append(row(f"{name}, {unit}", *cells))
    return lines


def _with_ratios(subjects: dict[str, Figure], who: str) -> str:
    one = subjects.get(who)
    if one is None:
        return "-"
    ratios = [
        times(one["median"], theirs["median"], one["more_is_better"])
        for peer in PEERS
        if (theirs := subjects.get(peer)) is not None
    ]
    return f"{value(one)}: {', '.join(ratios)}" if ratios else value(one)


def api(found: Found) -> list[str]:
    kinds = [f"{kind}, {what}" for kind in ("without receipts", "with receipts") for what in API]
    return compared(found, "api", [*kinds, *(f"{rate}/s, {what}" for rate in (200, 1000) for what in PACED)])


API = ("taken", "submitted", "all the way", "at once, taken p50", "at once, taken p99", "at once, submitted p50")
API = (*API, "at once, submitted p99", "processor", "memory")
PACED = ("taken p50", "taken p99", "submitted p50", "submitted p99", "processor")


def plain(scenario: str, begins: str = "") -> Callable[[Found], list[str]]:
    """All figures of a scenario, a column for each subject."""

    def table(found: Found) -> list[str]:
        chosen = {name: row for (known, name), row in found.items() if known == scenario and name.startswith(begins)}
        if not chosen:
            return []
        subjects = list(dict.fromkeys(who for figures in chosen.values() for who in figures))
        lines = head("figure", *(who.removeprefix("peer ") for who in subjects))
        for name, figures in chosen.items():
            unit = next(iter(figures.values()))["unit"]
            lines.append(row(f"{name}, {unit}", *(value(figures.get(who)) for who in subjects)))
        return lines

    return table


def statements(found: Found) -> list[str]:
    """p50 at each size; the statement's own name leads to the code."""
    subjects = list(dict.fromkeys(who for (known, _), row in found.items() if known == "statements" for who in row))
    if not subjects:
        return []
    lines = head("p50, us", *subjects)
    for (known, name), figures in sorted(found.items()):
        if known == "statements" and name.endswith(", p50"):
            lines.append(row(name.removesuffix(", p50"), *(value(figures.get(who)) for who in subjects)))
    return lines


def goals(found: Found) -> list[str]:
    """Every goal that was asked, met or lost. Of statements only those that lost, and how many did not."""
    lines = head("goal", "figure", "whose", "asks", "is", "verdict")
    statements_met, lost = 0, []
    for (scenario, name), figures in found.items():
        for who, one in figures.items():
            if scenario == "statements" and (goal := one.get("goal")):
                statements_met += goal["verdict"] == "met"
                if goal["verdict"] != "met":
                    bound, is_ = number([goal["bound"]]), number([one["median"]])
                    over = one["median"] / goal["bound"]
                    lost.append((over, row("G10", name, who, f"{bound} {one['unit']}", is_, "**lost**")))
            else:
                lines += _asked(scenario, name, who, one)
    lines += [line for _over, line in sorted(lost, reverse=True)[:MOST_LOST]]
    if statements_met or lost:
        verdict = "met" if not lost else f"**{len(lost)} lost**, the worst are above"
        lines.append(row("G10", "all statements, p50", "both", "1.5x or +50 us", f"{statements_met} met", verdict))
    return lines


def _asked(scenario: str, name: str, who: str, one: Figure) -> Iterable[str]:
    if goal := one.get("goal"):
        bound = f"{'>=' if one['more_is_better'] else '<='} {number([goal['bound']])} {one['unit']}"
        yield row(goal["name"], f"{scenario}: {name}", who, bound, value(one), _verdict(goal["verdict"]))
    for ratio in one.get("ratios", []):
        against = ratio["against"].removeprefix("peer ")
        asks = f">= {ratio['bound']:.3g}x {against}"
        is_ = f"{ratio['is']:.2g}x"
        yield row(ratio["goal"], f"{scenario}: {name}", who, asks, is_, _verdict(ratio["verdict"]))


def _verdict(said: str) -> str:
    return "met" if said == "met" else "**lost**"


def machines(runs: Sequence[Figure]) -> list[str]:
    """What each run was taken on, so that a busy one is seen."""
    lines = head("results", "begun", "took", "load before", "flushes/s", "one spin")
    for run in runs:
        known = run.get("load") is not None
        lines.append(
            row(
                run["path"].name,
                str(run.get("begun", "-"))[:16],
                f"{run.get('took_s', '-')} s",
                str(run.get("load", "-")),
                str(run.get("flushes_a_second", "-")),
                f"{run['spin_ms']} ms" if known else "-",
            )
        )
    return lines


TABLES: dict[str, Callable[[Found], list[str]]] = {
    "api": api,
    "slow disk": plain("api_slowdisk"),
    "bulk": plain("bulk"),
    "hooks": plain("hooks", "receipts"),
    "statements": statements,
    "goals": goals,
}


def write(paths: Sequence[Path]) -> None:
    """Put every table that something was measured for into the page."""
    found, runs = load(paths)
    page = PAGE.read_text()
    for name, lines in {**{name: table(found) for name, table in TABLES.items()}, "runs": machines(runs)}.items():
        if len(lines) > 2:
            marked = re.compile(MARKED.format(name=name), re.DOTALL)
            page = marked.sub(lambda mark, lines=lines: f"{mark[1]}{chr(10).join(lines)}\n{mark[2]}", page)
    PAGE.write_text(CHART.sub(_picture, page))


CHART = re.compile(r"(<!-- chart ([a-z-]+): ([^>]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def _picture(mark: re.Match[str]) -> str:
    """Show a chart that was drawn."""
    begin, name, title, end = mark.groups()
    there = (PAGE.parent / "charts" / f"{name}.svg").exists()
    return f"{begin}![{title}](charts/{name}.svg)\n{end}" if there else f"{begin}{end}"


if __name__ == "__main__":
    words = argparse.ArgumentParser(prog="python -m bench.tables", description=__doc__)
    words.add_argument("results", nargs="+", type=Path)
    write(words.parse_args().results)
