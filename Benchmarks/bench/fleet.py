"""Worker processes of one system on one database: start, go, count, kill, start again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .machine import process_cpu, process_resident
from .record import Header, Record, Word


@dataclass(frozen=True)
class WorkerOrder:
    """What a worker process is to be started with."""

    body: str
    concurrency: int
    purpose: str = "drain"
    queues: tuple[str, ...] = ("default",)
    environment: dict[str, str] = field(default_factory=dict)


class WorkerFailed(Exception):
    """A worker process ended or did not come up."""


class Fleet:
    """`count` workers, one a slot of the record. A context manager: leaving it kills them."""

    def __init__(
        self,
        command: Callable[[WorkerOrder, int], list[str]],
        order: WorkerOrder,
        record: Record,
        count: int = 1,
        log: Path | None = None,
    ) -> None:
        self._command = command
        self._order = order
        self._log = log
        self.record = record
        self.count = count
        self.processes: list[subprocess.Popen[bytes] | None] = [None] * count
        self._reaped_cpu = 0.0
        self.unasked_exits = 0

    def __enter__(self) -> Fleet:
        try:
            for slot in range(self.count):
                self.start(slot)
            self.await_ready()
        except BaseException:
            self.kill_all()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill_all()

    def start(self, slot: int) -> None:
        """Starts the worker of a slot; it waits for GO unless that was given before."""
        self.record.set_slot(slot, Word.READY, 0)
        log = open(self._log, "ab") if self._log else subprocess.DEVNULL
        try:
            self.processes[slot] = subprocess.Popen(
                self._command(self._order, slot),
                stdout=log,
                stderr=log,
                env={**os.environ, **self._order.environment},
            )
        finally:
            if not isinstance(log, int):
                log.close()

    def await_ready(self, seconds: float = 30) -> None:
        """Waits until every worker is connected."""
        limit = time.monotonic() + seconds
        while any(not self.record.slot(slot, Word.READY) for slot in range(self.count)):
            if any(p is not None and p.poll() is not None for p in self.processes):
                raise WorkerFailed("a worker ended while starting")
            if time.monotonic() > limit:
                raise WorkerFailed(f"a worker was not ready after {seconds:.0f} s")
            time.sleep(0.005)

    def go(self) -> None:
        """Lets all workers start to claim."""
        self.record.words[Header.GO] = 1

    def finished(self) -> int:
        """Jobs whose handler has ended, over all workers and their predecessors in the slot."""
        return self.record.total(Word.FINISHED)

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Polls every 2 ms; False if the time is over or no worker is left."""
        limit = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > limit or not self.alive():
                return False
            time.sleep(0.002)
        return True

    def alive(self) -> int:
        """Number of worker processes that run."""
        return sum(1 for p in self.processes if p is not None and p.poll() is None)

    def kill(self, slot: int) -> None:
        """SIGKILL to the worker of a slot."""
        process = self.processes[slot]
        if process is not None:
            self._reaped_cpu += process_cpu(process.pid)
            process.kill()
            process.wait()
            self.processes[slot] = None

    def revive(self) -> int:
        """Starts workers that ended by themselves, as a supervisor would; how many there were."""
        gone = [s for s, p in enumerate(self.processes) if p is not None and p.poll() is not None]
        for slot in gone:
            self.start(slot)
        self.unasked_exits += len(gone)
        return len(gone)

    def stop_all(self, seconds: float = 10) -> bool:
        """SIGTERM to all and a wait; False if one had to be killed."""
        running = [p for p in self.processes if p is not None and p.poll() is None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        limit = time.monotonic() + seconds
        try:
            for process in running:
                process.wait(max(0.01, limit - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.kill_all()
            return False
        return True

    def kill_all(self) -> None:
        """SIGKILL to all that run."""
        for slot in range(self.count):
            self.kill(slot)

    def cpu(self) -> float:
        """CPU seconds of all workers so far."""
        return self._reaped_cpu + sum(process_cpu(p.pid) for p in self.processes if p is not None)

    def resident(self) -> float:
        """Resident memory of all workers in MB."""
        return sum(process_resident(p.pid) for p in self.processes if p is not None)
