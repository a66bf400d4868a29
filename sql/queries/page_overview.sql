-- page_overview: the whole system in one row; the view bounds its cost.
-- params: none
select tenants::double precision, ready::double precision, running::double precision,
    scheduled::double precision, parked::double precision, estimated, oldest_ready_seconds,
    completed_per_second::double precision, discarded_per_second::double precision,
    workers::double precision, worker_places::double precision, workers_silent::double precision,
    tokens_needing_authorization::double precision, tokens_troubled::double precision,
    providers_closed::double precision
from leasehold_dashboard.overview
