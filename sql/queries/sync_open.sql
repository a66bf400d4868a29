-- sync_open: the run of a table that a job's claim goes on with, or a new one.
-- params: $1 text tenant_id, $2 text table_id, $3 bigint job_id, $4 bigint job_run, $5 text dialect, $6 boolean allows_incremental, $7 double precision full_every_seconds, $8 jsonb field_changes, $9 timestamptz source_time
select outcome, sync_id, mode, since, page_cursor, pages, rows, owner_job_id
from leasehold.sync_open($1, $2, $3, $4, $5, $6, make_interval(secs => $7), $8, $9)
