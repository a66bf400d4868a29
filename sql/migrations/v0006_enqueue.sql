-- Enqueuing: one SQL call inside the caller's own transaction, from any language.

create function leasehold.refuse_unknown_tenant(tenant text) returns text
language plpgsql set search_path = pg_catalog set jit = off as $$
begin
    raise exception 'expected a known tenant, got "%"', left(tenant, 140)
        using errcode = 'LH001',
            hint = format('leasehold tenants add %s', left(tenant, 140));
end $$;

comment on function leasehold.refuse_unknown_tenant is 'Raises LH001 (unknown tenant); never returns';

-- What holds for every request. The bodies are parsed once, here, so that no search_path can change what
-- they mean, and a caller evaluates them without a call. The pattern has no counted repetition: that
-- makes it ten times as slow.
create function leasehold.name_well_formed(name text) returns boolean
language sql stable
return coalesce(name ~ '^[a-z][a-z0-9._-]*$' and length(name) <= 128, false);

comment on function leasehold.name_well_formed is 'Whether a queue or a kind may have this name';

create function leasehold.job_well_formed(
    args jsonb, priority integer, max_attempts integer, timeout_seconds double precision,
    unique_key text, sequence_key text, trace_context text
) returns boolean
language sql stable
return coalesce(jsonb_typeof(args) = 'object' and pg_column_size(args) <= 1048576
        and priority between -100 and 100 and max_attempts between 1 and 1000, false)
    and coalesce(timeout_seconds > 0, true)
    and coalesce(length(unique_key) between 1 and 500, true)
    and coalesce(length(sequence_key) between 1 and 500, true)
    and coalesce(length(trace_context) <= 2000, true);

comment on function leasehold.job_well_formed is
    'Whether a job may be enqueued like this, its names apart; leasehold.enqueue_check says what is wrong with one that may not';

create function leasehold.enqueue_check(
    kind text, args jsonb, queue text, priority integer, max_attempts integer,
    timeout_after interval, unique_key text, on_duplicate text, idempotency_key text,
    sequence_key text, trace_context text
) returns void
language plpgsql stable set search_path = pg_catalog set jit = off as $$
declare
    name_rule constant text := '1 to 128 of a-z 0-9 . _ -, a letter first';
    got text;
    expected text;
    advice text := 'see sql/README.md, "Enqueue from SQL"';
begin
    case
    when not leasehold.name_well_formed(kind) then
        expected := 'kind to be ' || name_rule;
        got := coalesce('"' || left(kind, 140) || '"', 'null');
        advice := 'for example ''pitchly.sync''';
    when not leasehold.name_well_formed(queue) then
        expected := 'queue to be ' || name_rule;
        got := coalesce('"' || left(queue, 140) || '"', 'null');
        advice := 'leave it out for the queue ''default''';
    when jsonb_typeof(args) is distinct from 'object' then
        expected := 'args to be a JSON object';
        got := coalesce(jsonb_typeof(args), 'null');
        advice := 'wrap it: jsonb_build_object(''value'', ...)';
    when pg_column_size(args) > 1048576 then
        expected := 'args of at most 1 MiB';
        got := pg_column_size(args) || ' bytes';
        advice := 'store the data in a table and put its key into args';
    when priority is null or priority not between -100 and 100 then
        expected := 'priority from -100 (first) to 100 (last)';
        got := coalesce(priority::text, 'null');
    when max_attempts is null or max_attempts not between 1 and 1000 then
        expected := 'max_attempts from 1 to 1000';
        got := coalesce(max_attempts::text, 'null');
    when timeout_after <= interval '0' then
        expected := 'timeout_after to be positive or null';
        got := timeout_after::text;
    when on_duplicate is null or on_duplicate not in ('keep', 'replace', 'reschedule') then
        expected := 'on_duplicate to be keep, replace or reschedule';
        got := coalesce('"' || left(on_duplicate, 140) || '"', 'null');
    when length(unique_key) not between 1 and 500 then
        expected := 'unique_key of 1 to 500 characters';
        got := length(unique_key) || ' characters';
        advice := 'use md5(...) of what makes the job unique';
    when length(idempotency_key) not between 1 and 500 then
        expected := 'idempotency_key of 1 to 500 characters';
        got := length(idempotency_key) || ' characters';
    when length(sequence_key) not between 1 and 500 then
        expected := 'sequence_key of 1 to 500 characters';
        got := length(sequence_key) || ' characters';
    when length(trace_context) > 2000 then
        expected := 'trace_context of at most 2000 characters';
        got := length(trace_context) || ' characters';
    else
        return;
    end case;
    raise exception 'expected %, got %', expected, got using errcode = 'LH002', hint = advice;
end $$;

comment on function leasehold.enqueue_check is 'Raises LH002 with what was expected and what came, if a request is malformed';

-- A trigger before each row would make COPY insert row by row, and its condition would be read anew for
-- every statement: what does not start as ready is put right here.
create function leasehold.job_arrived() returns trigger
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set jit = off set plan_cache_mode = force_generic_plan as $$
declare
    at constant timestamptz := clock_timestamp();
    came record;
