-- Steering: cancel, retry, park, pause, limits. None of these locks a lane; what lanes must know is
-- written as a letter.

create function leasehold.job_cancel(cancelled bigint, reason text default 'cancelled by request')
returns text
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    of_tenant text;
    why constant jsonb := jsonb_build_object('reason', left(reason, 500));
begin
    select job.tenant_id into of_tenant from leasehold.job where job.job_id = cancelled;
    if not found then
        perform from leasehold.job_history where job_history.job_id = cancelled;
        if found then
            return 'ended';
        end if;
        raise exception 'expected the id of a job, got %', cancelled
            using errcode = 'LH004', hint = 'leasehold jobs list';
    end if;
    if leasehold.job_end(cancelled, 'cancelled', 'cancelled', left(reason, 10000)) then
        perform leasehold.action_note('cancel', 'job', tenant => of_tenant, job => cancelled, detail => why);
        return 'cancelled';
    end if;
    perform from leasehold.job where job.job_id = cancelled;
    if not found then
        return 'ended';
    end if;
    insert into leasehold.job_cancel (job_id, reason) values (cancelled, left(reason, 10000))
    on conflict do nothing;
    perform leasehold.action_note('cancel', 'job', tenant => of_tenant, job => cancelled, detail => why);
    return 'requested';
end $$;

comment on function leasehold.job_cancel is
    'cancelled: it had not started and is gone; requested: it runs, its worker hears of it at the next heartbeat, and however the run ends but by completion, the job does not run again; ended: it had ended';

create function leasehold.job_retry(retried bigint) returns text
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    ended leasehold.job_history;
    live leasehold.job;
begin
    select job.* into live from leasehold.job where job.job_id = retried;
    if found then
        if live.state = 'scheduled' then
            update leasehold.job
            set state = 'ready', due_at = null, run_at = clock_timestamp(), ready_at = clock_timestamp(),
                place = nextval('leasehold.job_place_seq')
            where job.job_id = retried and state = 'scheduled'
                and (sequence_key is null or sequence_live)
            returning job.* into live;
            if found then
                perform leasehold.wake_job(live);
                perform leasehold.action_note('retry', 'job', tenant => live.tenant_id, job => retried);
                return 'ready';
            end if;
        elsif live.park_reason = 'authorization' then
            live := leasehold.job_release(retried);
            perform leasehold.action_note('retry', 'job', tenant => live.tenant_id, job => retried);
        end if;
        return live.state;
    end if;
    delete from leasehold.job_history where ctid = (
        select ctid from leasehold.job_history as h where h.job_id = retried
        order by h.ended_at desc limit 1)
        and job_history.job_id = retried
    returning job_history.* into ended;
    if not found then
        raise exception 'expected the id of a job, got %', retried
            using errcode = 'LH004', hint = 'leasehold jobs list';
    end if;
    insert into leasehold.job (job_id, run, tenant_id, queue, kind, args, priority, max_attempts,
        timeout_seconds, unique_key, sequence_key, trace_context, created_at, last_error_label,
        last_error)
    values (ended.job_id, ended.run, ended.tenant_id, ended.queue, ended.kind, ended.args,
        ended.priority, ended.max_attempts, ended.timeout_seconds, ended.unique_key,
        ended.sequence_key, ended.trace_context, ended.created_at, ended.last_error_label,
        ended.last_error);
    perform leasehold.action_note('retry', 'job', tenant => ended.tenant_id, job => retried);
    return 'ready';
exception when unique_violation then
    raise exception 'expected no live job with the unique key of job %, but there is one', retried
        using errcode = 'LH005', hint = 'cancel that one first, or leave it to do the work';
end $$;

comment on function leasehold.job_retry is
    'Runs a job again: one that ended starts anew under its id with no attempt counted; one that waits for its time or its tenant becomes ready';

create function leasehold.tenant_park(tenant text, reason text, kinds text default '%') returns bigint
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    parked bigint;
begin
    insert into leasehold.tenant_hold (tenant_id, reason, held_at)
    values (tenant, left(tenant_park.reason, 1000), clock_timestamp())
    on conflict (tenant_id) do update
    set reason = excluded.reason, held_at = excluded.held_at, released_at = null;
    update leasehold.job
    set state = 'parked', park_reason = 'authorization', parked_at = clock_timestamp(),
        place = null, due_at = null
    where ctid = any(array(
        select ctid from leasehold.job
        where job.tenant_id = tenant and job.place is not null and job.state = 'ready' and job.kind like kinds
        for update skip locked)
        || array(
        select ctid from leasehold.job
        where job.tenant_id = tenant and job.due_at is not null and job.kind like kinds
        for update skip locked));
    get diagnostics parked = row_count;
    return parked;
end $$;

comment on function leasehold.tenant_park is
    'Parks the waiting jobs of a tenant, for example because its access must be authorized again; no attempt is counted. kinds: a LIKE pattern. Running jobs park themselves when they need what is missing';

create function leasehold.tenant_unpark(tenant text) returns bigint
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    released bigint;
begin
    insert into leasehold.tenant_hold (tenant_id, released_at)
    values (tenant, clock_timestamp())
    on conflict (tenant_id) do update set reason = null, released_at = excluded.released_at;
    select count(leasehold.job_release(j.job_id)) into released
    from (
        select job.job_id from leasehold.job
        where job.tenant_id = tenant and job.park_reason = 'authorization'
        order by job.job_id for update skip locked) as j;
    return released;
end $$;

comment on function leasehold.tenant_unpark is 'Lets the parked jobs of a tenant go on, without an attempt counted; returns how many';

