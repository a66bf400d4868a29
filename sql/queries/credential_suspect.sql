-- credential_suspect: what the recovery ladder decides on, read under the row's lock.
-- params: $1 text tenant_id, $2 bigint lock_timeout_ms
select outcome, generation, reason, suspect_ms, presented_ms, deadline_ms, access_valid_ms, access_life_ms,
    has_organization, has_refresh_token, renewed_by, rungs_tried, provider_in_doubt, retry_after_ms
from leasehold.credential_suspect($1, $2)
