-- leasehold.job_settle: ends runs, many in one statement.

create function leasehold.job_settle(
    job_ids bigint[], runs bigint[], outcomes text[], delays double precision[] default null,
    labels text[] default null, errors text[] default null, ran double precision[] default null
) returns table (job_id bigint, run bigint, fate text)
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set jit = off
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    ended_at constant timestamptz := clock_timestamp();
    depended constant boolean := exists (select from leasehold.job_dependency);
    cancelling constant boolean := exists (select from leasehold.job_cancel);
    bad text;
    done integer;
    open integer := coalesce(cardinality(job_ids), 0);
begin
    select o into bad from unnest(outcomes) as o
    where o is null or o not in
        ('complete', 'retry', 'snooze', 'park', 'discard', 'cancel', 'hand_back', 'kill') limit 1;
    if found then
        raise exception 'expected an outcome of complete, retry, snooze, park, discard, cancel or hand_back, got %',
            coalesce('"' || left(bad, 140) || '"', 'null') using errcode = 'LH002';
    end if;
    if to_regclass('leasehold.job_history_' || to_char(ended_at at time zone 'UTC', 'YYYYMMDD')) is null then
        perform leasehold.history_prepare((ended_at at time zone 'UTC')::date, 3);
    end if;
    if 'park' = any(outcomes) then
        perform leasehold.settle_park_guard(job_ids);
    end if;
    -- A row that another session changed meanwhile (progress, a cancel request) is missed by its old
    -- ctid; the next round finds it, unless the run is over.
    loop
        return query with chosen as materialized (
            select s.*, j.at, j.claimed_by as worker_id, j.limited as was_limited,
                case
                when s.outcome = 'complete' then 'completed'
                when s.outcome = 'discard' then 'discarded'
                when s.outcome = 'cancel' or cancelling and exists (
                    select from leasehold.job_cancel where job_cancel.job_id = s.job_id) then 'cancelled'
                when s.outcome in ('retry', 'kill') and j.attempt >= j.max_attempts
                    or s.outcome = 'kill' and j.kills >= 2 then 'discarded'
                when s.outcome = 'park' and not exists (
                    select from leasehold.tenant_hold
                    where tenant_hold.tenant_id = j.tenant_id
                        and tenant_hold.released_at > j.claimed_at) then 'parked'
                when s.outcome in ('park', 'hand_back') or s.delay <= 0
                    or s.outcome = 'kill' and j.kills = 0 then 'ready'
                else 'scheduled' end as fate,
                ended_at + make_interval(secs => least(31536000, greatest(0, coalesce(s.delay,
                    case s.outcome when 'retry' then leasehold.retry_delay(j.kind, j.attempt)
                        when 'kill' then leasehold.retry_delay(j.kind, j.kills + 1)
                        else 60 end)))) as due
            from unnest(job_ids, runs, outcomes, delays, labels, errors, ran)
                    as s(job_id, run, outcome, delay, label, error, ran)
                cross join lateral (
                    select job.ctid as at, job.tenant_id, job.kind, job.claimed_at, job.claimed_by,
                        job.attempt, job.max_attempts, job.kills, job.limited
                    from leasehold.job
                    where job.job_id = s.job_id and job.run = s.run and job.claimed_by is not null
                    limit 1) as j
            order by s.job_id
        ), gone as (
            delete from leasehold.job using chosen
            where job.ctid = chosen.at and chosen.fate in ('completed', 'discarded', 'cancelled')
            returning job.*, chosen.fate, chosen.outcome, chosen.label, chosen.error,
                coalesce(chosen.ran, date_part('epoch', ended_at - job.claimed_at)) as ran
        ), recorded as (
            insert into leasehold.job_history (job_id, ended_at, created_at, run_at,
                first_claimed_at, claimed_at, run, worker_id, run_seconds, waited_turn, waited_limit,
                waited_worker, waited_parked, timeout_seconds, priority, attempt, max_attempts, kills,
                tenant_id, queue, kind, outcome, args, unique_key, sequence_key, trace_context,
                last_error_label, last_error, progress)
            select job_id, ended_at, created_at, run_at, first_claimed_at, claimed_at, run,
                claimed_by, ran, waited_turn, waited_limit, waited_worker, waited_parked,
                timeout_seconds, priority, attempt, max_attempts,
                kills + (outcome = 'kill')::integer, tenant_id, queue, kind, fate, args, unique_key,
                sequence_key, trace_context,
                case fate when 'completed' then null else coalesce(label, last_error_label) end,
                case fate when 'completed' then null else coalesce(left(error, 10000), last_error) end,
                progress
            from gone
        ), kept as (
            update leasehold.job
            set state = chosen.fate, claimed_by = null, limited = false,
                run_at = case chosen.fate when 'scheduled' then chosen.due else run_at end,
                due_at = case chosen.fate when 'scheduled' then chosen.due end,
                ready_at = case chosen.fate when 'ready' then ended_at else ready_at end,
                place = case chosen.fate when 'ready' then nextval('leasehold.job_place_seq') end,
                park_reason = case chosen.fate when 'parked' then 'authorization' end,
                parked_at = case chosen.fate when 'parked' then ended_at end,
                attempt = case when chosen.outcome in ('retry', 'kill') then attempt
                    else greatest(0, attempt - 1) end,
                kills = kills + (chosen.outcome = 'kill')::integer,
                last_error_label = coalesce(chosen.label, last_error_label),
                last_error = coalesce(left(chosen.error, 10000), last_error)
            from chosen
            where job.ctid = chosen.at and chosen.fate in ('scheduled', 'ready', 'parked')
            returning job.*, chosen.worker_id, chosen.was_limited, chosen.fate, chosen.outcome, chosen.label, chosen.error,
                coalesce(chosen.ran, date_part('epoch', ended_at - job.claimed_at)) as ran
        ), failed as (
            insert into leasehold.job_attempt (job_id, ended_at, attempt, run, started_at, worker_id,
                tenant_id, queue, kind, outcome, error_label, error, fingerprint)
            select job_id, ended_at, attempt, run, claimed_at, worker_id, tenant_id, queue, kind,
                outcome, label, left(error, 10000), leasehold.error_fingerprint(kind, label, error)
            from (
                select job_id, attempt, run, claimed_at, claimed_by as worker_id, tenant_id, queue,
                    kind, outcome, label, error
                from gone where outcome in ('retry', 'discard', 'kill')
                union all
                select job_id, attempt, run, claimed_at, worker_id, tenant_id, queue,
                    kind, outcome, label, error
                from kept where outcome in ('retry', 'discard', 'kill')
            ) as f
        ), lettered as (
            insert into leasehold.wake (tenant_id, queue, lane_kind, purpose, ran_seconds,
                charged_seconds, settled, ring)
            select u.tenant_id, l.queue, l.lane_kind, case when u.limited then 'look' else 'charge' end,
                case when l.own then u.charged + u.difference else 0 end,
                case when l.own then u.charged else 0 end, case when l.own then u.settled else 0 end,
                u.limited
            from (
                -- A difference below two milliseconds is not worth a letter and must not be lost: it
                -- is sent as two milliseconds by one settle of so many as it goes into them. Which
                -- one: multiples of the golden ratio are spread evenly, whichever jobs a lane settles.
                select tenant_id, queue, lane_kind, charged, settled, limited,
                    case when abs(ran - charged) >= 0.002 or limited then ran - charged
                        when (drawn * 0.6180339887498949) % 1 < abs(ran - charged) / 0.002
                            then 0.002 * sign(ran - charged) end as difference
                from (
                    select tenant_id, queue, lane_kind, sum(greatest(ran, 0.001)) as ran,
                        sum(charged)::double precision as charged, count(*) as settled,
                        bool_or(limited) as limited, min(job_id + run)::numeric as drawn
                    from (
                        select job_id, run, tenant_id, queue, lane_kind, ran, charged, limited from gone
                        union all
                        select job_id, run, tenant_id, queue, lane_kind, ran, charged, was_limited from kept
                    ) as run
                    group by tenant_id, queue, lane_kind
                ) as run
            ) as u
                cross join lateral (
                    select lane.queue, lane.lane_kind,
                        (lane.queue, lane.lane_kind) = (u.queue, u.lane_kind) as own
                    from leasehold.lane
                    where lane.tenant_id = u.tenant_id
                        and (u.limited or lane.queue = u.queue and lane.lane_kind = u.lane_kind)
                    union select u.queue, u.lane_kind, true where u.limited) as l
            where u.difference is not null
        ), sequenced as (
            insert into leasehold.wake (tenant_id, queue, lane_kind, purpose, sequence_key, ring)
            select tenant_id, queue, lane_kind, 'sequence', sequence_key, true
            from gone where sequence_key is not null
        ), woken as (
            insert into leasehold.wake
                (tenant_id, queue, lane_kind, jobs, first_job_id, place, priority, ring)
            select tenant_id, queue, lane_kind, count(*), min(job_id), min(place), min(priority),
                row_number() over (partition by queue) = 1
            from kept where place is not null
            group by tenant_id, queue, lane_kind
        ), freed as (
            insert into leasehold.wake (tenant_id, queue, purpose, first_job_id, ring)
            select d.tenant_id, d.queue, 'dependency', d.job_id, true
            from gone cross join lateral (
                select job.tenant_id, job.queue, job.job_id
                from leasehold.job_dependency join leasehold.job using (job_id)
                where job_dependency.needs_job_id = gone.job_id) as d
            where depended
        ), answered as (
            delete from leasehold.job_cancel
            where cancelling and job_cancel.job_id = any(array(select gone.job_id from gone))
        ), repeated as (
            insert into leasehold.job (tenant_id, queue, kind, args, unique_key, sequence_key,
                priority, max_attempts, timeout_seconds, trace_context, run_at, ready_at)
            select tenant_id, queue, kind, again -> 'args', unique_key, sequence_key,
                (again ->> 'priority')::smallint, (again ->> 'max_attempts')::smallint,
                (again ->> 'timeout_seconds')::real, again ->> 'trace_context',
                (again ->> 'run_at')::timestamptz,
                greatest((again ->> 'run_at')::timestamptz, ended_at)
            from gone where again is not null
        )
        select job_id, run, fate from gone union all select job_id, run, fate from kept;
        get diagnostics done = row_count;
        open := open - done;
        exit when open <= 0;
        -- A round that found nothing ends it only if no run of the batch is current any more: all of
        -- them may have been changed meanwhile.
        exit when done = 0 and not exists (
            select from unnest(job_ids, runs) as s(job_id, run)
                cross join lateral (
                    select from leasehold.job
                    where job.job_id = s.job_id and job.run = s.run and job.claimed_by is not null
                    limit 1) as current);
    end loop;
end $$;

comment on function leasehold.job_settle is
    'Ends runs. Outcomes: complete; retry (counted, after delay or with back-off); snooze (not counted, after delay); park (not counted, until the tenant is unparked); discard; cancel; hand_back (not counted, at once); kill (the worker died: counted, the third discards). Returns the runs that were settled and what became of their jobs; a run that is missing was not the current one';
