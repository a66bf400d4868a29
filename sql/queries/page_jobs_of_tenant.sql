-- page_jobs_of_tenant: what matters of one tenant's jobs now, newest first; the view bounds its cost.
-- params: $1 text tenant_id, $2 text queue, $3 text kind, $4 text state, $5 boolean has_error, $6 bigint before_job_id,
--   $7 integer page_size, $8 text error_label
select job_id::double precision, tenant_id, queue, kind, state, park_reason, attempt::double precision,
    max_attempts::double precision, created_at, run_at, claimed_at, ended_at, last_error_label,
    statement_timestamp() as now
from leasehold_dashboard.job_of_tenant
where tenant_id = $1 and ($2 is null or queue = $2) and ($3 is null or kind = $3) and ($4 is null or state = $4)
    and ($5 is null or (last_error_label is not null) = $5) and ($8 is null or last_error_label = $8) and ($6 is null or job_id < $6)
order by job_id desc limit $7
