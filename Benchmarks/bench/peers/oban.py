"""Oban for Python 0.7: one row a job, claimed in batches up to the queue's limit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from oban import Oban, worker
from oban.schema import install
from psycopg_pool import AsyncConnectionPool

from .base import Handler, Job, WorkOptions

_handler: Handler | None = None


@worker(queue="default")
class Task:
    """Oban makes the worker object, so the handler comes from the module."""

    async def process(self, job) -> None:
        assert _handler is not None
        await _handler.run(job.args)


class Client:
    """See base.Client."""

    def __init__(self, url: str) -> None:
        self._url = url
        logging.getLogger("oban").setLevel(logging.CRITICAL)

    async def _new_pool(self) -> AsyncConnectionPool:
        pool = AsyncConnectionPool(self._url, min_size=2, max_size=10, open=False)
        await pool.open(wait=True)
        return pool

    async def install(self) -> None:
        pool = await self._new_pool()
        await install(pool)
        await pool.close()

    async def open(self) -> None:
        self._pool = await self._new_pool()
        self._oban = Oban(pool=self._pool)

    async def close(self) -> None:
        await self._pool.close()

    async def enqueue(self, job: Job) -> None:
        await self._oban.enqueue(Task.new(job.arguments(), queue=job.queue))

    async def enqueue_many(self, jobs: Sequence[Job], delay_hours: int = 0) -> None:
        when = {"scheduled_at": datetime.now(UTC) + timedelta(hours=delay_hours)} if delay_hours else {}
        await self._oban.enqueue_many([Task.new(job.arguments(), queue=job.queue, **when) for job in jobs])

    async def work(self, handler: Handler, options: WorkOptions) -> None:
        global _handler
        _handler = handler
        rescue = {"interval": 5.0, "rescue_after": 10.0} if options.purpose == "slow" else {}
        queues = dict.fromkeys(options.queues, options.concurrency)
        async with Oban(pool=await self._new_pool(), queues=queues, lifeline=rescue):
            await asyncio.Event().wait()
