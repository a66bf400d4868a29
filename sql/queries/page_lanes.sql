-- page_lanes: where one tenant waits and why; up to 1000 entries of an index a lane.
-- params: $1 text tenant_id
select queue, kind, state, state_seconds, opens_at, waiting::double precision, waiting_is_minimum,
    oldest_ready_seconds, ahead_seconds::double precision, statement_timestamp() as now
from leasehold_dashboard.lane_backlog where tenant_id = $1 order by queue, kind limit 100
