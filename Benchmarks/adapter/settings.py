"""What the harness says by environment variables (its CONTRIBUTING_ADAPTERS.md, section 3)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """The variables with the harness's defaults."""

    url: str
    producer_mode: str  # fixed | depth-target
    producer_pacing: str  # adapter: own clock | harness: `ENQUEUE n` lines on standard input
    producer_rate: float  # jobs a second
    batch_max: int
    batch_ms: int
    target_depth: int
    workers: int  # handlers at once
    payload_bytes: int
    work_ms: float
    sample_every: int  # seconds
    instance: int
    queues: tuple[str, ...]
    rate_file: Path | None  # the harness changes the rate by writing it here
    produces: bool
    tenants: int  # ours: the harness knows no tenants

    @classmethod
    def from_environment(cls) -> Settings:
        instance = int(_get("BENCH_INSTANCE_ID", "0"))
        count = int(_get("BENCH_QUEUE_COUNT", "1"))
        rate_file = os.environ.get("PRODUCER_RATE_CONTROL_FILE")
        return cls(
            url=os.environ["DATABASE_URL"],
            producer_mode=_get("PRODUCER_MODE", "fixed"),
            producer_pacing=_get("PRODUCER_PACING", "adapter"),
            producer_rate=float(_get("PRODUCER_RATE", "800")),
            batch_max=max(1, int(_get("PRODUCER_BATCH_MAX", "128"))),
            batch_ms=max(1, int(_get("PRODUCER_BATCH_MS", "25"))),
            target_depth=int(_get("TARGET_DEPTH", "1000")),
            workers=int(_get("WORKER_COUNT", "32")),
            payload_bytes=int(_get("JOB_PAYLOAD_BYTES", "256")),
            work_ms=float(_get("JOB_WORK_MS", "1")),
            sample_every=max(1, int(_get("SAMPLE_EVERY_S", "5"))),
            instance=instance,
            queues=tuple(f"bench-{n}" for n in range(count)) if count > 1 else ("default",),
            rate_file=Path(rate_file) if rate_file else None,
            produces=instance == 0 or _get("PRODUCER_ONLY_INSTANCE_ZERO", "0") != "1",
            tenants=max(1, int(_get("LEASEHOLD_TENANTS", "1"))),
        )

    @property
    def observes(self) -> bool:
        """Whether this replica reports what concerns all replicas."""
        return self.instance == 0

    def rate(self) -> float:
        """Jobs a second to offer now."""
        if self.rate_file:
            try:
                return max(0.0, float(self.rate_file.read_text()))
            except (OSError, ValueError):
                pass
        return self.producer_rate


def _get(name: str, standard: str) -> str:
    return os.environ.get(name) or standard
