"""Latency: from an enqueue to the start of its handler, on an otherwise idle system."""

from __future__ import annotations

import time

from ..fleet import WorkerOrder
from ..peers.base import System
from ..record import Header, Record
from ..stage import Stage
from .base import Case, Metric, Outcome, Unmeasurable, Workload, percentile

RATE = 20  # jobs a second: far apart, so that each finds a sleeping worker
LEAD = 20  # first jobs, not counted


class Latency(Workload):
    """Single jobs at a steady, low rate."""

    name = "latency"
    title = "Enqueue to start"
    explains = (
        f"One worker, one client that enqueues {RATE} jobs a second, each by one committed call."
        " `p50` to `p99` run from the call's return to the first line of the handler; `from call` starts"
        " before the call, so it holds the insert and its commit."
    )
    metrics = (
        Metric("p50_ms", "p50", "ms", "less", 2, plot=True),
        Metric("p95_ms", "p95", "ms", "less", 2),
        Metric("p99_ms", "p99", "ms", "less", 2),
        Metric("call_p50_ms", "p50 from call", "ms", "less", 2),
        Metric("call_p99_ms", "p99 from call", "ms", "less", 2),
    )

    def measure(self, stage: Stage, system: System, case: Case, repeat: int) -> Outcome:
        count = stage.scale.latency + LEAD
        stage.install(system)
        stage.settle(system)
        record = stage.record(system.name, capacity=count)
        try:
            self._run(stage, system, record, count)
            return _figures(record, range(LEAD, count))
        finally:
            record.close(remove=True)

    def _run(self, stage: Stage, system: System, record: Record, count: int) -> None:
        order = WorkerOrder("record", system.concurrency["latency"], purpose="latency")
        with stage.fleet(system, record, order) as fleet:
            fleet.go()
            time.sleep(1)
            record.words[Header.RATE] = RATE
            producer = stage.start_role(system, "paced", record=record.path)
            fleet.wait(lambda: record.words[Header.NEXT] >= count, count / RATE + 30)
            fleet.wait(lambda: all(record.started[i] for i in range(count)), 15)
            record.words[Header.STOP] = 1
            stage.finish_role(system, "paced", producer)


def _figures(record: Record, sequences: range) -> Outcome:
    missing = sum(1 for i in sequences if not record.started[i])
    if missing:
        raise Unmeasurable(f"{missing} of {len(sequences)} jobs did not start")
    acked = sorted((record.started[i] - record.acked[i]) / 1e6 for i in sequences)
    called = sorted((record.started[i] - record.called[i]) / 1e6 for i in sequences)
    return Outcome(
        {
            "p50_ms": percentile(acked, 0.50),
            "p95_ms": percentile(acked, 0.95),
            "p99_ms": percentile(acked, 0.99),
            "call_p50_ms": percentile(called, 0.50),
            "call_p99_ms": percentile(called, 0.99),
        }
    )
