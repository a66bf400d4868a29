-- schedule_turns: the turns of a schedule that fire next, and then those that rest. Leans on turn_schedule.
-- params: $1 text name, $2 text tenant_id, $3 integer most
select t.tenant_id, t.slot_at, t.fire_at, t.last_slot_at, t.last_outcome, t.last_at, t.last_job_id, t.last_error
from leasehold.schedule_turn as t
    join leasehold.schedule as s using (schedule_id)
where s.name = $1 and t.tenant_id = coalesce($2, t.tenant_id)
order by t.fire_at, t.tenant_id limit $3
