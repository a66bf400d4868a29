-- tenant_add: adds a tenant, or updates the name of the one that is there; says which it was.
-- params: $1 text tenant_id, $2 text name
insert into leasehold.tenant as tenant (tenant_id, name)
values ($1, coalesce($2, ''))
on conflict (tenant_id) do update
    set name = coalesce($2, tenant.name), updated_at = clock_timestamp()
returning (xmax = 0) as added
