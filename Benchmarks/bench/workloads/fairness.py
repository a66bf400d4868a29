"""Fairness: how long small tenants wait behind a large one."""

from __future__ import annotations

import time

from ..fleet import WorkerOrder
from ..peers.base import System
from ..record import Word
from ..stage import Stage
from .base import Case, Metric, Outcome, Unmeasurable, Workload

SMALL_TENANTS = 10
JOBS_EACH = 10
MILLISECONDS = 5
CONCURRENCY = 10


class Fairness(Workload):
    """Ten tenants enqueue ten jobs each after a large one has filled the queue."""

    name = "fairness"
    title = "Small tenants behind a large one"
    explains = (
        f"One tenant enqueues its jobs first, then {SMALL_TENANTS} tenants {JOBS_EACH} each; one worker with"
        f" {CONCURRENCY} handlers of {MILLISECONDS} ms. Seconds from the first start until the last job of"
        " the small tenants has ended."
    )
    metrics = (
        Metric("seconds", "small tenants done after", "s", "less", 2, plot=True),
        Metric("large_before", "jobs of the large tenant by then", "jobs", "less"),
    )

    def measure(self, stage: Stage, system: System, case: Case, repeat: int) -> Outcome:
        large, small = stage.scale.large_tenant, SMALL_TENANTS * JOBS_EACH
        stage.install(system, SMALL_TENANTS + 1)
        stage.fill(system, large)
        stage.fill(system, small, SMALL_TENANTS, first_tenant=1)
        stage.settle(system)
        longest = 5 * (large + small) * MILLISECONDS / 1000 / CONCURRENCY + 30
        record = stage.record(system.name, capacity=large + small)
        order = WorkerOrder(f"sleep:{MILLISECONDS}", CONCURRENCY, purpose="slow")
        with stage.fleet(system, record, order) as fleet:
            fleet.go()
            done = fleet.wait(lambda: record.total(Word.SMALL_FINISHED) >= small, longest)
            first = record.earliest(Word.FIRST_START)
            seconds = (record.latest(Word.SMALL_LAST_FINISH) - first) / 1e9
            before = fleet.finished() - record.total(Word.SMALL_FINISHED)
            waited = (time.monotonic_ns() - first) / 1e9
        record.close(remove=True)
        if not done:
            raise Unmeasurable(f"not done after {waited:.0f} s")
        return Outcome({"seconds": seconds, "large_before": float(before)})
