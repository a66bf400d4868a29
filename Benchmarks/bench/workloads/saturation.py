"""Saturation: short jobs and many handlers, the public harness's throughput cell."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ..fleet import WorkerOrder
from ..peers.base import System
from ..record import Word
from ..scale import Scale
from ..stage import Stage
from .base import Case, Metric, Outcome, Unmeasurable, Workload

HANDLERS = (64, 256)


class Saturation(Workload):
    """One worker, handlers that sleep a millisecond, more jobs than it can run."""

    name = "saturation"
    title = "Many handlers of 1 ms"
    explains = (
        "One worker with a limit of running handlers that each sleep 1 ms; a backlog that outlasts the"
        " window. Handlers ended a second, after the first second."
    )
    metrics = (
        Metric("jobs_per_s", "finished", "jobs/s", "more", plot=True),
        Metric("most_running", "most at once", "jobs"),
    )

    def cases(self, scale: Scale) -> Sequence[Case]:
        return tuple(Case(str(n), f"{n} handlers") for n in HANDLERS)

    def measure(self, stage: Stage, system: System, case: Case, repeat: int) -> Outcome:
        window = stage.scale.window
        tenants = stage.scale.drain_tenants
        stage.install(system, tenants)
        # Systems that load in small chunks are the slow ones; a backlog for the fast would take minutes.
        count = int((20_000 if system.chunk > 2_000 else 5_000) * (window + 1))
        stage.fill(system, count, tenants)
        stage.settle(system)
        record = stage.record(system.name, capacity=count)
        order = WorkerOrder("sleep:1", int(case.key), purpose="slow")
        with stage.fleet(system, record, order) as fleet:
            fleet.go()
            if not fleet.wait(lambda: fleet.finished() > 0, 30):
                raise Unmeasurable("no job started within 30 s")
            time.sleep(1)
            began, before = time.monotonic(), fleet.finished()
            fleet.wait(lambda: fleet.finished() >= record.capacity, window)
            seconds, done = time.monotonic() - began, fleet.finished() - before
            most = record.total(Word.MOST_RUNNING)
        record.close(remove=True)
        return Outcome({"jobs_per_s": done / seconds, "most_running": float(most)})
