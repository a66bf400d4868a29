-- tenant_park: parks the waiting jobs of a tenant.
-- params: $1 text tenant_id, $2 text reason
select leasehold.tenant_park($1, $2) as parked
