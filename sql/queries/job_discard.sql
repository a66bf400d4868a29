-- job_discard: ends a job that does not run, as a failure.
-- params: $1 bigint job_id, $2 text reason
select leasehold.job_discard($1, $2)
