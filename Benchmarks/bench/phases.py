"""A run in phases: a steady producer, workers, something that presses or breaks, a sample a second.

After the scenarios of the public harness hardbyte/postgresql-job-queue-benchmarking, docs/method.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field

from .fleet import Fleet, WorkerOrder
from .libpq import Connection, DatabaseError
from .peers.base import System
from .record import Header, Record
from .stage import Stage

# Of the producer: each call hands in what has come due in so long, as in the public harness.
BATCH_MS = 25

Action = Callable[["Run"], AbstractContextManager[object]]


@dataclass(frozen=True)
class Phase:
    """A stretch of the run: what happens during it, and the factor on the offered load."""

    label: str
    seconds: float
    action: Action | None = None
    load: float = 1.0


@dataclass(frozen=True)
class Sample:
    """One second of the run, seen from outside the workers."""

    at: float  # seconds since the run began
    phase: str
    finished: int  # handlers ended so far
    offered: int  # enqueue calls begun so far
    dead_rows: float  # over all tables; -1 while the server is away


@dataclass
class Run:
    """A system under load, and what was seen of it."""

    stage: Stage
    system: System
    record: Record
    fleet: Fleet
    rate: float
    began: float = 0.0
    phase: str = ""
    # Set while workers are killed on purpose, so that the supervisor leaves them alone.
    hands_off: bool = False
    samples: list[Sample] = field(default_factory=list)
    spans: dict[str, tuple[float, float]] = field(default_factory=dict)
    _connection: Connection | None = None

    def sleep(self, seconds: float) -> None:
        """Waits, sampling once a second and starting workers that ended by themselves."""
        limit = time.monotonic() + seconds
        while (now := time.monotonic()) < limit:
            time.sleep(min(1 - (now - self.began) % 1, limit - now))
            self._sample()
            if not self.hands_off:
                self.fleet.revive()

    def offer(self, load: float) -> None:
        """Sets what producers offer from now on, as a factor on the base rate."""
        self.record.words[Header.RATE] = int(self.rate * load)

    def _sample(self) -> None:
        self.samples.append(
            Sample(
                time.monotonic() - self.began,
                self.phase,
                self.fleet.finished(),
                self.record.words[Header.NEXT],
                self._dead_rows(),
            )
        )

    def _dead_rows(self) -> float:
        """Over a connection that is kept; a lost one is made again at the next sample."""
        try:
            self._connection = self._connection or self.stage.connect(self.system)
            return self._connection.number("select coalesce(sum(n_dead_tup), 0) from pg_stat_user_tables")
        except DatabaseError:
            self.close()
            return -1

    def close(self) -> None:
        """Closes the sampling connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def play(
    stage: Stage,
    system: System,
    phases: list[Phase],
    order: WorkerOrder,
    rate: float,
    workers: int,
    tenants: int,
    connections: int,
    drain_seconds: float,
) -> tuple[Run, Record]:
    """Plays the phases, ends the producer, then waits for what was accepted to be finished."""
    seconds = sum(phase.seconds for phase in phases)
    most_load = max(phase.load for phase in phases)
    record = stage.record(system.name, capacity=int(rate * most_load * seconds * 1.2) + 10_000)
    with ExitStack() as stack:
        fleet = stack.enter_context(stage.fleet(system, record, order, workers))
        run = Run(stage, system, record, fleet, rate)
        stack.callback(run.close)
        fleet.go()
        producer = stage.start_role(
            system,
            "paced",
            record=record.path,
            tenants=tenants,
            connections=connections,
            queues=",".join(order.queues),
            batch_ms=BATCH_MS,
        )
        stack.callback(producer.kill)
        run.began = time.monotonic()
        for phase in phases:
            _play_phase(run, phase)
        record.words[Header.STOP] = 1
        stage.finish_role(system, "paced", producer)
        run.phase = "drain"
        limit = time.monotonic() + drain_seconds
        while unfinished(record) and time.monotonic() < limit:
            run.sleep(1)
    return run, record


def _play_phase(run: Run, phase: Phase) -> None:
    run.phase = phase.label
    run.offer(phase.load)
    start = time.monotonic() - run.began
    action = phase.action(run) if phase.action else nullcontext()
    with action:
        run.sleep(max(0.0, start + phase.seconds - (time.monotonic() - run.began)))
    run.spans[phase.label] = (start, time.monotonic() - run.began)


def unfinished(record: Record) -> int:
    """Jobs whose enqueue call returned and whose handler has not ended yet."""
    offered = record.words[Header.NEXT]
    acked, finished = record.acked, record.finished
    return sum(1 for i in range(offered) if acked[i] and not finished[i])
