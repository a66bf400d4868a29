-- The claim, part 1: what arrived. Every statement that runs per claim is written so that its plan
-- cannot flip when a table was analysed while nearly empty: lookups by key are lateral subqueries
-- with a limit, rows found once are reached again by ctid, and sequential scans are off.

create type leasehold.claim_cursor as (
    claimed_at timestamptz,
    full_look_at timestamptz,
    low_xid bigint,
    low_wake_id bigint,
    open_xids bigint[],
    due_from timestamptz,
    floor double precision,
    floor_at timestamptz,
    mark double precision,
    earlier_mark double precision,
    earliest_mark double precision,
    marked_at timestamptz,
    contended boolean
);

comment on type leasehold.claim_cursor is
    'What a session remembers between claims, in its setting leasehold.cursor_HASH-OF-QUEUES. It saves work and nothing else: it may be lost at any time';

create function leasehold.cursor_read(queues text[]) returns leasehold.claim_cursor
language sql stable
return nullif(current_setting('leasehold.cursor_' || md5(array_to_string(queues, ' ')), true), '')::leasehold.claim_cursor;

comment on function leasehold.cursor_read is 'What this session remembers of its last claim from these queues, or null';

create type leasehold.claim_scope as (queue text, lane_kind text, bounded boolean, counted boolean);

comment on type leasehold.claim_scope is
    'The ordinary lanes of one queue, or those of one kind that is apart; bounded: a limit of the queue or the kind is to be kept; counted: a limit of running jobs is among them';

create type leasehold.arrival as (
    tenant_id text,
    queue text,
    lane_kind text,
    jobs bigint,
    first_job_id bigint,
    priority smallint,
    place bigint,
    ran_seconds double precision,
    charged_seconds double precision,
    settled bigint,
    look boolean
);

create type leasehold.claimed_job as (
    job_id bigint,
    run bigint,
    tenant_id text,
    queue text,
    kind text,
    args jsonb,
    attempt smallint,
    max_attempts smallint,
    priority smallint,
    created_at timestamptz,
    claimed_at timestamptz,
    waited_seconds double precision,
    timeout_seconds real,
    progress jsonb,
    trace_context text
);

-- Puts jobs whose time has come into their lanes' order. What committed later than its run_at is
-- found by the whole look that a session takes every few seconds.
create function leasehold.claim_due(since timestamptz, most integer) returns bigint
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set jit = off set plan_cache_mode = force_generic_plan as $$
declare
    due_now constant timestamptz := clock_timestamp();
    total bigint;
begin
    perform from leasehold.job
    where due_at >= since and due_at <= due_now
    order by due_at limit 1;
    if not found then
        return 0;
    end if;
    with due as materialized (
        select ctid as at from leasehold.job
        where due_at >= since and due_at <= due_now
        order by due_at, job_id
        limit most for update skip locked
    ), moved as (
        update leasehold.job
        set state = case when sequence_key is not null and not sequence_live then 'parked' else 'ready' end,
            park_reason = case when sequence_key is not null and not sequence_live then 'sequence' end,
            parked_at = case when sequence_key is not null and not sequence_live then due_now end,
            ready_at = run_at, due_at = null,
            place = case when sequence_key is null or sequence_live
                then nextval('leasehold.job_place_seq') end
        from due
        where job.ctid = due.at
        returning tenant_id, queue, lane_kind, state, job_id, place, priority,
            case state when 'parked' then sequence_key end as sequence_key
    ), told as (
        insert into leasehold.wake (tenant_id, queue, lane_kind, purpose, jobs, first_job_id, place,
            priority, sequence_key, ring)
        select tenant_id, queue, lane_kind, case state when 'ready' then 'ready' else 'sequence' end,
            count(*) filter (where state = 'ready'), min(job_id), coalesce(min(place), 0), min(priority),
            sequence_key, row_number() over (partition by queue) = 1
        from moved
        group by tenant_id, queue, lane_kind, state, sequence_key
    )
    select count(*) into total from moved;
    return total;
end $$;

comment on function leasehold.claim_due is 'Moves due jobs to ready, at most so many, and returns how many';

-- Letters of the queues that the last snapshot of this session could not see: those of later
-- transactions, and those of transactions that were open then.
create function leasehold.claim_letters(
    queues text[], most integer, inout mem leasehold.claim_cursor,
    out arrivals leasehold.arrival[], out sequences leasehold.wake[], out dependents leasehold.wake[],
    out complete boolean
)
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set jit = off set plan_cache_mode = force_generic_plan as $$
declare
    seen constant pg_snapshot := pg_current_snapshot();
    found_at tid[];
    more_at tid[];
    own_xid constant bigint[] := array(select x::text::bigint
        from pg_current_xact_id_if_assigned() as x where x is not null);
    last_xid bigint;
    last_id bigint;
