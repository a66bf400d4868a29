"""Backlog: the drain rate with a great many jobs standing in the queue."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ..fleet import WorkerOrder
from ..peers.base import System
from ..peers.catalog import LEASEHOLD, PROCRASTINATE
from ..record import Word
from ..scale import Scale
from ..stage import Stage
from .base import Case, Metric, Outcome, Unmeasurable, Workload

_FUTURE = "future"
_FASTEST = 45_000  # jobs a second that no system here exceeds: so many due ones are never used up
_TOPPED_UP = 100_000  # a backlog of at most so many jobs is loaded anew for each repeat


class Backlog(Workload):
    """A window of draining from a backlog that is loaded once; each repeat goes on where the last ended."""

    name = "backlog"
    title = "Drain out of a large backlog"
    explains = (
        "The backlog is loaded once, vacuumed and checkpointed; each repeat drains for a window of seconds"
        " with one fresh worker and counts what the system's tables call finished, going on where the last"
        " repeat ended. `future` has"
        " jobs that are due tomorrow loaded before the due ones; `plain` the same due ones without."
    )
    metrics = (
        Metric("jobs_per_s", "drained", "jobs/s", "more", plot=True),
        Metric("done", "done in the window", "jobs"),
    )

    def cases(self, scale: Scale) -> Sequence[Case]:
        ready = _ready(scale)
        sizes = [Case(f"{ready}x{tenants}", _sizes(ready, tenants)) for ready, tenants in scale.backlogs]
        return (
            Case("plain", f"{_spaced(ready)} due, none in the future"),
            Case(_FUTURE, f"{_spaced(ready)} due behind {_spaced(scale.future)} due tomorrow"),
            *sizes,
        )

    def supports(self, system: System, case: Case, scale: Scale) -> bool:
        if system is LEASEHOLD:
            return True
        if system.name == "limit":
            return False
        if case.key in ("plain", _FUTURE):
            # Its bulk path would need minutes for the load; its rate with less is in the drain.
            return system is not PROCRASTINATE or scale.name == "full"
        return int(case.key.split("x")[0]) <= scale.peer_backlog

    def prepare(self, stage: Stage, system: System, case: Case) -> None:
        scale = stage.scale
        ready, tenants = _load(scale, case)
        stage.install(system, tenants)
        if case.key == _FUTURE:
            stage.fill(system, scale.future, tenants, delay_hours=24)
        stage.fill(system, ready, tenants)
        stage.settle(system)

    def measure(self, stage: Stage, system: System, case: Case, repeat: int) -> Outcome:
        ready, tenants = _load(stage.scale, case)
        if repeat and ready <= _TOPPED_UP:
            with stage.connect(system) as connection:
                missing = ready - stage.remaining(connection, system)
            stage.fill(system, missing, tenants)
            stage.settle(system)
        record = stage.record(system.name)
        order = WorkerOrder("noop", system.concurrency["drain"])
        with stage.connect(system) as connection, stage.fleet(system, record, order) as fleet:
            before = stage.remaining(connection, system)
            if before < 1_000:
                raise Unmeasurable("the backlog was used up by the repeats before")
            fleet.go()
            if not fleet.wait(lambda: fleet.finished() > 0, 60):
                raise Unmeasurable("no job started within 60 s")
            first = record.earliest(Word.FIRST_START)
            limit = first / 1e9 + stage.scale.window
            emptied = fleet.wait(lambda: fleet.finished() >= before, max(0.1, limit - time.monotonic()))
            if emptied:
                stage.await_empty(connection, system)
            end = time.monotonic_ns()
            done = before - stage.remaining(connection, system)
            fleet.stop_all()
        record.close(remove=True)
        return Outcome({"jobs_per_s": done / ((end - first) / 1e9), "done": float(done)})


def _ready(scale: Scale) -> int:
    if scale.name == "smoke":
        return scale.future
    return int(_FASTEST * scale.window * scale.repeats)


def _load(scale: Scale, case: Case) -> tuple[int, int]:
    """Due jobs and tenants of a case."""
    if case.key in ("plain", _FUTURE):
        return _ready(scale), scale.drain_tenants
    ready, tenants = (int(x) for x in case.key.split("x"))
    return ready, tenants


def _sizes(ready: int, tenants: int) -> str:
    return f"{_spaced(ready)} due of {_spaced(tenants)} tenants"


def _spaced(number: int) -> str:
    return f"{number:,}".replace(",", " ")
