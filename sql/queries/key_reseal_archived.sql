-- key_reseal_archived: writes a locked archived refresh token under another key.
-- params: $1 text tenant_id, $2 bigint archive_id, $3 bytea refresh_token
update leasehold.credential_archive
set refresh_token = $3
where tenant_id = $1 and archive_id = $2
