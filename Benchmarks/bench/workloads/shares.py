"""Shares: what tenants get of a busy worker, counted from the job history in SQL."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from ..fleet import WorkerOrder
from ..libpq import Connection
from ..peers.base import System
from ..peers.catalog import LEASEHOLD
from ..peers.leasehold import KIND
from ..scale import Scale
from ..stage import Stage
from .base import Case, Metric, Outcome, Unmeasurable, Workload

CONCURRENCY = 10
WEIGHTS = (1, 2, 4)
QUEUES = 20
CAP = 3
CAPPED_TENANTS = 5

# Runs of a tenant that were going on at once, by the stamps of claim and settle.
_ABOVE_CAP = """
with edge as (
    select tenant_id, claimed_at as at, 1 as step from leasehold.job_history
    union all select tenant_id, ended_at, -1 from leasehold.job_history),
level as (
    select sum(step) over (partition by tenant_id order by at, step) as running from edge)
select count(*) filter (where running > $1::int), max(running) from level
"""


class Shares(Workload):
    """Weights, queues, job length and limits; no peer has them, so Leasehold is alone here."""

    name = "shares"
    title = "Shares and limits"
    explains = (
        f"Tenants with more work than the worker ({CONCURRENCY} handlers of 1 ms) can do; what each got is"
        " counted from leasehold.job_history in SQL, by the order of claims. `off` is the largest deviation"
        " of a tenant's share from what its weight says. `cap`: two workers, a limit of"
        f" {CAP} running jobs a tenant; times that more ran at once."
    )
    metrics = (
        Metric("off_percent", "off", "%", "less", 2),
        Metric("above_cap", "above the limit", "times", "less"),
        Metric("most_running", "most running of a tenant", "jobs"),
        Metric("jobs_per_s", "rate", "jobs/s", "more"),
    )

    def cases(self, scale: Scale) -> Sequence[Case]:
        weights = ":".join(str(w) for w in WEIGHTS)
        return (
            Case("weights", f"weights {weights}"),
            Case("queues", f"a tenant with {QUEUES} queues beside one with one"),
            Case("long", "a tenant whose jobs run ten times as long"),
            Case("cap", f"at most {CAP} running jobs a tenant"),
        )

    def supports(self, system: System, case: Case, scale: Scale) -> bool:
        return system is LEASEHOLD

    def measure(self, stage: Stage, system: System, case: Case, repeat: int) -> Outcome:
        measure = {"weights": _weights, "queues": _queues, "long": _long, "cap": _cap}[case.key]
        return measure(stage, system)


def _weights(stage: Stage, system: System) -> Outcome:
    count = min(10_000, 2 * stage.scale.single)
    stage.install(system, len(WEIGHTS))
    with stage.connect(system) as connection:
        for tenant, weight in enumerate(WEIGHTS):
            connection.query("update leasehold.tenant set weight = $1::real where tenant_id = $2", weight, f"t{tenant}")
            _load(connection, tenant, count)
        rate = _work(stage, system, count)
        got = _first_claims(connection, count)
    due = {f"t{tenant}": count * weight / sum(WEIGHTS) for tenant, weight in enumerate(WEIGHTS)}
    return Outcome({"off_percent": _deviation(got, due), "jobs_per_s": rate})


def _queues(stage: Stage, system: System) -> Outcome:
    count = min(10_000, 2 * stage.scale.single)
    names = tuple(f"q{i}" for i in range(QUEUES))
    stage.install(system, 2)
    with stage.connect(system) as connection:
        for name in names:
            _load(connection, 0, count // QUEUES, queue=name)
        _load(connection, 1, count)
        rate = _work(stage, system, count, queues=("default", *names))
        got = _first_claims(connection, count)
    return Outcome({"off_percent": _deviation(got, {"t0": count / 2, "t1": count / 2}), "jobs_per_s": rate})


def _long(stage: Stage, system: System) -> Outcome:
    seconds = stage.scale.window
    stage.install(system, 2)
    with stage.connect(system) as connection:
        _load(connection, 0, int(seconds * CONCURRENCY * 100), milliseconds=10)
        _load(connection, 1, int(seconds * CONCURRENCY * 1000))
        rate = _work(stage, system, seconds=seconds)
        rows = connection.query("select tenant_id, sum(run_seconds) from leasehold.job_history group by 1")
    ran = {str(row[0]): float(row[1] or 0) for row in rows}
    half = sum(ran.values()) / 2
    # Only more than its share is a breach; less means that its jobs were charged too much.
    return Outcome({"off_percent": _deviation(ran, {"t0": half, "t1": half}), "jobs_per_s": rate})


def _cap(stage: Stage, system: System) -> Outcome:
    count = stage.scale.capped
    stage.install(system, CAPPED_TENANTS)
    with stage.connect(system) as connection:
        connection.query("update leasehold.tenant set max_running = $1::int", CAP)
        for tenant in range(CAPPED_TENANTS):
            _load(connection, tenant, count // CAPPED_TENANTS)
        rate = _work(stage, system, count, workers=2, concurrency=32)
        stage.await_empty(connection, system)
        above, most = connection.query(_ABOVE_CAP, CAP)[0]
    return Outcome({"above_cap": float(above or 0), "most_running": float(most or 0), "jobs_per_s": rate})


def _load(connection: Connection, tenant: int, count: int, queue: str = "default", milliseconds: int = 0) -> None:
    """Jobs of one tenant by COPY; `milliseconds` is their own length, 0 the worker's."""
    extra = f', "ms": {milliseconds}' if milliseconds else ""

    def rows() -> Iterable[bytes]:
        for _ in range(count):
            yield f't{tenant}\t{queue}\t{KIND}\t{{"i": 0, "t": {tenant}{extra}}}\n'.encode()

    connection.copy_in("copy leasehold.job (tenant_id, queue, kind, args) from stdin", rows())


def _work(
    stage: Stage,
    system: System,
    count: int = 0,
    seconds: float = 0,
    queues: tuple[str, ...] = ("default",),
    workers: int = 1,
    concurrency: int = CONCURRENCY,
) -> float:
    """Runs workers until `count` handlers have ended, or for `seconds`; handlers ended a second."""
    stage.settle(system)
    record = stage.record(system.name)
    order = WorkerOrder("sleep:1", concurrency, purpose="slow", queues=queues)
    with stage.fleet(system, record, order, workers) as fleet:
        began = time.monotonic()
        fleet.go()
        done = fleet.wait(lambda: bool(count) and fleet.finished() >= count, seconds or 300)
        took, finished = time.monotonic() - began, fleet.finished()
        fleet.stop_all()
    record.close(remove=True)
    if count and not done:
        raise Unmeasurable(f"{finished} of {count} jobs after 300 s")
    return finished / took


def _first_claims(connection: Connection, count: int) -> dict[str, float]:
    """How many of the first `count` claims each tenant got."""
    rows = connection.query(
        "select tenant_id, count(*) from (select tenant_id from leasehold.job_history"
        " order by first_claimed_at, job_id limit $1::int) as first group by 1",
        count,
    )
    return {str(row[0]): float(row[1] or 0) for row in rows}


def _deviation(got: dict[str, float], due: dict[str, float]) -> float:
    """The largest relative deviation in percent."""
    return 100 * max(abs(got.get(tenant, 0) / expected - 1) for tenant, expected in due.items())
