-- page_tenant: one tenant, with what it received and what is due to it.
-- params: $1 text tenant_id
select tenant_id, name, state, is_held, held_reason, weight::double precision, max_running::double precision,
    rate_per_second::double precision, waiting::double precision, waiting_is_minimum,
    running::double precision, is_at_cap, parked::double precision, oldest_ready_seconds,
    share_received::double precision, share_due::double precision, ended_runs::double precision,
    wait_turn_seconds::double precision, wait_limit_seconds::double precision,
    wait_worker_seconds::double precision, wait_parked_seconds::double precision, token_state,
    token_suspect, token_expires_at, token_generation::double precision, statement_timestamp() as now
from leasehold_dashboard.tenant_health where tenant_id = $1
