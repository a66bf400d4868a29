-- job_progress: keeps what a running job says of its progress; nothing if the run is over. Leans on job_pkey.
-- params: $1 bigint job_id, $2 bigint run, $3 jsonb progress
update leasehold.job set progress = $3
where job_id = $1 and run = $2 and state = 'running'
