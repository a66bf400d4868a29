"""What the harness says by environment variables (its CONTRIBUTING_ADAPTERS.md, section 3)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_FOREVER = 1000  # the most attempts a job may have


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
    priorities: tuple[int, ...]  # given in turn; 1 is served first; none: the product's default
    failures: int  # attempts of a failing job that fail; negative: it is discarded at the first
    fail_every: int  # one job in so many fails
    max_attempts: int | None
    tenants: int  # ours: the harness knows no tenants

    @classmethod
    def from_environment(cls) -> Settings:
        instance = int(_get("BENCH_INSTANCE_ID", "0"))
        count = int(_get("BENCH_QUEUE_COUNT", "1"))
        rate_file = os.environ.get("PRODUCER_RATE_CONTROL_FILE")
        mod = int(_get("JOB_FAIL_FIRST_MOD", "0"))
        failures, fail_every = _failing(_get("WORKER_FAIL_MODE", "success").replace("_", "-").lower(), mod)
        attempts = os.environ.get("JOB_MAX_ATTEMPTS")
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
            priorities=_priorities(_get("JOB_PRIORITY_PATTERN", "").split(",")),
            failures=failures,
            fail_every=fail_every,
            max_attempts=int(attempts) if attempts else None,
            tenants=max(1, int(_get("BENCH_LEASEHOLD_TENANTS", "1"))),
        )

    @property
    def observes(self) -> bool:
        """Whether this replica reports what concerns all replicas."""
        return self.instance == 0

    @property
    def reads_tokens(self) -> bool:
        """Whether the harness says when to enqueue; it never does so up to a depth."""
        return self.producer_pacing == "harness" and self.producer_mode == "fixed"

    def rate(self) -> float:
        """Jobs a second to offer now."""
        if self.rate_file:
            try:
                return max(0.0, float(self.rate_file.read_text()))
            except (OSError, ValueError):
                pass
        return self.producer_rate


def _failing(mode: str, fail_first_mod: int) -> tuple[int, int]:
    """How many attempts of a failing job fail, and which jobs are: every job, or one in `fail_first_mod`."""
    match mode:
        case "terminal-always":
            return -1, 1
        case "nack-always":
            return _FOREVER, 1
        case _:
            # `retryable-first`; the harness's first adapter fails them by JOB_FAIL_FIRST_MOD alone too.
            return (1, fail_first_mod) if fail_first_mod > 0 else (0, 1)


def _priorities(words: Sequence[str]) -> tuple[int, ...]:
    numbers = (int(word) for word in words if word.strip().isdigit())
    return tuple(number for number in numbers if 1 <= number <= 4)


def _get(name: str, standard: str) -> str:
    return os.environ.get(name) or standard
