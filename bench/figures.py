"""What was measured: values by round, told as a median with its range, its ratio to each peer, and its goal."""

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class What:
    """One figure of a scenario. `more` is whether more is better."""

    scenario: str
    name: str
    unit: str
    more: bool = False


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound from the goals of the project, for one subject's figure."""

    name: str
    bound: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """A goal that asks how many times better than another subject of the same run we are."""

    name: str
    against: str
    bound: float


@dataclass(slots=True)
class Figures:
    """All values of a run: figure -> subject -> one value a round. A subject whose name begins with `peer` is one."""

    values: dict[What, dict[str, list[float]]] = field(default_factory=dict)
    goals: dict[tuple[What, str], Goal] = field(default_factory=dict)
    ratios: dict[tuple[What, str], list[Ratio]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, what: What, subject: str, value: float, goal: Goal | None = None) -> None:
        self.values.setdefault(what, {}).setdefault(subject, []).append(value)
        if goal is not None:
            self.goals[what, subject] = goal

    def ask(self, what: What, subject: str, *ratios: Ratio) -> None:
        """Set goals against other subjects; one that did not run asks for nothing."""
        self.ratios[what, subject] = [one for one in ratios if one.against in self.values.get(what, {})]

    def lines(self, scenario: str) -> Iterable[str]:
        """One line a figure and subject, peers as ratios behind ours."""
        for what, subjects in self.values.items():
            if what.scenario != scenario:
                continue
            peers = {name: values for name, values in subjects.items() if is_peer(name)}
            for name, values in subjects.items():
                if not is_peer(name):
                    yield self._line(what, name, values, peers)

    def _line(self, what: What, subject: str, values: list[float], peers: dict[str, list[float]]) -> str:
        ours = statistics.median(values)
        ratios = [
            f"{times(ours, statistics.median(theirs), what.more)} {name.removeprefix('peer ')} ({number(theirs)})"
            for name, theirs in peers.items()
        ]
        goal = self.goals.get((what, subject))
        verdict = f"  [{goal.name} {number([goal.bound])}: {self.verdict(what, subject)}]" if goal else ""
        for ratio in self.ratios.get((what, subject), []):
            against = ratio.against.removeprefix("peer ")
            verdict += f"  [{ratio.name} {ratio.bound}x {against}: {self.verdict_of(what, subject, ratio)}]"
        line = f"{what.scenario:<17} {what.name:<34} {subject:<22} {number(values):>22} {what.unit:<8}"
        return f"{line} {'; '.join(ratios)}{verdict}".rstrip()

    def verdict(self, what: What, subject: str) -> str:
        bound = self.goals[what, subject].bound
        ours = statistics.median(self.values[what][subject])
        return "met" if (ours >= bound if what.more else ours <= bound) else "LOST"

    def verdict_of(self, what: What, subject: str, ratio: Ratio) -> str:
        return "met" if self.better(what, subject, ratio.against) >= ratio.bound else "LOST"

    def better(self, what: What, subject: str, other: str) -> float:
        """How many times better a subject is than another."""
        ours, theirs = (statistics.median(self.values[what][one]) for one in (subject, other))
        worse, better = (theirs, ours) if what.more else (ours, theirs)
        return better / worse if worse else float("inf")

    def write(self, path: Path, environment: dict[str, object]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        figures = [
            {
                "scenario": what.scenario,
                "figure": what.name,
                "unit": what.unit,
                "more_is_better": what.more,
                "subject": subject,
                "rounds": values,
                "median": statistics.median(values),
                "goal": self._goal_of(what, subject),
                "ratios": [
                    {
                        "goal": ratio.name,
                        "against": ratio.against,
                        "bound": ratio.bound,
                        "is": self.better(what, subject, ratio.against),
                        "verdict": self.verdict_of(what, subject, ratio),
                    }
                    for ratio in self.ratios.get((what, subject), [])
                ],
            }
            for what, subjects in self.values.items()
            for subject, values in subjects.items()
        ]
        path.write_text(json.dumps({**environment, "notes": self.notes, "figures": figures}, indent=1) + "\n")

    def _goal_of(self, what: What, subject: str) -> dict[str, object] | None:
        goal = self.goals.get((what, subject))
        return {"name": goal.name, "bound": goal.bound, "verdict": self.verdict(what, subject)} if goal else None


def is_peer(subject: str) -> bool:
    return subject.startswith("peer ")


def times(ours: float, theirs: float, more: bool) -> str:
    """How many times better we are; below 1 the peer is better."""
    worse, better = (theirs, ours) if more else (ours, theirs)
    return f"{_short(better / worse)}x" if worse else "-"


def number(values: Sequence[float]) -> str:
    """The median, and the range where there are several."""
    middle = _short(statistics.median(values))
    return middle if len(values) == 1 else f"{middle} ({_short(min(values))}..{_short(max(values))})"


def _short(value: float) -> str:
    if abs(value) >= 10_000:
        return f"{value / 1000:,.0f}k"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2g}" if abs(value) < 1 else f"{value:.3g}"


def quantile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[int((len(ordered) - 1) * share)] if ordered else float("nan")
