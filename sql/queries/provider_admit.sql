-- provider_admit: takes exchanges out of the provider's budget.
-- params: $1 text provider, $2 integer wanted, $3 text client
select granted, reason, retry_after_ms
from leasehold.provider_admit($1, $2, $3)
