-- connect_begin: notes a login that begins (with the browser's hash) or a link to begin one (without).
--   No row if there is no such tenant.
-- params: $1 bytea attempt_hash, $2 text tenant_id, $3 bytea browser_hash, $4 double precision lifetime_seconds
insert into leasehold.connect_attempt (attempt_hash, tenant_id, browser_hash, expires_at)
select $1, tenant_id, $3, clock_timestamp() + $4 * interval '1 second'
from leasehold.tenant where tenant_id = $2
returning expires_at
