"""The measured systems, best known first. Versions are pinned: the figures are of these."""

from __future__ import annotations

from .base import System

LEASEHOLD = System(
    name="leasehold",
    title="Leasehold",
    settings="leasehold-bench-worker (release build), a process with the Leasehold library; enqueue by SQL",
    sharing="fair share by tenant, weights, limits",
    concurrency={"drain": 1000, "latency": 10, "slow": 10},
    chunk=20_000,
    remaining="select count(*) from leasehold.job where state in ('ready', 'running')",
    hot_tables=("leasehold.job",),
    claim_pattern="%leasehold.job_claim%",
)

PGQUEUER = System(
    name="pgqueuer",
    title="PgQueuer",
    settings="PgQueuer.run(batch_size=C) over one asyncpg connection, uvloop, otherwise defaults",
    sharing="first in, first out (priority, id)",
    packages=("pgqueuer[asyncpg]==1.6.0", "asyncpg", "uvloop"),
    concurrency={"drain": 100, "latency": 100, "slow": 10},
    remaining="select count(*) from pgqueuer where status in ('queued', 'picked')",
    hot_tables=("pgqueuer",),
    claim_pattern="%FOR UPDATE%SKIP LOCKED%",
)

AWA = System(
    name="awa",
    title="awa",
    settings="AsyncClient.start, queue storage (what a fresh migrate gives), two claimers in drains",
    sharing="weighted queues, no tenants",
    packages=("awa-pg==0.6.9",),
    concurrency={"drain": 1000, "latency": 10, "slow": 10},
    chunk=20_000,
    # Its tables are append-only; the views awa.jobs and awa.terminal_jobs are too slow to poll.
    remaining=(
        "select (select count(*) from awa.ready_entries)"
        " - (select coalesce(sum(cardinality(job_ids)), 0) from awa.receipt_completion_batches)"
        " - (select count(*) from awa.done_entries)"
    ),
    hot_tables=("awa.ready_entries", "awa.done_entries"),
    claim_pattern="%claim_%",
)

OBAN = System(
    name="oban",
    title="Oban (Python)",
    settings="Oban(queues={name: C}), psycopg pool of 10, otherwise defaults",
    sharing="first in, first out (priority, time); partitions are in Oban Pro",
    packages=("oban==0.7.0", "psycopg[binary]"),
    concurrency={"drain": 1000, "latency": 10, "slow": 10},
    chunk=2_000,
    remaining="select count(*) from oban_jobs where state in ('available', 'executing')",
    hot_tables=("oban_jobs",),
    claim_pattern="%oban_jobs%FOR UPDATE SKIP LOCKED%",
)

PROCRASTINATE = System(
    name="procrastinate",
    title="Procrastinate",
    settings="run_worker_async(concurrency=C), psycopg pool of min(C, 10) + 2, otherwise defaults",
    sharing="first in, first out (priority, id)",
    packages=("procrastinate==3.10.0", "psycopg[binary]"),
    concurrency={"drain": 10, "latency": 10, "slow": 10},
    chunk=2_000,
    remaining="select count(*) from procrastinate_jobs where status in ('todo', 'doing')",
    hot_tables=("procrastinate_jobs",),
    claim_pattern="%procrastinate_fetch_job%",
)

SYSTEMS = {system.name: system for system in (LEASEHOLD, PGQUEUER, AWA, OBAN, PROCRASTINATE)}
PEERS = tuple(name for name in SYSTEMS if name != LEASEHOLD.name)


def requirements() -> list[str]:
    """What pip installs for all peers."""
    return list(dict.fromkeys(package for name in PEERS for package in SYSTEMS[name].packages))
