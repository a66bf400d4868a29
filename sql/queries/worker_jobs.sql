-- worker_jobs: what a worker runs. Leans on lease_worker and job_pkey.
-- params: $1 uuid worker_id
select job_id, run
from leasehold.worker_jobs($1) as held cross join lateral unnest(held.job_ids, held.runs) as j(job_id, run)