begin
    select array_agg(w.at order by w.xid, w.wake_id), max(w.xid),
        (array_agg(w.wake_id order by w.xid desc, w.wake_id desc))[1]
    into found_at, last_xid, last_id
    from unnest(queues) as q(queue) cross join lateral (
        select wake.ctid as at, wake.xid, wake.wake_id from leasehold.wake
        where wake.queue = q.queue and (wake.xid, wake.wake_id) > (mem.low_xid, mem.low_wake_id)
        order by wake.xid, wake.wake_id
        limit most for update skip locked) as w;
    complete := coalesce(cardinality(found_at), 0) < most;
    if cardinality(mem.open_xids) > 0 then
        select array_agg(w.at) into more_at
        from unnest(queues) as q(queue) cross join unnest(mem.open_xids) as open(xid)
            cross join lateral (
                select wake.ctid as at from leasehold.wake
                where wake.queue = q.queue and wake.xid = open.xid
                limit most for update skip locked) as w;
        found_at := found_at || more_at;
    end if;
    if complete and coalesce(cardinality(more_at), 0) < most then
        mem.low_xid := pg_snapshot_xmax(seen)::text::bigint;
        mem.low_wake_id := 0;
        mem.open_xids := array(select x::text::bigint from pg_snapshot_xip(seen) as x) || own_xid;
    elsif cardinality(queues) = 1 and not complete then
        mem.open_xids := mem.open_xids || array(
            select x::text::bigint from pg_snapshot_xip(seen) as x
            where x::text::bigint <= last_xid and x::text::bigint > mem.low_xid) || own_xid;
        mem.low_xid := last_xid;
        mem.low_wake_id := last_id;
    end if;
    if found_at is null then
        return;
    end if;
    with gone as (
        delete from leasehold.wake using unnest(found_at) as f(at)
        where wake.ctid = f.at returning wake.*
    ), ordinary as (
        select tenant_id, queue, lane_kind, sum(jobs), min(first_job_id) filter (where jobs > 0),
            min(priority) filter (where jobs > 0), min(place) filter (where jobs > 0),
            sum(ran_seconds), sum(charged_seconds), sum(settled), bool_or(purpose = 'look')
        from gone where purpose in ('ready', 'look', 'charge')
        group by tenant_id, queue, lane_kind
    )
    select (select array_agg(row(o.*)::leasehold.arrival) from ordinary as o),
        (select array_agg(g) from gone as g where purpose = 'sequence'),
        (select array_agg(g) from gone as g where purpose = 'dependency')
    into arrivals, sequences, dependents;
end $$;

comment on function leasehold.claim_letters is
    'Reads and deletes letters: arrivals by lane, and those that need a check of a sequence key or a dependency';

-- The short way for a worker that a notification has just woken, when all that waits is a few single jobs
-- and fits into this claim: no lane is open or about to be, no job comes due, no limit is to be kept. Then
-- there is nothing to be fair about. What is found out to be otherwise is left to the next claim, which
-- comes at once. One statement, because setting one up is what a claim of one job costs: halves the time
-- from an enqueue to its start.
create function leasehold.claim_woken(who uuid, queues text[], most integer)
returns setof leasehold.claimed_job
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set jit = off set plan_cache_mode = force_generic_plan as $$
declare
    took_at constant timestamptz := clock_timestamp();
    mem constant leasehold.claim_cursor := leasehold.cursor_read(queues);
begin
    return query
    with letter as materialized (
        select w.*
        from unnest(queues) as q(queue) cross join lateral (
            select wake.ctid as at, wake.tenant_id, wake.queue, wake.first_job_id from leasehold.wake
            where wake.queue = q.queue
                and (wake.xid, wake.wake_id) > (mem.low_xid, mem.low_wake_id)
                and wake.purpose = 'ready' and wake.jobs = 1 and wake.lane_kind = ''
            order by wake.xid, wake.wake_id
            limit most + 1 for update skip locked) as w
        where exists (select from leasehold.worker where worker_id = who and lapsed_at is null)
            and not exists (select from leasehold.lane
                where lane.queue = any(queues) and lane.state = 'open' and lane.vt >= mem.earliest_mark)
            and not exists (select from leasehold.lane where lane.look_at <= took_at)
            and not exists (select from leasehold.job
                where job.due_at >= mem.due_from and job.due_at <= took_at)
            and not exists (select from leasehold.queue
                where paused_at is not null or max_running is not null or rate_per_second is not null)
            and not exists (select from leasehold.kind where kind.apart)
    ), held as materialized (
        select letter.at as letter_at, j.at
        from letter
            cross join lateral (
                select from leasehold.tenant
                where tenant.tenant_id = letter.tenant_id and tenant.state = 'active'
                    and tenant.max_running is null and tenant.rate_per_second is null
                limit 1) as t
            cross join lateral (
                select job.ctid as at from leasehold.job
                where job.job_id = letter.first_job_id and job.state = 'ready'
                limit 1 for update skip locked) as j
        where (select count(*) from letter) <= most
            and (select 1 from leasehold.lane
                where lane.tenant_id = letter.tenant_id and lane.queue = letter.queue and lane.lane_kind = ''
                limit 1) is null
    ), moved as (
        update leasehold.job
        set state = 'running', run = run + 1, attempt = attempt + 1, claimed_by = who,
            claimed_at = took_at, first_claimed_at = coalesce(first_claimed_at, took_at),
            charged = 0.001,
            waited_turn = waited_turn
                + date_part('epoch', greatest(ready_at, mem.claimed_at) - ready_at),
            waited_worker = waited_worker
                + date_part('epoch', took_at - greatest(ready_at, mem.claimed_at))
        from held
        where job.ctid = held.at
        returning held.letter_at, job_id, run, tenant_id, queue, kind, args, attempt, max_attempts,
            priority, created_at, timeout_seconds, progress, trace_context,
            (waited_turn + waited_limit + waited_worker + waited_parked)::double precision as waited
    ), gone as (
        delete from leasehold.wake where ctid = any(array(select letter_at from moved))
    ), leased as (
        insert into leasehold.lease (worker_id, claimed_at, job_ids)
        select who, took_at, array_agg(job_id) from moved having count(*) > 0
    )
    select job_id, run, tenant_id, queue, kind, args, attempt, max_attempts, priority, created_at, took_at,
        waited, timeout_seconds, progress, trace_context
    from moved;
