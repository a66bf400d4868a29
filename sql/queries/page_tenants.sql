-- page_tenants: a page of tenants in the order of their ids, from an id on; some probes a tenant, so few a page.
-- params: $1 text from_tenant_id, $2 text after_tenant_id, $3 integer page_size
select tenant_id, name, state, is_held, held_reason, weight::double precision, max_running::double precision,
    rate_per_second::double precision, waiting::double precision, waiting_is_minimum,
    running::double precision, is_at_cap, parked::double precision, oldest_ready_seconds,
    share_received::double precision, share_due::double precision, ended_runs::double precision,
    wait_turn_seconds::double precision, wait_limit_seconds::double precision,
    wait_worker_seconds::double precision, wait_parked_seconds::double precision, token_state,
    token_suspect, token_expires_at, token_generation::double precision, statement_timestamp() as now
from leasehold_dashboard.tenant_health
where tenant_id >= coalesce($1, '') and tenant_id > coalesce($2, '')
order by tenant_id limit $3
