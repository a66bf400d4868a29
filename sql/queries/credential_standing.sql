-- credential_standing: where some credentials stand, to compare with a spool (primary key).
-- params: $1 text[] tenant_ids
select tenant_id, generation, saved_attempt_id, refresh_token
from leasehold.credential_standing($1)
