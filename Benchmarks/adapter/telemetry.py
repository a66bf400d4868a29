"""JSON lines for the harness, and percentiles in bounded memory."""

from __future__ import annotations

import json
import math
import sys
import threading
from collections import Counter, deque
from datetime import UTC, datetime

from bench.record import Record, Word

_STEPS = 200  # buckets a factor of e: each is half a percent wide
_TAG_AT = 56
_LATENCY = (1 << _TAG_AT) - 1


def now_text() -> str:
    """The time as the harness writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def emit(instance: int, line: dict[str, object]) -> None:
    """One line of telemetry; the rest of what this process says goes to standard error."""
    sys.stdout.write(json.dumps({**line, "system": "leasehold", "instance_id": instance}) + "\n")
    sys.stdout.flush()


class Window:
    """Latencies of the last seconds in logarithmic buckets, in whole ticks."""

    def __init__(self, ticks: int) -> None:
        self._ticks: deque[Counter[int]] = deque(maxlen=max(1, ticks))

    def add(self, microseconds: list[int]) -> None:
        """The latencies of one tick."""
        self._ticks.append(Counter(int(math.log(max(1, value)) * _STEPS) for value in microseconds))

    def percentiles_ms(self, *shares: float) -> list[float]:
        """Percentiles (shares 0 to 1) in milliseconds; 0 if the window is empty."""
        total: Counter[int] = sum(self._ticks, Counter())
        count = total.total()
        found: list[float] = []
        for share in shares:
            rank, seen = share * count, 0
            for bucket in sorted(total):
                seen += total[bucket]
                if seen >= rank:
                    found.append(math.exp((bucket + 0.5) / _STEPS) / 1000)
                    break
            else:
                found.append(0.0)
        return found


class Calls:
    """How long the calls of a producer took; one thread adds, another takes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[int] = []
        self._messages: list[int] = []

    def add(self, seconds: float, count: int) -> None:
        """A call that enqueued so many jobs."""
        with self._lock:
            self._calls.append(int(seconds * 1e6))
            self._messages += [int(seconds * 1e6 / count)] * count

    def take(self) -> tuple[list[int], list[int]]:
        """Microseconds a call, and a job of a call, since the last look."""
        with self._lock:
            taken = (self._calls, self._messages)
            self._calls, self._messages = [], []
        return taken


class LatencyRing:
    """Reads what the worker noted since the last look (see the `measure` body of the worker).

    The record's arrays serve as a ring: latency to the start and to the end in microseconds, the
    latter with the job's tag in the highest byte.
    """

    def __init__(self, record: Record) -> None:
        self._record = record
        self._started = 0
        self._finished = 0

    def take(self) -> tuple[list[int], list[int], Counter[int]]:
        """Latencies to the start and to the end, of at most a ring's length, and ended jobs by tag."""
        started, finished = (self._record.slot(0, word) for word in (Word.STARTED, Word.FINISHED))
        starts = _slice(self._record.started, self._record.capacity, self._started, started)
        ends = _slice(self._record.finished, self._record.capacity, self._finished, finished)
        self._started, self._finished = started, finished
        return starts, [end & _LATENCY for end in ends], Counter(end >> _TAG_AT for end in ends)


def _slice(ring: memoryview, capacity: int, since: int, until: int) -> list[int]:
    return [ring[i % capacity] for i in range(max(since, until - capacity), until)]
