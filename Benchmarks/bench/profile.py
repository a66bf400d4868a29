"""Where the server's time went during a measurement, from pg_stat_statements (`--profile`)."""

from __future__ import annotations

from .libpq import DatabaseError
from .peers.base import System
from .stage import Stage

_TOP = """
select calls, round(total_exec_time::numeric), round(mean_exec_time::numeric, 3),
    round((100 * total_exec_time / sum(total_exec_time) over ())::numeric),
    left(regexp_replace(query, '\\s+', ' ', 'g'), 110)
from pg_stat_statements
where dbid = (select oid from pg_database where datname = current_database())
    and query not ilike '%pg_stat%' and query not ilike 'vacuum%'
order by total_exec_time desc limit 8
"""


def top_statements(stage: Stage, system: System) -> str:
    """A Markdown table of the dearest statements; empty if there is nothing to say."""
    try:
        with stage.connect(system) as connection:
            rows = connection.query(_TOP)
    except DatabaseError:
        return ""
    if not rows:
        return ""
    lines = ["| calls | total, ms | mean, ms | share, % | statement |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *("| " + " | ".join((x or "").replace("|", "\\|") for x in row) + " |" for row in rows)])
