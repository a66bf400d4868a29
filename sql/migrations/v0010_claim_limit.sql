-- The claim, part 3: limits of running jobs and rates, of queues, kinds and tenants. Locks here are advisory, one a limited queue, kind
-- or tenant, held to the end of the claim: counting and claiming are one step for everybody.
-- Queues and kinds may be waited for, in key order, because nothing is held yet; a tenant may not.

create function leasehold.limit_lock(scope text, name text) returns void
language plpgsql set search_path = pg_catalog set jit = off as $$
begin
    perform pg_advisory_xact_lock(hashtext('leasehold.limit.' || scope), hashtext(name));
end $$;

create function leasehold.bucket_tokens(scope text, name text, rate real, burst integer)
returns double precision
language plpgsql set search_path = pg_catalog set enable_seqscan = off set jit = off as $$
#variable_conflict use_variable
declare
    filled_to constant timestamptz := clock_timestamp();
    size constant double precision := coalesce(burst, ceil(rate));
    left_now double precision;
begin
    insert into leasehold.bucket as b (scope, name, tokens, filled_at)
    values (scope, name, size, filled_to)
    on conflict on constraint bucket_pkey do update
    set tokens = least(size, b.tokens + rate * date_part('epoch', filled_to - b.filled_at)),
        filled_at = filled_to
    returning b.tokens into left_now;
    return left_now;
end $$;

comment on function leasehold.bucket_tokens is 'Fills a token bucket up to now and returns what is in it';

create function leasehold.bucket_spend(scope text, name text, spent integer) returns void
language sql set search_path = pg_catalog as $$
    update leasehold.bucket set tokens = tokens - spent
    where bucket.scope = bucket_spend.scope and bucket.name = bucket_spend.name
$$;

-- Which lanes a claim may look at, and how many jobs each limited queue and kind lets start now
-- (free: {"queue:reports": 3, "kind:mail.send": 0}).
create function leasehold.claim_scopes(
    queues text[], out scopes leasehold.claim_scope[], out apart boolean, out free jsonb
)
language plpgsql set search_path = pg_catalog set enable_seqscan = off set jit = off as $$
declare
    one record;
    places double precision;
    kinds text[];
begin
    free := '{}';
    kinds := array(select kind.kind from leasehold.kind where kind.apart);
    apart := kinds <> '{}';
    for one in
        select 'queue' as scope, q.queue as name, q.paused_at, q.max_running, q.rate_per_second, q.rate_burst
        from leasehold.queue as q
        where q.queue = any(queues)
            and (q.paused_at is not null or q.max_running is not null or q.rate_per_second is not null)
        union all
        select 'kind', k.kind, k.paused_at, k.max_running, k.rate_per_second, k.rate_burst
        from leasehold.kind as k where k.apart
        order by 1 desc, 2
    loop
        places := null;
        if one.paused_at is not null then
            places := 0;
        else
            perform leasehold.limit_lock(one.scope, one.name);
            if one.max_running is not null then
                select one.max_running - count(*) into places from leasehold.job
                where limited and case one.scope when 'queue' then job.queue else job.kind end = one.name;
            end if;
            if one.rate_per_second is not null then
                places := least(places, floor(leasehold.bucket_tokens(
                    one.scope, one.name, one.rate_per_second, one.rate_burst)));
            end if;
        end if;
        free := free || jsonb_build_object(one.scope || ':' || one.name, greatest(0, places)::integer);
    end loop;
    select array_agg(row(q.name, k.name,
            q.name is not null and (free ? ('queue:' || q.name) or k.name <> ''),
            coalesce((select queue.max_running is not null from leasehold.queue
                where queue.queue = q.name), false)
            or coalesce((select kind.max_running is not null from leasehold.kind
                where kind.kind = k.name), false))::leasehold.claim_scope)
    into scopes
    from unnest(queues) as q(name), unnest(array[''] || kinds) as k(name)
    where coalesce((free ->> ('queue:' || q.name))::integer, 1) > 0
        and coalesce((free ->> ('kind:' || k.name))::integer, 1) > 0;
end $$;

-- How many jobs of one lane the limits of its tenant let start, at most lane.take, when other lanes of
-- the tenant have been promised some in the same call; or, with reason, that the lane closes.
create function leasehold.lane_places(
    lane leasehold.open_lane, promised integer,
    out places integer, out rated boolean, out reason text, out look_at timestamptz
)
language plpgsql set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan set jit = off as $$
declare
    checked_at constant timestamptz := clock_timestamp();
    owner leasehold.tenant;
    tokens double precision;
