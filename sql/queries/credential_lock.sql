-- credential_lock: where one credential stands, with its lock held until the transaction ends (primary key).
-- params: $1 text tenant_id
select generation, saved_attempt_id, refresh_token
from leasehold.credential_lock($1)
