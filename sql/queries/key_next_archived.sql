-- key_next_archived: the next archived refresh token under another key, locked for sealing it anew.
-- params: $1 text key_id, $2 bigint after_archive_id
select tenant_id, archive_id, generation, refresh_token
from leasehold.credential_archive
where archive_id > $2 and leasehold.sealing_key_of(refresh_token) <> $1
order by archive_id
limit 1
for update
