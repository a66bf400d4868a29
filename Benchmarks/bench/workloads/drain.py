"""Drain: how fast workers empty a queue of jobs that do nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ..fleet import WorkerOrder
from ..peers.base import System
from ..peers.catalog import LEASEHOLD
from ..record import Word
from ..scale import Scale
from ..stage import Stage
from .base import Case, Metric, Outcome, Unmeasurable, Workload
from .limits import LIMIT, claim_hundred


class Drain(Workload):
    """From the first start of a handler until the database holds no unfinished job."""

    name = "drain"
    title = "Drain of no-op jobs"
    explains = (
        "A backlog is loaded in bulk, vacuumed and checkpointed, then worker processes start. Jobs a second"
        " from the first handler's start until the system's own tables say that no due job is unfinished."
        " Leasehold's backlog is spread over tenants; the peers know none. `statement limit` is a claim of"
        " 100 rows and its completion as two plain statements on a bare table, by pgbench."
    )
    metrics = (
        Metric("jobs_per_s", "drained", "jobs/s", "more", plot=True),
        Metric("cpu_us_per_job", "worker CPU", "us/job", "less", 1),
    )

    def cases(self, scale: Scale) -> Sequence[Case]:
        return (Case("1", "one worker"), Case("2", "two workers"), Case("1-tenant", "one worker, one tenant"))

    def supports(self, system: System, case: Case, scale: Scale) -> bool:
        return system is LEASEHOLD or case.key != "1-tenant"

    def measure(self, stage: Stage, system: System, case: Case, repeat: int) -> Outcome:
        workers = 2 if case.key == "2" else 1
        count = stage.scale.drain
        if system is LIMIT:
            return Outcome({"jobs_per_s": claim_hundred(stage, connections=workers, count=count)})
        tenants = 1 if case.key == "1-tenant" else stage.scale.drain_tenants
        stage.install(system, tenants)
        stage.fill(system, count, tenants)
        stage.settle(system)
        return drain(stage, system, count, workers)


def drain(stage: Stage, system: System, count: int, workers: int, seconds: float = 300) -> Outcome:
    """Drains `count` due jobs of the system's database with fresh workers."""
    record = stage.record(system.name)
    order = WorkerOrder("noop", system.concurrency["drain"])
    with stage.connect(system) as connection, stage.fleet(system, record, order, workers) as fleet:
        fleet.go()
        done = fleet.wait(lambda: fleet.finished() >= count, seconds)
        cpu = fleet.cpu()
        emptied = done and stage.await_empty(connection, system)
        end = time.monotonic_ns()
        finished, first = fleet.finished(), record.earliest(Word.FIRST_START)
    record.close(remove=True)
    if not emptied:
        raise Unmeasurable(f"{finished} of {count} jobs after {seconds:.0f} s")
    return Outcome(
        {
            "jobs_per_s": count / ((end - first) / 1e9),
            "cpu_us_per_job": 1e6 * cpu / count,
            "again": float(finished - count),
        }
    )
