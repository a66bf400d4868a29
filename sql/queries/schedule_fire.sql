-- schedule_fire: enqueues the jobs of due turns, at most $1 turns. Leans on turn_due.
-- params: $1 integer most, $2 double precision look_back_seconds
select jobs, turns, more, date_part('epoch', next_at - clock_timestamp()) as next_in
from leasehold.schedule_fire(most => $1, look_back => make_interval(secs => $2))
