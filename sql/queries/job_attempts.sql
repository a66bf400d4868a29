-- job_attempts: the failed attempts of one job, oldest first. Leans on the key of job_attempt.
-- params: $1 bigint job_id
select attempt, run, started_at, ended_at, worker_id, outcome, error_label, error, fingerprint
from leasehold.job_attempt where job_id = $1
order by ended_at, run
