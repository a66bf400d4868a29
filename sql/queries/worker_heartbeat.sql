-- worker_heartbeat: a sign of life; says whether the worker still counts as alive and which of its jobs to cancel.
-- params: $1 uuid worker_id, $2 timestamptz oldest_running
select alive, cancel_job_ids, cancel_runs from leasehold.worker_heartbeat($1, $2)
