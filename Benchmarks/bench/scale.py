"""How large a run is: `smoke` shows that everything works, `quick` takes minutes, `full` hours."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Counts are jobs, durations seconds."""

    name: str
    repeats: int
    single: int  # enqueued one by one
    bulk: int  # enqueued in bulk
    drain: int
    drain_tenants: int
    latency: int  # samples, 20 a second
    future: int  # jobs due tomorrow, in front
    backlogs: tuple[tuple[int, int], ...]  # (ready jobs, tenants); peers get those up to peer_backlog
    peer_backlog: int
    window: float  # a backlog is drained for so long
    snapshot: float  # a snapshot is held for so long
    snapshot_drain: int  # jobs drained under it
    large_tenant: int  # jobs in front of the small tenants
    capped: int  # jobs of the running-limit check
    idle: float
    warmup: float  # of pressure and chaos
    baseline: float
    stress: float
    recovery: float
    records: int  # of the sync workload
    token_seconds: float  # of each case of the tokens workload
    token_storm: int  # tenants due at once
    token_fresh: float


SMOKE = Scale(
    name="smoke",
    repeats=1,
    single=200,
    bulk=2_000,
    drain=2_000,
    drain_tenants=100,
    latency=25,
    future=2_000,
    backlogs=((2_000, 100),),
    peer_backlog=2_000,
    window=2,
    snapshot=4,
    snapshot_drain=2_000,
    large_tenant=1_000,
    capped=500,
    idle=3,
    warmup=1,
    baseline=3,
    stress=4,
    recovery=4,
    records=2_000,
    token_seconds=2,
    token_storm=400,
    token_fresh=5,
)

QUICK = Scale(
    name="quick",
    repeats=3,
    single=2_000,
    bulk=20_000,
    drain=20_000,
    drain_tenants=1_000,
    latency=200,
    future=500_000,
    backlogs=((10_000, 1_000), (1_000_000, 100_000)),
    peer_backlog=10_000,
    window=5,
    snapshot=60,
    snapshot_drain=100_000,
    large_tenant=50_000,
    capped=20_000,
    idle=15,
    warmup=5,
    baseline=15,
    stress=25,
    recovery=25,
    records=100_000,
    token_seconds=8,
    token_storm=10_000,
    token_fresh=120,
)

FULL = Scale(
    name="full",
    repeats=3,
    single=5_000,
    bulk=100_000,
    drain=100_000,
    drain_tenants=1_000,
    latency=2_000,
    future=500_000,
    backlogs=((10_000, 1_000), (1_000_000, 100_000), (10_000_000, 100_000)),
    peer_backlog=1_000_000,
    window=15,
    snapshot=600,
    snapshot_drain=1_000_000,
    large_tenant=50_000,
    capped=100_000,
    idle=60,
    warmup=30,
    baseline=60,
    stress=60,
    recovery=60,
    records=1_000_000,
    token_seconds=20,
    token_storm=10_000,
    token_fresh=120,
)

SCALES = {scale.name: scale for scale in (SMOKE, QUICK, FULL)}
