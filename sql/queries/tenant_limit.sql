-- tenant_limit: sets a tenant's share and limits, all at once (primary key); its lanes are told by a trigger.
-- params: $1 text tenant_id, $2 real weight, $3 integer max_running, $4 real rate_per_second, $5 integer rate_burst
update leasehold.tenant
set weight = $2, max_running = $3, rate_per_second = $4, rate_burst = $5, updated_at = clock_timestamp()
where tenant_id = $1
returning tenant_id
