-- job_retry: runs a job again that ended or waits.
-- params: $1 bigint job_id
select leasehold.job_retry($1) as state
