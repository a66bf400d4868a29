"""The report in Markdown: machine, versions, a table for each case, what holds and what does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .peers.base import System
from .results import DISTURBED, Figure, Results
from .verdict import Condition
from .workloads.base import Case, Metric, Workload


def markdown(
    results: Results,
    workloads: Mapping[str, Workload],
    systems: Mapping[str, System],
    cases: Mapping[str, Sequence[Case]],
    conditions: Sequence[Condition],
    plots: Mapping[str, Sequence[str]],
) -> str:
    """The whole report."""
    parts = [f"# Benchmark, {results.scale}", ""]
    if results.note:
        parts += [f"**{results.note}**", ""]
    parts += _machine(results, systems)
    if conditions:
        parts += ["## Conditions", "", *_conditions(conditions), ""]
    for name in results.workloads():
        workload = workloads[name]
        parts += [f"## {workload.title}", "", workload.explains, ""]
        for case in cases[name]:
            if case.key in results.cases(name):
                parts += _case(results, workload, case, systems)
        parts += [f"![{workload.title}]({plot})\n" for plot in plots.get(name, ())]
    return "\n".join(parts).rstrip() + "\n"


def _machine(results: Results, systems: Mapping[str, System]) -> list[str]:
    facts = ", ".join(f"{name} {value}" for name, value in results.machine.items())
    lines = [
        f"Machine: {facts}.",
        "",
        "Medians with lowest and highest of the repeats. All systems of a case ran in turns in one run: compare"
        " within it, not between runs. A repeat during which other programs took more than"
        f" {DISTURBED:.0%} of the machine counts only if none was quieter; a tilde marks such a figure.",
        "",
        "| system | version | worker | between tenants |",
        "|---|---|---|---|",
    ]
    for name in dict.fromkeys(m.system for m in results.measurements):
        system = systems[name]
        lines.append(f"| {system.title} | {results.versions.get(name, '')} | {system.settings} | {system.sharing} |")
    return [*lines, ""]


def _conditions(conditions: Sequence[Condition]) -> list[str]:
    lines = ["| condition | measured | holds |", "|---|---|---|"]
    for condition in conditions:
        holds = {True: "yes", False: "**no**", None: "not measured"}[condition.holds]
        lines.append(f"| {condition.text} | {condition.measured} | {holds} |")
    return lines


def _case(results: Results, workload: Workload, case: Case, systems: Mapping[str, System]) -> list[str]:
    names = [n for n in results.systems(workload.name) if _has(results, workload.name, case.key, n)]
    metrics = [m for m in workload.metrics if any(results.figure(workload.name, case.key, n, m.key) for n in names)]
    lines = [f"### {case.title}", ""] if case.title else []
    lines.append("| system | " + " | ".join(_heading(metric) for metric in metrics) + " |")
    lines.append("|---" * (len(metrics) + 1) + "|")
    for name in names:
        errors = results.errors(workload.name, case.key, name)
        cells = [_cell(results, workload.name, case.key, name, metric) for metric in metrics]
        if errors and not any(cells):
            cells = [f"{errors[0]}", *[""] * (len(metrics) - 1)] if metrics else []
        lines.append(f"| {systems[name].title} | " + " | ".join(cells) + " |")
    for name in names:
        notes = [m.note for m in results.of(workload.name, case.key, name) if m.note]
        lines += [f"\nStatements of {systems[name].title}:\n\n{note}" for note in notes[-1:]]
    return [*lines, ""]


def _has(results: Results, workload: str, case: str, system: str) -> bool:
    return any((m.workload, m.case, m.system) == (workload, case, system) for m in results.measurements)


def _heading(metric: Metric) -> str:
    return f"{metric.title}, {metric.unit}" if metric.unit else metric.title


def _cell(results: Results, workload: str, case: str, system: str, metric: Metric) -> str:
    figure = results.figure(workload, case, system, metric.key)
    if figure is None:
        return ""
    disturbed = any(m.disturbance > DISTURBED for m in results.of(workload, case, system))
    return ("~" if disturbed else "") + figure_text(figure, metric.digits)


def figure_text(figure: Figure, digits: int) -> str:
    """`median (low-high)`, or the one value."""
    median = number(figure.median, digits)
    if figure.repeats == 1:
        return median
    return f"{median} ({number(figure.low, digits)}-{number(figure.high, digits)})"


def number(value: float, digits: int = 0) -> str:
    """A number with spaces between thousands."""
    return f"{value:,.{digits}f}".replace(",", " ")