begin
    -- One job that came alone and is plainly ready, the common case: one statement without a set.
    insert into leasehold.wake (tenant_id, queue, jobs, first_job_id, place, priority, ring)
    select a.tenant_id, a.queue, 1, a.job_id, a.place, a.priority, true
    from arrived as a, leasehold.tenant
    where (select true from arrived offset 1 limit 1) is null
        and tenant.tenant_id = a.tenant_id and a.state = 'ready' and a.lane_kind = ''
        and a.sequence_key is null and a.run_at <= at
        and leasehold.name_well_formed(a.kind) and leasehold.name_well_formed(a.queue)
        and leasehold.job_well_formed(a.args, a.priority, a.max_attempts, a.timeout_seconds,
            a.unique_key, a.sequence_key, a.trace_context)
        and not exists (select from leasehold.kind where kind.kind = a.kind and kind.apart);
    if found then
        return null;
    end if;

    with part as materialized (
        select tenant_id, queue, kind, lane_kind, w.purpose, sequence_key, count(*) as jobs,
            min(job_id) as first_job_id, min(place) as place, min(priority) as priority,
            bool_or(state = 'ready' and w.purpose is distinct from 'ready') as late,
            bool_and(leasehold.job_well_formed(args, priority, max_attempts, timeout_seconds, unique_key,
                sequence_key, trace_context)) as well_formed
        from arrived cross join lateral (
            select case when state = 'ready' and run_at > at then null
                when state = 'ready' and sequence_key is null then 'ready'
                when state = 'ready' or park_reason = 'sequence' then 'sequence' end as purpose) as w
        group by 1, 2, 3, 4, 5, 6
    ), known as materialized (
        select part.*,
            (select true from leasehold.tenant where tenant.tenant_id = part.tenant_id) is null as stranger,
            (select true from leasehold.kind where kind.kind = part.kind and kind.apart) is true as apart,
            well_formed and leasehold.name_well_formed(kind) and leasehold.name_well_formed(queue) as welcome
        from part
    ), told as (
        insert into leasehold.wake
            (tenant_id, queue, lane_kind, purpose, jobs, first_job_id, place, priority, sequence_key, ring)
        select tenant_id, queue, case when apart then kind else lane_kind end, purpose,
            case purpose when 'ready' then sum(jobs) else 0 end, min(first_job_id),
            case purpose when 'ready' then min(place) else 0 end, min(priority), sequence_key,
            row_number() over (partition by queue) = 1
        from known where purpose is not null
        group by 1, 2, 3, 4, sequence_key
    )
    select bool_or(not welcome) as malformed, min(tenant_id) filter (where stranger) as stranger,
        bool_or(apart and lane_kind = '') as apart, bool_or(late) as late
    into came from known;
    if came.malformed then
        -- The first of them.
        perform leasehold.enqueue_check(a.kind, a.args, a.queue, a.priority, a.max_attempts,
            make_interval(secs => a.timeout_seconds), a.unique_key, 'keep', null, a.sequence_key,
            a.trace_context)
        from arrived as a;
    end if;
    if came.stranger is not null then
        perform leasehold.refuse_unknown_tenant(came.stranger);
    end if;
    if came.apart then
        update leasehold.job
        set lane_kind = job.kind
        from arrived, leasehold.kind
        where arrived.lane_kind = '' and kind.kind = arrived.kind and kind.apart
            and job.job_id = arrived.job_id;
    end if;
    if came.late then
        update leasehold.job
        set state = case when job.run_at > at then 'scheduled' else 'parked' end, place = null,
            due_at = case when job.run_at > at then job.run_at end,
            park_reason = case when job.run_at > at then null else 'sequence' end,
            parked_at = case when job.run_at > at then null else at end
        from arrived
        where arrived.state = 'ready' and (arrived.run_at > at or arrived.sequence_key is not null)
            and job.job_id = arrived.job_id;
    end if;
    return null;
end $$;

comment on function leasehold.job_arrived is
    'After each insert statement on job: schedules and parks what does not start as ready, one wake per tenant, queue and lane; refuses unknown tenants';

create trigger job_arrived after insert on leasehold.job
    referencing new table as arrived
    for each statement execute function leasehold.job_arrived();

-- At commit, not at insert: a worker that fell asleep while the transaction was open is seen. For what
-- remains, between this look and the commit, the transaction holds a lock in its own name, for which
-- nobody waits: a worker that has just fallen asleep sees by it whom it may have missed, and looks for
-- jobs only after they have committed (leasehold.worker_outlook). The lock is taken before the look, in a
-- statement of its own: a statement sees what was there when it began.
create function leasehold.wake_ring() returns trigger
language plpgsql set search_path = pg_catalog set jit = off as $$
declare
    ringing constant boolean := pg_try_advisory_xact_lock_shared(hashtext('leasehold.ring'), pg_backend_pid());
begin
    -- At any other isolation this sees no worker that fell asleep since the transaction began.
    if current_setting('transaction_isolation') <> 'read committed' or exists (
        select from leasehold.worker
        where sleeping_until > clock_timestamp() and new.queue = any(queues)) then
        perform pg_notify('leasehold_wake', new.queue);
    end if;
    return null;
end $$;

comment on function leasehold.wake_ring is
    'Notifies leasehold_wake with the queue as payload, only if a worker sleeps: NOTIFY takes a lock that all committing sessions share';

create constraint trigger wake_ring after insert on leasehold.wake
    deferrable initially deferred for each row when (new.ring)
    execute function leasehold.wake_ring();
