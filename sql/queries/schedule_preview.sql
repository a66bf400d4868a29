-- schedule_preview: the next slots of a schedule, for a tenant.
-- params: $1 text name, $2 text tenant_id, $3 timestamptz after, $4 integer most
select slot_at, to_char(local_time, 'Dy YYYY-MM-DD HH24:MI:SS') as local_time,
    date_part('epoch', zone_offset) as offset_seconds, fire_at
from leasehold.schedule_preview(leasehold.schedule_known($1), $2, coalesce($3, clock_timestamp()), $4)
