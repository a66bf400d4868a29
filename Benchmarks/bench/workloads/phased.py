"""Figures of a run in phases: rates, latencies and dead rows by phase, lost and repeated jobs."""

from __future__ import annotations

import itertools
import statistics

from ..phases import Run, unfinished
from ..record import Header, Record
from .base import Series, percentile

RATE = 800  # jobs a second, the public harness's default
WORKERS = 2
CONCURRENCY = 64
TENANTS = 50
CONNECTIONS = 2  # of the producer


def completion(run: Run) -> Series:
    """Jobs finished a second, by second of the run."""
    samples = run.samples
    return [
        (later.at, (later.finished - earlier.finished) / max(0.05, later.at - earlier.at))
        for earlier, later in itertools.pairwise(samples)
        if later.at - earlier.at > 0.5
    ]


def rate_in(run: Run, label: str, skip: float = 0.0) -> float:
    """Jobs finished a second over a phase without its first `skip` seconds."""
    start, end = run.spans[label]
    inside = [s for s in run.samples if start + skip <= s.at <= end + 0.2]
    if len(inside) < 2:
        return 0.0
    return (inside[-1].finished - inside[0].finished) / (inside[-1].at - inside[0].at)


def latencies(run: Run, record: Record, label: str) -> list[float]:
    """Milliseconds from the enqueue's return to the start, ordered, of jobs accepted in a phase.

    A job that never started counts with the time it has waited until the end of the run.
    """
    start, end = (int((run.began + t) * 1e9) for t in run.spans[label])
    last = int((run.began + run.samples[-1].at) * 1e9)
    waits: list[float] = []
    for i in range(record.words[Header.NEXT]):
        acked = record.acked[i]
        if start <= acked < end:
            waits.append(max(0, (record.started[i] or last) - acked) / 1e6)
    return sorted(waits)


def p99_by_second(run: Run, record: Record) -> Series:
    """p99 of enqueue to start in ms, by the second in which the job was accepted."""
    seconds: dict[int, list[float]] = {}
    began = int(run.began * 1e9)
    for i in range(record.words[Header.NEXT]):
        if record.acked[i] and record.started[i]:
            wait = max(0, record.started[i] - record.acked[i]) / 1e6
            seconds.setdefault((record.acked[i] - began) // 1_000_000_000, []).append(wait)
    return [(float(s), percentile(sorted(waits), 0.99)) for s, waits in sorted(seconds.items())]


def dead_rows(run: Run) -> Series:
    """Dead rows over all tables, by second; without the seconds when the server was away."""
    return [(sample.at, sample.dead_rows) for sample in run.samples if sample.dead_rows >= 0]


def dead_rows_in(run: Run, label: str) -> float:
    """The most dead rows in a phase."""
    return max((s.dead_rows for s in run.samples if s.phase == label), default=0.0)


def accounts(record: Record) -> dict[str, float]:
    """What became of the jobs: accepted, lost, run more than once, accepted or not unknown."""
    offered = record.words[Header.NEXT]
    return {
        "accepted": float(sum(1 for i in range(offered) if record.acked[i])),
        "lost": float(unfinished(record)),
        "repeated": float(sum(1 for i in range(offered) if record.finished[i] > 1)),
        "refused": float(record.words[Header.REFUSED]),
    }


def recovery_seconds(run: Run, label: str, baseline: float) -> float:
    """Seconds from the end of a phase until three seconds in a row run at 90 % of the baseline; -1 never."""
    end = run.spans[label][1]
    rates = [(at, rate) for at, rate in completion(run) if at > end]
    for k in range(len(rates) - 2):
        if statistics.median(rate for _, rate in rates[k : k + 3]) >= 0.9 * baseline:
            return max(0.0, rates[k][0] - end)
    return -1.0
