-- Workers: a process says that it lives by its heartbeat; whoever stops is rescued by the others.
-- There is no leader: any worker does all of this.

create function leasehold.worker_register(
    who uuid, name text, host text, process_id integer, version text, queues text[], kinds text[],
    concurrency integer, lapse_seconds double precision
) returns void
language plpgsql set search_path = pg_catalog set jit = off as $$
declare
    bad text;
begin
    select q into bad from unnest(queues) as q
    where q is null or q !~ '^[a-z][a-z0-9._-]{0,127}$' limit 1;
    if found then
        raise exception 'expected queues of 1 to 128 of a-z 0-9 . _ -, a letter first, got %',
            coalesce('"' || left(bad, 140) || '"', 'null') using errcode = 'LH002';
    end if;
    insert into leasehold.worker (worker_id, name, host, process_id, version, queues, kinds,
        concurrency, lapse_seconds)
    values (who, name, host, worker_register.process_id, worker_register.version,
        worker_register.queues, coalesce(worker_register.kinds, '{}'), worker_register.concurrency,
        worker_register.lapse_seconds);
end $$;

comment on function leasehold.worker_register is
    'Adds one life of a worker process. Without a heartbeat for lapse_seconds its jobs are given to others';

-- oldest_running: when the oldest job that the worker still runs was claimed; its leases from before
-- are done with. Null: look at each job.
create function leasehold.worker_heartbeat(
    who uuid, oldest_running timestamptz default null,
    out alive boolean, out cancel_job_ids bigint[], out cancel_runs bigint[]
)
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
begin
    update leasehold.worker set heartbeat_at = clock_timestamp()
    where worker_id = who and lapsed_at is null;
    alive := found;
    cancel_job_ids := '{}';
    cancel_runs := '{}';
    if not alive then
        return;
    end if;
    if oldest_running is not null then
        delete from leasehold.lease where worker_id = who and claimed_at < oldest_running;
    else
        delete from leasehold.lease
        where worker_id = who and claimed_at < clock_timestamp() - interval '1 second'
            and not exists (
                select from unnest(job_ids) as l(id) cross join lateral (
                    select from leasehold.job
                    where job.job_id = l.id and job.claimed_by = who limit 1) as j);
    end if;
    select coalesce(array_agg(c.job_id order by c.job_id), '{}'),
        coalesce(array_agg(j.run order by c.job_id), '{}')
    into cancel_job_ids, cancel_runs
    from leasehold.job_cancel as c cross join lateral (
        select job.run from leasehold.job
        where job.job_id = c.job_id and job.claimed_by = who limit 1) as j;
end $$;

comment on function leasehold.worker_heartbeat is
    'alive false: the worker has lapsed, others may run its jobs, and it must stop them. cancel_job_ids: its running jobs that somebody asked to cancel; asked again at every heartbeat until they end';

create function leasehold.worker_sleep(who uuid, seconds double precision) returns void
language sql set search_path = pg_catalog as $$
    update leasehold.worker set sleeping_until = clock_timestamp() + make_interval(secs => seconds)
    where worker_id = who and lapsed_at is null
$$;

comment on function leasehold.worker_sleep is
    'From its commit on, an enqueue for the worker''s queues notifies leasehold_wake. The worker then calls worker_outlook and claims once more before it sleeps';

create function leasehold.worker_wake(who uuid) returns void
language sql set search_path = pg_catalog as $$
    update leasehold.worker set sleeping_until = null
    where worker_id = who and sleeping_until is not null
$$;

create function leasehold.wake_ringing() returns text[]
language sql volatile set search_path = pg_catalog as $$
    select array(
        select held.virtualtransaction from pg_locks as held
        where held.locktype = 'advisory' and held.objsubid = 2
            and held.classid = hashtext('leasehold.ring')::oid and held.pid is distinct from pg_backend_pid()
            and held.database = (select oid from pg_database where datname = current_database()))
$$;

comment on function leasehold.wake_ringing is
    'Transactions that have looked for sleeping workers and have not ended';

-- To be called after worker_sleep and before the last claim. Waits for those who have looked for sleepers
-- (leasehold.wake_ring) and have not committed yet: what they bring, the claim finds, and whoever looks
-- later sees the sleeper. That is the time of a commit. in_flight: one of them takes longer (it was told
-- to look before its end, or is prepared for a two-phase commit); until it has ended, the worker asks
-- again with short, growing pauses.
create function leasehold.worker_outlook(out next_due timestamptz, out in_flight boolean)
language plpgsql set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    ringing text[] := leasehold.wake_ringing();
    looks integer := 0;
