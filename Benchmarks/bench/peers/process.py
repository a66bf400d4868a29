"""A peer at work in a process of its own: `python -m bench.peers.process ROLE SYSTEM URL ...`.

Roles: install, work, fill, one-by-one, bulk, paced. The last four print one JSON line at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import json
import random
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..record import Header, JobNotes, Record, Word
from .base import Client, Job, WorkOptions

Outcome = dict[str, float]


class Body:
    """The handler: `noop` counts, `record` notes each sequence number, `sleep:MS` also sleeps."""

    def __init__(self, notes: JobNotes, body: str) -> None:
        kind, _, milliseconds = body.partition(":")
        self.needs_arguments = kind != "noop"
        self._notes = notes
        self._seconds = float(milliseconds or 0) / 1000

    def tick(self) -> None:
        self._notes.start()
        self._notes.finish()

    async def run(self, arguments: Mapping[str, int]) -> None:
        if not self.needs_arguments:
            return self.tick()
        sequence = int(arguments["i"])
        self._notes.start(sequence)
        if self._seconds:
            await asyncio.sleep(self._seconds)
        self._notes.finish(sequence, small=int(arguments["t"]) > 0)


def jobs_of(options: argparse.Namespace) -> Iterator[list[Job]]:
    """The jobs of a fill in chunks: tenants in turn from --first-tenant on, one queue."""
    for start in range(0, options.count, options.chunk):
        yield [
            Job(options.first + i, options.first_tenant + i % options.tenants, options.queue)
            for i in range(start, min(options.count, start + options.chunk))
        ]


async def work(client: Client, options: argparse.Namespace) -> None:
    """Says that it is ready, waits for the start, works until killed."""
    record = Record(Path(options.record))
    body = Body(JobNotes(record, options.slot), options.body)
    record.set_slot(options.slot, Word.READY, 1)
    while not record.words[Header.GO]:
        await asyncio.sleep(0.002)
    queues = tuple(options.queues.split(","))
    await client.work(body, WorkOptions(options.concurrency, queues, options.purpose))


async def fill(client: Client, options: argparse.Namespace) -> Outcome:
    """Enqueues a backlog in bulk, `chunk` jobs a call."""
    await client.open()
    if options.role == "bulk":
        await client.enqueue_many([Job(i, options.first_tenant) for i in range(10)])
    began = time.monotonic()
    for chunk in jobs_of(options):
        await client.enqueue_many(chunk, options.delay_hours)
    seconds = time.monotonic() - began
    await client.close()
    return {"seconds": seconds, "per_second": options.count / seconds}


async def one_by_one(client: Client, options: argparse.Namespace) -> Outcome:
    """Enqueues one job a call, each call waiting for the one before; 50 calls first to warm up."""
    await client.open()
    for job in (Job(i) for i in range(50)):
        await client.enqueue(job)
    began = time.monotonic()
    for i in range(options.count):
        await client.enqueue(Job(i, options.first_tenant + i % options.tenants, options.queue))
    seconds = time.monotonic() - began
    await client.close()
    return {"per_second": options.count / seconds}


async def paced(client: Client, options: argparse.Namespace) -> Outcome:
    """Offers record.RATE jobs a second until record.STOP; survives a lost server.

    One job a call, or with --batch-ms what has come due by the system's bulk path. When a job is
    due comes from the clock and not from the loop, so a slow call does not lower what is offered:
    `connections` callers catch up.
    """
    record = Record(Path(options.record))
    callers = [client, *(type(client)(options.url) for _ in range(options.connections - 1))]
    plan = _Plan(record, options)
    await asyncio.gather(*(_caller(caller, plan, record) for caller in callers))
    return {"offered": float(plan.sequence), "refused": float(record.words[Header.REFUSED])}


class _Plan:
    """Which jobs are to be offered next and when, shared by the callers of one process."""

    def __init__(self, record: Record, options: argparse.Namespace) -> None:
        self.sequence = 0
        self._words = record.words
        self._capacity = record.capacity
        self._due = time.monotonic()
        self._options = options
        self._queues = options.queues.split(",")
        self._calls = 0
        self._random = random.Random(1)

    async def next_jobs(self) -> list[Job]:
        """Waits for the next turn; an empty list ends the caller."""
        while not self._words[Header.STOP] and self.sequence < self._capacity:
            rate = self._words[Header.RATE]
            if not rate:
                await asyncio.sleep(0.01)
                self._due = time.monotonic()
                continue
            first, due, count = self.sequence, self._due, self._turn(rate)
            self.sequence += count
            # After more than a second of delay the rest is dropped, or recovery would never end.
            self._due = max(due + count / rate, time.monotonic() - 1)
            self._words[Header.NEXT] = self.sequence
            if (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            return self._jobs(first, count)
        return []

    def _turn(self, rate: int) -> int:
        """Jobs of one call: what comes due in batch_ms, or what is late, at most 128."""
        if not self._options.batch_ms:
            return 1
        late = max(self._options.batch_ms / 1000, time.monotonic() - self._due)
        return min(max(1, int(rate * late)), 128, self._capacity - self.sequence)

    def _jobs(self, first: int, count: int) -> list[Job]:
        """Jobs of random tenants, all of the queue whose turn it is."""
        queue = self._queues[self._calls % len(self._queues)]
        self._calls += 1
        tenants, start = self._options.tenants, self._options.first_tenant
        return [Job(first + i, start + self._random.randrange(tenants), queue) for i in range(count)]


async def _caller(client: Client, plan: _Plan, record: Record) -> None:
    is_open = False
    while jobs := await plan.next_jobs():
        try:
            if not is_open:
                await client.open()
                is_open = True
            await _offer(client, jobs, record)
        except Exception as error:
            record.words[Header.REFUSED] += 1
            if record.words[Header.REFUSED] == 1:
                print(f"{type(error).__name__}: {error}", file=sys.stderr)
            is_open = False
            await _close_quietly(client)
            await asyncio.sleep(0.1)
    if is_open:
        await _close_quietly(client)


async def _offer(client: Client, jobs: list[Job], record: Record) -> None:
    called = time.monotonic_ns()
    if len(jobs) == 1:
        await client.enqueue(jobs[0])
    else:
        await client.enqueue_many(jobs)
    acked = time.monotonic_ns()
    for job in jobs:
        record.called[job.sequence] = called
        record.acked[job.sequence] = acked


async def _close_quietly(client: Client) -> None:
    # Closing a broken connection may fail in any way.
    with contextlib.suppress(Exception):
        await asyncio.wait_for(client.close(), 2)


async def install(client: Client, options: argparse.Namespace) -> None:
    """Creates the system's tables."""
    await client.install()


ROLES: dict[str, Callable[[Any, argparse.Namespace], Coroutine[Any, Any, Outcome | None]]] = {
    "install": install,
    "work": work,
    "fill": fill,
    "bulk": fill,
    "one-by-one": one_by_one,
    "paced": paced,
}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for name in ("role", "system", "url"):
        parser.add_argument(name)
    texts = {"record": "", "body": "noop", "queue": "default", "queues": "default", "purpose": "drain"}
    numbers = {"slot": 0, "concurrency": 10, "count": 0, "chunk": 1000, "first": 0, "tenants": 1}
    numbers |= {"first-tenant": 0, "delay-hours": 0, "connections": 1, "batch-ms": 0}
    for name, text in texts.items():
        parser.add_argument(f"--{name}", default=text)
    for name, number in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=number)
    return parser.parse_args()


def main() -> None:
    options = parse()
    module = importlib.import_module(f".{options.system}", __package__)
    coroutine = ROLES[options.role](module.Client(options.url), options)
    try:
        import uvloop

        outcome = uvloop.run(coroutine)
    except ImportError:
        outcome = asyncio.run(coroutine)
    if outcome is not None:
        print(json.dumps(outcome), flush=True)


if __name__ == "__main__":
    main()
