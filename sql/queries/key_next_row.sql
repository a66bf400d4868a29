-- key_next_row: the next credential with a cell under another key, locked for sealing it anew.
-- params: $1 text key_id, $2 text after_tenant_id
select tenant_id, generation, refresh_token, previous_refresh_token, previous_generation, access_token
from leasehold.credential
where tenant_id > $2
    and (leasehold.sealing_key_of(refresh_token) <> $1
        or leasehold.sealing_key_of(previous_refresh_token) <> $1
        or leasehold.sealing_key_of(access_token) <> $1)
order by tenant_id
limit 1
for update
