"""All workloads by name, and those that a run without names takes."""

from __future__ import annotations

from .backlog import Backlog
from .base import Workload
from .chaos import Chaos
from .claimers import Claimers
from .drain import Drain
from .enqueue import Enqueue
from .fairness import Fairness
from .idle import Idle
from .latency import Latency
from .pressure import Pressure
from .saturation import Saturation
from .shares import Shares
from .snapshot import Snapshot
from .sync import Sync
from .tokens import Fresh, Storm, Tokens

WORKLOADS: dict[str, Workload] = {
    workload.name: workload
    for workload in (
        Enqueue(),
        Drain(),
        Latency(),
        Backlog(),
        Snapshot(),
        Saturation(),
        Fairness(),
        Shares(),
        Claimers(),
        Idle(),
        Pressure(),
        Chaos(),
        Sync(),
        Tokens(),
        Storm(),
        Fresh(),
    )
}

MAIN = tuple(name for name in WORKLOADS if name not in ("pressure", "chaos", "sync", "tokens", "storm", "fresh"))
