"""Limits: what PostgreSQL gives to plain statements on a bare table, with no queue around them.

Measured as the system `limit` inside the other workloads, so that it is interleaved with them.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from ..peers.base import System
from ..stage import ProcessFailed, Stage

LIMIT = System(
    name="limit",
    title="statement limit",
    settings="pgbench, prepared statements, a bare table with one partial index",
    sharing="none",
)

_TABLE = """
create table task (
    task_id bigint generated always as identity primary key,
    kind text not null, args jsonb not null, state text not null default 'ready', priority smallint not null default 0,
    attempt smallint not null default 0, run_at timestamptz not null default now(),
    started_at timestamptz, finished_at timestamptz);
create index task_ready on task (priority, task_id) where state = 'ready';
"""

_CLAIM = """
with picked as (
    select task_id from task where state = 'ready' order by priority, task_id limit 100 for update skip locked),
taken as (
    update task set state = 'running', attempt = attempt + 1, started_at = now()
    from picked where task.task_id = picked.task_id returning task.task_id, kind, args)
select coalesce(array_agg(task_id), '{}') as ids, sum(length(args::text)) as bytes from taken \\gset
update task set state = 'done', finished_at = now() where task_id = any(:ids::bigint[]) and state = 'running';
"""

_INSERT = """insert into task (kind, args) values ('noop', '{"i": 1, "t": 0}');\n"""


def claim_hundred(stage: Stage, connections: int, count: int) -> float:
    """Jobs a second of claiming 100 and completing them, until `count` are done."""
    _fresh(stage, count)
    rounds = max(1, count // 100 // connections)
    return 100 * _pgbench(stage, _CLAIM, connections, "-t", str(rounds))


def insert_one(stage: Stage, count: int) -> float:
    """Rows a second of single inserts, a commit each, on one connection."""
    _fresh(stage, 0)
    return _pgbench(stage, _INSERT, 1, "-t", str(count))


def _fresh(stage: Stage, count: int) -> None:
    database = stage.database(LIMIT)
    stage.server.create(database)
    with stage.connect(LIMIT) as connection:
        connection.script(_TABLE)
        connection.query(
            "insert into task (kind, args) select 'noop', jsonb_build_object('i', i, 't', 0)"
            " from generate_series(1, $1::int) i",
            count,
        )
    stage.server.settle(database)


def _pgbench(stage: Stage, script: str, connections: int, *length: str) -> float:
    """Transactions a second, without the time to connect."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        # pgbench takes one line a command.
        statements = [" ".join(part.split()) for part in re.split(r"(?<=;)\n|(?<=\\gset)\n", script)]
        Path(file.name).write_text("\n".join(s for s in statements if s) + "\n", encoding="utf-8")
        done = subprocess.run(
            [
                str(stage.server.binaries / "pgbench"),
                "-n",
                "-M",
                "prepared",
                "-f",
                file.name,
                "-c",
                str(connections),
                "-j",
                str(min(connections, 2)),
                *length,
                "-h",
                str(stage.server.directory),
                "-U",
                "postgres",
                stage.database(LIMIT),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    found = re.search(r"tps = ([\d.]+) \(without", done.stdout)
    if done.returncode or not found:
        raise ProcessFailed(f"pgbench: {done.stderr.strip().splitlines()[-1:]}")
    return float(found.group(1))
