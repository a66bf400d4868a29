-- worker_list: live and lapsed workers with the age of their heartbeat and what they run.
-- params: none
select worker_id, name, host, process_id, version, queues, kinds, concurrency, lapse_seconds,
    started_at, heartbeat_at, date_part('epoch', clock_timestamp() - heartbeat_at) as heartbeat_age,
    sleeping_until > clock_timestamp() as sleeping, stopping_at, lapsed_at,
    coalesce(cardinality((leasehold.worker_jobs(worker_id)).job_ids), 0) as running
from leasehold.worker order by started_at, worker_id
