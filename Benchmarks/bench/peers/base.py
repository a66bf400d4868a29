"""What a measured system is to the benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class System:
    """Facts about a system, known without importing it."""

    name: str
    title: str
    settings: str  # how its worker is started, for the report
    sharing: str  # what it promises between tenants
    packages: tuple[str, ...] = ()  # on PyPI; the first is the system itself
    # Handlers at once (or rows a claim) that suit it, by purpose. Purposes: drain, latency, slow.
    concurrency: Mapping[str, int] = field(default_factory=dict)
    chunk: int = 10_000  # jobs a bulk call when a backlog is loaded
    remaining: str = ""  # SQL: jobs that are due and not finished; cheap when there are none
    hot_tables: tuple[str, ...] = ()
    claim_pattern: str = ""  # SQL LIKE pattern of the claim in pg_stat_statements


@dataclass(frozen=True)
class Job:
    """One job of the benchmark; peers that know no tenants carry it in the arguments only."""

    sequence: int
    tenant: int = 0
    queue: str = "default"

    def arguments(self) -> dict[str, int]:
        """What the handler gets."""
        return {"i": self.sequence, "t": self.tenant}


@dataclass(frozen=True)
class WorkOptions:
    """How a worker is to run: handlers at once, the queues it serves, and what for."""

    concurrency: int
    queues: tuple[str, ...]
    purpose: str


class Handler(Protocol):
    """The body of every job."""

    needs_arguments: bool

    def tick(self) -> None:
        """Notes a job that does nothing; for bodies that need no arguments."""

    async def run(self, arguments: Mapping[str, int]) -> None:
        """Notes the start, does the work, notes the end."""


class Client(Protocol):
    """A system in use, in a process of its own; `url` is a libpq URI."""

    def __init__(self, url: str) -> None: ...

    async def install(self) -> None:
        """Creates the system's tables as its documentation says."""

    async def open(self) -> None:
        """Connects what enqueues."""

    async def close(self) -> None:
        """Closes what `open` made."""

    async def enqueue(self, job: Job) -> None:
        """One job, committed when this returns."""

    async def enqueue_many(self, jobs: Sequence[Job], delay_hours: int = 0) -> None:
        """Jobs of one queue by the system's own bulk path, committed when this returns."""

    async def work(self, handler: Handler, options: WorkOptions) -> None:
        """Runs a worker until the process ends."""
