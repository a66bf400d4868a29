-- tenant_unpark: lets the parked jobs of a tenant go on.
-- params: $1 text tenant_id
select leasehold.tenant_unpark($1) as released
