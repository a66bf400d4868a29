"""awa 0.6: append-only queue storage in a Rust core, handlers in Python."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import awa

from .base import Handler, Job, WorkOptions


@dataclass
class Task:
    """awa names the job's kind after this class."""

    i: int = 0
    t: int = 0


class Client:
    """See base.Client."""

    def __init__(self, url: str) -> None:
        # Its driver reads the socket's folder only from a percent-encoded parameter.
        parts = urlsplit(url)
        folder = parse_qs(parts.query)["host"][0].replace("/", "%2F")
        self._url = f"postgres://postgres@localhost{parts.path}?host={folder}"

    async def install(self) -> None:
        await awa.migrate(self._url)
        # A fresh schema switches to queue storage when the first worker starts.
        client = awa.AsyncClient(self._url)

        @client.task(Task, queue="default")
        async def task(job) -> None:
            pass

        await client.start([("default", 1)])
        await asyncio.sleep(0.5)
        await client.shutdown()
        await client.close()

    async def open(self) -> None:
        self._client = awa.AsyncClient(self._url, max_connections=10)

    async def close(self) -> None:
        await self._client.close()

    async def enqueue(self, job: Job) -> None:
        await self._client.insert(Task(**job.arguments()), queue=job.queue)

    async def enqueue_many(self, jobs: Sequence[Job], delay_hours: int = 0) -> None:
        when = {"run_at": datetime.now(UTC) + timedelta(hours=delay_hours)} if delay_hours else {}
        await self._client.enqueue_many_copy([Task(**job.arguments()) for job in jobs], queue=jobs[0].queue, **when)

    async def work(self, handler: Handler, options: WorkOptions) -> None:
        client = awa.AsyncClient(self._url, max_connections=20)

        @client.task(Task, queue="default")
        async def task(job) -> None:
            if handler.needs_arguments:
                await handler.run({"i": job.args.i, "t": job.args.t})
            else:
                handler.tick()

        await client.start(
            [_queue(name, options) for name in options.queues],
            heartbeat_interval_ms=2_000,
            heartbeat_rescue_interval_ms=2_000,
            heartbeat_staleness_ms=10_000,
        )
        await asyncio.Event().wait()


def _queue(name: str, options: WorkOptions) -> dict[str, object]:
    settings: dict[str, object] = {"name": name, "max_workers": options.concurrency}
    if options.purpose == "drain":
        settings["claimers"] = 2
    return settings
