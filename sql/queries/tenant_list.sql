-- tenant_list: a page of tenants in the order of their ids with the state of their credentials (primary keys).
-- params: $1 text after_tenant_id, $2 integer most
select tenant.tenant_id, tenant.name, tenant.state, tenant.weight, tenant.max_running, tenant.created_at,
    credential.state as credential_state, credential.generation, credential.access_expires_at,
    clock_timestamp() as now
from leasehold.tenant left join leasehold.credential_status as credential using (tenant_id)
where $1 is null or tenant.tenant_id > $1
order by tenant.tenant_id
limit $2
