-- Keeping house: retention, and the sweep that repairs what should not be.

create function leasehold.prune(
    keep_history interval default '14 days', keep_idempotency interval default '7 days'
) returns table (what text, removed bigint)
language plpgsql set search_path = pg_catalog set lock_timeout = '200ms' set jit = off as $$
declare
    part record;
    dropped bigint := 0;
    count_removed bigint;
begin
    for part in
        select c.oid::regclass as name, p.relname as parent
        from pg_inherits as i join pg_class as c on c.oid = i.inhrelid
            join pg_class as p on p.oid = i.inhparent
        where p.oid in ('leasehold.job_history'::regclass, 'leasehold.job_attempt'::regclass)
            and to_date(right(c.relname, 8), 'YYYYMMDD')
                < ((clock_timestamp() - keep_history) at time zone 'UTC')::date
        order by c.relname
    loop
        begin
            execute format('drop table %s', part.name);
            dropped := dropped + 1;
        exception when lock_not_available then
            -- Somebody reads it; the next prune gets it.
        end;
    end loop;
    what := 'partitions';
    removed := dropped;
    return next;
    perform leasehold.history_prepare((clock_timestamp() at time zone 'UTC')::date, 3);

    delete from leasehold.job_idempotency where ctid = any(array(
        select ctid from leasehold.job_idempotency
        where created_at < clock_timestamp() - keep_idempotency limit 20000));
    get diagnostics count_removed = row_count;
    what := 'idempotency keys';
    removed := count_removed;
    return next;

    delete from leasehold.worker
    where lapsed_at < clock_timestamp() - interval '1 day'
        and not exists (select from leasehold.lease where lease.worker_id = worker.worker_id);
    get diagnostics count_removed = row_count;
    what := 'workers';
    removed := count_removed;
    return next;

    delete from leasehold.action where action_id = any(array(
        select old.action_id from (
            select action.action_id, done_at from leasehold.action order by action.action_id limit 20000) as old
        where old.done_at < clock_timestamp() - interval '1 year'));
    get diagnostics count_removed = row_count;
    what := 'actions';
    removed := count_removed;
    return next;
end $$;

comment on function leasehold.prune is
    'Drops whole days of history, forgets old idempotency keys and dead workers, makes the partitions of the next days';

-- Every finding is repaired by an ordinary letter or settle. Jobs that became ready in the last
-- seconds are left alone: their letter may be in somebody's hands.
create function leasehold.reconcile(settled_for interval default '30 seconds')
returns table (finding text, found_count bigint)
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    before constant timestamptz := clock_timestamp() - settled_for;
    stale record;
begin
    finding := 'ready jobs that no lane serves';
    with recursive heads as (
        (select queue, tenant_id, lane_kind from leasehold.job
        where place is not null order by tenant_id, queue, lane_kind limit 1)
        union all
        select next.* from heads cross join lateral (
            select job.queue, job.tenant_id, job.lane_kind from leasehold.job
            where job.place is not null
                and (job.tenant_id, job.queue, job.lane_kind) > (heads.tenant_id, heads.queue, heads.lane_kind)
            order by job.tenant_id, job.queue, job.lane_kind limit 1) as next
    ), behind as (
        select h.*, first.priority, first.place, first.job_id
        from heads as h
            left join lateral (
                select lane.state, lane.low_priority, lane.low_place, lane.urgent_priority,
                    lane.urgent_place
                from leasehold.lane
                where lane.tenant_id = h.tenant_id and lane.queue = h.queue
                    and lane.lane_kind = h.lane_kind limit 1) as l on true
            cross join lateral (
                select job.priority, job.place, job.job_id from leasehold.job
                where job.queue = h.queue and job.tenant_id = h.tenant_id
                    and job.lane_kind = h.lane_kind and job.place is not null
                    and job.state = 'ready' and job.ready_at < before
                order by job.priority, job.place limit 1) as first
        where (l.state is null or l.state = 'idle'
                or (first.priority, first.place) < (l.low_priority, l.low_place)
                    and (l.urgent_place is null
                        or (first.priority, first.place) < (l.urgent_priority, l.urgent_place)))
    ), stranded as (
        -- Without those that a letter names. Not an anti-join: that could become one scan of the letters a lane.
        select tenant_id, queue, lane_kind, min(priority) as priority, min(place) as place, min(job_id) as job_id
        from (
            select tenant_id, queue, lane_kind, priority, place, job_id, false as named from behind
            union all
            select w.tenant_id, w.queue, w.lane_kind, null, null, null, true
            from (select distinct queue from behind) as q
                join leasehold.wake as w on w.queue = q.queue and w.purpose = 'ready'
        ) as lane
        group by tenant_id, queue, lane_kind
        having not bool_or(named)
    ), told as (
        insert into leasehold.wake
            (tenant_id, queue, lane_kind, jobs, first_job_id, place, priority, ring)
        select tenant_id, queue, lane_kind, 2, job_id, place, priority, true from stranded
    )
    select count(*) into found_count from stranded;
    return next;

    finding := 'jobs in the lane of another kind';
    select coalesce(sum(leasehold.kind_move(k.kind)), 0) into found_count
    from leasehold.kind as k where k.apart;
    -- Lanes of kinds that need none any more are looked at by nobody. In them lie jobs that were enqueued
    -- at that very moment.
    for stale in
        with recursive kinds as (
            (select queue, lane_kind from leasehold.lane where state = 'open' order by queue, lane_kind limit 1)
            union all
            select next.* from kinds cross join lateral (
                select lane.queue, lane.lane_kind from leasehold.lane
                where state = 'open' and (lane.queue, lane.lane_kind) > (kinds.queue, kinds.lane_kind)
                order by lane.queue, lane.lane_kind limit 1) as next
        )
        select kinds.queue, kinds.lane_kind from kinds
        where lane_kind <> '' and not exists (
            select from leasehold.kind where kind.kind = kinds.lane_kind and kind.apart)
    loop
        found_count := found_count + leasehold.kind_move(stale.lane_kind);
        delete from leasehold.lane where ctid = any(array(
            select lane.ctid from leasehold.lane
            where lane.state = 'open' and lane.queue = stale.queue and lane.lane_kind = stale.lane_kind
                and not exists (select from leasehold.kind where kind.kind = stale.lane_kind and kind.apart)
            for update skip locked));
    end loop;
    return next;

    finding := 'parked jobs of tenants that are not held';
    select count(leasehold.job_release(j.job_id)) into found_count
    from (
        select job.job_id from leasehold.job
        where job.park_reason = 'authorization' and job.parked_at < before
            and exists (select from leasehold.tenant_hold as h
                where h.tenant_id = job.tenant_id and h.released_at > job.parked_at)
        limit 1000 for update skip locked) as j;
    return next;

    finding := 'cancel requests of jobs that do not run';
    select count(*) filter (where leasehold.job_end(c.job_id, 'cancelled', 'cancelled', c.reason))
    into found_count
    from leasehold.job_cancel as c where c.requested_at < before
        and exists (select from leasehold.job where job.job_id = c.job_id and claimed_by is null);
    delete from leasehold.job_cancel as c where c.requested_at < before
        and not exists (select from leasehold.job where job.job_id = c.job_id);
    return next;
end $$;

comment on function leasehold.reconcile is
    'Repairs lanes, letters and parked jobs that disagree with the jobs, and says how many it found; expected is 0 each';
