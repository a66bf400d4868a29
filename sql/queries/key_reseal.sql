-- key_reseal: writes the cells of a locked credential under another key; the generation stays.
-- params: $1 text tenant_id, $2 bigint generation, $3 bytea refresh_token, $4 bytea previous_refresh_token,
-- $5 bytea access_token
update leasehold.credential
set refresh_token = $3, previous_refresh_token = $4, access_token = $5, updated_at = clock_timestamp()
where tenant_id = $1 and generation = $2
