-- job_reschedule: gives a job that waits another time.
-- params: $1 bigint job_id, $2 timestamptz run_at
select leasehold.job_reschedule($1, $2)