begin
    while ringing <> '{}' and looks < 50 loop
        perform pg_sleep(0.002);
        ringing := array(
            select r.one from unnest(leasehold.wake_ringing()) as r(one) where r.one = any(ringing));
        looks := looks + 1;
    end loop;
    in_flight := ringing <> '{}';
    next_due := least(
        (select due_at from leasehold.job where due_at is not null order by due_at limit 1),
        (select look_at from leasehold.lane where look_at is not null order by look_at limit 1));
end $$;

comment on function leasehold.worker_outlook is 'When the next job is due or lane opens, and whether a sleeper may miss a notification';

create function leasehold.worker_stop(who uuid) returns void
language sql set search_path = pg_catalog as $$
    update leasehold.worker set stopping_at = coalesce(stopping_at, clock_timestamp()), sleeping_until = null
    where worker_id = who
$$;

comment on function leasehold.worker_stop is 'Notes that the worker claims no more and finishes what it runs';

create function leasehold.worker_jobs(who uuid, out job_ids bigint[], out runs bigint[])
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
begin
    select array_agg(j.job_id), array_agg(j.run) into job_ids, runs
    from (
        select distinct l.id from leasehold.lease cross join unnest(lease.job_ids) as l(id)
        where lease.worker_id = who) as l
        cross join lateral (
            select job.job_id, job.run from leasehold.job
            where job.job_id = l.id and job.claimed_by = who limit 1) as j;
end $$;

comment on function leasehold.worker_jobs is 'What a worker runs, found by its leases';

create function leasehold.worker_unregister(who uuid) returns bigint
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    held record;
    handed_back bigint := 0;
begin
    select * into held from leasehold.worker_jobs(who);
    if held.job_ids is not null then
        select count(*) into handed_back
        from leasehold.job_settle(held.job_ids, held.runs,
            array_fill('hand_back'::text, array[cardinality(held.job_ids)]));
    end if;
    delete from leasehold.lease where worker_id = who;
    delete from leasehold.worker where worker_id = who and lapsed_at is null;
    return handed_back;
end $$;

comment on function leasehold.worker_unregister is
    'The worker goes: what it still runs goes back at once without counting the attempt; returns how many jobs';

create function leasehold.worker_rescue()
returns table (worker_id uuid, job_id bigint, run bigint, fate text)
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    dead leasehold.worker;
    gone uuid;
    held record;
begin
    update leasehold.worker set lapsed_at = clock_timestamp(), sleeping_until = null
    where ctid = any(array(
        select ctid from leasehold.worker as w
        where w.lapsed_at is null
            and w.heartbeat_at < clock_timestamp() - make_interval(secs => w.lapse_seconds)
        for update skip locked));
    for dead in
        select w.* from leasehold.worker as w
        where w.lapsed_at is not null and (
            select true from leasehold.lease where lease.worker_id = w.worker_id limit 1)
        order by w.worker_id for update skip locked
    loop
        select * into held from leasehold.worker_jobs(dead.worker_id);
        if held.job_ids is not null then
            return query select dead.worker_id, s.job_id, s.run, s.fate
            from leasehold.job_settle(held.job_ids, held.runs,
                array_fill('kill'::text, array[cardinality(held.job_ids)]),
                labels => array_fill('worker_died'::text, array[cardinality(held.job_ids)]),
                errors => array_fill(format('worker %s (%s on %s) stopped giving signs of life',
                    dead.worker_id, dead.name, dead.host), array[cardinality(held.job_ids)])) as s;
        end if;
        delete from leasehold.lease where lease.worker_id = dead.worker_id
            and lease.claimed_at < clock_timestamp() - interval '1 minute';
    end loop;
    -- A claim that nobody waited for any more may commit after its worker has signed off: nobody runs
    -- what it took, so no attempt is counted.
    for gone in
        select distinct l.worker_id from leasehold.lease as l
        where (select true from leasehold.worker as w where w.worker_id = l.worker_id limit 1) is null
    loop
        select * into held from leasehold.worker_jobs(gone);
        if held.job_ids is not null then
            return query select gone, s.job_id, s.run, s.fate
            from leasehold.job_settle(held.job_ids, held.runs,
                array_fill('hand_back'::text, array[cardinality(held.job_ids)])) as s;
        end if;
        delete from leasehold.lease where lease.worker_id = gone
            and lease.claimed_at < clock_timestamp() - interval '1 minute';
    end loop;
end $$;

comment on function leasehold.worker_rescue is
    'Declares workers without a heartbeat lapsed and gives their jobs to others, and hands back what a worker that has signed off still counts for. It goes by the worker''s sign of life, never by how long a job runs, and is fenced by the run like every settle';
