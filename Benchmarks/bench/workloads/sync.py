"""Sync: a tenant's table of many records mirrored by the real worker from the fake Pitchly over HTTP."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..libpq import Connection
from ..machine import process_peak
from ..peers.base import System
from ..peers.catalog import LEASEHOLD
from ..scale import Scale
from ..stage import ProcessFailed, Stage
from .base import Case, Metric, Outcome, Unmeasurable, Workload

FIELDS = 12
_CLIENT = "bench-app"


class Sync(Workload):
    """One tenant, one table; a first sync, then a second one of the same data."""

    name = "sync"
    title = "Mirror of a large table"
    explains = (
        f"`fake-pitchly` serves one table with {FIELDS} fields over loopback; `leasehold worker` mirrors it."
        " Records a second from the enqueue until the run is merged; the worker's largest resident memory (VmHWM);"
        " rows of the mirror that a second sync of unchanged data writes. `bare COPY` loads the same rows"
        " of the mirror into a table with the same primary key."
    )
    metrics = (
        Metric("records_per_s", "mirrored", "records/s", "more", plot=True),
        Metric("copy_per_s", "bare COPY", "records/s"),
        Metric("resident_mb", "largest memory", "MB", "less", 1),
        Metric("again_per_s", "second sync", "records/s", "more"),
        Metric("rewritten", "rows written by it", "rows", "less"),
    )
    repeatable = False

    def supports(self, system: System, case: Case, scale: Scale) -> bool:
        return system is LEASEHOLD

    def measure(self, stage: Stage, system: System, case: Case, repeat: int) -> Outcome:
        records = stage.scale.records
        stage.install(system)
        with _folder() as folder, _fake_pitchly(stage, folder, records) as origin:
            environment = _environment(stage, system, folder, origin)
            _connect(stage, environment, origin)
            with stage.connect(system) as connection, _worker(stage, environment) as worker:
                first = _sync(connection, worker, records, runs=1)
                mirrored = connection.number("select count(*) from leasehold.mirror_record")
                if mirrored != records:
                    raise Unmeasurable(f"expected {records} records in the mirror, got {mirrored:.0f}")
                before = _Written.so_far(connection)
                second = _sync(connection, worker, records, runs=2)
                rewritten = before.rows_since(connection)
                memory = process_peak(worker.pid)
            with stage.connect(system) as connection:
                copy = _bare_copy(connection, folder)
        return Outcome(
            {
                "records_per_s": records / first,
                "copy_per_s": records / copy,
                "resident_mb": memory,
                "again_per_s": records / second,
                "rewritten": rewritten,
            }
        )


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="leasehold-bench-sync."))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _secret(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    return str(path)


@contextmanager
def _fake_pitchly(stage: Stage, folder: Path, records: int) -> Iterator[str]:
    """Serves one organisation with one table; gives its origin."""
    port_file = folder / "port"
    secret = _secret(folder, "client-secret", base64.b16encode(os.urandom(16)).decode())
    options = {
        "organizations": 1, "large": 1, "tables": 1, "large-records": records, "fields": FIELDS,
        "client-id": _CLIENT, "client-secret-file": secret, "port-file": port_file,
    }  # fmt: skip
    flags = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    with open(stage.log, "ab") as log:
        process = subprocess.Popen([str(stage.command.with_name("fake-pitchly")), *flags], stdout=log, stderr=log)
    try:
        limit = time.monotonic() + 30
        while not (port_file.exists() and port_file.read_text().strip()):
            if process.poll() is not None or time.monotonic() > limit:
                raise ProcessFailed("fake-pitchly did not start")
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port_file.read_text().strip()}"
    finally:
        process.kill()
        process.wait()


def _environment(stage: Stage, system: System, folder: Path, origin: str) -> dict[str, str]:
    key = base64.b64encode(os.urandom(32)).decode()
    return {
        **os.environ,
        "LEASEHOLD_DATABASE_URL": stage.server.url(stage.database(system)),
        "LEASEHOLD_PITCHLY_OAUTH_ORIGIN": origin,
        "LEASEHOLD_PITCHLY_API_URL": f"{origin}/graphql",
        "LEASEHOLD_PITCHLY_CLIENT_ID": _CLIENT,
        "LEASEHOLD_PITCHLY_CLIENT_SECRET_FILE": str(folder / "client-secret"),
        "LEASEHOLD_KEYRING_FILE": _secret(folder, "keyring", f"bench:{key}\n"),
        "LEASEHOLD_SPOOL_DIR": str(folder / "spool"),
        "LEASEHOLD_LOG_LEVEL": "warning",
    }


def _connect(stage: Stage, environment: dict[str, str], origin: str) -> None:
    """Gives tenant t0 a credential by the flow of a user's session."""
    with urllib.request.urlopen(f"{origin}/_fake/organizations", timeout=30) as answer:
        found = json.load(answer)
    organization = (found["organizations"] if isinstance(found, dict) else found)[0]["id"]
    request = urllib.request.Request(
        f"{origin}/_fake/sessions",
        data=json.dumps({"organization": organization}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        token = json.load(answer)["access_token"]
    done = subprocess.run(
        [str(stage.command), "tenants", "connect", "t0", "--access-token-file", "-"],
        input=token, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ProcessFailed(f"leasehold tenants connect: {done.stderr.strip()[-300:]}")


@contextmanager
def _worker(stage: Stage, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with open(stage.log, "ab") as log:
        process = subprocess.Popen([str(stage.command), "worker"], env=environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _sync(connection: Connection, worker: subprocess.Popen[bytes], records: int, runs: int) -> float:
    """Enqueues a sync and waits until `runs` runs are merged; seconds."""
    began = time.monotonic()
    connection.query("select leasehold.enqueue('t0', 'pitchly.sync')")
    limit = began + 60 + records / 500
    while connection.number("select count(*) from leasehold.sync_run where state = 'merged'") < runs:
        if worker.poll() is not None:
            raise Unmeasurable("the worker ended")
        if time.monotonic() > limit:
            error = connection.query("select last_error from leasehold.job where last_error is not null limit 1")
            raise Unmeasurable(f"not merged in time; last error: {error[0][0] if error else 'none'}")
        time.sleep(0.05)
    return time.monotonic() - began


@dataclass(frozen=True)
class _Written:
    """What the mirror and its outbox were at one time, to tell by the rows themselves what was written
    since: the counters of the server lag, by as much as a connection is idle."""

    transaction: float
    rows: float

    _TABLES = ("leasehold.mirror_record", "leasehold.mirror_change")

    @classmethod
    def so_far(cls, connection: Connection) -> _Written:
        return cls(connection.number("select pg_current_xact_id()"), cls._count(connection, "true"))

    def rows_since(self, connection: Connection) -> float:
        """Rows inserted and updated, and those that are missing."""
        # A transaction that began before this one had ended before it, so numbers tell the order.
        newer = self._count(connection, f"age(xmin) < age('{self.transaction:.0f}'::xid8::xid)")
        return newer + abs(self._count(connection, "true") - self.rows)

    @classmethod
    def _count(cls, connection: Connection, condition: str) -> float:
        return sum(connection.number(f"select count(*) from {table} where {condition}") for table in cls._TABLES)


def _bare_copy(connection: Connection, folder: Path) -> float:
    """Seconds to COPY the mirror's rows into a plain table of the same shape and primary key."""
    # The server writes and reads the file, so its own user needs the folder.
    exported = f"/tmp/{folder.name}.copy"
    connection.script(f"copy leasehold.mirror_record to '{exported}'")
    try:
        connection.script("create table bare (like leasehold.mirror_record including indexes)")
        connection.script("checkpoint")
        began = time.monotonic()
        connection.script(f"copy bare from '{exported}'")
        return time.monotonic() - began
    finally:
        Path(exported).unlink(missing_ok=True)
