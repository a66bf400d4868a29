-- schedule_list: schedules by name, of one tenant (and the templates) if $1 says so; $2: of one name.
-- params: $1 text tenant_id, $2 text name
select v.name, v.tenant_id, v.members, v.kind, v.queue, v.rhythm, v.time_zone, v.missed, v.overlap,
    v.jitter_seconds, v.paused_at, v.waiting, v.resting, v.due, v.failed, v.next_at, v.last_at, v.last_outcome,
    v.last_job_id, v.created_at, s.args, s.priority, s.max_attempts, s.timeout_seconds, s.slot_arg,
    s.starts_at, s.missed_most, s.grace_seconds, clock_timestamp() as now
from leasehold.schedule_status as v join leasehold.schedule as s using (schedule_id)
where ($1::text is null or v.tenant_id = $1 or v.tenant_id is null) and v.name = coalesce($2, v.name)
order by v.name
