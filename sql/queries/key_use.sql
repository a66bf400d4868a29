-- key_use: how many cells each known or used key seals (reads the whole credential table).
-- params: none
with cells as (
    select leasehold.sealing_key_of(cell) as key_id, count(*) as cells
    from leasehold.credential
    cross join lateral (values (refresh_token), (previous_refresh_token), (access_token)) as columns (cell)
    where cell is not null
    group by 1
), archived as (
    select leasehold.sealing_key_of(refresh_token) as key_id, count(*) as cells
    from leasehold.credential_archive
    group by 1
)
select
    key_id,
    coalesce(cells.cells, 0) as cells,
    coalesce(archived.cells, 0) as archived,
    k.first_seen_at,
    k.last_sealed_at,
    k.retired_at,
    coalesce(k.last_sealed_at > clock_timestamp() - interval '25 hours', false) as sealed_recently
from leasehold.sealing_key k
full join cells using (key_id)
full join archived using (key_id)
order by k.first_seen_at nulls first, key_id
