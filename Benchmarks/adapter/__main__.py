"""`python3 -m adapter`: one replica, which is a worker process, a producer and a sampler.

BENCH_LEASEHOLD_BIN is the folder of `leasehold` and `leasehold-bench-worker`; default: found on PATH.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from bench.libpq import Connection

from .depth import Depth
from .producer import Producer
from .sampler import Sampler
from .settings import Settings
from .telemetry import emit, now_text
from .worker import Worker, program

# The harness looks at what is in a table, and of a partitioned one nothing is in the table itself.
_PARTITIONS = """
select 'leasehold.' || parent || to_char(now() at time zone 'UTC', '_YYYYMMDD')
from unnest(array['job_history', 'job_attempt']) parent"""


def install(settings: Settings) -> None:
    """Migrates, and adds the tenants that jobs are enqueued for."""
    environment = {**os.environ, "LEASEHOLD_DATABASE_URL": settings.url}
    migration = subprocess.run([program("leasehold"), "migrate"], env=environment, stdout=sys.stderr)
    if migration.returncode:
        sys.exit(migration.returncode)
    with Connection(settings.url) as connection:
        connection.query(
            "insert into leasehold.tenant (tenant_id) select 't' || i from generate_series(0, $1::int - 1) i"
            " on conflict do nothing",
            settings.tenants,
        )


def describe(settings: Settings) -> None:
    """The first line: what runs here, as the manifest says."""
    manifest = json.loads((Path(__file__).parent / "adapter.json").read_text(encoding="utf-8"))
    with Connection(settings.url) as connection:
        database = connection.value("select current_database()")
        partitions = [row[0] for row in connection.query(_PARTITIONS)]
        schema = connection.value("select max(version) from leasehold.schema_migration")
    emit(
        settings.instance,
        {
            "kind": "descriptor",
            "event_tables": [*manifest["event_tables"], *partitions],
            "event_indexes": manifest["event_indexes"],
            "extensions": manifest["extensions"],
            "version": os.environ.get("BENCH_LEASEHOLD_VERSION", "source"),
            "schema_version": schema,
            "db_name": database,
            "started_at": now_text(),
        },
    )


def serve(settings: Settings, stop: threading.Event) -> int:
    """Runs until stopped; ends within five seconds then. Returns the exit code."""
    worker = Worker(settings)
    try:
        depth = Depth(settings, lambda: worker.started)
        producer = Producer(settings, depth.ready_now)
        if settings.observes or settings.producer_mode == "depth-target":
            depth.start(lambda: producer.enqueued)
        describe(settings)
        if settings.produces:
            producer.start()
        Sampler(settings, worker, producer, depth).run(stop)
        broken = worker.exit_code
        if broken is not None:
            print(f"expected the worker to go on, it ended with {broken}", file=sys.stderr)
            return 1
        worker.ask_to_end()
        if settings.produces:
            producer.stop()
        print(f"enqueued {producer.enqueued}, unanswered {producer.unanswered}", file=sys.stderr)
        return 0
    finally:
        worker.end(3)


def main() -> int:
    settings = Settings.from_environment()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    install(settings)
    if os.environ.get("SCENARIO") == "migrate_only":
        return 0
    return serve(settings, stop)


if __name__ == "__main__":
    sys.exit(main())
