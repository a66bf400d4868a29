-- The claim, part 2: lanes.

-- Lets lanes know of arrivals. A lane that another session holds is not waited for: its letter goes
-- back, and that session or the next one reads it.
create function leasehold.lanes_tell(
    arrivals leasehold.arrival[], served bigint[], queues text[], mem leasehold.claim_cursor
) returns boolean
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set jit = off set plan_cache_mode = force_generic_plan as $$
declare
    told_at constant timestamptz := clock_timestamp();
    floor constant double precision := coalesce(mem.floor, 0);
    held tid[];
    returned bigint;
begin
    select array_agg((
        select lane.ctid from leasehold.lane
        where lane.tenant_id = a.tenant_id and lane.queue = a.queue and lane.lane_kind = a.lane_kind
        limit 1 for update skip locked) order by a.rank)
    into held
    from unnest(arrivals) with ordinality as a(tenant_id, queue, lane_kind, jobs, first_job_id,
        priority, place, ran_seconds, charged_seconds, settled, look, rank);

    update leasehold.lane
    -- A lane that was charged too much gets it back, even if that takes it below the floor of now: not
    -- below where claims begin to look, though. What comes back from elsewhere starts at the floor.
    set vt = greatest(vt + coalesce((a.ran_seconds - a.charged_seconds) / nullif(a.weight, 0), 0),
            case when state <> 'open' then floor else least(vt, coalesce(mem.earlier_mark, floor)) end),
        job_seconds = case when a.settled = 0 then job_seconds else greatest(0.001, job_seconds
            + (a.ran_seconds / a.settled - job_seconds) * (1 - 0.9 ^ least(a.settled, 100))) end,
        blocked_seconds = case
            when state = 'idle' and a.jobs > 0 then 0
            when a.look and state in ('full', 'throttled', 'paused')
                then blocked_seconds + extract(epoch from told_at - since)
            else blocked_seconds end,
        since = case when state = 'idle' and a.jobs > 0
            or a.look and state in ('full', 'throttled', 'paused') then told_at else since end,
        look_at = case when a.look then null else look_at end,
        low_priority = case when state = 'idle' and a.jobs > 0 then a.priority else low_priority end,
        low_place = case when a.jobs = 0 or state <> 'idle' and a.priority > low_priority
            then low_place
            when state = 'idle' then a.place else least(low_place, a.place) end,
        urgent_priority = case when state = 'idle' or a.jobs = 0 or a.priority >= low_priority
            then urgent_priority else least(urgent_priority, a.priority) end,
        urgent_place = case when state = 'idle' or a.jobs = 0 or a.priority >= low_priority
            then urgent_place
            when urgent_priority < a.priority then urgent_place
            when urgent_priority > a.priority then a.place
            else least(urgent_place, a.place) end,
        state = case when state = 'idle' and a.jobs > 0
            or a.look and state in ('full', 'throttled', 'paused') then 'open' else state end
    from (
        select a.*, case when a.ran_seconds <> a.charged_seconds then (
                select tenant.weight from leasehold.tenant where tenant.tenant_id = a.tenant_id limit 1)
            * coalesce((select queue.weight from leasehold.queue where queue.queue = a.queue limit 1), 1)
            / (select sum(coalesce((
                    select queue.weight from leasehold.queue where queue.queue = s.queue limit 1), 1))
                from leasehold.lane as s
                where s.tenant_id = a.tenant_id and s.queue = any(queues)
                    and (s.state = 'open' or s.ctid = a.at)) else 0 end as weight
        from unnest(arrivals, held) as a(tenant_id, queue, lane_kind, jobs, first_job_id, priority,
                place, ran_seconds, charged_seconds, settled, look, at)
        where a.at is not null
    ) as a
    where lane.ctid = a.at;

    with missed as materialized (
        select a.*, a.first_job_id in (select unnest(served)) as direct,
            (select true from leasehold.lane where lane.tenant_id = a.tenant_id
                and lane.queue = a.queue and lane.lane_kind = a.lane_kind limit 1) as has_lane,
            (select max(sibling.vt) from leasehold.lane as sibling
                where sibling.tenant_id = a.tenant_id and sibling.queue = any(queues)) as own
        from unnest(arrivals, held) as a(tenant_id, queue, lane_kind, jobs, first_job_id, priority,
            place, ran_seconds, charged_seconds, settled, look, at)
        where a.at is null
    ), made as (
        -- In key order: two sessions that make the same lanes wait for each other in one direction.
        -- The fraction spreads lanes that begin together, so that no scan stands before a heap of
        -- dead entries of one virtual time.
        insert into leasehold.lane (tenant_id, queue, lane_kind, vt, low_priority, low_place, state)
        select tenant_id, queue, lane_kind,
            greatest(floor, own) + place % 1000000 / 1e9 + case when direct then 0.001 else 0 end,
            priority, place, case when direct then 'idle' else 'open' end
        from missed
        where has_lane is null and jobs > 0 and (mem.contended or not direct)
        order by tenant_id, queue, lane_kind
        on conflict do nothing
        returning tenant_id, queue, lane_kind
    )
    insert into leasehold.wake (tenant_id, queue, lane_kind, purpose, jobs, first_job_id, place,
        priority, ran_seconds, charged_seconds, settled, ring)
    select tenant_id, queue, lane_kind,
        case when look then 'look' when jobs > 0 then 'ready' else 'charge' end, jobs,
        coalesce(first_job_id, 0), coalesce(place, 0), coalesce(priority, 0),
        ran_seconds, charged_seconds, settled, jobs > 0 or look
    from missed
    where not coalesce(direct, false) and (has_lane or jobs > 0)
        and ((tenant_id, queue, lane_kind) in (select * from made)) is not true;
    get diagnostics returned = row_count;
    return cardinality(array_remove(held, null)) > 0 or returned < cardinality(arrivals);
