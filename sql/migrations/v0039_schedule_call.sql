-- leasehold.schedule_add and what else people and programs call.

create function leasehold.schedule_add(
    name text,
    kind text,
    every interval default null,
    cron text default null,
    tenant text default null,
    time_zone text default 'UTC',
    args jsonb default '{}',
    queue text default 'default',
    priority integer default 0,
    max_attempts integer default 20,
    timeout_after interval default null,
    starts_at timestamptz default null,
    members text default null,
    missed text default 'once',
    missed_most integer default 10,
    grace interval default '5 minutes',
    jitter interval default '0',
    overlap boolean default null,
    slot_arg text default null,
    replace boolean default false
) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp set jit = off as $$
#variable_conflict use_column
declare
    made leasehold.schedule := leasehold.schedule_row(name, kind, every, cron, tenant, time_zone, args,
        queue, priority, max_attempts, timeout_after, starts_at, members, missed, missed_most, grace,
        jitter, overlap, slot_arg);
    old leasehold.schedule;
    id bigint;
begin
    -- Excludes leasehold.schedule_member_back, so that whoever joins meanwhile is not overlooked.
    perform pg_advisory_xact_lock(hashtext('leasehold.schedule'));
    select s.* into old from leasehold.schedule as s where s.name = made.name for update;
    if found and not replace then
        raise exception 'expected a new name, got "%", which is a schedule already', made.name
            using errcode = 'LH002', hint = 'replace => true changes it; leasehold schedules show ' || made.name;
    end if;
    if found then
        made.starts_at := coalesce(starts_at, old.starts_at);
    end if;
    insert into leasehold.schedule as s (name, tenant_id, members, kind, queue, args, priority,
        max_attempts, timeout_seconds, slot_arg, every_seconds, starts_at, cron, time_zone, missed,
        missed_most, grace_seconds, jitter_seconds, overlap)
    values (made.name, made.tenant_id, made.members, made.kind, made.queue, made.args, made.priority,
        made.max_attempts, made.timeout_seconds, made.slot_arg, made.every_seconds, made.starts_at,
        made.cron, made.time_zone, made.missed, made.missed_most, made.grace_seconds,
        made.jitter_seconds, made.overlap)
    on conflict (name) do update set (tenant_id, members, kind, queue, args, priority, max_attempts,
        timeout_seconds, slot_arg, every_seconds, starts_at, cron, time_zone, missed, missed_most,
        grace_seconds, jitter_seconds, overlap, updated_at)
        = (excluded.tenant_id, excluded.members, excluded.kind, excluded.queue, excluded.args,
        excluded.priority, excluded.max_attempts, excluded.timeout_seconds, excluded.slot_arg,
        excluded.every_seconds, excluded.starts_at, excluded.cron, excluded.time_zone, excluded.missed,
        excluded.missed_most, excluded.grace_seconds, excluded.jitter_seconds, excluded.overlap,
        clock_timestamp())
    returning s.schedule_id into id;
    if old.tenant_id is distinct from made.tenant_id then
        delete from leasehold.schedule_turn as t
        where t.schedule_id = id and made.tenant_id is not null and t.tenant_id <> made.tenant_id;
    end if;
    if (old.tenant_id, old.every_seconds, old.starts_at, old.masks, old.time_zone, old.jitter_seconds)
        is distinct from (made.tenant_id, made.every_seconds, made.starts_at, made.masks, made.time_zone,
            made.jitter_seconds) then
        update leasehold.schedule_turn as t set slot_at = null, fire_at = null
        where t.schedule_id = id and t.slot_at is not null;
    end if;
    perform leasehold.schedule_enrol(only_schedule => id);
    return id;
end $$;

comment on function leasehold.schedule_add is
    'Adds a schedule, or with replace changes the one of that name; the same call again changes nothing. Returns its id. Errors: LH001 unknown tenant, LH002 malformed';

create function leasehold.schedule_pause(named text) returns void
language plpgsql set search_path = pg_catalog, pg_temp set jit = off as $$
begin
    perform leasehold.schedule_known(named);
    update leasehold.schedule as s set paused_at = clock_timestamp()
    where s.name = named and s.paused_at is null;
end $$;

comment on function leasehold.schedule_pause is 'Nothing is fired until schedule_resume; jobs that were enqueued run. Raises LH006';

create function leasehold.schedule_resume(named text) returns void
language plpgsql set search_path = pg_catalog, pg_temp set jit = off as $$
declare
    known leasehold.schedule := leasehold.schedule_known(named);
begin
    update leasehold.schedule as s set paused_at = null
    where s.schedule_id = known.schedule_id and s.paused_at is not null;
    if not found then
        return;
    end if;
    -- Slots of the pause that nobody came to look at.
    update leasehold.schedule_turn as t set slot_at = null, fire_at = null
    where t.schedule_id = known.schedule_id and t.fire_at <= clock_timestamp();
    perform leasehold.schedule_enrol(only_schedule => known.schedule_id);
end $$;

comment on function leasehold.schedule_resume is 'Goes on with the next slots; those of the pause are dropped. Raises LH006';

create function leasehold.schedule_remove(named text) returns void
language plpgsql set search_path = pg_catalog, pg_temp set jit = off as $$
begin
    perform leasehold.schedule_known(named);
    delete from leasehold.schedule as s where s.name = named;
end $$;

comment on function leasehold.schedule_remove is 'Jobs that were enqueued stay. Raises LH006';

create function leasehold.schedule_preview(
    schedule leasehold.schedule, tenant text, after timestamptz default clock_timestamp(), most integer default 10
) returns table (slot_at timestamptz, local_time timestamp, zone_offset interval, fire_at timestamptz)
language plpgsql stable set search_path = pg_catalog, pg_temp set jit = off as $$
begin
    slot_at := after;
    for place in 1..most loop
        slot_at := leasehold.schedule_slot_after(schedule, tenant, slot_at);
        exit when slot_at is null;
        local_time := slot_at at time zone schedule.time_zone;
        zone_offset := leasehold.zone_offset(slot_at, schedule.time_zone);
        fire_at := leasehold.schedule_fire_at(schedule, tenant, slot_at);
        return next;
    end loop;
end $$;

comment on function leasehold.schedule_preview is
    'The next slots, of a stored schedule (leasehold.schedule_known) or of one to be (leasehold.schedule_row)';
