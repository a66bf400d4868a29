-- job_cancel: ends a waiting job, or asks a running one to stop.
-- params: $1 bigint job_id, $2 text reason
select leasehold.job_cancel($1, $2) as answer
