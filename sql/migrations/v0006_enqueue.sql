-- Enqueuing: one SQL call inside the caller's own transaction, from any language.

create function leasehold.refuse_unknown_tenant(tenant text) returns text
language plpgsql set search_path = pg_catalog set jit = off as $$
begin
    raise exception 'expected a known tenant, got "%"', left(tenant, 140)
        using errcode = 'LH001',
            hint = format('leasehold tenants add %s', left(tenant, 140));
end $$;

comment on function leasehold.refuse_unknown_tenant is 'Raises LH001 (unknown tenant); never returns';

-- Runs only for rows that are not plainly ready (see the trigger's condition), so that COPY of
-- many rows does not pay for it.
create function leasehold.job_place() returns trigger
language plpgsql set search_path = pg_catalog set jit = off as $$
begin
    if new.run_at > clock_timestamp() then
        new.state := 'scheduled';
        new.due_at := new.run_at;
        new.place := null;
    elsif new.sequence_key is not null then
        new.state := 'parked';
        new.park_reason := 'sequence';
        new.place := null;
        new.parked_at := clock_timestamp();
    end if;
    return new;
end $$;

comment on function leasehold.job_place is
    'Before insert of a job that came as ready but has a run_at in the future or a sequence key';

create trigger job_place before insert on leasehold.job for each row
    when (new.state = 'ready' and (new.sequence_key is not null or new.run_at > clock_timestamp()))
    execute function leasehold.job_place();

-- What holds for every request. The body is parsed once, here, so that no search_path can change what
-- it means, and a caller in PL/pgSQL evaluates it without a call. The pattern has no counted repetition:
-- that makes it ten times as slow.
create function leasehold.job_well_formed(
    kind text, queue text, args jsonb, priority integer, max_attempts integer,
    timeout_seconds double precision, unique_key text, sequence_key text, trace_context text
) returns boolean
language sql stable
return coalesce(kind ~ '^[a-z][a-z0-9._-]*$' and length(kind) <= 128
        and queue ~ '^[a-z][a-z0-9._-]*$' and length(queue) <= 128
        and jsonb_typeof(args) = 'object' and pg_column_size(args) <= 1048576
        and priority between -100 and 100 and max_attempts between 1 and 1000, false)
    and coalesce(timeout_seconds > 0, true)
    and coalesce(length(unique_key) between 1 and 500, true)
    and coalesce(length(sequence_key) between 1 and 500, true)
    and coalesce(length(trace_context) <= 2000, true);

comment on function leasehold.job_well_formed is
    'Whether a job may be enqueued like this; leasehold.enqueue_check says what is wrong with one that may not';

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
    when kind is null or kind !~ '^[a-z][a-z0-9._-]*$' or length(kind) > 128 then
        expected := 'kind to be ' || name_rule;
        got := coalesce('"' || left(kind, 140) || '"', 'null');
        advice := 'for example ''pitchly.sync''';
    when queue is null or queue !~ '^[a-z][a-z0-9._-]*$' or length(queue) > 128 then
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

-- One job that came alone, the common case: without the plan over sets, which costs more than all else.
create function leasehold.job_arrived() returns trigger
language plpgsql set search_path = pg_catalog set jit = off as $$
declare
    one record;
    number integer := 0;
begin
    for one in
        select a.tenant_id, a.queue, a.kind, a.lane_kind, a.state, a.park_reason, a.job_id, a.place,
            a.priority, a.max_attempts, a.timeout_seconds, a.args, a.unique_key, a.sequence_key,
            a.trace_context
        from arrived as a limit 2
    loop
        number := number + 1;
    end loop;
    if number = 0 then
        return null;
    end if;
    if number > 1 then
        -- The first that is malformed, if one is.
        perform leasehold.enqueue_check(a.kind, a.args, a.queue, a.priority, a.max_attempts,
            make_interval(secs => a.timeout_seconds), a.unique_key, 'keep', null, a.sequence_key,
            a.trace_context)
        from arrived as a
        where not leasehold.job_well_formed(a.kind, a.queue, a.args, a.priority, a.max_attempts,
            a.timeout_seconds, a.unique_key, a.sequence_key, a.trace_context)
        limit 1;
        if exists (select from leasehold.kind where apart) then
            update leasehold.job
            set lane_kind = job.kind
            from arrived, leasehold.kind
            where arrived.lane_kind = '' and kind.kind = arrived.kind and kind.apart
                and job.job_id = arrived.job_id;
        end if;
        insert into leasehold.wake
            (tenant_id, queue, lane_kind, purpose, jobs, first_job_id, place, priority, sequence_key, ring)
        select case when tenant.tenant_id is null
                then leasehold.refuse_unknown_tenant(came.tenant_id) else came.tenant_id end,
            came.queue, came.lane_kind, came.purpose, came.jobs, came.first_job_id, coalesce(came.place, 0),
            came.priority, came.sequence_key, row_number() over (partition by came.queue) = 1
        from (
            select arrived.tenant_id, arrived.queue,
                case when kind.apart then arrived.kind else arrived.lane_kind end as lane_kind,
                case arrived.state when 'ready' then 'ready' else 'sequence' end as purpose,
                case arrived.state when 'parked' then arrived.sequence_key end as sequence_key,
                count(*) filter (where arrived.state = 'ready')::integer as jobs,
                min(arrived.job_id) as first_job_id, min(arrived.place) as place,
                min(arrived.priority) as priority
            from arrived left join leasehold.kind on kind.kind = arrived.kind and kind.apart
            where arrived.state = 'ready' or arrived.park_reason = 'sequence'
            group by 1, 2, 3, 4, 5
        ) as came left join leasehold.tenant on tenant.tenant_id = came.tenant_id;
        perform leasehold.refuse_unknown_tenant(arrived.tenant_id)
        from arrived
        where arrived.state <> 'ready' and arrived.park_reason is distinct from 'sequence'
            and not exists (
                select from leasehold.tenant where tenant.tenant_id = arrived.tenant_id);
        return null;
    end if;

    if not leasehold.job_well_formed(one.kind, one.queue, one.args, one.priority, one.max_attempts,
            one.timeout_seconds, one.unique_key, one.sequence_key, one.trace_context) then
        perform leasehold.enqueue_check(one.kind, one.args, one.queue, one.priority, one.max_attempts,
            make_interval(secs => one.timeout_seconds), one.unique_key, 'keep', null, one.sequence_key,
            one.trace_context);
    end if;
    if one.lane_kind = '' and exists (select from leasehold.kind where kind = one.kind and apart) then
        update leasehold.job set lane_kind = kind where job_id = one.job_id;
        one.lane_kind := one.kind;
    end if;
    if one.state = 'ready' or one.park_reason = 'sequence' then
        insert into leasehold.wake
            (tenant_id, queue, lane_kind, purpose, jobs, first_job_id, place, priority, sequence_key, ring)
        select one.tenant_id, one.queue, one.lane_kind,
            case one.state when 'ready' then 'ready' else 'sequence' end, (one.state = 'ready')::integer,
            one.job_id, coalesce(one.place, 0), one.priority,
            case one.state when 'parked' then one.sequence_key end, true
        from leasehold.tenant where tenant.tenant_id = one.tenant_id;
    else
        perform from leasehold.tenant where tenant.tenant_id = one.tenant_id;
    end if;
    if not found then
        perform leasehold.refuse_unknown_tenant(one.tenant_id);
    end if;
    return null;
end $$;

comment on function leasehold.job_arrived is
    'After each insert statement on job: one wake per tenant, queue and lane; refuses unknown tenants';

create trigger job_arrived after insert on leasehold.job
    referencing new table as arrived
    for each statement execute function leasehold.job_arrived();

-- At commit, not at insert: a worker that fell asleep while the transaction was open is seen.
-- What commits in the instant after this check is seen by the worker, which looks again until the
-- transactions that were open when it fell asleep have ended (leasehold.worker_sleep).
create function leasehold.wake_ring() returns trigger
language plpgsql set search_path = pg_catalog set jit = off as $$
begin
    if exists (
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
