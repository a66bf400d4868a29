-- credential_take_due: takes credentials that are due, within the provider's budget (index credential_due).
-- params: $1 text provider, $2 text client, $3 integer most, $4 bigint claim_ms, $5 bigint recheck_ms
select tenants, generations, waiting, reason, retry_after_ms
from leasehold.credential_take_due($1, $2, $3, $4, $5)