-- Jobs that run already begin to count against the limit of a tenant, a queue or a kind (scope).
--
-- A settle holds some of the running jobs and waits for others; so does this. Whoever steers gives way
-- before the server looks for a deadlock (after a second) and finds a settle to undo: it lets go of what
-- it has locked and begins again.
create function leasehold.limit_begin(scope text, name text) returns void
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set jit = off set lock_timeout = '200ms' as $$
begin
    loop
        begin
            update leasehold.job set limited = true
            where job_id in (select id from leasehold.lease cross join unnest(job_ids) as l(id))
                and claimed_by is not null and not limited
                and case scope when 'tenant' then tenant_id when 'queue' then queue else kind end = name;
            return;
        exception when lock_not_available then
            null;
        end;
    end loop;
end $$;

-- A changed tenant, queue or kind tells its lanes, so that what was closed is looked at again.
create function leasehold.tenant_changed() returns trigger
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
begin
    if new.max_running is not null then
        perform leasehold.limit_begin('tenant', new.tenant_id);
    end if;
    insert into leasehold.wake (tenant_id, queue, lane_kind, purpose, ring)
    select lane.tenant_id, lane.queue, lane.lane_kind, 'look', true
    from leasehold.lane where lane.tenant_id = new.tenant_id;
    return null;
end $$;

create trigger tenant_changed after update on leasehold.tenant for each row
    when ((old.state, old.weight, old.max_running, old.rate_per_second, old.rate_burst)
        is distinct from (new.state, new.weight, new.max_running, new.rate_per_second, new.rate_burst))
    execute function leasehold.tenant_changed();

create function leasehold.queue_changed() returns trigger
language plpgsql
set search_path = pg_catalog set jit = off as $$
begin
    if new.max_running is not null then
        perform leasehold.limit_begin('queue', new.queue);
    end if;
    perform pg_notify('leasehold_wake', new.queue);
    return null;
end $$;

create trigger queue_changed after insert or update on leasehold.queue for each row
    execute function leasehold.queue_changed();

-- Jobs of a kind that is apart wait in lanes of their own; when that changes they move (no index is kept
-- for this: it reads all live jobs). Jobs that are enqueued at the same time and miss the change, in
-- either direction, are moved by the claim that meets them. Gives way like leasehold.limit_begin.
create function leasehold.kind_move(moved_kind text) returns bigint
language plpgsql set search_path = pg_catalog set jit = off set lock_timeout = '200ms' as $$
declare
    total bigint;
    target constant text := coalesce(
        (select kind.kind from leasehold.kind where kind.kind = moved_kind and kind.apart), '');
begin
    loop
        begin
            -- First those that others may be waiting for, before the long look at all.
            perform from leasehold.job
            where job_id in (select id from leasehold.lease cross join unnest(job_ids) as l(id))
                and claimed_by is not null and job.kind = moved_kind and job.lane_kind <> target
            for update;
            with moved as (
                update leasehold.job
                set lane_kind = target,
                    place = case when place is null or claimed_by is not null then place
                        else nextval('leasehold.job_place_seq') end
                where job.kind = moved_kind and job.lane_kind <> target
                returning tenant_id, queue, job_id, place, priority, state
            ), told as (
                insert into leasehold.wake
                    (tenant_id, queue, lane_kind, jobs, first_job_id, place, priority, ring)
                select tenant_id, queue, target, count(*), min(job_id), min(place), min(priority), true
                from moved where state = 'ready' group by tenant_id, queue
            )
            select count(*) into total from moved;
            return total;
        exception when lock_not_available then
            null;
        end;
    end loop;
end $$;

create function leasehold.kind_changed() returns trigger
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
begin
    if tg_op = 'INSERT' and new.apart or tg_op = 'UPDATE' and new.apart is distinct from old.apart then
        -- Before any job is locked: claims that have just opened a lane of the kind end first, so that the
        -- move sees what is in it (leasehold.arrivals_sort).
        perform pg_advisory_xact_lock(hashtext('leasehold.kind'), hashtext(new.kind));
        perform leasehold.kind_move(new.kind);
    end if;
    if new.max_running is not null then
        perform leasehold.limit_begin('kind', new.kind);
    end if;
    -- Also those that will sleep only when this commits.
    perform pg_notify('leasehold_wake', queue)
    from (select distinct unnest(queues) as queue from leasehold.worker where lapsed_at is null) as served;
    return null;
end $$;

create trigger kind_changed after insert or update on leasehold.kind for each row
    execute function leasehold.kind_changed();

create function leasehold.queue_pause(queue text) returns void
language sql set search_path = pg_catalog as $$
    insert into leasehold.queue as q (queue, paused_at) values (queue_pause.queue, clock_timestamp())
    on conflict on constraint queue_pkey do update set paused_at = coalesce(q.paused_at, excluded.paused_at)
$$;

create function leasehold.queue_resume(queue text) returns void
language sql set search_path = pg_catalog as $$
    update leasehold.queue as q set paused_at = null
    where q.queue = queue_resume.queue and paused_at is not null
$$;

create function leasehold.kind_pause(kind text) returns void
language sql set search_path = pg_catalog as $$
    insert into leasehold.kind as k (kind, paused_at) values (kind_pause.kind, clock_timestamp())
    on conflict on constraint kind_pkey do update set paused_at = coalesce(k.paused_at, excluded.paused_at)
$$;

create function leasehold.kind_resume(kind text) returns void
language sql set search_path = pg_catalog as $$
    update leasehold.kind as k set paused_at = null
    where k.kind = kind_resume.kind and paused_at is not null
$$;

comment on function leasehold.queue_pause is 'Enqueuing into the queue goes on; nothing of it is claimed until queue_resume';
comment on function leasehold.kind_pause is 'Jobs of the kind wait, in lanes of their own, until kind_resume';
