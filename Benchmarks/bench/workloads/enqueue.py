"""Enqueue: what a service pays to hand in jobs."""

from __future__ import annotations

from collections.abc import Sequence

from ..peers.base import System
from ..scale import Scale
from ..stage import Stage
from .base import Case, Metric, Outcome, Workload
from .limits import LIMIT, insert_one


class Enqueue(Workload):
    """One client process, one connection, no worker running."""

    name = "enqueue"
    title = "Enqueue"
    explains = (
        "One client process over one connection, no worker running. One by one: each call is committed"
        " before the next begins. In bulk: the system's own bulk path, 1 000 jobs a call and all in one"
        " call. Leasehold is called with asyncpg, the driver of the fastest peer. `statement limit` is a"
        " single-row insert into a bare table by pgbench."
    )
    metrics = (Metric("jobs_per_s", "enqueued", "jobs/s", "more", plot=True),)

    def cases(self, scale: Scale) -> Sequence[Case]:
        return (
            Case("single", "one by one"),
            Case("bulk-1000", "in bulk, 1 000 a call"),
            Case("bulk-all", f"in bulk, {scale.bulk:,} in one call".replace(",", " ")),
        )

    def supports(self, system: System, case: Case, scale: Scale) -> bool:
        return system is not LIMIT or case.key == "single"

    def measure(self, stage: Stage, system: System, case: Case, repeat: int) -> Outcome:
        scale = stage.scale
        if system is LIMIT:
            return Outcome({"jobs_per_s": insert_one(stage, scale.single)})
        tenants = min(100, scale.drain_tenants)
        stage.install(system, tenants)
        stage.settle(system)
        if case.key == "single":
            result = stage.role(system, "one-by-one", count=scale.single, tenants=tenants)
        else:
            chunk = 1_000 if case.key == "bulk-1000" else scale.bulk
            result = stage.role(system, "bulk", count=scale.bulk, chunk=chunk, tenants=tenants)
        return Outcome({"jobs_per_s": result["per_second"]})