end $$;

comment on function leasehold.lanes_tell is
    'Opens, makes, charges lanes after letters; served: ids of jobs that were claimed directly. True if this session may hold lanes now';

create type leasehold.open_lane as (
    at tid,
    tenant_id text,
    queue text,
    lane_kind text,
    vt double precision,
    job_seconds real,
    blocked_seconds real,
    low_priority smallint,
    low_place bigint,
    urgent_priority smallint,
    urgent_place bigint,
    weight double precision,
    take integer,
    bounded boolean,
    limited boolean
);

create function leasehold.lane_key(tenant_id text, queue text, lane_kind text) returns text
language sql immutable as $$ select tenant_id || ' ' || queue || ' ' || lane_kind $$;

-- The lowest open lanes, locked, as many as would use a quantum each, with how many jobs to take. The
-- lanes of a tenant divide its weight among them, by the weights of their queues: twenty queues are not
-- twenty shares.
create function leasehold.lanes_lock(
    scopes leasehold.claim_scope[], queues text[], scan_from double precision, passed text[],
    wanted integer, quantum integer
) returns leasehold.open_lane[]
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set jit = off set plan_cache_mode = force_generic_plan as $$
declare
    lane_count constant integer := greatest(1, ceil(wanted::double precision / quantum));
    lanes leasehold.open_lane[];
begin
    with held as materialized (
        select s.bounded, s.counted, l.*
        from unnest(scopes) as s cross join lateral (
            select lane.ctid as at, lane.* from leasehold.lane
            where lane.queue = s.queue and lane.lane_kind = s.lane_kind and lane.state = 'open'
                and lane.vt >= scan_from
                and (passed = '{}'
                    or leasehold.lane_key(lane.tenant_id, lane.queue, lane.lane_kind) <> all(passed))
            order by lane.vt limit lane_count for update skip locked) as l
    ), first as (
        select h.*, t.weight * own.weight / all_own.weight as weight, t.bounded as tenant_bounded,
            h.counted or t.max_running is not null as limited
        from held as h
            cross join lateral (
                select tenant.weight, tenant.max_running,
                    tenant.state <> 'active' or tenant.max_running is not null
                        or tenant.rate_per_second is not null as bounded
                from leasehold.tenant where tenant.tenant_id = h.tenant_id limit 1) as t
            cross join lateral (select coalesce((
                select queue.weight from leasehold.queue
                where queue.queue = h.queue limit 1), 1) as weight) as own
            cross join lateral (
                -- By the primary key: the index of open lanes, which a condition on the state would offer
                -- too, holds those of all tenants, and under a held snapshot all that they ever were.
                select sum(coalesce((
                    select queue.weight from leasehold.queue
                    where queue.queue = lane.queue limit 1), 1)) filter (where lane.state = 'open') as weight
                from leasehold.lane
                where lane.tenant_id = h.tenant_id and lane.queue = any(queues)
            ) as all_own
    ), filled as (
        -- The level to which the lanes rise together if they get all that is wanted, the lowest
        -- first: what each lacks to that level is its part.
        select f.*, weight / job_seconds as speed,
            (wanted + sum(vt * weight / job_seconds) over lowest) / sum(weight / job_seconds) over lowest as level
        from first as f
        window lowest as (order by vt, tenant_id, queue, lane_kind)
    ), shared as (
        select f.*, ceil((min(level) over () - vt) * speed - 1e-6) as share from filled as f
    ), cut as (
        select s.*, least(share, wanted - coalesce(sum(greatest(0, share)) over (order by vt, tenant_id, queue,
            lane_kind rows between unbounded preceding and 1 preceding), 0)) as take
        from shared as s
    )
    select array_agg(row(at, tenant_id, queue, lane_kind, vt, job_seconds, blocked_seconds,
            low_priority, low_place, urgent_priority, urgent_place, weight, take,
            bounded or tenant_bounded, limited)::leasehold.open_lane order by vt)
    into lanes
    from cut where take > 0;
    return lanes;
