"""Chaos: workers are killed, the server is restarted, backends and connection slots are taken away."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ..fleet import WorkerOrder
from ..libpq import Connection, DatabaseError
from ..peers.base import System
from ..phases import Action, Phase, Run, play
from ..scale import Scale
from ..stage import Stage
from . import phased
from .base import Case, Metric, Outcome, Workload

KILL_PERIOD = 5  # seconds between kills of one worker
TERMINATIONS = 2  # sweeps a second over the active backends
IDLE_CONNECTIONS = 300


class Chaos(Workload):
    """Five scenarios: baseline, fault, recovery."""

    name = "chaos"
    title = "Chaos"
    explains = (
        f"The load of the pressure scenarios. One of the two workers is killed and started again; is killed"
        f" every {KILL_PERIOD} s; the server is stopped for half the phase; {TERMINATIONS} times a second"
        f" every active backend of the database is terminated; {IDLE_CONNECTIONS} idle connections are held."
        " Rescue of a dead worker's jobs is set to 10 s where a system lets one set it. A worker that ends"
        " by itself is started again. `recovered` is the completion rate in the second half of the"
        " recovery phase by the baseline's. `lost`: accepted, and not finished at the end of the run."
    )
    metrics = (
        Metric("baseline_per_s", "baseline", "jobs/s", "more"),
        Metric("stress_per_s", "during", "jobs/s", "more"),
        Metric("recovered_percent", "recovered", "%", "more", plot=True),
        Metric("recovery_s", "recovery time", "s", "less", 1),
        Metric("lost", "lost", "jobs", "less"),
        Metric("repeated", "run again", "jobs", "less"),
        Metric("refused", "enqueues refused", "calls", "less"),
        Metric("exits", "worker exits", "", "less"),
    )
    repeatable = False

    def cases(self, scale: Scale) -> Sequence[Case]:
        return (
            Case("kill", "a worker is killed"),
            Case("kill-again", "a worker is killed again and again"),
            Case("restart", "the server is restarted"),
            Case("terminate", "backends are terminated"),
            Case("connections", "connections are taken"),
        )

    def measure(self, stage: Stage, system: System, case: Case, repeat: int) -> Outcome:
        stage.install(system, phased.TENANTS)
        scale = stage.scale
        actions: dict[str, Action] = {
            "kill": kill_one,
            "kill-again": kill_again,
            "restart": restart_server,
            "terminate": terminate_backends,
            "connections": take_connections,
        }
        phases = [
            Phase("warmup", scale.warmup),
            Phase("baseline", scale.baseline),
            Phase("stress", scale.stress, actions[case.key]),
            Phase("recovery", scale.recovery),
        ]
        order = WorkerOrder("sleep:1", phased.CONCURRENCY, purpose="slow")
        run, record = play(
            stage,
            system,
            phases,
            order,
            phased.RATE,
            phased.WORKERS,
            phased.TENANTS,
            phased.CONNECTIONS,
            drain_seconds=max(60, scale.recovery),
        )
        try:
            return _figures(run)
        finally:
            record.close(remove=True)


def _figures(run: Run) -> Outcome:
    start, end = run.spans["recovery"]
    baseline = phased.rate_in(run, "baseline")
    recovered = phased.rate_in(run, "recovery", skip=(end - start) / 2)
    values = {
        "baseline_per_s": baseline,
        "stress_per_s": phased.rate_in(run, "stress"),
        "recovered_percent": 100 * recovered / max(1.0, baseline),
        "recovery_s": phased.recovery_seconds(run, "stress", baseline),
        "exits": float(run.fleet.unasked_exits),
        **phased.accounts(run.record),
    }
    return Outcome(values, {"completed jobs/s": phased.completion(run)})


@contextmanager
def kill_one(run: Run) -> Iterator[None]:
    """SIGKILL to one worker at once; it is started again after half the phase."""
    run.hands_off = True
    run.fleet.kill(0)
    timer = threading.Timer(run.stage.scale.stress / 2, run.fleet.start, args=(0,))
    timer.start()
    try:
        yield
    finally:
        timer.join()
        run.hands_off = False


@contextmanager
def kill_again(run: Run) -> Iterator[None]:
    """SIGKILL to one worker every few seconds; each time it is started again after a second."""
    run.hands_off = True
    with _repeating(lambda stop: _kill_and_start(run, stop), KILL_PERIOD):
        yield
    run.hands_off = False


def _kill_and_start(run: Run, stop: threading.Event) -> None:
    run.fleet.kill(0)
    stop.wait(1)
    run.fleet.start(0)


@contextmanager
def restart_server(run: Run) -> Iterator[None]:
    """Stops the server for half the phase."""
    server = run.stage.server
    server.stop()
    timer = threading.Timer(run.stage.scale.stress / 2, server.start)
    timer.start()
    try:
        yield
    finally:
        timer.join()


@contextmanager
def terminate_backends(run: Run) -> Iterator[None]:
    """Terminates every active backend of the database, several times a second."""
    with run.stage.server.connect() as connection:

        def sweep(_: threading.Event) -> None:
            connection.query(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1"
                " and pid <> pg_backend_pid() and state in ('active', 'idle in transaction')",
                run.stage.database(run.system),
            )

        with _repeating(sweep, 1 / TERMINATIONS):
            yield


@contextmanager
def take_connections(run: Run) -> Iterator[None]:
    """Holds idle connections, as many as the server gives."""
    held: list[Connection] = []
    try:
        for _ in range(IDLE_CONNECTIONS):
            held.append(run.stage.connect(run.system))
    except DatabaseError:
        pass  # The server is full, which is what the scenario wants.
    try:
        yield
    finally:
        for connection in held:
            connection.close()


@contextmanager
def _repeating(action: Callable[[threading.Event], None], period: float) -> Iterator[None]:
    """Runs the action every `period` seconds on a thread until the block ends."""
    stop = threading.Event()

    def loop() -> None:
        while not stop.wait(period):
            action(stop)

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
