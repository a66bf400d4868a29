-- api_key_revoke: refuses a key from now on and ends its sessions; no row if there is no such key.
-- params: $1 text api_key_id
with ended as (
    delete from leasehold.api_session where api_key_id = $1
)
update leasehold.api_key set revoked_at = coalesce(revoked_at, clock_timestamp())
where api_key_id = $1
returning api_key_id
