"""Offers jobs: at a fixed rate by the clock, as the harness says on standard input, or up to a depth."""

from __future__ import annotations

import json
import queue
import random
import sys
import threading
import time
from collections.abc import Callable

from bench.libpq import Connection, DatabaseError

from .settings import Settings


class Producer:
    """A thread that enqueues by leasehold.enqueue_many; it reconnects for ever."""

    def __init__(self, settings: Settings, depth: Callable[[], int]) -> None:
        self._settings = settings
        self._depth = depth
        self._stop = threading.Event()
        self._tokens: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._padding = "x" * settings.payload_bytes
        self._random = random.Random(settings.instance)
        self._calls = 0
        self._connection: Connection | None = None
        self.enqueued = 0
        self._thread = threading.Thread(target=self._run, name="producer", daemon=True)

    def start(self) -> None:
        """Begins to offer."""
        if self._paced_by_harness:
            threading.Thread(target=self._read_tokens, name="tokens", daemon=True).start()
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; waits for a call that is under way."""
        self._stop.set()
        self._thread.join(3)

    @property
    def _paced_by_harness(self) -> bool:
        return self._settings.producer_pacing == "harness" and self._settings.producer_mode == "fixed"

    def _run(self) -> None:
        last, credit = time.monotonic(), 0.0
        while not self._stop.is_set():
            if self._paced_by_harness:
                count = self._next_token()
            elif self._settings.producer_mode == "depth-target":
                count = min(self._settings.batch_max, max(0, self._settings.target_depth - self._depth()))
                self._stop.wait(0 if count else 0.02)
            else:
                self._stop.wait(max(0.0, self._settings.batch_ms / 1000 - (time.monotonic() - last)))
                # By the time that really passed, or a slow call would lower what is offered.
                now = time.monotonic()
                credit += self._settings.rate() * (now - last)
                last = now
                count = min(self._settings.batch_max, int(credit))
                credit -= count
            if count:
                self._offer(count)

    def _next_token(self) -> int:
        try:
            return self._tokens.get(timeout=0.1)
        except queue.Empty:
            return 0

    def _read_tokens(self) -> None:
        for line in sys.stdin:
            word, _, number = line.strip().partition(" ")
            if word == "ENQUEUE" and number.isdigit():
                self._tokens.put(int(number))

    def _offer(self, count: int) -> None:
        try:
            self._connection = self._connection or Connection(self._settings.url)
            self._connection.run("select count(*) from leasehold.enqueue_many($1)", self._requests(count))
            self.enqueued += count
        except DatabaseError as error:
            print(f"enqueue: {error}", file=sys.stderr)
            if self._connection and error.connection_lost:
                self._connection.close()
                self._connection = None
            self._stop.wait(0.2)

    def _requests(self, count: int) -> str:
        name = self._settings.queues[self._calls % len(self._settings.queues)]
        self._calls += 1
        at = time.time_ns() // 1000
        return json.dumps(
            [
                {
                    "tenant": f"t{self._random.randrange(self._settings.tenants)}",
                    "kind": "bench",
                    "queue": name,
                    "args": {"i": 0, "t": 0, "at": at, "padding": self._padding},
                }
                for _ in range(count)
            ]
        )
