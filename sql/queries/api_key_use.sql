-- api_key_use: the key of a request, if it is good, and notes to the minute that it was used. Leans on
--   api_key_secret.
-- params: $1 bytea secret_hash
with found as (
    select api_key_id, name, scopes, tenant_id, last_used_at
    from leasehold.api_key
    where secret_hash = $1 and revoked_at is null and (expires_at is null or expires_at > clock_timestamp())
), noted as (
    update leasehold.api_key as k set last_used_at = clock_timestamp()
    from found
    where k.api_key_id = found.api_key_id
        and coalesce(found.last_used_at < clock_timestamp() - interval '1 minute', true)
)
select api_key_id, name, scopes, tenant_id from found
