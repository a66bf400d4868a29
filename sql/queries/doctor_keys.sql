-- doctor_keys: keys that workers have met and that are not retired, with the hours since one sealed
--   with it last. Reads sealing_key, a row a key.
-- params: none
select key_id, date_part('epoch', clock_timestamp() - last_sealed_at) / 3600 as sealed_hours
from leasehold.sealing_key where retired_at is null order by first_seen_at