end $$;

comment on function leasehold.claim_woken is
    'Claims single jobs while no line waits and all of them fit; returns none if that is not so';

-- The jobs of tenants that have no lane and sent one job each: claimed by primary key, so that a
-- sparse tenant never stands in a line.
create function leasehold.claim_direct(
    who uuid, arrivals leasehold.arrival[], scopes leasehold.claim_scope[], apart boolean, most integer,
    mem leasehold.claim_cursor
) returns leasehold.claimed_job[]
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set jit = off set plan_cache_mode = force_generic_plan as $$
declare
    took_at constant timestamptz := clock_timestamp();
    looked_at constant timestamptz := coalesce(mem.claimed_at, '-infinity');
    taken leasehold.claimed_job[];
begin
    with sparse as materialized (
        select j.at
        from unnest(arrivals) as a
            cross join lateral (
                select from leasehold.tenant
                where tenant.tenant_id = a.tenant_id and tenant.state = 'active'
                    and tenant.max_running is null and tenant.rate_per_second is null
                limit 1) as t
            cross join lateral (
                select job.ctid as at from leasehold.job
                where job.job_id = a.first_job_id and job.claimed_by is null
                    and (not apart
                        or job.kind <> all(array(select kind.kind from leasehold.kind where kind.apart)))
                limit 1) as j
        where a.jobs = 1 and a.lane_kind = ''
            and exists (select from unnest(scopes) as s
                where s.queue = a.queue and s.lane_kind = '' and not s.bounded)
            and (select 1 from leasehold.lane
                where lane.tenant_id = a.tenant_id and lane.queue = a.queue and lane.lane_kind = ''
                limit 1) is null
        order by a.priority, a.place
        limit most
    ), held as materialized (
        select job.ctid as at from sparse join leasehold.job on job.ctid = sparse.at
        where job.state = 'ready'
        for update of job skip locked
    ), moved as (
        update leasehold.job
        set state = 'running', run = run + 1, attempt = attempt + 1, claimed_by = who,
            claimed_at = took_at, first_claimed_at = coalesce(first_claimed_at, took_at),
            charged = 0.001,
            waited_turn = waited_turn
                + date_part('epoch', greatest(ready_at, looked_at) - ready_at),
            waited_worker = waited_worker
                + date_part('epoch', took_at - greatest(ready_at, looked_at))
        from held
        where job.ctid = held.at
        returning job_id, run, tenant_id, queue, kind, args, attempt, max_attempts, priority,
            created_at, claimed_at,
            (waited_turn + waited_limit + waited_worker + waited_parked)::double precision,
            timeout_seconds, progress, trace_context
    ), leased as (
        insert into leasehold.lease (worker_id, claimed_at, job_ids)
        select who, took_at, array_agg(job_id) from moved having count(*) > 0
    )
    select array_agg(row(moved.*)::leasehold.claimed_job) into taken from moved;
    return taken;
end $$;

comment on function leasehold.claim_direct is 'Claims jobs of tenants without a lane';

create function leasehold.arrivals_merge(arrivals leasehold.arrival[]) returns leasehold.arrival[]
language sql set search_path = pg_catalog as $$
    select array_agg(row(m.*)::leasehold.arrival)
    from (
        select tenant_id, queue, lane_kind, sum(jobs)::bigint, min(first_job_id) filter (where jobs > 0),
            min(priority) filter (where jobs > 0), min(place) filter (where jobs > 0),
            sum(ran_seconds), sum(charged_seconds), sum(settled)::bigint, bool_or(look)
        from unnest(arrivals) group by tenant_id, queue, lane_kind) as m
$$;

comment on function leasehold.arrivals_merge is 'One arrival a lane';
