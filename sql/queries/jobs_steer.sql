-- jobs_steer: one batch of retry, cancel, discard or count over the jobs that a filter lets through.
-- params: $1 text verb, $2 text tenant_id, $3 text queue, $4 text kind, $5 text state, $6 text error_label,
--   $7 boolean everything, $8 bigint before_job_id, $9 integer batch_size
select looked, matched, done, refused, goes_on
from leasehold.jobs_steer($1, $2, $3, $4, $5, $6, $7, $8, $9)
