-- sync_settings: a tenant's settings for Pitchly; no row for an unknown tenant. By the primary key.
-- params: $1 text tenant_id
select state, settings -> 'pitchly' as pitchly from leasehold.tenant where tenant_id = $1
