-- page_jobs: jobs, newest first, that a filter lets through, among the newest 5000 before an id: a bounded
--   look, whatever the filter. The last column says where the next look goes on; null if this was the last.
-- params: $1 text queue, $2 text kind, $3 text state, $4 boolean has_error, $5 bigint before_job_id,
--   $6 integer page_size, $7 text error_label
with looked as materialized (
    select job_id, tenant_id, queue, kind, state, park_reason, attempt, max_attempts, created_at, run_at,
        claimed_at, ended_at, last_error_label
    from leasehold_dashboard.job_recent
    where job_id < coalesce($5, 9223372036854775807)
    order by job_id desc limit 5000
), matching as materialized (
    select * from looked
    where ($1 is null or queue = $1) and ($2 is null or kind = $2) and ($3 is null or state = $3)
        and ($4 is null or (last_error_label is not null) = $4) and ($7 is null or last_error_label = $7)
    order by job_id desc limit $6
), place as (
    select case
        when (select count(*) from matching) >= $6 then (select min(job_id) from matching)
        when (select count(*) from looked) >= 5000 then (select min(job_id) from looked) end as goes_on
)
select matching.job_id::double precision, tenant_id, queue, kind, state, park_reason,
    attempt::double precision, max_attempts::double precision, created_at, run_at, claimed_at, ended_at,
    last_error_label, statement_timestamp() as now, place.goes_on::double precision
from place left join matching on true
order by matching.job_id desc
