-- The claim, part 5: leasehold.job_claim, which puts the parts together.

create function leasehold.cursor_load(queues text[], began timestamptz)
returns leasehold.claim_cursor
language plpgsql set search_path = pg_catalog set enable_seqscan = off set jit = off as $$
declare
    mem leasehold.claim_cursor := leasehold.cursor_read(queues);
begin
    if mem.full_look_at is null or mem.full_look_at <= began then
        mem.low_xid := 0;
        mem.low_wake_id := 0;
        mem.open_xids := '{}';
        mem.due_from := '-infinity';
        mem.earliest_mark := '-infinity';
        mem.full_look_at := null;
    end if;
    if mem.floor_at is null or mem.floor_at < began - interval '1 second' then
        mem.floor := coalesce(greatest(mem.floor, (
            select max(floor) from leasehold.lane_floor where queue = any(queues))), 0);
        mem.floor_at := began;
    end if;
    return mem;
end $$;

comment on function leasehold.cursor_load is
    'What this session remembers of earlier claims; every few seconds it forgets on purpose and looks at everything once';

create function leasehold.cursor_save(queues text[], began timestamptz, mem leasehold.claim_cursor)
returns void
language plpgsql set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    spent constant interval := clock_timestamp() - began;
begin
    mem.claimed_at := began;
    -- A whole look costs what dead rows stand in the way; it may take a fiftieth of the time.
    mem.full_look_at := coalesce(mem.full_look_at, began + greatest(interval '5 seconds', spent * 50));
    -- Lanes are looked for from the floor of two to three seconds ago on, and no charge is given back
    -- below that of one to two seconds ago, so that every session sees the lane.
    if mem.marked_at is null or mem.marked_at < began - interval '1 second' then
        mem.earliest_mark := coalesce(mem.earlier_mark, '-infinity');
        mem.earlier_mark := mem.mark;
        mem.mark := mem.floor;
        mem.marked_at := began;
        if mem.contended then
            insert into leasehold.lane_floor (queue, floor)
            select q, mem.floor from unnest(queues) as q
            where not exists (select from leasehold.lane_floor where queue = q)
            on conflict do nothing;
            update leasehold.lane_floor set floor = mem.floor, noted_at = began
            where ctid = any(array(
                select ctid from leasehold.lane_floor
                where queue = any(queues) and floor < mem.floor and noted_at < began - interval '1 second'
                for update skip locked));
        end if;
        delete from leasehold.lane where ctid = any(array(
            select ctid from leasehold.lane
            where queue = any(queues) and state = 'idle' and (vt <= mem.floor or not mem.contended)
            limit 5000 for update skip locked));
    end if;
    perform set_config('leasehold.cursor_' || md5(array_to_string(queues, ' ')), mem::text, false);
end $$;

comment on function leasehold.cursor_save is
    'Remembers a claim for the next one of this session, notes the floor, and forgets idle lanes that the others have caught up with';


create function leasehold.job_claim(
    who uuid, queues text[], max_jobs integer, woken boolean default false)
returns setof leasehold.claimed_job
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set jit = off
set plan_cache_mode = force_generic_plan as $$
declare
    began constant timestamptz := clock_timestamp();
    quantum constant integer := least(16, ceil(max_jobs / 8.0));
    mem leasehold.claim_cursor;
    looked_at timestamptz;
    wanted integer := max_jobs;
    scopes leasehold.claim_scope[];
    apart boolean := false;
    kinds boolean := false;
    free jsonb := '{}';
    places jsonb;
    letters record;
    passes integer := 0;
    singles bigint := 0;
    arrivals leasehold.arrival[] := '{}';
    direct leasehold.claimed_job[];
    lanes leasehold.open_lane[];
    limits record;
    keys text[];
    passed text[] := '{}';
    holds boolean := false;
    busy leasehold.lane;
    waited boolean := false;
    taken bigint;
