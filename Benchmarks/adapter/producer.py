"""Offers jobs: at a fixed rate by the clock, as the harness says on standard input, or up to a depth."""

from __future__ import annotations

import json
import os
import queue
import random
import sys
import threading
import time
from collections.abc import Callable

from bench.libpq import Connection, DatabaseError

from .settings import Settings
from .telemetry import Calls


class Producer:
    """A thread that enqueues by leasehold.enqueue_many; it reconnects for ever.

    What could not be enqueued stays owed and is offered again, so that an outage lowers no load. A
    call whose connection broke may have been carried out all the same; `unanswered` counts its jobs.
    """

    def __init__(self, settings: Settings, depth: Callable[[], int]) -> None:
        self._settings = settings
        self._depth = depth
        self._stop = threading.Event()
        self._tokens: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._padding = "x" * settings.payload_bytes
        self._random = random.Random(settings.instance)
        self._batches = 0
        self._jobs = 0
        self._owed = 0.0
        self._credited = time.monotonic()
        self._connection: Connection | None = None
        self.calls = Calls()
        self.enqueued = 0
        self.unanswered = 0
        self._thread = threading.Thread(target=self._run, name="producer", daemon=True)

    def start(self) -> None:
        """Begins to offer."""
        if self._settings.reads_tokens:
            _drop_waiting_input()
            threading.Thread(target=self._read_tokens, name="tokens", daemon=True).start()
        self._credited = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; waits up to a second for a call that is under way."""
        self._stop.set()
        self._thread.join(1)

    def _run(self) -> None:
        while not self._stop.is_set():
            if self._settings.reads_tokens:
                self._credit_tokens()
            elif self._settings.producer_mode == "depth-target":
                self._owed = max(0, self._settings.target_depth - self._depth())
                self._stop.wait(0 if self._owed else 0.005)
            else:
                self._credit_time()
            count = min(self._settings.batch_max, int(self._owed))
            if count and self._offer(count):
                self._owed -= count

    def _credit_time(self) -> None:
        """By the time that really passed, or a slow call would lower what is offered."""
        self._stop.wait(max(0.0, self._settings.batch_ms / 1000 - (time.monotonic() - self._credited)))
        now = time.monotonic()
        self._owed += self._settings.rate() * (now - self._credited)
        self._credited = now

    def _credit_tokens(self) -> None:
        """The harness's tokens keep to the rate of its start; its file has what a phase makes of it."""
        try:
            count = self._tokens.get(timeout=0 if self._owed >= 1 else 0.1)
        except queue.Empty:
            return
        self._owed += count * self._settings.rate() / max(1.0, self._settings.producer_rate)

    def _read_tokens(self) -> None:
        for line in sys.stdin:
            word, _, number = line.strip().partition(" ")
            if word == "ENQUEUE" and number.isdigit():
                self._tokens.put(int(number))

    def _offer(self, count: int) -> bool:
        requests = self._requests(count)
        began = time.monotonic()
        try:
            self._connection = self._connection or Connection(self._settings.url)
            self._connection.run("select count(*) from leasehold.enqueue_many($1)", requests)
        except DatabaseError as error:
            print(f"enqueue: {error}", file=sys.stderr)
            if self._connection and error.connection_lost:
                self.unanswered += count
                self._connection.close()
                self._connection = None
            self._stop.wait(0.2)
            return False
        self.calls.add(time.monotonic() - began, count)
        self.enqueued += count
        self._jobs += count
        self._batches += 1
        return True

    def _requests(self, count: int) -> str:
        at = time.time_ns() // 1000
        name = self._settings.queues[self._batches % len(self._settings.queues)]
        return json.dumps([self._request(self._jobs + k, name, at) for k in range(count)])

    def _request(self, number: int, name: str, at: int) -> dict[str, object]:
        settings = self._settings
        args: dict[str, object] = {"at": at, "padding": self._padding}
        request: dict[str, object] = {
            "tenant": f"t{self._random.randrange(settings.tenants)}",
            "kind": "bench",
            "queue": name,
            "args": args,
        }
        if settings.priorities:
            request["priority"] = args["tag"] = settings.priorities[number % len(settings.priorities)]
        if settings.failures and number % settings.fail_every == 0:
            args["failures"] = settings.failures
        if settings.max_attempts:
            request["max_attempts"] = settings.max_attempts
        return request


def _drop_waiting_input() -> None:
    """Tokens of the time in which this replica was still being installed; they would come as one burst."""
    source = sys.stdin.fileno()
    os.set_blocking(source, False)
    try:
        while os.read(source, 1 << 16):
            pass
    except BlockingIOError:
        pass
    finally:
        os.set_blocking(source, True)
