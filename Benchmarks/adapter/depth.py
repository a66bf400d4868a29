"""How many jobs wait and run, counted in the database, and guessed in between."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.libpq import Connection, DatabaseError

from .settings import Settings

_COUNT = """
select count(*) filter (where state = 'ready'), count(*) filter (where state = 'running'),
    count(*) filter (where state = 'scheduled' and attempt > 0),
    count(*) filter (where state = 'scheduled' and attempt = 0), count(*)
from leasehold.job"""


@dataclass(frozen=True)
class Counts:
    """Live jobs by what they wait for."""

    ready: int = 0
    running: int = 0
    retryable: int = 0
    scheduled: int = 0
    all: int = 0


class Depth:
    """Counts once a second, or often enough for a producer that keeps a depth."""

    def __init__(self, settings: Settings, started: Callable[[], int]) -> None:
        """`started` is how many handlers of this replica have started."""
        self._settings = settings
        self._pause = 0.2 if settings.producer_mode == "depth-target" else 1.0
        self._started = started
        self._enqueued: Callable[[], int] = lambda: 0
        self._at = (0, 0)
        self.counts = Counts()

    def start(self, enqueued: Callable[[], int]) -> None:
        """Begins to count; `enqueued` is how many jobs this replica has enqueued."""
        self._enqueued = enqueued
        threading.Thread(target=self._run, name="depth", daemon=True).start()

    def ready_now(self) -> int:
        """Ready jobs, by the last count and what this replica has done since."""
        enqueued, started = self._at
        return self.counts.ready + self._enqueued() - enqueued - (self._started() - started)

    def _run(self) -> None:
        while True:
            try:
                with Connection(self._settings.url) as connection:
                    while True:
                        at = (self._enqueued(), self._started())
                        found = connection.run(_COUNT)[0]
                        self.counts, self._at = Counts(*(int(n or 0) for n in found)), at
                        time.sleep(self._pause)
            except DatabaseError as error:
                print(f"depth: {error}", file=sys.stderr)
                time.sleep(0.5)
