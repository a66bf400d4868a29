-- Schedules: jobs that enqueue themselves at a rhythm. A schedule has one turn for each tenant that it
-- serves; a turn holds its next slot and is moved on in the transaction that enqueues, so each slot is
-- decided once, whoever fires (leasehold.schedule_fire).

create table leasehold.schedule_turn (
    tenant_id text collate "C" not null references leasehold.tenant on delete cascade,
    schedule_id bigint not null references leasehold.schedule on delete cascade,
    slot_at timestamptz,
    fire_at timestamptz,
    last_slot_at timestamptz,
    last_outcome text collate "C"
        constraint turn_outcome_known check (last_outcome in ('enqueued', 'overlapped', 'missed', 'failed')),
    last_error text,
    last_at timestamptz,
    last_job_id bigint,
    primary key (tenant_id, schedule_id),
    constraint turn_rests_or_waits check ((slot_at is null) = (fire_at is null)),
    constraint turn_slot_once check (slot_at > last_slot_at)
) with (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0
);

create index turn_due on leasehold.schedule_turn (fire_at) where fire_at is not null;
create index turn_schedule on leasehold.schedule_turn (schedule_id, fire_at);

comment on table leasehold.schedule_turn is 'A tenant''s turn in a schedule';
comment on column leasehold.schedule_turn.slot_at is
    'The next slot; null while the turn rests because its schedule or tenant does. What ends the rest sets it anew';
comment on column leasehold.schedule_turn.fire_at is 'slot_at and the jitter';
comment on column leasehold.schedule_turn.last_slot_at is 'The last slot that was decided; the next one is later, whatever happens';
comment on column leasehold.schedule_turn.last_outcome is
    'enqueued: a job; overlapped: the job of an earlier slot was still live; missed: dropped by the policy; failed: it is tried again, see last_error';

-- A number from 0 to most - 1 that depends on the text alone, on every server and version.
create function leasehold.hash_below(text text, most bigint) returns bigint
language sql immutable strict parallel safe as $$
    select ('x' || substr(md5(text), 1, 15))::bit(60)::bigint % most
$$;

create function leasehold.schedule_first(schedule leasehold.schedule, tenant text) returns timestamptz
language sql immutable parallel safe as $$
    select schedule.starts_at + case when schedule.tenant_id is null then make_interval(secs =>
        leasehold.hash_below(schedule.name || ' ' || tenant, schedule.every_seconds * 1000::bigint) / 1000.0)
        else interval '0' end
$$;

comment on function leasehold.schedule_first is
    'The first slot of an interval: of a template, a time within one interval by a hash of the tenant';

create function leasehold.schedule_slot_after(schedule leasehold.schedule, tenant text, after timestamptz)
returns timestamptz
language plpgsql stable parallel safe set search_path = pg_catalog set jit = off as $$
declare
    first timestamptz;
begin
    if schedule.cron is not null then
        return leasehold.cron_next(schedule.masks, schedule.time_zone,
            greatest(after, schedule.starts_at - interval '1 microsecond'));
    end if;
    first := leasehold.schedule_first(schedule, tenant);
    return first + make_interval(secs => schedule.every_seconds
        * greatest(floor(extract(epoch from after - first) / schedule.every_seconds) + 1, 0)::double precision);
end $$;

comment on function leasehold.schedule_slot_after is 'A tenant''s first slot after an instant; null: there is none';

create function leasehold.schedule_slot_until(schedule leasehold.schedule, tenant text, until timestamptz)
returns timestamptz
language plpgsql stable parallel safe set search_path = pg_catalog set jit = off as $$
declare
    slot timestamptz;
begin
    if schedule.cron is not null then
        slot := leasehold.cron_latest(schedule.masks, schedule.time_zone, until);
        return case when slot >= schedule.starts_at then slot end;
    end if;
    slot := leasehold.schedule_first(schedule, tenant);
    return case when slot <= until then slot + make_interval(secs => schedule.every_seconds
        * floor(extract(epoch from until - slot) / schedule.every_seconds)::double precision) end;
end $$;

comment on function leasehold.schedule_slot_until is 'A tenant''s last slot up to an instant; null: there is none';

create function leasehold.schedule_fire_at(schedule leasehold.schedule, tenant text, slot timestamptz)
returns timestamptz
language sql immutable parallel safe as $$
    select case when schedule.jitter_seconds = 0 then slot else slot + make_interval(secs =>
        leasehold.hash_below(concat_ws(' ', schedule.name, tenant, extract(epoch from slot)),
            schedule.jitter_seconds * 1000::bigint + 1) / 1000.0) end
$$;

comment on function leasehold.schedule_fire_at is 'When a slot is fired: the slot and its jitter';

-- With the rights of its owner: workers may not read credentials, and of this one bit they may.
create function leasehold.tenant_connected(tenant text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select exists (
            select from leasehold.credential as c where c.tenant_id = tenant and c.state = 'active')
        and not exists (
            select from leasehold.tenant_hold as h
            where h.tenant_id = tenant and h.held_at is not null and h.released_at is null)
$$;

comment on function leasehold.tenant_connected is 'Whether a tenant''s credential is active and its jobs are not parked';

create function leasehold.schedule_serves(schedule leasehold.schedule, tenant text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
    select schedule.paused_at is null
        and exists (
            select from leasehold.tenant as t where t.tenant_id = tenant and t.state = 'active')
        and (schedule.members = 'active' or leasehold.tenant_connected(tenant))
$$;

comment on function leasehold.schedule_serves is 'Whether a schedule fires for a tenant now';

-- Gives turns to those who have none and ends the rest of those who rest. Waits for whoever is firing
-- such a turn, so that no turn goes to rest after what should have ended its rest.
create function leasehold.schedule_enrol(only_schedule bigint default null, only_tenant text default null)
returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp set jit = off as $$
declare
    -- As arrays, so that one plan is good for one schedule and for one tenant.
    ids constant bigint[] := array(
        select s.schedule_id from leasehold.schedule as s
        where s.schedule_id = coalesce(only_schedule, s.schedule_id)
            and (only_tenant is null or s.tenant_id is null or s.tenant_id = only_tenant));
    tenants constant text[] := case when only_tenant is null then array(select t.tenant_id from leasehold.tenant as t)
        else array[only_tenant] end;
    enrolled bigint;
begin
    insert into leasehold.schedule_turn as t (tenant_id, schedule_id, slot_at, fire_at)
    select m.tenant_id, s.schedule_id, next.slot_at, leasehold.schedule_fire_at(s, m.tenant_id, next.slot_at)
    from leasehold.schedule as s
        cross join lateral unnest(case when s.tenant_id is null then tenants else array[s.tenant_id] end)
            as m (tenant_id)
        cross join lateral (
            select leasehold.schedule_slot_after(s, m.tenant_id, clock_timestamp()) as slot_at offset 0) as next
    where s.schedule_id = any (ids) and leasehold.schedule_serves(s, m.tenant_id)
    on conflict (tenant_id, schedule_id) do update set (slot_at, fire_at) = (
        select next.slot_at, leasehold.schedule_fire_at(s, t.tenant_id, next.slot_at)
        from leasehold.schedule as s cross join lateral (
            select leasehold.schedule_slot_after(s, t.tenant_id, greatest(clock_timestamp(), t.last_slot_at))
                as slot_at offset 0) as next
        where s.schedule_id = t.schedule_id)
        where t.slot_at is null;
    get diagnostics enrolled = row_count;
    return enrolled;
end $$;

comment on function leasehold.schedule_enrol is
    'Makes the turns that are missing and ends rests that are over, of all or of one schedule or tenant; returns how many';
