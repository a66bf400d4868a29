"""Leasehold as a service in another language uses it: SQL calls, COPY for many jobs at once.

With asyncpg where that is installed (the driver of the fastest peer), else through libpq, one call
at a time. Its worker is the program leasehold-bench-worker, so there is no `work` here.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from itertools import islice

from ..libpq import Connection
from .base import Handler, Job, WorkOptions

try:
    import asyncpg
except ImportError:
    asyncpg = None

KIND = "bench"
# COPY reaches the table that enqueue fills; its triggers do the rest.
_COLUMNS = ("tenant_id", "queue", "kind", "args")
_DELAYED = (*_COLUMNS, "run_at", "ready_at")
# Above so many jobs a service would COPY; below, one call of the array function.
_COPY_FROM = 500


class Client:
    """See base.Client."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def install(self) -> None:
        raise NotImplementedError("leasehold migrate installs it; see Stage.install")

    async def open(self) -> None:
        self._driver = _Asyncpg() if asyncpg else _LibPQ()
        await self._driver.connect(self._url)

    async def close(self) -> None:
        await self._driver.close()

    async def enqueue(self, job: Job) -> None:
        await self._driver.run(
            "select leasehold.enqueue($1, $2, $3, $4)",
            f"t{job.tenant}",
            KIND,
            json.dumps(job.arguments()),
            job.queue,
        )

    async def enqueue_many(self, jobs: Sequence[Job], delay_hours: int = 0) -> None:
        if len(jobs) < _COPY_FROM and not delay_hours:
            await self.enqueue_array(jobs)
        else:
            await self.copy(jobs, delay_hours)

    async def enqueue_array(self, jobs: Sequence[Job]) -> None:
        """The array function, whatever the number of jobs."""
        requests = [
            {"tenant": f"t{job.tenant}", "kind": KIND, "args": job.arguments(), "queue": job.queue} for job in jobs
        ]
        await self._driver.run("select count(*) from leasehold.enqueue_many($1)", json.dumps(requests))

    async def copy(self, jobs: Sequence[Job], delay_hours: int = 0) -> None:
        """COPY into the job table."""
        due = ""
        if delay_hours:
            due = await self._driver.value(f"select clock_timestamp() + interval '{delay_hours} hours'")
            due = f"\t{due}\t{due}"
        lines = (
            f't{job.tenant}\t{job.queue}\t{KIND}\t{{"i": {job.sequence}, "t": {job.tenant}}}{due}\n'.encode()
            for job in jobs
        )
        # In parts: the server reads the first while the next are made.
        parts = (b"".join(part) for part in batched(lines, 250))
        await self._driver.copy("job", _DELAYED if delay_hours else _COLUMNS, parts)

    async def work(self, handler: Handler, options: WorkOptions) -> None:
        raise NotImplementedError("leasehold-bench-worker works; see Stage.fleet")


def batched(lines: Iterator[bytes], size: int) -> Iterator[list[bytes]]:
    """As itertools has it from Python 3.12 on."""
    while part := list(islice(lines, size)):
        yield part


class _Asyncpg:
    """The driver that most Python services use."""

    async def connect(self, url: str) -> None:
        self._connection = await asyncpg.connect(url)

    async def run(self, sql: str, *parameters: object) -> None:
        await self._connection.fetchval(sql, *parameters)

    async def value(self, sql: str) -> str:
        return str(await self._connection.fetchval(sql))

    async def copy(self, table: str, columns: Sequence[str], parts: Iterable[bytes]) -> None:
        async def source() -> AsyncIterator[bytes]:
            for part in parts:
                yield part

        await self._connection.copy_to_table(table, schema_name="leasehold", columns=columns, source=source())

    async def close(self) -> None:
        await self._connection.close()


class _LibPQ:
    """The fallback without PyPI: blocking, which is enough for one caller."""

    async def connect(self, url: str) -> None:
        self._connection = Connection(url)

    async def run(self, sql: str, *parameters: object) -> None:
        self._connection.run(sql, *parameters)

    async def value(self, sql: str) -> str:
        return self._connection.value(sql) or ""

    async def copy(self, table: str, columns: Sequence[str], parts: Iterable[bytes]) -> None:
        self._connection.copy_in(f"copy leasehold.{table} ({', '.join(columns)}) from stdin", parts)

    async def close(self) -> None:
        self._connection.close()
