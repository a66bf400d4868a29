-- credential_read: the access token of a tenant, or why there is none now; see the function.
-- params: $1 text tenant_id, $2 bigint failed_generation, $3 bigint min_valid_ms, $4 bigint young_ms,
-- $5 boolean admits, $6 text client
select outcome, generation, access_token, access_expires_at, valid_ms, retry_after_ms, detail
from leasehold.credential_read($1, $2, $3, $4, $5, $6)
