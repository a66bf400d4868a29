-- page_workers: workers, living ones first.
-- params: none
select worker_id::text, name, host, version, queues, concurrency::double precision, state,
    running::double precision, running_is_minimum, heartbeat_seconds, oldest_claimed_at, started_at,
    statement_timestamp() as now
from leasehold_dashboard.worker_health
order by state = 'lapsed', name, started_at desc limit 500
