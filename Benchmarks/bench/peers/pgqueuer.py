"""PgQueuer 1.6: claims rows in batches over one asyncpg connection, buffers completions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.queries import Queries

from .base import Handler, Job, WorkOptions

RESCUE_AFTER = timedelta(seconds=10)


class Client:
    """See base.Client. A queue of the benchmark is an entrypoint of PgQueuer."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def install(self) -> None:
        connection = await asyncpg.connect(self._url)
        await Queries(AsyncpgDriver(connection)).install()
        await connection.close()

    async def open(self) -> None:
        self._connection = await asyncpg.connect(self._url)
        self._queries = Queries(AsyncpgDriver(self._connection))

    async def close(self) -> None:
        await self._connection.close()

    async def enqueue(self, job: Job) -> None:
        await self._queries.enqueue(job.queue, _payload(job), 0)

    async def enqueue_many(self, jobs: Sequence[Job], delay_hours: int = 0) -> None:
        delay = timedelta(hours=delay_hours) if delay_hours else None
        await self._queries.enqueue(
            [job.queue for job in jobs], [_payload(job) for job in jobs], [0] * len(jobs), [delay] * len(jobs)
        )

    async def work(self, handler: Handler, options: WorkOptions) -> None:
        application = PgQueuer.from_asyncpg_connection(await asyncpg.connect(self._url))
        for queue in options.queues:
            application.entrypoint(queue)(_body(handler))
        if options.purpose == "slow":
            # The cap on running jobs must be at least twice the batch.
            batch = max(1, min(100, options.concurrency // 2))
            await application.run(
                batch_size=batch,
                max_concurrent_tasks=options.concurrency,
                heartbeat_timeout=RESCUE_AFTER,
                dequeue_timeout=timedelta(seconds=5),
            )
        else:
            await application.run(batch_size=options.concurrency)


def _payload(job: Job) -> bytes:
    return json.dumps(job.arguments()).encode()


def _body(handler: Handler):
    async def noop(job) -> None:
        handler.tick()

    async def run(job) -> None:
        await handler.run(json.loads(job.payload))

    return run if handler.needs_arguments else noop
