-- schedule_try: the slots that a rhythm would have, without storing it.
-- params: $1 double precision every_seconds, $2 text cron, $3 text time_zone, $4 timestamptz after, $5 integer most
select slot_at, to_char(local_time, 'Dy YYYY-MM-DD HH24:MI:SS') as local_time,
    date_part('epoch', zone_offset) as offset_seconds, fire_at
from leasehold.schedule_preview(
    leasehold.schedule_row('preview', every => make_interval(secs => $1), cron => $2, time_zone => $3,
        starts_at => coalesce($4, clock_timestamp()), tenant => null),
    '', coalesce($4, clock_timestamp()), $5)
