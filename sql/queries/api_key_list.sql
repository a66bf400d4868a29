-- api_key_list: every key, newest first; there are few.
-- params: none
select api_key_id, name, scopes, tenant_id, created_at, expires_at, revoked_at, last_used_at,
    clock_timestamp() as now
from leasehold.api_key order by created_at desc, api_key_id
