-- tenant_pause: pauses a tenant or lets it go on (primary key); its lanes are told by a trigger.
-- params: $1 text tenant_id, $2 text state
update leasehold.tenant set state = $2, updated_at = clock_timestamp()
where tenant_id = $1
returning tenant_id
