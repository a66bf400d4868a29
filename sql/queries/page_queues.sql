-- page_queues: every queue; the view bounds its cost.
-- params: none
select queue, paused_at is not null as is_paused, weight::double precision, max_running::double precision,
    rate_per_second::double precision, ready::double precision, running::double precision,
    scheduled::double precision, parked::double precision, estimated, oldest_ready_seconds,
    tenants_waiting::double precision, workers::double precision, worker_places::double precision,
    completed_per_second::double precision, discarded_per_second::double precision
from leasehold_dashboard.queue_health order by queue
