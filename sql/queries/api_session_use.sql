-- api_session_use: the key behind a session, while both are good. Leans on the keys of both tables.
-- params: $1 bytea session_hash
select k.api_key_id, k.name, k.scopes, k.tenant_id
from leasehold.api_session as s join leasehold.api_key as k using (api_key_id)
where s.session_hash = $1 and s.expires_at > clock_timestamp() and k.revoked_at is null
    and (k.expires_at is null or k.expires_at > clock_timestamp())
