-- job_list: jobs, newest first, live and ended, one page; a null filter matches all. Leans on job_pkey
--   and the keys of job_history downwards, or on job_lane, job_due_tenant, job_parked and
--   job_history_tenant for one tenant.
-- params: $1 text tenant_id, $2 text queue, $3 text kind, $4 text state, $5 bigint before_job_id, $6 integer page_size
select * from (
    (select job_id, tenant_id, queue, kind, state, attempt, max_attempts, created_at, run_at,
        claimed_at, null::timestamptz as ended_at, last_error_label
    from leasehold.job
    where ($1 is null or tenant_id = $1) and ($2 is null or queue = $2) and ($3 is null or kind = $3)
        and ($4 is null or state = $4) and ($5 is null or job_id < $5)
    order by job_id desc limit $6)
    union all
    (select job_id, tenant_id, queue, kind, outcome, attempt, max_attempts, created_at, run_at,
        claimed_at, ended_at, last_error_label
    from leasehold.job_history
    where ($1 is null or tenant_id = $1) and ($2 is null or queue = $2) and ($3 is null or kind = $3)
        and ($4 is null or outcome = $4) and ($5 is null or job_id < $5)
    order by job_id desc limit $6)
) as listed
order by job_id desc limit $6