end $$;

comment on function leasehold.lanes_lock is
    'Locks open lanes in order of virtual time, skipping those that other sessions hold';

-- Takes jobs of locked lanes, charges the lanes and moves their low marks. A job that somebody else
-- has locked keeps the mark before it, and so does one that should be in a lane of its kind
-- (leasehold.lanes_sort moves it). Which kinds are apart is asked anew, if any is: while the claim waited
-- for the lane one may have ceased to be.
create function leasehold.lanes_take(
    who uuid, lanes leasehold.open_lane[], apart boolean, looked_at timestamptz
) returns setof leasehold.claimed_job
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set jit = off set plan_cache_mode = force_generic_plan as $$
declare
    took_at constant timestamptz := clock_timestamp();
begin
    return query
    with cand as materialized (
        select l.at as lane_at, l.take, l.job_seconds, l.blocked_seconds, l.limited, c.*
        from unnest(lanes) as l cross join lateral (
            select w.at, w.priority, w.place, row_number() over (order by w.priority, w.place) as rank,
                apart and l.lane_kind = ''
                    and w.kind = any(array(select kind.kind from leasehold.kind where kind.apart)) as astray
            from (
                (select job.ctid as at, job.priority, job.place, job.kind from leasehold.job
                where job.queue = l.queue and job.tenant_id = l.tenant_id
                    and job.lane_kind = l.lane_kind and job.place is not null and job.state = 'ready'
                    and (job.priority, job.place) >= (l.low_priority, l.low_place)
                order by job.priority, job.place limit l.take + 1)
                union all
                (select job.ctid, job.priority, job.place, job.kind from leasehold.job
                where l.urgent_place is not null
                    and job.queue = l.queue and job.tenant_id = l.tenant_id
                    and job.lane_kind = l.lane_kind and job.place is not null and job.state = 'ready'
                    and (job.priority, job.place) >= (l.urgent_priority, l.urgent_place)
                    and job.priority < l.low_priority
                order by job.priority, job.place limit l.take + 1)
            ) as w
            limit l.take + 1) as c
    ), held as materialized (
        select cand.lane_at, cand.rank, cand.job_seconds, cand.limited, job.ctid as job_at,
            least(cand.blocked_seconds, waited) as blocked_seconds,
            least(alone, greatest(0, waited - cand.blocked_seconds)) as alone_seconds,
            greatest(0, waited - cand.blocked_seconds - alone) as turn_seconds
        from cand join leasehold.job on job.ctid = cand.at
            cross join lateral (select
                date_part('epoch', took_at - ready_at) as waited,
                date_part('epoch', took_at - greatest(ready_at, looked_at)) as alone) as w
        where cand.rank <= cand.take and not cand.astray and job.state = 'ready'
        for update of job skip locked
    ), moved as (
        update leasehold.job
        set state = 'running', run = run + 1, attempt = attempt + 1, claimed_by = who,
            claimed_at = took_at, first_claimed_at = coalesce(first_claimed_at, took_at),
            charged = held.job_seconds, limited = held.limited,
            waited_limit = waited_limit + held.blocked_seconds,
            waited_worker = waited_worker + held.alone_seconds,
            waited_turn = waited_turn + held.turn_seconds
        from held
        where job.ctid = held.job_at
        returning held.lane_at, held.rank, job_id, run, tenant_id, queue, kind, args, attempt,
            max_attempts, priority, created_at, timeout_seconds, progress, trace_context,
            (waited_turn + waited_limit + waited_worker + waited_parked)::double precision as waited
    ), leased as (
        insert into leasehold.lease (worker_id, claimed_at, job_ids)
        select who, took_at, array_agg(job_id) from moved having count(*) > 0
    ), tally as (
        select lane_at, count(*) filter (where took) as taken,
            count(*) filter (where rank <= take) > count(*) filter (where took) as passed_over,
            max(priority) filter (where rank > take) as next_priority,
            max(place) filter (where rank > take) as next_place
        from (
            select lane_at, rank, take, priority, place, false as took from cand
            union all
            select lane_at, null, null, null, null, true from moved
        ) as each
        group by lane_at
    ), told as (
        update leasehold.lane
        set vt = lane.vt + n.taken * lane.job_seconds / n.weight,
            state = case when n.next_place is null then 'idle' else state end,
            since = case when n.next_place is null then took_at else since end,
            low_priority = case when n.next_priority >= lane.low_priority then n.next_priority
                else lane.low_priority end,
            low_place = case when n.next_priority >= lane.low_priority then n.next_place
                else lane.low_place end,
            urgent_priority = case when n.next_priority < lane.low_priority then n.next_priority end,
            urgent_place = case when n.next_priority < lane.low_priority then n.next_place end
        from (
            select l.at, l.weight, coalesce(t.taken, 0) as taken,
                coalesce(p.priority, t.next_priority) as next_priority,
                coalesce(p.place, t.next_place) as next_place
            from unnest(lanes) as l left join tally as t on t.lane_at = l.at
                left join lateral (
                    select c.priority, c.place from cand as c
                    where t.passed_over and c.lane_at = l.at and not exists (
                        select from moved where moved.lane_at = c.lane_at and moved.rank = c.rank)
                    order by c.rank limit 1) as p on true
        ) as n
        where lane.ctid = n.at
    )
    select job_id, run, tenant_id, queue, kind, args, attempt, max_attempts, priority, created_at,
        took_at, waited, timeout_seconds, progress, trace_context
    from moved;
