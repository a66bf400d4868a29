-- page_jobs_scheduled: jobs that wait for their time, the next first; leans on the index of due jobs.
-- params: $1 text queue, $2 text kind, $3 integer page_size
select job_id::double precision, tenant_id, queue, kind, state, park_reason, attempt::double precision,
    max_attempts::double precision, created_at, run_at, claimed_at, ended_at, last_error_label,
    statement_timestamp() as now
from leasehold_dashboard.job_scheduled
where ($1 is null or queue = $1) and ($2 is null or kind = $2)
order by run_at limit $3