begin
    places := 0;
    select tenant.* into owner from leasehold.tenant where tenant.tenant_id = lane.tenant_id;
    rated := owner.rate_per_second is not null;
    if owner.state <> 'active' then
        -- Not while somebody is changing the tenant: a resume that this claim cannot see yet would
        -- not see the closed lane either.
        perform from leasehold.tenant
        where tenant.tenant_id = lane.tenant_id and state <> 'active' for share skip locked;
        if found then
            reason := 'paused';
        end if;
        return;
    end if;
    if (rated or owner.max_running is not null) and not pg_try_advisory_xact_lock(
            hashtext('leasehold.limit.tenant'), hashtext(lane.tenant_id)) then
        return;
    end if;
    places := lane.take;
    if owner.max_running is not null then
        places := greatest(0, least(places, owner.max_running - promised - (
            select count(*) from leasehold.job where job.tenant_id = lane.tenant_id and limited)));
        if places = 0 then
            if promised > 0 then
                return;
            end if;
            reason := 'full';
            look_at := checked_at + interval '5 seconds';
            return;
        end if;
    end if;
    if rated then
        tokens := leasehold.bucket_tokens(
            'tenant', lane.tenant_id, owner.rate_per_second, owner.rate_burst);
        if tokens < 1 then
            reason := 'throttled';
            look_at := checked_at + make_interval(secs => (1 - tokens) / owner.rate_per_second);
            return;
        end if;
        places := least(places, floor(tokens));
    end if;
end $$;

-- How many jobs each locked lane may give, where a limit applies; places of limited queues and kinds
-- are used up in free.
create function leasehold.lanes_limit(
    inout lanes leasehold.open_lane[], inout free jsonb, out closed integer
)
language plpgsql set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan set jit = off as $$
declare
    kept leasehold.open_lane[] := '{}';
    lane leasehold.open_lane;
    key text;
    may record;
    promised jsonb := '{}';
begin
    closed := 0;
    foreach lane in array lanes loop
        if lane.bounded then
            select * into may from leasehold.lane_places(
                lane, coalesce((promised ->> lane.tenant_id)::integer, 0));
            if may.reason is not null then
                update leasehold.lane as l
                set state = may.reason, since = clock_timestamp(), look_at = may.look_at
                where l.ctid = lane.at;
                closed := closed + 1;
                continue;
            end if;
            foreach key in array array['queue:' || lane.queue, 'kind:' || lane.lane_kind] loop
                may.places := least(may.places, (free ->> key)::integer);
            end loop;
            -- No more than the lane has, so that every place and token is used or kept.
            select count(*) into may.places from (
                select from leasehold.job
                where job.queue = lane.queue and job.tenant_id = lane.tenant_id
                    and job.lane_kind = lane.lane_kind and job.place is not null and job.state = 'ready'
                    and (job.priority, job.place)
                        >= (least(lane.low_priority, lane.urgent_priority), least(lane.low_place, lane.urgent_place))
                limit may.places) as waiting;
            lane.take := least(lane.take, may.places);
            promised := promised || jsonb_build_object(
                lane.tenant_id, coalesce((promised ->> lane.tenant_id)::integer, 0) + lane.take);
            foreach key in array array['queue:' || lane.queue, 'kind:' || lane.lane_kind] loop
                if free ? key then
                    free := jsonb_set(free, array[key], to_jsonb((free ->> key)::integer - lane.take));
                end if;
            end loop;
            if may.rated then
                perform leasehold.bucket_spend('tenant', lane.tenant_id, lane.take);
            end if;
        end if;
        kept := kept || lane;
    end loop;
    lanes := kept;
end $$;

comment on function leasehold.lanes_limit is
    'Cuts what bounded lanes give; lanes of tenants that are paused, full or throttled are closed and left out';

-- A job that was enqueued in the very instant in which its kind became apart, or ceased to be, is in a
-- lane of the wrong sort: its transaction and the one that changed the kind could not see each other, and
-- neither is to wait for the other. The claim that meets such a job moves it. No job is forgotten: letters
-- to the lane of a kind are read only while nobody changes the kind, so that its lanes hold nothing that
-- the change does not see; and the mark of an ordinary lane stays before what must go from it.

-- Arrivals in lanes of kinds. Those of a kind that is being changed go back, and the change wakes the
-- workers; those of a kind that is not apart move to the ordinary lane, with a letter.
create function leasehold.arrivals_sort(inout arrivals leasehold.arrival[])
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set jit = off
set plan_cache_mode = force_generic_plan as $$
declare
    one text;
    changing text[] := '{}';
    ordinary text[] := '{}';
