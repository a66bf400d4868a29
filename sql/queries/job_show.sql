-- job_show: one job, live or ended. Leans on job_pkey and on the key of job_history.
-- params: $1 bigint job_id
select job_id, tenant_id, queue, kind, state, priority, args, attempt, max_attempts, kills,
    created_at, run_at, first_claimed_at, claimed_at, null::timestamptz as ended_at,
    claimed_by as worker_id, run, null::real as run_seconds, waited_turn, waited_limit,
    waited_worker, waited_parked, timeout_seconds, unique_key, sequence_key, park_reason,
    last_error_label, last_error, progress, trace_context
from leasehold.job where job_id = $1
union all
(select job_id, tenant_id, queue, kind, outcome, priority, args, attempt, max_attempts, kills,
    created_at, run_at, first_claimed_at, claimed_at, ended_at, worker_id, run, run_seconds,
    waited_turn, waited_limit, waited_worker, waited_parked, timeout_seconds, unique_key,
    sequence_key, null, last_error_label, last_error, progress, trace_context
from leasehold.job_history where job_id = $1
order by ended_at desc limit 1)
limit 1
