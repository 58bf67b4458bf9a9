"""What a measurement says: lines for people, JSON for scripts."""

from __future__ import annotations

import json
import os
import platform
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "latest.json"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured thing: values of its interleaved rounds, in `unit`."""

    name: str
    unit: str
    values: list[float]

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def middle(self) -> float:
        return statistics.median(self.values)

    @property
    def high(self) -> float:
        return max(self.values)

    def line(self) -> str:
        shown = " / ".join(f"{one:,.1f}" for one in (self.low, self.middle, self.high))
        return f"  {self.name:<52} {shown} {self.unit}"


@dataclass(slots=True)
class Report:
    """All figures and ratios of one run, and the machine that they are of."""

    figures: list[Figure] = field(default_factory=list)
    ratios: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, unit: str, values: list[float]) -> Figure:
        figure = Figure(name, unit, values)
        self.figures.append(figure)
        print(figure.line(), flush=True)
        return figure

    def ratio(self, name: str, value: float) -> None:
        self.ratios[name] = round(value, 3)
        print(f"  {name:<52} {value:.1%}", flush=True)

    def save(self) -> None:
        RESULTS.parent.mkdir(exist_ok=True)
        known = {
            "machine": {
                "cores": os.cpu_count(),
                "python": platform.python_version(),
                "system": platform.platform(),
                "load": os.getloadavg(),
            },
            "figures": [asdict(figure) for figure in self.figures],
            "ratios": self.ratios,
        }
        RESULTS.write_text(json.dumps(known, indent=2) + "\n")


def quantile(values: list[float], share: float) -> float:
    """Return the value below which `share` of the sorted values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
