"""`python3 -m adapter`: one replica, which is a worker process, a producer and a sampler.

LEASEHOLD_BIN is the folder of `leasehold` and `leasehold-bench-worker`; default: found on PATH.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from bench.libpq import Connection, DatabaseError
from bench.record import Header, Record, Word, record_path

from .producer import Producer
from .settings import Settings
from .telemetry import LatencyRing, Window, emit, now_text

RING = 1 << 20
WINDOW_SECONDS = 30


def program(name: str) -> str:
    """The path of one of our programs."""
    folder = os.environ.get("LEASEHOLD_BIN")
    found = str(Path(folder) / name) if folder else shutil.which(name)
    if not found or not os.access(found, os.X_OK):
        sys.exit(f"Error: expected the program {name} in LEASEHOLD_BIN or on PATH\nTry:   swift build -c release")
    return found


def install(settings: Settings) -> None:
    """Migrates, and adds the tenants that jobs are enqueued for."""
    environment = {**os.environ, "LEASEHOLD_DATABASE_URL": settings.url}
    subprocess.run([program("leasehold"), "migrate"], env=environment, check=True, stdout=sys.stderr)
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
    emit(
        settings.instance,
        {
            "kind": "descriptor",
            "event_tables": manifest["event_tables"],
            "event_indexes": manifest["event_indexes"],
            "extensions": manifest["extensions"],
            "version": os.environ.get("LEASEHOLD_VERSION", "source"),
            "schema_version": "current",
            "db_name": database,
            "started_at": now_text(),
        },
    )


class Depth:
    """Jobs that could be claimed now, looked at a few times a second."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.value = 0
        threading.Thread(target=self._run, name="depth", daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                with Connection(self._settings.url) as connection:
                    while True:
                        self.value = int(connection.number("select count(*) from leasehold.job where state = 'ready'"))
                        time.sleep(0.2)
            except DatabaseError:
                time.sleep(0.5)


def sample(settings: Settings, record: Record, producer: Producer, depth: Depth, stop: threading.Event) -> None:
    """Emits the samples until stopped, first at the next round multiple of the interval."""
    every = settings.sample_every
    ring = LatencyRing(record)
    starts, ends = Window(WINDOW_SECONDS // every), Window(WINDOW_SECONDS // every)
    stop.wait(every - time.time() % every)
    last, enqueued, finished = time.monotonic(), producer.enqueued, record.slot(0, Word.FINISHED)
    while not stop.wait(every - time.time() % every):
        now, enqueued_now, finished_now = time.monotonic(), producer.enqueued, record.slot(0, Word.FINISHED)
        for window, values in zip((starts, ends), ring.take(), strict=True):
            window.add(values)
        p50, p95, p99 = starts.percentiles_ms(0.50, 0.95, 0.99)
        metrics: list[tuple[str, float, int]] = [
            ("claim_p50_ms", p50, WINDOW_SECONDS),
            ("claim_p95_ms", p95, WINDOW_SECONDS),
            ("claim_p99_ms", p99, WINDOW_SECONDS),
            ("end_to_end_p99_ms", ends.percentiles_ms(0.99)[0], WINDOW_SECONDS),
            ("enqueue_rate", (enqueued_now - enqueued) / (now - last), every),
            ("completion_rate", (finished_now - finished) / (now - last), every),
        ]
        if settings.observes:
            metrics += [("queue_depth", depth.value, 0), ("producer_target_rate", settings.rate(), 0)]
        at = now_text()
        for metric, value, window_s in metrics:
            line = {"t": at, "kind": "adapter", "subject_kind": "adapter", "subject": "", "metric": metric}
            emit(settings.instance, {**line, "value": round(float(value), 3), "window_s": window_s})
        last, enqueued, finished = now, enqueued_now, finished_now


def start_worker(settings: Settings, record: Record) -> subprocess.Popen[bytes]:
    """The worker, which goes on until it is told to end."""
    return subprocess.Popen(
        [
            program("leasehold-bench-worker"),
            "--database-url",
            settings.url,
            "--record",
            str(record.path),
            "--body",
            f"measure:{settings.work_ms:g}",
            "--concurrency",
            str(settings.workers),
            "--queues",
            ",".join(settings.queues),
        ],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
    )


def main() -> None:
    settings = Settings.from_environment()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    install(settings)
    if os.environ.get("SCENARIO") == "migrate_only":
        return
    record = Record.create(record_path(f"adapter{settings.instance}"), RING)
    record.words[Header.GO] = 1
    worker = start_worker(settings, record)
    try:
        describe(settings)
        depth = Depth(settings)
        producer = Producer(settings, lambda: depth.value)
        if settings.produces:
            producer.start()
        sample(settings, record, producer, depth, stop)
        if settings.produces:
            producer.stop()
    finally:
        worker.send_signal(signal.SIGTERM)
        try:
            worker.wait(3)
        except subprocess.TimeoutExpired:
            worker.kill()
        record.close(remove=True)


if __name__ == "__main__":
    main()
