"""What a replica tells the harness at each tick."""

from __future__ import annotations

import threading
import time
from dataclasses import astuple

from bench.record import Word

from .depth import Depth
from .producer import Producer
from .settings import Settings
from .telemetry import LatencyRing, Window, emit, now_text
from .worker import Worker

_WINDOW_SECONDS = 30
_DEPTHS = ("queue_depth", "running_depth", "retryable_depth", "scheduled_depth", "total_backlog")
Metric = tuple[str, float, float]  # name, value, seconds that it covers


class Sampler:
    """Emits the samples, the first at the next round multiple of the interval."""

    def __init__(self, settings: Settings, worker: Worker, producer: Producer, depth: Depth) -> None:
        self._settings = settings
        self._worker = worker
        self._producer = producer
        self._depth = depth
        self._ring = LatencyRing(worker.record)
        names = ("claim", "subscriber", "end_to_end", "producer_call", "producer")
        ticks = max(1, _WINDOW_SECONDS // settings.sample_every)
        self._windows = {name: Window(ticks) for name in names}
        self._last = time.monotonic()
        self._totals: dict[str, int] = {}

    def run(self, stop: threading.Event) -> None:
        """Until stopped, or until the worker has ended, which it should not."""
        while not stop.wait(self._until_tick()) and self._worker.exit_code is None:
            at = now_text()
            for metric, value, seconds in self._tick():
                line = {"t": at, "kind": "adapter", "subject_kind": "adapter", "subject": "", "metric": metric}
                emit(self._settings.instance, {**line, "value": round(float(value), 3), "window_s": seconds})

    def _until_tick(self) -> float:
        every = self._settings.sample_every
        return every - time.time() % every

    def _tick(self) -> list[Metric]:
        starts, ends, by_tag = self._ring.take()
        calls, messages = self._producer.calls.take()
        new = {"claim": starts, "subscriber": starts, "end_to_end": ends}
        new |= {"producer_call": calls, "producer": messages}
        metrics: list[Metric] = []
        for name, values in new.items():
            self._windows[name].add(values)
            percentiles = self._windows[name].percentiles_ms(0.50, 0.95, 0.99)
            metrics += [
                (f"{name}_p{p}_ms", ms, _WINDOW_SECONDS) for p, ms in zip((50, 95, 99), percentiles, strict=True)
            ]
        metrics += self._rates({priority: by_tag[priority] for priority in set(self._settings.priorities)})
        if self._settings.observes:
            metrics += [(name, n, 0) for name, n in zip(_DEPTHS, astuple(self._depth.counts), strict=True)]
            fixed = self._settings.producer_mode == "fixed"
            metrics.append(("producer_target_rate", self._settings.rate() if fixed else 0, 0))
        return metrics

    def _rates(self, ended_by_priority: dict[int, int]) -> list[Metric]:
        now = time.monotonic()
        # Of no less than an interval: the harness multiplies the two to find lost jobs, and the first is short.
        seconds, self._last = max(self._settings.sample_every, now - self._last), now
        grown = {
            "enqueue_rate": self._grown("enqueued", self._producer.enqueued),
            "completion_rate": self._grown("finished", self._worker.record.slot(0, Word.FINISHED)),
            "retryable_failure_rate": self._grown("failed", self._worker.record.slot(0, Word.FAILED)),
        }
        for priority, count in ended_by_priority.items():
            # No priority ages here: what a job was given is what it is served by.
            grown[f"completed_priority_{priority}_rate"] = count
            grown[f"completed_original_priority_{priority}_rate"] = count
        return [(name, count / seconds, round(seconds, 3)) for name, count in grown.items()]

    def _grown(self, name: str, total: int) -> int:
        before, self._totals[name] = self._totals.get(name, 0), total
        return total - before
