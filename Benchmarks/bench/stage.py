"""Where a workload plays: the server, the systems' processes, a database for each system."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from .fleet import Fleet, WorkerOrder
from .libpq import Connection
from .peers.base import System
from .peers.catalog import LEASEHOLD
from .postgres import Server
from .record import Record, record_path
from .scale import Scale

ROOT = Path(__file__).resolve().parent.parent


class ProcessFailed(Exception):
    """A helper process of a system ended with an error."""


@dataclass(frozen=True)
class Stage:
    """Everything a workload needs; one for the whole run."""

    server: Server
    scale: Scale
    peer_python: str  # interpreter that has the peers' packages; this one if there are none
    worker: Path  # leasehold-bench-worker
    command: Path  # leasehold, the command line program
    log: Path  # what processes print to stderr
    profile: bool = False  # count statements in every measurement

    def database(self, system: System) -> str:
        """The name of the system's database."""
        return f"bench_{system.name}"

    def connect(self, system: System) -> Connection:
        """A connection to the system's database."""
        return self.server.connect(self.database(system))

    def install(self, system: System, tenants: int = 1) -> None:
        """A fresh database with the system's tables, and tenants t0, t1, ... where it knows them."""
        self.server.create(self.database(system))
        with self.connect(system) as connection:
            if self.server.counts_statements():
                connection.script("create extension pg_stat_statements")
        if self.profile:
            self.server.count_statements(self.database(system))
        if system is LEASEHOLD:
            self._migrate(system)
            with self.connect(system) as connection:
                connection.query(
                    "insert into leasehold.tenant (tenant_id) select 't' || i from generate_series(0, $1::int - 1) i",
                    tenants,
                )
        else:
            self.role(system, "install")

    def _migrate(self, system: System) -> None:
        environment = {**os.environ, "LEASEHOLD_DATABASE_URL": self.server.url(self.database(system))}
        done = subprocess.run(
            [str(self.command), "migrate"], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ProcessFailed(f"leasehold migrate: {done.stderr.strip()}")

    def fill(self, system: System, count: int, tenants: int = 1, **options: object) -> None:
        """Loads a backlog by the system's bulk path."""
        if count:
            self.role(system, "fill", count=count, tenants=tenants, chunk=system.chunk, **options)

    def settle(self, system: System) -> None:
        """Vacuum, statistics and a checkpoint, so that what follows does not pay for the load."""
        self.server.settle(self.database(system))
        if self.profile:
            with self.connect(system) as connection:
                connection.query("select pg_stat_statements_reset()")

    def role(self, system: System, role: str, **options: object) -> dict[str, float]:
        """Runs a process of the system to its end and gives what it printed."""
        process = self.start_role(system, role, **options)
        return self.finish_role(system, role, process)

    def start_role(self, system: System, role: str, **options: object) -> subprocess.Popen[str]:
        """Starts a process of the system (see peers/process.py)."""
        return subprocess.Popen(
            self._peer_command(system, role, **options),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._environment(),
        )

    def finish_role(self, system: System, role: str, process: subprocess.Popen[str]) -> dict[str, float]:
        """Waits for a process that `start_role` began."""
        output, errors = process.communicate()
        with open(self.log, "a", encoding="utf-8") as log:
            log.write(errors)
        if process.returncode:
            last = errors.strip().splitlines()[-1:] or [f"exit status {process.returncode}"]
            raise ProcessFailed(f"{system.name} {role}: {last[0]}")
        lines = output.strip().splitlines()
        return json.loads(lines[-1]) if lines else {}

    def record(self, name: str, capacity: int = 4096) -> Record:
        """A fresh shared record."""
        return Record.create(record_path(name), capacity)

    def fleet(self, system: System, record: Record, order: WorkerOrder, count: int = 1) -> Fleet:
        """Workers of the system, started when the fleet is entered."""

        def command(order: WorkerOrder, slot: int) -> list[str]:
            options = {
                "record": record.path,
                "slot": slot,
                "body": order.body,
                "concurrency": order.concurrency,
                "purpose": order.purpose,
                "queues": ",".join(order.queues),
            }
            if system is LEASEHOLD:
                url = self.server.url(self.database(system))
                return [str(self.worker), "--database-url", url, *_flags(options)]
            return self._peer_command(system, "work", **options)

        order = WorkerOrder(
            order.body,
            order.concurrency,
            order.purpose,
            order.queues,
            {**self._environment(), **order.environment},
        )
        return Fleet(command, order, record, count, self.log)

    def remaining(self, connection: Connection, system: System) -> int:
        """Jobs that are due and not finished."""
        return int(connection.number(system.remaining))

    def await_empty(self, connection: Connection, system: System, seconds: float = 30) -> bool:
        """Waits until the database too says that nothing is left; False after the time."""
        limit = time.monotonic() + seconds
        while self.remaining(connection, system) > 0:
            if time.monotonic() > limit:
                return False
            time.sleep(0.003)
        return True

    def _peer_command(self, system: System, role: str, **options: object) -> list[str]:
        url = self.server.url(self.database(system))
        return [self.peer_python, "-m", "bench.peers.process", role, system.name, url, *_flags(options)]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def _flags(options: dict[str, object]) -> list[str]:
    flags: list[str] = []
    for name, value in options.items():
        flags += [f"--{name.replace('_', '-')}", str(value)]
    return flags


def default_python() -> str:
    """The interpreter that runs the benchmark."""
    return sys.executable
