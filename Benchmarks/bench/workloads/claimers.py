"""Claimers: many sessions that claim from one tenant at once, by SQL alone."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..peers.base import System
from ..peers.catalog import LEASEHOLD
from ..scale import Scale
from ..stage import ProcessFailed, Stage
from .base import Case, Metric, Outcome, Workload

BATCH = 100
CLAIMERS = (1, 2, 8, 64)

_SCRIPT = (
    "select coalesce(array_agg(job_id), '{}') as ids, coalesce(array_agg(run), '{}') as runs, count(*) as number"
    " from leasehold.job_claim(lpad(:client_id::text, 32, '0')::uuid, array['default'], " + str(BATCH) + ") \\gset\n"
    "select count(*) from leasehold.job_settle(:ids::bigint[], :runs::bigint[],"
    " array_fill('complete'::text, array[:number::int]));\n"
)


class Claimers(Workload):
    """The claim under contention, without the cost of a worker."""

    name = "claimers"
    title = "Many claimers, one tenant"
    explains = (
        f"pgbench clients that each claim {BATCH} jobs of the same tenant and settle them, as fast as they"
        " can, by leasehold.job_claim and leasehold.job_settle. Jobs in the history a second, over the end of"
        " the run: before, each session plans its statements, which takes 30 ms of CPU once."
    )
    metrics = (Metric("jobs_per_s", "claimed and settled", "jobs/s", "more", plot=True),)

    def cases(self, scale: Scale) -> Sequence[Case]:
        return tuple(Case(str(n), f"{n} claimers" if n > 1 else "1 claimer") for n in CLAIMERS)

    def supports(self, system: System, case: Case, scale: Scale) -> bool:
        return system is LEASEHOLD

    def measure(self, stage: Stage, system: System, case: Case, repeat: int) -> Outcome:
        seconds = max(2, int(stage.scale.window))
        clients = int(case.key)
        warming = 1 + clients // 16
        stage.install(system)
        stage.fill(system, 70_000 * (seconds + warming))
        with stage.connect(system) as connection:
            connection.query(
                "insert into leasehold.worker (worker_id, name, host, queues, kinds, concurrency, lapse_seconds)"
                " select lpad(i::text, 32, '0')::uuid, 'claimer', 'bench', '{default}', '{bench}', 100, 3600"
                " from generate_series(0, $1::int - 1) i",
                clients,
            )
        stage.settle(system)
        _pgbench(stage, stage.database(system), clients, seconds + warming)
        with stage.connect(system) as connection:
            done = connection.number(
                "select count(*) from leasehold.job_history where ended_at > ("
                "select max(ended_at) from leasehold.job_history) - make_interval(secs => $1::int)",
                seconds,
            )
        return Outcome({"jobs_per_s": done / seconds})


def _pgbench(stage: Stage, database: str, clients: int, seconds: int) -> None:
    """Runs the script for so many seconds."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        Path(file.name).write_text(_SCRIPT, encoding="utf-8")
        done = subprocess.run(
            [
                str(stage.server.binaries / "pgbench"),
                "-n",
                "-M",
                "prepared",
                "-f",
                file.name,
                "-T",
                str(seconds),
                "-c",
                str(clients),
                "-j",
                "1",
                "-h",
                str(stage.server.directory),
                "-U",
                "postgres",
                database,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise ProcessFailed(f"pgbench: {' '.join(done.stderr.split())[-300:]}")
