"""Which plots a workload gets: bars of its main figure, curves where it has any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from .peers.base import System
from .plot import Bar, Line, bars, lines
from .report import figure_text
from .results import Results
from .workloads.base import Case, Workload


def draw(
    results: Results,
    workloads: Mapping[str, Workload],
    systems: Mapping[str, System],
    cases: Mapping[str, Sequence[Case]],
    folder: Path,
) -> dict[str, list[str]]:
    """Writes the plots and returns the file names by workload."""
    drawn: dict[str, list[str]] = {}
    for name in results.workloads():
        workload = workloads[name]
        files = _bars(results, workload, systems, cases[name])
        for case in cases[name]:
            files |= _curves(results, workload, systems, case)
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
        drawn[name] = list(files)
    return drawn


def _bars(results: Results, workload: Workload, systems: Mapping[str, System], cases: Sequence[Case]) -> dict[str, str]:
    metric = next((m for m in workload.metrics if m.plot), None)
    if metric is None:
        return {}
    groups: list[tuple[str, list[Bar]]] = []
    for case in cases:
        group = [
            Bar(
                systems[name].title,
                figure.median,
                figure.low,
                figure.high,
                figure_text(figure, metric.digits).split(" (")[0],
                _kind(name),
            )
            for name in results.systems(workload.name)
            if (figure := results.figure(workload.name, case.key, name, metric.key))
        ]
        if group:
            groups.append((case.title, group))
    if not groups:
        return {}
    return {f"{workload.name}.svg": bars(f"{workload.title}: {metric.title}", metric.unit, groups)}


def _curves(results: Results, workload: Workload, systems: Mapping[str, System], case: Case) -> dict[str, str]:
    curves: dict[str, list[Line]] = {}
    for name in results.systems(workload.name):
        for measurement in results.of(workload.name, case.key, name)[:1]:
            for title, points in measurement.series.items():
                curves.setdefault(title, []).append(Line(systems[name].title, points, _kind(name)))
    files: dict[str, str] = {}
    for title, group in curves.items():
        file = "-".join(x for x in (workload.name, case.key, title.split(" ")[0]) if x) + ".svg"
        heading = f"{workload.title}, {case.title}: {title}" if case.title else f"{workload.title}: {title}"
        files[file] = lines(heading, "", group, logarithmic=" ms" in title or "rows" in title)
    return files


def _kind(system: str) -> str:
    return {"leasehold": "ours", "limit": "limit"}.get(system, "peer")
