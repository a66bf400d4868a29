-- Firing: any worker, or anybody with psql, at any time and all at once.

-- What to do about a turn whose slot_at is due: which slots get a job, and which one is next.
create function leasehold.schedule_decide(
    schedule leasehold.schedule, tenant text, slot_at timestamptz, moment timestamptz,
    out slots timestamptz[], out last_slot_at timestamptz, out next_slot_at timestamptz
)
language plpgsql stable set search_path = pg_catalog, pg_temp set jit = off as $$
declare
    slot timestamptz;
begin
    last_slot_at := greatest(leasehold.schedule_slot_until(schedule, tenant, moment), slot_at);
    while last_slot_at > slot_at and leasehold.schedule_fire_at(schedule, tenant, last_slot_at) > moment loop
        -- It is due by the clock and still put off by its jitter.
        last_slot_at := greatest(slot_at,
            leasehold.schedule_slot_until(schedule, tenant, last_slot_at - interval '1 microsecond'));
    end loop;
    next_slot_at := leasehold.schedule_slot_after(schedule, tenant, last_slot_at);
    slots := array[last_slot_at];
    if schedule.missed = 'skip' and moment
        > leasehold.schedule_fire_at(schedule, tenant, last_slot_at) + make_interval(secs => schedule.grace_seconds) then
        slots := '{}';
    elsif schedule.missed = 'all' then
        slot := last_slot_at;
        while cardinality(slots) < schedule.missed_most and slot > slot_at loop
            slot := greatest(slot_at,
                leasehold.schedule_slot_until(schedule, tenant, slot - interval '1 microsecond'));
            slots := slot || slots;
        end loop;
    end if;
end $$;

comment on function leasehold.schedule_decide is 'What a schedule''s policy makes of the slots from slot_at to moment';

-- A statement of its own, whose snapshot is later than the locks of schedule_fire: what was read before
-- a turn was locked may have changed since, what changes from here on waits for the turn.
create function leasehold.schedule_fire_turns(tenants text[], ids bigint[], due timestamptz[], moment timestamptz)
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    jobs integer;
begin
    with turn as materialized (
        select u.tenant_id, s as schedule, leasehold.schedule_serves(s, u.tenant_id) as serves, d.*
        from unnest(tenants, ids, due) as u (tenant_id, schedule_id, slot_at)
            join leasehold.schedule as s using (schedule_id)
            cross join lateral leasehold.schedule_decide(s, u.tenant_id, u.slot_at, moment) as d
    ), planned as materialized (
        select turn.tenant_id, turn.schedule, d.slot, nextval('leasehold.job_id_seq') as job_id
        from turn cross join lateral unnest(turn.slots) as d (slot)
        where turn.serves
    ), made as (
        insert into leasehold.job (job_id, tenant_id, kind, queue, args, priority, max_attempts,
            timeout_seconds, unique_key, run_at, ready_at)
        select p.job_id, p.tenant_id, (p.schedule).kind, (p.schedule).queue,
            (p.schedule).args || case when (p.schedule).slot_arg is null then '{}'
                else jsonb_build_object((p.schedule).slot_arg,
                    to_char(p.slot at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) end,
            (p.schedule).priority, (p.schedule).max_attempts, (p.schedule).timeout_seconds,
            case when not (p.schedule).overlap then 'schedule ' || (p.schedule).name end,
            p.slot, clock_timestamp()
        from planned as p order by p.job_id
        on conflict (tenant_id, kind, unique_key) where unique_key is not null do nothing
        returning job.job_id
    ), last_made as materialized (
        select p.tenant_id, (p.schedule).schedule_id, max(p.job_id) as job_id
        from planned as p join made using (job_id) group by 1, 2
    ), moved as (
        update leasehold.schedule_turn as t
        set slot_at = case when turn.serves then turn.next_slot_at end,
            fire_at = case when turn.serves
                then leasehold.schedule_fire_at(turn.schedule, t.tenant_id, turn.next_slot_at) end,
            last_slot_at = case when turn.serves then turn.last_slot_at else t.last_slot_at end,
            last_at = case when turn.serves then clock_timestamp() else t.last_at end,
            last_outcome = case when not turn.serves then t.last_outcome
                when turn.slots = '{}' then 'missed'
                when m.job_id is null then 'overlapped' else 'enqueued' end,
            last_job_id = coalesce(m.job_id, t.last_job_id), last_error = null
        from turn left join last_made as m
            on m.tenant_id = turn.tenant_id and m.schedule_id = (turn.schedule).schedule_id
        where t.tenant_id = turn.tenant_id and t.schedule_id = (turn.schedule).schedule_id
    )
    select count(*) into jobs from made;
    return jobs;
end $$;

comment on function leasehold.schedule_fire_turns is 'Fires turns that the caller has locked; returns how many jobs that enqueued';

create function leasehold.schedule_fire(
    most integer default 500,
    look_back interval default null,
    moment timestamptz default clock_timestamp(),
    out jobs integer, out turns integer, out more boolean, out next_at timestamptz
)
language plpgsql
set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    tenants text[];
    ids bigint[];
    due timestamptz[];
begin
    select array_agg(t.tenant_id), array_agg(t.schedule_id), array_agg(t.slot_at)
    into tenants, ids, due
    from (
        select t.tenant_id, t.schedule_id, t.slot_at from leasehold.schedule_turn as t
        where t.fire_at > coalesce(moment - look_back, '-infinity') and t.fire_at <= moment
        order by t.fire_at limit most for update skip locked) as t;
    turns := coalesce(cardinality(tenants), 0);
    jobs := 0;
    begin
        if turns > 0 then
            jobs := leasehold.schedule_fire_turns(tenants, ids, due, moment);
        end if;
    exception when others then
        -- One of them cannot be fired, and must not keep the others from it: one by one.
        for place in 1..turns loop
            begin
                jobs := jobs + leasehold.schedule_fire_turns(
                    array[tenants[place]], array[ids[place]], array[due[place]], moment);
            exception when others then
                update leasehold.schedule_turn as t
                set fire_at = moment + interval '1 minute', last_outcome = 'failed', last_error = left(sqlerrm, 1000),
                    last_at = clock_timestamp()
                where t.tenant_id = tenants[place] and t.schedule_id = ids[place];
            end;
        end loop;
    end;
    more := turns = most;
    select t.fire_at into next_at from leasehold.schedule_turn as t
    where t.fire_at > moment order by t.fire_at limit 1;
end $$;

comment on function leasehold.schedule_fire is
    'Enqueues the jobs of due turns and moves the turns on, at most so many. more: call again; next_at: when the next turn is due. look_back: how long ago the turns it looks for came due, so that the index entries of those long fired are stepped over; null: any. moment: the present, for tests. A turn that fails, for example because its time zone is no longer known to the server, is tried again in a minute and says why';