end $$;

comment on function leasehold.lanes_take is
    'Claims the jobs of locked lanes; jobs picked by nobody else, in order of priority and place';

-- For lanes whose first jobs other sessions hold (a cancel in a transaction that stays open): takes
-- what is behind them. The low mark stays before them, so that they are not forgotten.
create function leasehold.lanes_take_past(
    who uuid, lanes leasehold.open_lane[], apart boolean, looked_at timestamptz
) returns setof leasehold.claimed_job
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set jit = off
set plan_cache_mode = force_generic_plan as $$
declare
    took_at constant timestamptz := clock_timestamp();
begin
    return query
    with held as materialized (
        select l.at as lane_at, l.job_seconds, l.weight, l.limited, c.at as job_at
        from unnest(lanes) as l cross join lateral (
            select job.ctid as at from leasehold.job
            where job.queue = l.queue and job.tenant_id = l.tenant_id
                and job.lane_kind = l.lane_kind and job.place is not null and job.state = 'ready'
                and (not apart or l.lane_kind <> ''
                    or job.kind <> all(array(select kind.kind from leasehold.kind where kind.apart)))
                and (job.priority, job.place) >= (least(l.low_priority, l.urgent_priority),
                    case when l.urgent_priority < l.low_priority then l.urgent_place else l.low_place end)
            order by job.priority, job.place limit l.take for update skip locked) as c
    ), moved as (
        update leasehold.job
        set state = 'running', run = run + 1, attempt = attempt + 1, claimed_by = who,
            claimed_at = took_at, first_claimed_at = coalesce(first_claimed_at, took_at),
            charged = held.job_seconds, limited = held.limited,
            waited_turn = waited_turn
                + date_part('epoch', greatest(ready_at, looked_at) - ready_at),
            waited_worker = waited_worker
                + date_part('epoch', took_at - greatest(ready_at, looked_at))
        from held
        where job.ctid = held.job_at
        returning held.lane_at, held.weight, held.job_seconds, job_id, run, tenant_id, queue, kind,
            args, attempt, max_attempts, priority, created_at, timeout_seconds, progress,
            trace_context,
            (waited_turn + waited_limit + waited_worker + waited_parked)::double precision as waited
    ), leased as (
        insert into leasehold.lease (worker_id, claimed_at, job_ids)
        select who, took_at, array_agg(job_id) from moved having count(*) > 0
    ), told as (
        update leasehold.lane set vt = vt + n.cost
        from (
            select lane_at, sum(job_seconds / weight) as cost from moved group by lane_at) as n
        where lane.ctid = n.lane_at
    )
    select job_id, run, tenant_id, queue, kind, args, attempt, max_attempts, priority, created_at,
        took_at, waited, timeout_seconds, progress, trace_context
    from moved;
end $$;

comment on function leasehold.lanes_take_past is
    'Claims jobs of locked lanes behind those that other sessions hold';
