"""Procrastinate 3.10: one claim and one finish call a job."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import procrastinate

from .base import Handler, Job, WorkOptions


class Client:
    """See base.Client."""

    def __init__(self, url: str) -> None:
        logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
        self._url = url
        self._handler: Handler | None = None

    def _build(self, connections: int) -> None:
        connector = procrastinate.PsycopgConnector(conninfo=self._url, min_size=connections, max_size=connections)
        self._app = procrastinate.App(connector=connector)

        @self._app.task(name="task", pass_context=False)
        async def task(**arguments) -> None:
            assert self._handler is not None
            await self._handler.run(arguments)

        self._task = task

    async def install(self) -> None:
        self._build(2)
        async with self._app.open_async():
            await self._app.schema_manager.apply_schema_async()

    async def open(self) -> None:
        self._build(2)
        await self._app.open_async()

    async def close(self) -> None:
        await self._app.close_async()

    async def enqueue(self, job: Job) -> None:
        await self._task.configure(queue=job.queue).defer_async(**job.arguments())

    async def enqueue_many(self, jobs: Sequence[Job], delay_hours: int = 0) -> None:
        when = {"schedule_in": {"hours": delay_hours}} if delay_hours else {}
        task = self._task.configure(queue=jobs[0].queue, **when)
        await task.batch_defer_async(*[job.arguments() for job in jobs])

    async def work(self, handler: Handler, options: WorkOptions) -> None:
        self._handler = handler
        self._build(min(options.concurrency, 10) + 2)
        heartbeats: dict[str, float] = {}
        if options.purpose == "slow":
            self._add_rescue()
            heartbeats = {"update_heartbeat_interval": 3, "stalled_worker_timeout": 10}
        async with self._app.open_async():
            await self._app.run_worker_async(
                queues=[*options.queues, "rescue"],
                concurrency=options.concurrency,
                install_signal_handlers=False,
                **heartbeats,
            )

    def _add_rescue(self) -> None:
        """Rescue of dead workers' jobs is a periodic task of the user's, as its documentation shows."""

        @self._app.periodic(cron="* * * * * */5")
        @self._app.task(name="rescue", queue="rescue", pass_context=True)
        async def rescue(context, timestamp: int) -> None:
            for job in await self._app.job_manager.get_stalled_jobs():
                await self._app.job_manager.retry_job(job)
