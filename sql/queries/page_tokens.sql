-- page_tokens: a page of credentials in the order of their tenants, without any token; a state filters by
--   an index.
-- params: $1 text state, $2 text after_tenant_id, $3 integer page_size
select tenant_id, state, connected_by, renewed_by, generation::double precision, access_expires_at,
    refresh_due_at, is_exchanging, suspect_reason, failures::double precision, last_exchange_at, last_outcome,
    last_error_class, statement_timestamp() as now
from leasehold_dashboard.token_health
where ($1 is null or state = $1) and tenant_id > coalesce($2, '')
order by tenant_id limit $3
