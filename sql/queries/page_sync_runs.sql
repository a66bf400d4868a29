-- page_sync_runs: the last readings of tables, over all tenants.
-- params: $1 integer page_size
select tenant_id, coalesce(table_name, table_id) as table_name, state, mode, pages::double precision,
    rows::double precision, inserted::double precision, updated::double precision, deleted::double precision,
    took_seconds, finished_at, reason, job_id::double precision, statement_timestamp() as now
from leasehold_dashboard.sync_runs where finished_at is not null order by finished_at desc limit $1
