-- api_key_add: adds a key. A key without an end has no lifetime.
-- params: $1 text api_key_id, $2 text name, $3 bytea secret_hash, $4 text[] scopes, $5 text tenant_id,
--   $6 double precision lifetime_seconds
insert into leasehold.api_key (api_key_id, name, secret_hash, scopes, tenant_id, expires_at)
values ($1, $2, $3, $4, $5, clock_timestamp() + $6 * interval '1 second')
returning expires_at
