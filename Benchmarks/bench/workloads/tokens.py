"""Tokens: the vault's refresh service against the fake Pitchly, in three runs of `leasehold-bench-tokens`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..peers.base import System
from ..peers.catalog import LEASEHOLD
from ..scale import Scale
from ..stage import Stage
from .base import Case, Metric, Outcome, Unmeasurable, Workload

LATENCY = 100
IN_FLIGHT = (8, 32, 128)
SETUP = (
    " One process holds the real refresh service and the fake Pitchly, which answers over loopback;"
    " a private server with fsync, the spool on a disk. No peer keeps such tokens, so Leasehold is alone here."
)


class _TokenWorkload(Workload):
    """Runs one command of `leasehold-bench-tokens` in an empty database and a spool of its own."""

    repeatable = False

    def supports(self, system: System, case: Case, scale: Scale) -> bool:
        return system is LEASEHOLD

    def _run(self, stage: Stage, system: System, command: str, **options: object) -> Outcome:
        stage.server.create(stage.database(system))
        # Beside the server's data, because a temporary folder may be no disk at all.
        folder = Path(tempfile.mkdtemp(prefix="spool.", dir=stage.server.directory))
        flags = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))]
        arguments = [
            os.environ["BENCH_TOKENS"], command,
            "--database-url", stage.server.url(stage.database(system)), "--folder", str(folder), *flags,
        ]  # fmt: skip
        try:
            done = subprocess.run(arguments, capture_output=True, text=True, check=False)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        with open(stage.log, "a", encoding="utf-8") as log:
            log.write(done.stderr)
        if done.returncode:
            raise Unmeasurable(f"leasehold-bench-tokens {command}: {done.stderr.strip()[-300:]}")
        return Outcome(json.loads(done.stdout.strip().splitlines()[-1]))


class Tokens(_TokenWorkload):
    """Exchanges a second with so many in flight."""

    name = "tokens"
    title = "Token exchanges"
    explains = (
        f"Refresh tokens exchanged at a provider that takes {LATENCY} ms, by one worker with so many exchanges"
        " in flight; the ceiling is what the latency lets through. Access tokens live a second, so that more is due"
        " than can be done. Database round trips and `fdatasync` of the spool are counted, each per exchange;"
        " WAL syncs are the server's." + SETUP
    )
    metrics = (
        Metric("exchanges_per_s", "exchanges", "/s", "more", plot=True),
        Metric("of_ceiling", "of the ceiling", "", "more", 2),
        Metric("round_trips", "round trips", "", "less", 2),
        Metric("spool_syncs", "spool fdatasync", "", "less", 2),
        Metric("wal_syncs", "WAL syncs", "", "less", 2),
        Metric("processor_ms", "CPU, vault and fake", "ms", "less", 2),
        Metric("presented_twice", "presented twice", "", "less"),
    )

    def cases(self, scale: Scale) -> Sequence[Case]:
        return [Case(str(count), f"{count} in flight") for count in IN_FLIGHT]

    def measure(self, stage: Stage, system: System, case: Case, repeat: int) -> Outcome:
        return self._run(
            stage, system, "rate",
            latency_milliseconds=LATENCY, in_flight=case.key,
            warm_up=stage.scale.token_seconds / 4, seconds=stage.scale.token_seconds,
        )  # fmt: skip


class Storm(_TokenWorkload):
    """Everybody due at once."""

    name = "storm"
    title = "Storm after a downtime"
    explains = (
        "All tenants fell due during two hours of downtime, one in twenty has a job waiting, and four workers start"
        " at once. The bucket of 20 exchanges a second (burst 20) is lapsed twofold: 40 in a real second, counted in"
        " windows of 500 ms. `busiest second` is the fullest such window by the starts of the exchanges, to be compared"
        " with what the bucket allows in one; `overtaken` is how many exchanges of tenants without a job came before"
        " the last of those with one." + SETUP
    )
    metrics = (
        Metric("tenants", "tenants", ""),
        Metric("fresh", "fresh in the end", "", "more", 4),
        Metric("busiest_second", "busiest second", "exchanges", "less"),
        Metric("bucket", "bucket", "exchanges"),
        Metric("mean_per_second", "mean", "/s", digits=1),
        Metric("overtaken", "overtaken", "", "less"),
        Metric("posts", "POSTs", ""),
        Metric("presented_twice", "presented twice", "", "less"),
        Metric("seconds", "took", "s"),
    )

    def measure(self, stage: Stage, system: System, case: Case, repeat: int) -> Outcome:
        tenants = stage.scale.token_storm
        return self._run(
            stage, system, "storm", latency_milliseconds=20, tenants=tenants, urgent=tenants // 20
        )  # fmt: skip


class Fresh(_TokenWorkload):
    """Short-lived access tokens in constant use."""

    name = "fresh"
    title = "Short-lived access tokens"
    explains = (
        "1 000 tenants whose access tokens live 30 seconds, and 1 000 calls of the API a second, each with the token"
        " that the vault gives: how many calls meet an expired one." + SETUP
    )
    metrics = (
        Metric("api_calls", "API calls", ""),
        Metric("expired", "met an expired token", "", "less"),
        Metric("unavailable", "got no token", "", "less"),
        Metric("exchanges", "exchanges", ""),
        Metric("presented_twice", "presented twice", "", "less"),
    )

    def measure(self, stage: Stage, system: System, case: Case, repeat: int) -> Outcome:
        return self._run(stage, system, "fresh", latency_milliseconds=50, seconds=stage.scale.token_fresh)
