-- page_pressure: the tenants that wait most, of a sample; the view bounds its cost.
-- params: none
select tenant_id, name, ready::double precision, is_estimate, oldest_ready_seconds, state,
    lane_states::text[] as lane_states
from leasehold_dashboard.tenant_pressure order by ready desc nulls last limit 25
