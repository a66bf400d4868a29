-- key_retire: marks a key as taken out of use.
-- params: $1 text key_id
update leasehold.sealing_key
set retired_at = coalesce(retired_at, clock_timestamp())
where key_id = $1
returning retired_at