begin
    if max_jobs is null or max_jobs not between 1 and 10000 then
        raise exception 'expected max_jobs from 1 to 10000, got %', coalesce(max_jobs::text, 'null')
            using errcode = 'LH002';
    end if;
    if woken then
        return query select * from leasehold.claim_woken(who, queues, max_jobs);
        if found then
            return;
        end if;
    end if;
    perform from leasehold.worker where worker_id = who and lapsed_at is null;
    if not found then
        raise exception 'expected worker % to be registered and alive, but it is not', who
            using errcode = 'LH003', hint = 'register under a new worker id';
    end if;
    mem := leasehold.cursor_load(queues, began);
    looked_at := coalesce(mem.claimed_at, '-infinity');
    if exists (select from leasehold.queue
            where paused_at is not null or max_running is not null or rate_per_second is not null)
        or exists (select from leasehold.kind as k where k.apart) then
        select * into scopes, apart, free from leasehold.claim_scopes(queues);
        places := free;
    else
        scopes := array(select row(q, '', false, false)::leasehold.claim_scope from unnest(queues) as q);
    end if;

    if leasehold.claim_due(mem.due_from, 1000) < 1000 then
        mem.due_from := began - interval '2 seconds';
    end if;
    update leasehold.lane
    set state = 'open', look_at = null, since = began, vt = greatest(vt, mem.floor),
        blocked_seconds = blocked_seconds + date_part('epoch', began - since)
    where ctid = any(array(
        select ctid from leasehold.lane where look_at <= began limit 100 for update skip locked));
    holds := found;
    -- Letters first: lanes are made in one statement, in one order for everybody. All of them, but of a
    -- great many (the workers were away while a million jobs came) about as many as this claim can serve,
    -- and no fewer than some hundred, so that what stands behind them is reached.
    loop
        passes := passes + 1;
        select * into letters
        from leasehold.claim_letters(queues, least(2000, greatest(max_jobs, 400)), mem);
        mem := letters.mem;
        arrivals := arrivals || letters.arrivals;
        select singles + count(*) filter (where a.jobs = 1 and a.lane_kind = ''),
            kinds or coalesce(bool_or(a.lane_kind <> ''), false)
        into singles, kinds
        from unnest(letters.arrivals) as a;
        perform leasehold.claim_sequences(letters.sequences)
        where letters.sequences is not null;
        perform leasehold.claim_dependents(letters.dependents)
        where letters.dependents is not null;
        -- Once more for what these two have let go; what they could not decide waits for the next claim.
        exit when letters.complete
            and (passes > 1 or letters.sequences is null and letters.dependents is null);
        exit when not letters.complete
            and (singles >= wanted or cardinality(arrivals) >= 20000
                or clock_timestamp() > began + interval '100 milliseconds');
    end loop;
    if kinds then
        arrivals := leasehold.arrivals_sort(arrivals);
    end if;
    if arrivals <> '{}' then
        if passes > 1 then
            arrivals := leasehold.arrivals_merge(arrivals);
        end if;
        direct := leasehold.claim_direct(who, arrivals, scopes, apart, wanted, mem);
        return query select * from unnest(direct);
        wanted := wanted - coalesce(cardinality(direct), 0);
        -- Whoever is served past a line of others is charged for it, so that it cannot go on so.
        mem.contended := cardinality(direct) > 0 and (
            cardinality(direct) < cardinality(arrivals)
            or exists (select from leasehold.lane where lane.queue = any(queues)
                and lane.lane_kind = '' and lane.state = 'open' and lane.vt >= mem.earliest_mark));
        if mem.contended or cardinality(direct) is distinct from cardinality(arrivals) then
            holds := leasehold.lanes_tell(arrivals,
                array(select job_id from unnest(direct)), queues, mem) or holds;
        end if;
    end if;

    mem.contended := false;
    while wanted > 0 loop
        lanes := leasehold.lanes_lock(scopes, queues, mem.earliest_mark, passed, wanted, quantum);
        if lanes is null then
            -- Every open lane is in other hands: wait for one rather than go home empty. Only while
            -- this claim holds no lane.
            exit when holds or waited or mem.contended;
            -- One and no other: going on to the next would be waiting with a lock in hand.
            select l.* into busy
            from unnest(scopes) as s cross join lateral (
                select lane.* from leasehold.lane
                where lane.queue = s.queue and lane.lane_kind = s.lane_kind and lane.state = 'open'
                    and lane.vt >= mem.earliest_mark
                order by lane.vt limit 1) as l
            order by l.vt limit 1;
            exit when not found;
            -- In a queue of its own: of many that wait for a row, each is woken at every new version of
            -- it, only to wait again.
            perform pg_advisory_xact_lock(hashtext('leasehold.lane'),
                hashtext(leasehold.lane_key(busy.tenant_id, busy.queue, busy.lane_kind)));
            perform from leasehold.lane
            where lane.tenant_id = busy.tenant_id and lane.queue = busy.queue
                and lane.lane_kind = busy.lane_kind for update;
            waited := true;
            continue;
        end if;
        mem.contended := true;
        mem.floor := greatest(mem.floor, (lanes[1]).vt);
        mem.floor_at := began;
        -- A session that knew an older floor (its predecessor was killed, the machine is slow) may have
        -- opened lanes below where this one looks. Once seen they stay in sight until they have caught up.
        mem.mark := case when mem.mark > (lanes[1]).vt then (lanes[1]).vt else mem.mark end;
        mem.earlier_mark := case when mem.earlier_mark > (lanes[1]).vt then (lanes[1]).vt else mem.earlier_mark end;
        taken := 0;
        limits := null;
        if exists (select from unnest(lanes) as l where l.bounded) then
            -- Places and tokens are given to what may be taken only.
            perform leasehold.lanes_sort(lanes) where apart;
            select * into limits from leasehold.lanes_limit(lanes, free);
            lanes := limits.lanes;
            free := limits.free;
            scopes := array(select s from unnest(scopes) as s
                where coalesce((free ->> ('queue:' || s.queue))::integer, 1) > 0
                    and coalesce((free ->> ('kind:' || s.lane_kind))::integer, 1) > 0);
        end if;
        return query select * from leasehold.lanes_take(who, lanes, apart, looked_at);
        get diagnostics taken = row_count;
        wanted := wanted - taken;
        if apart and taken < (select sum(l.take) from unnest(lanes) as l)
            and leasehold.lanes_sort(lanes) > 0 and clock_timestamp() < began + interval '250 milliseconds'
        then
            continue;
        end if;
        if taken = 0 then
            -- Empty lanes are closed now. What is still open stands behind jobs that others hold.
            keys := array(
                select leasehold.lane_key(l.tenant_id, l.queue, l.lane_kind) from unnest(lanes) as l);
            lanes := array(
                select l from unnest(leasehold.lanes_lock(
                    scopes, queues, mem.earliest_mark, passed, wanted, quantum)) as l
                where leasehold.lane_key(l.tenant_id, l.queue, l.lane_kind) = any(keys)
                    and not l.bounded);
            passed := passed || keys;
            if lanes <> '{}' then
                return query select * from leasehold.lanes_take_past(who, lanes, apart, looked_at);
                get diagnostics taken = row_count;
                wanted := wanted - taken;
            end if;
            exit when clock_timestamp() > began + interval '250 milliseconds';
        end if;
    end loop;
    if places is not null then
        perform leasehold.bucket_spend(split_part(key, ':', 1), substr(key, strpos(key, ':') + 1),
            (places ->> key)::integer - (free ->> key)::integer)
        from jsonb_object_keys(places) as key
        where places -> key <> free -> key;
    end if;
    perform leasehold.cursor_save(queues, began, mem);
end $$;

comment on function leasehold.job_claim is
    'Claims up to max_jobs jobs of these queues for a registered worker: tenants without a backlog first, then lanes by virtual time. woken: a notification has just ended this worker''s sleep, and another claim will follow at once: what came last may be all that is looked for. Error LH003: the worker is unknown or has lapsed';
