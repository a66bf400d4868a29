-- key_register: notes the keys a worker holds, the newest as sealing, and returns what is known of each that is in use.
-- params: $1 text[] key_ids, $2 text[] check_values
with held as (
    select key_id, check_value, place
    from unnest($1, $2) with ordinality as given (key_id, check_value, place)
)
insert into leasehold.sealing_key as k (key_id, check_value, last_sealed_at)
select key_id, check_value, case when place = 1 then date_trunc('hour', clock_timestamp()) end
from held
on conflict (key_id) do update
    set last_sealed_at = coalesce(excluded.last_sealed_at, k.last_sealed_at)
returning key_id, check_value, retired_at
