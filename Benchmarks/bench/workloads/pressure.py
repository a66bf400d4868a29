"""Pressure: a steady load while something holds, reads or overloads the database."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ..fleet import WorkerOrder
from ..libpq import DatabaseError
from ..peers.base import System
from ..phases import BATCH_MS, Phase, Run, play
from ..scale import Scale
from ..stage import Stage
from . import phased
from .base import Case, Metric, Outcome, Workload

READERS = 4
QUEUES = 4


class Pressure(Workload):
    """Four scenarios: baseline, stress, recovery; the last is a soak over several queues."""

    name = "pressure"
    title = "Under pressure"
    explains = (
        f"{phased.RATE} jobs a second of {phased.TENANTS} tenants, enqueued in bulk every {BATCH_MS} ms;"
        f" {phased.WORKERS} workers with {phased.CONCURRENCY} handlers of 1 ms. After a baseline: a transaction"
        f" that holds a snapshot and an xid; {READERS} overlapping repeatable-read readers that scan the hot"
        f" tables; 1.5 times the load; {QUEUES} queues at once. Then recovery. `kept` is the completion rate"
        " under stress by the rate offered. p99 is from the enqueue's return to the start."
    )
    metrics = (
        Metric("baseline_per_s", "baseline", "jobs/s", "more"),
        Metric("stress_per_s", "under stress", "jobs/s", "more"),
        Metric("kept_percent", "kept", "%", "more", plot=True),
        Metric("recovery_per_s", "recovery", "jobs/s", "more"),
        Metric("baseline_p99_ms", "p99 baseline", "ms", "less", 1),
        Metric("stress_p99_ms", "p99 stress", "ms", "less", 1),
        Metric("baseline_dead", "dead rows baseline", "rows", "less"),
        Metric("stress_dead", "dead rows stress", "rows", "less"),
        Metric("lost", "unfinished", "jobs", "less"),
    )
    repeatable = False

    def cases(self, scale: Scale) -> Sequence[Case]:
        return (
            Case("idle-in-transaction", "a transaction stays open"),
            Case("readers", "overlapping readers"),
            Case("overload", "1.5 times the load"),
            Case("queues", f"{QUEUES} queues"),
        )

    def measure(self, stage: Stage, system: System, case: Case, repeat: int) -> Outcome:
        stage.install(system, phased.TENANTS)
        action = {"idle-in-transaction": hold_snapshot, "readers": scan}.get(case.key)
        load = 1.5 if case.key == "overload" else 1.0
        queues = tuple(f"q{i}" for i in range(QUEUES)) if case.key == "queues" else ("default",)
        scale = stage.scale
        phases = [
            Phase("warmup", scale.warmup),
            Phase("baseline", scale.baseline),
            Phase("stress", scale.stress, action, load),
            Phase("recovery", scale.recovery),
        ]
        share = max(1, phased.CONCURRENCY // len(queues))
        order = WorkerOrder("sleep:1", share, purpose="slow", queues=queues)
        run, record = play(
            stage,
            system,
            phases,
            order,
            phased.RATE,
            phased.WORKERS,
            phased.TENANTS,
            phased.CONNECTIONS,
            drain_seconds=scale.recovery,
        )
        try:
            return _figures(run, load)
        finally:
            record.close(remove=True)


def _figures(run: Run, load: float) -> Outcome:
    record = run.record
    stress = phased.rate_in(run, "stress", skip=1)
    base_waits, stress_waits = (phased.latencies(run, record, p) for p in ("baseline", "stress"))
    values = {
        "baseline_per_s": phased.rate_in(run, "baseline"),
        "stress_per_s": stress,
        "kept_percent": 100 * stress / (run.rate * load),
        "recovery_per_s": phased.rate_in(run, "recovery"),
        "baseline_p99_ms": phased.percentile(base_waits, 0.99),
        "stress_p99_ms": phased.percentile(stress_waits, 0.99),
        "baseline_dead": phased.dead_rows_in(run, "baseline"),
        "stress_dead": phased.dead_rows_in(run, "stress"),
        "exits": float(run.fleet.unasked_exits),
        **phased.accounts(record),
    }
    series = {
        "completed jobs/s": phased.completion(run),
        "p99 ms": phased.p99_by_second(run, record),
        "dead rows": phased.dead_rows(run),
    }
    return Outcome(values, series)


@contextmanager
def hold_snapshot(run: Run) -> Iterator[None]:
    """A transaction with a snapshot and an xid, open for the whole block."""
    with run.stage.connect(run.system) as connection:
        connection.script("begin isolation level repeatable read")
        connection.query("select txid_current()")
        yield
        connection.script("rollback")


@contextmanager
def scan(run: Run) -> Iterator[None]:
    """Repeatable-read readers that count the system's hot tables over and over, out of step."""
    stop = threading.Event()

    def read(number: int) -> None:
        stop.wait(number * 0.5)
        while not stop.is_set():
            try:
                with run.stage.connect(run.system) as connection:
                    connection.script("begin isolation level repeatable read")
                    for _ in range(20):
                        for table in run.system.hot_tables:
                            connection.query(f"select count(*) from {table}")
                        if stop.wait(0.1):
                            break
                    connection.script("rollback")
            except DatabaseError:
                stop.wait(0.5)

    threads = [threading.Thread(target=read, args=(n,), daemon=True) for n in range(READERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
