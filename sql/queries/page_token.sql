-- page_token: the credential of one tenant, without any token.
-- params: $1 text tenant_id
select tenant_id, state, connected_by, renewed_by, organization, scope, generation::double precision,
    access_expires_at, refresh_due_at, is_exchanging, suspect_reason, rungs_tried::text[] as rungs_tried,
    failures::double precision, last_exchange_at, last_outcome, last_error_class, needs_authorization_at,
    connected_at, statement_timestamp() as now
from leasehold_dashboard.token_health where tenant_id = $1
