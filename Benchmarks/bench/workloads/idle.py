"""Idle: what a worker with nothing to do costs."""

from __future__ import annotations

import time

from ..fleet import WorkerOrder
from ..peers.base import System
from ..stage import Stage
from .base import Case, Metric, Outcome, Workload

_SETTLING = 5  # seconds before the count begins


class Idle(Workload):
    """One worker on an empty queue."""

    name = "idle"
    title = "An idle worker"
    explains = (
        "One worker on an empty queue; after it has settled, statements are counted by pg_stat_statements"
        " (BEGIN and COMMIT are statements too), CPU and resident memory by /proc."
    )
    metrics = (
        Metric("queries_per_s", "statements", "1/s", "less", 2, plot=True),
        Metric("cpu_percent", "CPU", "% of a core", "less", 2),
        Metric("resident_mb", "resident memory", "MB", "less", 1),
    )

    def measure(self, stage: Stage, system: System, case: Case, repeat: int) -> Outcome:
        stage.install(system)
        record = stage.record(system.name)
        order = WorkerOrder("noop", system.concurrency["latency"], purpose="latency")
        stage.server.count_statements(stage.database(system))
        with stage.fleet(system, record, order) as fleet:
            fleet.go()
            time.sleep(_SETTLING)
            began, cpu, calls = time.monotonic(), fleet.cpu(), _calls(stage, system)
            time.sleep(stage.scale.idle)
            seconds = time.monotonic() - began
            outcome = Outcome(
                {
                    # Reading the count is one statement itself.
                    "queries_per_s": (_calls(stage, system) - calls - 1) / seconds,
                    "cpu_percent": 100 * (fleet.cpu() - cpu) / seconds,
                    "resident_mb": fleet.resident(),
                }
            )
        record.close(remove=True)
        return outcome


def _calls(stage: Stage, system: System) -> float:
    """Statements that the system's database has run."""
    with stage.connect(system) as connection:
        return connection.number(
            "select coalesce(sum(calls), 0) from pg_stat_statements"
            " where dbid = (select oid from pg_database where datname = current_database())"
        )
