-- tenant_show: one tenant with its credential's state and its jobs that run or are parked
-- (primary keys, job_running, job_parked).
-- params: $1 text tenant_id
select tenant.tenant_id, tenant.name, tenant.state, tenant.weight, tenant.max_running, tenant.created_at,
    tenant.rate_per_second, tenant.rate_burst, tenant.settings,
    credential.state as credential_state, credential.generation, credential.access_expires_at,
    (select count(*) from leasehold.job where job.tenant_id = tenant.tenant_id and job.state = 'running') as running,
    (select count(*) from leasehold.job where job.tenant_id = tenant.tenant_id and job.state = 'parked') as parked,
    clock_timestamp() as now
from leasehold.tenant left join leasehold.credential_status as credential using (tenant_id)
where tenant.tenant_id = $1
