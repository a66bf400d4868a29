-- job_claim: claims jobs for a worker, fairly over tenants.
-- params: $1 uuid worker_id, $2 text[] queues, $3 integer max_jobs, $4 boolean woken
select job_id, run, tenant_id, queue, kind, args, attempt, max_attempts, priority, created_at,
    claimed_at, waited_seconds, timeout_seconds, progress, trace_context
from leasehold.job_claim($1, $2, $3, $4)
