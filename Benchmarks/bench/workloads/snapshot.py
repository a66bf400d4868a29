"""Snapshot: a transaction that stays open keeps dead rows from being cleaned; what that costs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

from ..fleet import WorkerOrder
from ..libpq import Connection
from ..peers.base import System
from ..peers.catalog import PROCRASTINATE
from ..phases import unfinished
from ..record import Header, Record
from ..scale import Scale
from ..stage import Stage
from .base import Case, Metric, Outcome, Series, Workload, percentile
from .drain import drain

RATE = 3_000  # single enqueues a second
CONNECTIONS = 8
TENANTS = 200


class Snapshot(Workload):
    """Single enqueues, and a drain, under a held snapshot and transaction id."""

    name = "snapshot"
    title = "Under a held snapshot"
    explains = (
        f"A second session holds a repeatable-read snapshot and a transaction id for the whole time."
        f" `enqueues`: {RATE} single enqueues a second (or as many as the client reaches), one worker;"
        " the claim statement's mean time by pg_stat_statements in the first and the last tenth."
        " `drain`: a backlog is drained with and without the snapshot."
    )
    metrics = (
        Metric("jobs_per_s", "finished", "jobs/s", "more", plot=True),
        Metric("first_claim_ms", "claim at the beginning", "ms", "less", 2),
        Metric("last_claim_ms", "claim at the end", "ms", "less", 2),
        Metric("first_p99_ms", "start p99 at the beginning", "ms", "less", 1),
        Metric("last_p99_ms", "start p99 at the end", "ms", "less", 1),
        Metric("waiting_end", "waiting at the end", "jobs", "less"),
        Metric("dead_rows", "dead rows at the end", "rows", "less"),
    )
    repeatable = False

    def cases(self, scale: Scale) -> Sequence[Case]:
        jobs = f"{scale.snapshot_drain:,}".replace(",", " ")
        return (
            Case("enqueue", f"enqueues for {scale.snapshot:.0f} s"),
            Case("drain-free", f"drain of {jobs}, no snapshot"),
            Case("drain-held", f"drain of {jobs} under a held snapshot"),
        )

    def supports(self, system: System, case: Case, scale: Scale) -> bool:
        # At its rate a drain of this size takes an hour.
        slow = system is PROCRASTINATE and case.key != "enqueue" and scale.name != "smoke"
        return system.name != "limit" and not slow

    def measure(self, stage: Stage, system: System, case: Case, repeat: int) -> Outcome:
        stage.install(system, max(TENANTS, stage.scale.drain_tenants))
        if case.key == "enqueue":
            return _enqueues(stage, system)
        count = stage.scale.snapshot_drain
        stage.fill(system, count, stage.scale.drain_tenants)
        stage.settle(system)
        with held(stage, system) if case.key == "drain-held" else nullcontext():
            outcome = drain(stage, system, count, workers=1, seconds=1200)
        return Outcome({"jobs_per_s": outcome.values["jobs_per_s"]})


@contextmanager
def held(stage: Stage, system: System) -> Iterator[None]:
    """A snapshot and a transaction id, held while the block runs."""
    with stage.connect(system) as connection:
        connection.script("begin isolation level repeatable read")
        connection.query("select txid_current()")
        yield
        connection.script("rollback")


def _enqueues(stage: Stage, system: System) -> Outcome:
    seconds = stage.scale.snapshot
    stage.settle(system)
    stage.server.count_statements(stage.database(system))
    record = stage.record(system.name, capacity=int(RATE * seconds * 1.2) + 10_000)
    order = WorkerOrder("record", system.concurrency["drain"], purpose="latency")
    try:
        with stage.connect(system) as connection, stage.fleet(system, record, order) as fleet:
            fleet.go()
            with held(stage, system):
                claims = _load(stage, system, record, connection, seconds)
            done = fleet.finished()
        return _figures(record, claims, done, stage.server.dead_rows(stage.database(system)))
    finally:
        record.close(remove=True)


def _load(stage: Stage, system: System, record: Record, connection: Connection, seconds: float) -> Series:
    """Offers the load; the claim statement's mean time in ms by tenth of the time."""
    record.words[Header.RATE] = RATE
    producer = stage.start_role(system, "paced", record=record.path, tenants=TENANTS, connections=CONNECTIONS)
    began = time.monotonic()
    claims: Series = []
    total, calls = _claim_time(connection, system)
    for step in range(1, 11):
        time.sleep(max(0.0, began + step * seconds / 10 - time.monotonic()))
        total_now, calls_now = _claim_time(connection, system)
        if calls_now > calls:
            claims.append((step * seconds / 10, (total_now - total) / (calls_now - calls)))
        total, calls = total_now, calls_now
    record.words[Header.STOP] = 1
    stage.finish_role(system, "paced", producer)
    return claims


def _claim_time(connection: Connection, system: System) -> tuple[float, float]:
    """Total milliseconds and calls of the claim statement so far."""
    row = connection.query(
        "select coalesce(sum(total_exec_time), 0), coalesce(sum(calls), 0) from pg_stat_statements"
        " where dbid = (select oid from pg_database where datname = current_database())"
        " and query ilike $1 and query not like '%pg_stat_statements%'",
        system.claim_pattern,
    )[0]
    return float(row[0] or 0), float(row[1] or 0)


def _figures(record: Record, claims: Series, done: int, dead: float) -> Outcome:
    offered = record.words[Header.NEXT]
    last = max((record.acked[i] for i in range(offered)), default=0)
    began = min((record.called[i] for i in range(offered) if record.called[i]), default=0) / 1e9
    seconds = max(0.1, last / 1e9 - began)
    waits: Series = [
        ((record.acked[i] / 1e9) - began, max(0, (record.started[i] or last) - record.acked[i]) / 1e6)
        for i in range(offered)
        if record.acked[i]
    ]
    first_tenth = sorted(wait for at, wait in waits if at < seconds / 10)
    last_tenth = sorted(wait for at, wait in waits if at > seconds * 0.9)
    values = {
        "jobs_per_s": done / seconds,
        "waiting_end": float(unfinished(record)),
        "first_p99_ms": percentile(first_tenth, 0.99),
        "last_p99_ms": percentile(last_tenth, 0.99),
        "dead_rows": dead,
    }
    if len(claims) > 1:
        values |= {"first_claim_ms": claims[0][1], "last_claim_ms": claims[-1][1]}
    return Outcome(values, {"claim ms": claims})