begin
    foreach one in array array(
        select distinct a.lane_kind from unnest(arrivals) as a where a.lane_kind <> '' and a.jobs > 0)
    loop
        -- Shared by claims, to their end; leasehold.kind_changed waits for it. Asked before the kind is read.
        if not pg_try_advisory_xact_lock_shared(hashtext('leasehold.kind'), hashtext(one)) then
            changing := changing || one;
        elsif not exists (select from leasehold.kind where kind.kind = one and kind.apart) then
            ordinary := ordinary || one;
        end if;
    end loop;
    if changing = '{}' and ordinary = '{}' then
        return;
    end if;

    with astray as materialized (
        select j.at
        from unnest(arrivals) as a cross join lateral (
            select job.ctid as at from leasehold.job
            where job.queue = a.queue and job.tenant_id = a.tenant_id and job.lane_kind = a.lane_kind
                and job.place is not null and job.state = 'ready'
            order by job.priority, job.place
            limit 10000 for update skip locked) as j
        where a.lane_kind = any(ordinary) and a.jobs > 0
    ), moved as (
        update leasehold.job
        set lane_kind = '', place = nextval('leasehold.job_place_seq')
        from astray
        where job.ctid = astray.at
        returning tenant_id, queue, job_id, place, priority
    )
    insert into leasehold.wake (tenant_id, queue, jobs, first_job_id, place, priority, ring)
    select tenant_id, queue, count(*), min(job_id), min(place), min(priority), true
    from moved group by tenant_id, queue;
    -- Also if some of the jobs are in other hands.
    insert into leasehold.wake (tenant_id, queue, lane_kind, purpose, jobs, first_job_id, place,
        priority, ran_seconds, charged_seconds, settled)
    select a.tenant_id, a.queue, a.lane_kind, case when a.look then 'look' else 'ready' end, a.jobs,
        a.first_job_id, a.place, a.priority, a.ran_seconds, a.charged_seconds, a.settled
    from unnest(arrivals) as a
    where a.jobs > 0 and (a.lane_kind = any(changing)
        or a.lane_kind = any(ordinary) and (
            select true from leasehold.job
            where job.queue = a.queue and job.tenant_id = a.tenant_id and job.lane_kind = a.lane_kind
                and job.place is not null and job.state = 'ready'
            limit 1));
    arrivals := array(
        select a from unnest(arrivals) as a
        where a.jobs = 0 or a.lane_kind <> all(changing || ordinary));
end $$;

comment on function leasehold.arrivals_sort is
    'Moves jobs that wait in lanes of kinds that are not apart, and puts letters back whose kind is being changed; returns the other arrivals';

create function leasehold.lanes_sort(lanes leasehold.open_lane[]) returns bigint
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set jit = off
set plan_cache_mode = force_generic_plan as $$
declare
    total bigint;
begin
    with astray as materialized (
        select w.at
        from unnest(lanes) as l cross join lateral (
            select job.ctid as at, job.kind from leasehold.job
            where job.queue = l.queue and job.tenant_id = l.tenant_id
                and job.lane_kind = l.lane_kind and job.place is not null and job.state = 'ready'
                and (job.priority, job.place) >= (least(l.low_priority, l.urgent_priority),
                    case when l.urgent_priority < l.low_priority then l.urgent_place else l.low_place end)
            order by job.priority, job.place limit l.take + 100) as w
        where l.lane_kind = ''
            and w.kind = any(array(select kind.kind from leasehold.kind where kind.apart))
    ), held as materialized (
        select job.ctid as at from astray join leasehold.job on job.ctid = astray.at
        where job.state = 'ready'
        for update of job skip locked
    ), moved as (
        update leasehold.job
        set lane_kind = job.kind, place = nextval('leasehold.job_place_seq')
        from held
        where job.ctid = held.at
        returning tenant_id, queue, lane_kind, job_id, place, priority
    ), told as (
        insert into leasehold.wake (tenant_id, queue, lane_kind, jobs, first_job_id, place, priority, ring)
        select tenant_id, queue, lane_kind, count(*), min(job_id), min(place), min(priority), true
        from moved group by tenant_id, queue, lane_kind
    )
    select count(*) into total from moved;
    return total;
end $$;

comment on function leasehold.lanes_sort is
    'Moves jobs of kinds that are apart from the head of ordinary lanes into lanes of their kind; returns how many';
