-- What schedules and their turns add up to, for programs and for the dashboard.

create view leasehold.schedule_status as
select s.name, s.schedule_id, s.tenant_id, s.members, s.kind, s.queue,
    case when s.cron is null then 'every ' || make_interval(secs => s.every_seconds) else s.cron end as rhythm,
    s.time_zone, s.missed, s.overlap, s.jitter_seconds, s.paused_at, s.created_at,
    (select count(*) from leasehold.schedule_turn as t
        where t.schedule_id = s.schedule_id and t.fire_at is not null) as waiting,
    (select count(*) from leasehold.schedule_turn as t
        where t.schedule_id = s.schedule_id and t.fire_at is null) as resting,
    (select count(*) from leasehold.schedule_turn as t
        where t.schedule_id = s.schedule_id and t.fire_at < clock_timestamp()) as due,
    (select count(*) from leasehold.schedule_turn as t
        where t.schedule_id = s.schedule_id and t.last_outcome = 'failed') as failed,
    (select min(t.fire_at) from leasehold.schedule_turn as t where t.schedule_id = s.schedule_id) as next_at,
    (select max(t.last_at) from leasehold.schedule_turn as t where t.schedule_id = s.schedule_id) as last_at,
    case when s.tenant_id is not null then (
        select t.last_outcome from leasehold.schedule_turn as t
        where t.schedule_id = s.schedule_id and t.tenant_id = s.tenant_id) end as last_outcome,
    case when s.tenant_id is not null then (
        select t.last_job_id from leasehold.schedule_turn as t
        where t.schedule_id = s.schedule_id and t.tenant_id = s.tenant_id) end as last_job_id
from leasehold.schedule as s;

comment on view leasehold.schedule_status is
    'Schedules and their turns; reads every turn, which for 100 000 tenants takes a second';
comment on column leasehold.schedule_status.failed is 'Turns that could not be fired; schedule_turn.last_error says why';
comment on column leasehold.schedule_status.due is 'Turns that should have fired; above zero for more than a moment, no worker fires';

create view leasehold_dashboard.schedule_status as
select v.schedule_id, v.name, v.tenant_id, v.members, v.kind, v.queue, s.every_seconds, s.cron, v.time_zone, v.missed,
    v.jitter_seconds, v.paused_at, v.waiting, v.resting, v.due, v.failed, v.next_at,
    date_part('epoch', v.next_at - statement_timestamp()) as next_seconds, v.last_at, v.last_outcome, v.last_job_id,
    v.paused_at is null and v.next_at < statement_timestamp() - interval '1 minute' as is_late, v.created_at
from leasehold.schedule_status as v join leasehold.schedule as s using (schedule_id);

comment on view leasehold_dashboard.schedule_status is
    'One row a schedule; a template has a turn for each of its tenants. Reads every turn: about a second for 100 000 tenants';
comment on column leasehold_dashboard.schedule_status.schedule_id is 'Number of the schedule';
comment on column leasehold_dashboard.schedule_status.name is 'Its name';
comment on column leasehold_dashboard.schedule_status.tenant_id is 'The tenant; null: a template for every member';
comment on column leasehold_dashboard.schedule_status.members is 'active: tenants that are not paused; connected: of those, the ones with an active credential and no parked jobs';
comment on column leasehold_dashboard.schedule_status.kind is 'Kind of the jobs it enqueues';
comment on column leasehold_dashboard.schedule_status.queue is 'Their queue';
comment on column leasehold_dashboard.schedule_status.every_seconds is 'Interval; null: cron decides';
comment on column leasehold_dashboard.schedule_status.cron is 'Five fields; null: every_seconds decides';
comment on column leasehold_dashboard.schedule_status.time_zone is 'Zone in which cron is read';
comment on column leasehold_dashboard.schedule_status.missed is 'What becomes of slots that passed unfired: skip, once or all';
comment on column leasehold_dashboard.schedule_status.jitter_seconds is 'Each firing is put off by up to so many seconds';
comment on column leasehold_dashboard.schedule_status.paused_at is 'Since when it does not fire; null: it does';
comment on column leasehold_dashboard.schedule_status.waiting is 'Turns that wait for their next slot';
comment on column leasehold_dashboard.schedule_status.resting is 'Turns that rest, because their tenant is paused, parked or not connected';
comment on column leasehold_dashboard.schedule_status.due is 'Turns that are due and not fired yet';
comment on column leasehold_dashboard.schedule_status.failed is 'Turns that could not be fired; schedule_turn.last_error says why';
comment on column leasehold_dashboard.schedule_status.next_at is 'Next firing';
comment on column leasehold_dashboard.schedule_status.next_seconds is 'Seconds until then; negative: overdue';
comment on column leasehold_dashboard.schedule_status.last_at is 'Last firing';
comment on column leasehold_dashboard.schedule_status.last_outcome is 'What that came to: enqueued, overlapped, missed or failed; null for a template';
comment on column leasehold_dashboard.schedule_status.last_job_id is 'Job of the last firing; null for a template';
comment on column leasehold_dashboard.schedule_status.is_late is 'True: due for over a minute, so no worker fires it';
comment on column leasehold_dashboard.schedule_status.created_at is 'When it was made';
