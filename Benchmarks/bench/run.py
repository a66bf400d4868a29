"""The run: each workload over all systems in turns, so that what disturbs one disturbs all."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from .fleet import WorkerFailed
from .libpq import DatabaseError
from .machine import clocks
from .peers.base import System
from .profile import top_statements
from .results import Measurement, Results
from .stage import ProcessFailed, Stage
from .workloads.base import Case, Unmeasurable, Workload

EXPECTED = (Unmeasurable, ProcessFailed, WorkerFailed, DatabaseError, OSError)


def run(
    stage: Stage,
    workloads: Sequence[Workload],
    systems: Sequence[System],
    results: Results,
    saved: Callable[[], None],
    say: Callable[[str], None],
) -> None:
    """Measures everything and appends it to the results; `saved` is called after each case."""
    for workload in workloads:
        cases = workload.cases(stage.scale)
        for case in cases[:1] if stage.scale.name == "smoke" else cases:
            playing = [s for s in systems if workload.supports(s, case, stage.scale)]
            say(f"{workload.name} {case.title}".rstrip())
            _run_case(stage, workload, case, playing, results, say)
            saved()


def _run_case(
    stage: Stage,
    workload: Workload,
    case: Case,
    systems: list[System],
    results: Results,
    say: Callable[[str], None],
) -> None:
    ready: list[System] = []
    for system in systems:
        try:
            workload.prepare(stage, system, case)
            ready.append(system)
        except EXPECTED as error:
            results.measurements.append(_failure(workload, case, system, 0, error))
            say(f"  {system.title:18} {error}")
    repeats = stage.scale.repeats if workload.repeatable else 1
    for repeat in range(repeats):
        # Another order each time: no system always runs behind the same neighbour.
        turn = repeat % max(1, len(ready))
        for system in ready[turn:] + ready[:turn]:
            measurement = _measure(stage, workload, case, system, repeat)
            results.measurements.append(measurement)
            say(f"  {system.title:18} {_line(workload, measurement)}")
    for system in systems:
        workload.finish(stage, system, case)


def _measure(stage: Stage, workload: Workload, case: Case, system: System, repeat: int) -> Measurement:
    began, before = time.monotonic(), clocks(stage.server)
    at = time.strftime("%Y-%m-%dT%H:%M:%S")
    try:
        outcome = workload.measure(stage, system, case, repeat)
        measurement = Measurement(
            workload.name, case.key, system.name, repeat, outcome.values, outcome.series, note=outcome.note
        )
    except EXPECTED as error:
        measurement = _failure(workload, case, system, repeat, error)
    if stage.profile:
        measurement.note = top_statements(stage, system)
    measurement.disturbance = before.disturbance(clocks(stage.server))
    measurement.seconds = time.monotonic() - began
    measurement.at = at
    return measurement


def _failure(workload: Workload, case: Case, system: System, repeat: int, error: Exception) -> Measurement:
    reason = " ".join(str(error).split())[:300] or type(error).__name__
    return Measurement(workload.name, case.key, system.name, repeat, error=reason)


def _line(workload: Workload, measurement: Measurement) -> str:
    if measurement.error:
        return measurement.error
    parts = [
        f"{metric.title} {measurement.values[metric.key]:,.{metric.digits}f} {metric.unit}".replace(",", " ").rstrip()
        for metric in workload.metrics
        if metric.key in measurement.values
    ]
    disturbed = f"  (others took {measurement.disturbance:.0%})" if measurement.disturbance > 0.05 else ""
    return ", ".join(parts) + disturbed
