"""Measurements as data: what the report, the plots and the verdict are made from, and the JSON file."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

# A repeat in which others took more of the machine than this counts only if none was quieter.
DISTURBED = 0.15


@dataclass
class Measurement:
    """One measurement of one system; `error` says why there are no values."""

    workload: str
    case: str
    system: str
    repeat: int
    values: dict[str, float] = field(default_factory=dict)
    series: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    error: str = ""
    note: str = ""
    disturbance: float = 0.0  # share of the machine that other programs took, 0 to 1
    seconds: float = 0.0
    at: str = ""


@dataclass(frozen=True)
class Figure:
    """A metric over the repeats."""

    median: float
    low: float
    high: float
    repeats: int


@dataclass
class Results:
    """All measurements of a run, and what they were made on."""

    machine: dict[str, str]
    versions: dict[str, str]
    scale: str
    note: str = ""
    measurements: list[Measurement] = field(default_factory=list)

    def of(self, workload: str, case: str, system: str) -> list[Measurement]:
        """The repeats of a system that count: the undisturbed ones, or all if there are none."""
        found = [
            m for m in self.measurements if (m.workload, m.case, m.system) == (workload, case, system) and not m.error
        ]
        return [m for m in found if m.disturbance <= DISTURBED] or found

    def figure(self, workload: str, case: str, system: str, metric: str) -> Figure | None:
        """Median, lowest and highest of a metric; None if it was not measured."""
        values = [m.values[metric] for m in self.of(workload, case, system) if metric in m.values]
        if not values:
            return None
        return Figure(statistics.median(values), min(values), max(values), len(values))

    def median(self, workload: str, case: str, system: str, metric: str) -> float | None:
        """The median of a metric; None if it was not measured."""
        figure = self.figure(workload, case, system, metric)
        return figure.median if figure else None

    def errors(self, workload: str, case: str, system: str) -> list[str]:
        """Why repeats have no values, each reason once."""
        found = [
            m.error for m in self.measurements if (m.workload, m.case, m.system) == (workload, case, system) and m.error
        ]
        return list(dict.fromkeys(found))

    def systems(self, workload: str) -> list[str]:
        """Systems with a measurement in the workload, in the order of their first."""
        return list(dict.fromkeys(m.system for m in self.measurements if m.workload == workload))

    def cases(self, workload: str) -> list[str]:
        """Cases of the workload, in the order of their first measurement."""
        return list(dict.fromkeys(m.case for m in self.measurements if m.workload == workload))

    def workloads(self) -> list[str]:
        """Workloads, in the order of their first measurement."""
        return list(dict.fromkeys(m.workload for m in self.measurements))

    def best_peer(
        self, workload: str, case: str, metric: str, peers: Iterable[str], more: bool
    ) -> tuple[str, float] | None:
        """The peer with the best median, and that median."""
        medians = [(value, peer) for peer in peers if (value := self.median(workload, case, peer, metric)) is not None]
        if not medians:
            return None
        value, peer = max(medians) if more else min(medians)
        return peer, value

    def save(self, path: Path) -> None:
        """Writes everything as JSON, curves thinned to 400 points."""
        data = asdict(self)
        for measurement in data["measurements"]:
            measurement["series"] = {k: _thinned(v) for k, v in measurement["series"].items()}
            measurement["values"] = {k: round(v, 4) for k, v in measurement["values"].items()}
            measurement["disturbance"] = round(measurement["disturbance"], 3)
            measurement["seconds"] = round(measurement["seconds"], 1)
        path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Results:
        """Reads what `save` wrote."""
        data = json.loads(path.read_text(encoding="utf-8"))
        data["measurements"] = [Measurement(**m) for m in data["measurements"]]
        return cls(**data)


def _thinned(points: list[tuple[float, float]], most: int = 400) -> list[tuple[float, float]]:
    step = max(1, len(points) // most)
    return [(round(x, 2), round(y, 2)) for x, y in points[::step]]
