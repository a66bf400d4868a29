-- credential_take_due: takes credentials that are due, within the provider's budget (index credential_due).
-- params: $1 text provider, $2 text client, $3 integer most, $4 integer depth, $5 text[] ranked, $6 bigint claim_ms,
-- $7 bigint recheck_ms
select tenants, generations, ranked, waiting, reason, retry_after_ms
from leasehold.credential_take_due($1, $2, $3, $4, $5, $6, $7)
