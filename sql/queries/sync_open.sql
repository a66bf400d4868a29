-- sync_open: the run of a table that a job's claim goes on with, or a new one.
-- params: $1 text tenant_id, $2 text table_id, $3 bigint job_id, $4 bigint job_run, $5 text mode, $6 text dialect, $7 text since
select outcome, sync_id, page_cursor, pages, rows, owner_job_id
from leasehold.sync_open($1, $2, $3, $4, $5, $6, $7)
