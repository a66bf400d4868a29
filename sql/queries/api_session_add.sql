-- api_session_add: a browser logged in with a key; the session ends with the key at the latest. The
--   first login after a while also forgets what has expired.
-- params: $1 bytea session_hash, $2 text api_key_id, $3 double precision lifetime_seconds
with pruned as (
    select leasehold.api_prune()
)
insert into leasehold.api_session (session_hash, api_key_id, expires_at)
select $1, api_key_id, least(expires_at, clock_timestamp() + $3 * interval '1 second')
from leasehold.api_key cross join pruned where api_key_id = $2
