-- exchange_begin: transaction A: looks again under the row's lock and commits the intent.
-- params: $1 text tenant_id, $2 text provider, $3 uuid attempt_id, $4 uuid worker, $5 text rung, $6 text connect_grant,
-- $7 bigint seen_generation, $8 bigint deadline_ms, $9 bigint lock_timeout_ms
select outcome, generation, renewed_by, grant_kind, refresh_token, access_token, organization, is_given,
    failures, started_at, retry_after_ms
from leasehold.exchange_begin($1, $2, $3, $4, $5, $6, $7, $8, $9)
