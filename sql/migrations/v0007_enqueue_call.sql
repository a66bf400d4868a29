-- leasehold.enqueue and leasehold.enqueue_many: what other services call.

-- A job with unique_key is there already: what becomes of the request. Null if the job ended
-- meanwhile, so that the caller tries its insert again.
create function leasehold.enqueue_duplicate(
    tenant text, kind text, args jsonb, priority integer, run_at timestamptz,
    max_attempts integer, timeout_seconds real, unique_key text, on_duplicate text,
    trace_context text
) returns bigint
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    found_id bigint;
    due constant timestamptz := coalesce(run_at, clock_timestamp());
    later constant boolean := coalesce(run_at > clock_timestamp(), false);
    changed leasehold.job;
begin
    if on_duplicate = 'keep' then
        select job_id into found_id from leasehold.job
        where tenant_id = tenant and kind = enqueue_duplicate.kind
            and unique_key = enqueue_duplicate.unique_key;
        return found_id;
    end if;
    update leasehold.job
    set args = case when running or on_duplicate = 'reschedule' then args else enqueue_duplicate.args end,
        priority = case when running or on_duplicate = 'reschedule' then priority
            else enqueue_duplicate.priority end,
        max_attempts = case when running or on_duplicate = 'reschedule' then max_attempts
            else enqueue_duplicate.max_attempts end,
        timeout_seconds = case when running or on_duplicate = 'reschedule' then timeout_seconds
            else enqueue_duplicate.timeout_seconds end,
        run_at = case when running then run_at else due end,
        ready_at = case when running then ready_at else due end,
        due_at = case when state in ('ready', 'scheduled') and later then due end,
        place = case when state in ('ready', 'scheduled') and later then null
            when state = 'scheduled' then nextval('leasehold.job_place_seq') else place end,
        state = case when state not in ('ready', 'scheduled') then state
            when later then 'scheduled' else 'ready' end,
        again = case when running then jsonb_strip_nulls(jsonb_build_object(
            'args', case on_duplicate when 'replace' then enqueue_duplicate.args else args end,
            'priority', case on_duplicate when 'replace' then enqueue_duplicate.priority else priority end,
            'max_attempts', case on_duplicate when 'replace' then enqueue_duplicate.max_attempts
                else max_attempts end,
            'timeout_seconds', case on_duplicate when 'replace' then enqueue_duplicate.timeout_seconds
                else timeout_seconds end,
            'trace_context', enqueue_duplicate.trace_context,
            'run_at', due)) end
    from (select state = 'running' as running, job_id as id from leasehold.job
        where tenant_id = tenant and kind = enqueue_duplicate.kind
            and unique_key = enqueue_duplicate.unique_key for update) as old
    where job_id = old.id
    returning job.* into changed;
    if changed.state = 'ready' then
        perform leasehold.wake_job(changed);
    end if;
    return changed.job_id;
end $$;

comment on function leasehold.enqueue_duplicate is
    'keep: the job stays as it is; reschedule: gets the new run_at; replace: also the new args, priority, max_attempts and timeout. A running job is not touched: the request is remembered and enqueued when the run ends';

create function leasehold.wake_job(job leasehold.job) returns void
language sql set search_path = pg_catalog as $$
    insert into leasehold.wake (tenant_id, queue, lane_kind, jobs, first_job_id, place, priority, ring)
    values (job.tenant_id, job.queue, job.lane_kind, 1, job.job_id, job.place, job.priority, true)
$$;

comment on function leasehold.wake_job is 'Says that one job became ready';

create function leasehold.enqueue_job(
    tenant text, kind text, args jsonb, queue text, priority integer, run_at timestamptz,
    max_attempts integer, timeout_after interval, unique_key text, on_duplicate text,
    idempotency_key text, sequence_key text, trace_context text, after bigint[], on_failure text,
    out job_id bigint, out existing boolean
)
language plpgsql set search_path = pg_catalog set jit = off as $$
#variable_conflict use_column
declare
    seconds constant real := extract(epoch from timeout_after);
    new_id bigint;
begin
    perform leasehold.enqueue_check(kind, args, queue, priority, max_attempts, timeout_after,
        unique_key, on_duplicate, idempotency_key, sequence_key, trace_context);
    job_id := nextval('leasehold.job_id_seq');
    existing := false;
    if idempotency_key is not null then
        insert into leasehold.job_idempotency (tenant_id, idempotency_key, job_id)
        values (tenant, enqueue_job.idempotency_key, enqueue_job.job_id)
        on conflict do nothing;
        if not found then
            select i.job_id, true into job_id, existing
            from leasehold.job_idempotency as i
            where i.tenant_id = tenant and i.idempotency_key = enqueue_job.idempotency_key;
            return;
        end if;
    end if;
    loop
        insert into leasehold.job (job_id, tenant_id, queue, kind, args, priority, run_at, ready_at,
            max_attempts, timeout_seconds, unique_key, sequence_key, trace_context,
            state, place, park_reason, parked_at)
        values (enqueue_job.job_id, tenant, enqueue_job.queue, enqueue_job.kind, enqueue_job.args,
            enqueue_job.priority, coalesce(enqueue_job.run_at, clock_timestamp()),
            coalesce(enqueue_job.run_at, clock_timestamp()), enqueue_job.max_attempts, seconds,
            enqueue_job.unique_key, enqueue_job.sequence_key, enqueue_job.trace_context,
            case when after is null then 'ready' else 'parked' end,
            case when after is null then nextval('leasehold.job_place_seq') end,
            case when after is not null then 'dependency' end,
            case when after is not null then clock_timestamp() end)
        on conflict (tenant_id, kind, unique_key) where unique_key is not null do nothing
        returning job.job_id into new_id;
        exit when new_id is not null;
        new_id := leasehold.enqueue_duplicate(tenant, kind, args, priority, run_at, max_attempts,
            seconds, unique_key, on_duplicate, trace_context);
        if new_id is not null then
            existing := true;
            update leasehold.job_idempotency as i set job_id = new_id
            where i.tenant_id = tenant and i.idempotency_key = enqueue_job.idempotency_key;
            exit;
        end if;
    end loop;
    job_id := new_id;
    if after is not null and not existing then
        perform leasehold.depend(job_id, tenant, queue, after, on_failure);
    end if;
end $$;

comment on function leasehold.enqueue_job is 'leasehold.enqueue, saying also whether the job was there already';

create function leasehold.depend(
    new_job_id bigint, tenant text, queue text, after bigint[], on_failure text
) returns void
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    unknown bigint;
begin
    if on_failure is null or on_failure not in ('cancel', 'run') then
        raise exception 'expected on_failure to be cancel or run, got %',
            coalesce('"' || left(on_failure, 140) || '"', 'null') using errcode = 'LH002';
    end if;
    select needed into unknown from unnest(after) as needed
    where coalesce((select true from leasehold.job where job_id = needed limit 1),
        (select true from leasehold.job_history as h where h.job_id = needed order by h.ended_at limit 1)) is null
    limit 1;
    if found then
        raise exception 'expected "after" to name jobs, got the unknown job %', unknown
            using errcode = 'LH004', hint = 'leasehold jobs list --tenant ' || tenant;
    end if;
    insert into leasehold.job_dependency (job_id, needs_job_id, on_failure)
    select distinct new_job_id, needed, depend.on_failure from unnest(after) as needed;
    insert into leasehold.wake (tenant_id, queue, purpose, first_job_id, ring)
    values (tenant, depend.queue, 'dependency', new_job_id, true);
end $$;

comment on function leasehold.depend is 'Lets a job wait until others have ended';

create function leasehold.enqueue(
    tenant text,
    kind text,
    args jsonb default '{}',
    queue text default 'default',
    priority integer default 0,
    run_at timestamptz default null,
    max_attempts integer default 20,
    timeout_after interval default null,
    unique_key text default null,
    on_duplicate text default 'keep',
    idempotency_key text default null,
    sequence_key text default null,
    trace_context text default null,
    after bigint[] default null,
    on_failure text default 'cancel'
) returns bigint
language plpgsql set search_path = pg_catalog set jit = off as $$
declare
    due constant timestamptz := coalesce(run_at, clock_timestamp());
    seconds constant double precision := extract(epoch from timeout_after);
    new_id bigint;
begin
    if num_nonnulls(unique_key, idempotency_key, after) > 0 then
        return (leasehold.enqueue_job(tenant, kind, args, queue, priority, run_at, max_attempts,
            timeout_after, unique_key, on_duplicate, idempotency_key, sequence_key, trace_context,
            after, on_failure)).job_id;
    end if;
    -- The trigger checks the rest; these would not fit into their columns.
    if (priority between -100 and 100 and max_attempts between 1 and 1000) is not true then
        perform leasehold.enqueue_check(kind, args, queue, priority, max_attempts, timeout_after,
            unique_key, on_duplicate, idempotency_key, sequence_key, trace_context);
    end if;
    insert into leasehold.job (tenant_id, queue, kind, args, priority, run_at, ready_at, max_attempts,
        timeout_seconds, sequence_key, trace_context)
    values (tenant, queue, kind, args, priority, due, due, max_attempts, seconds, sequence_key,
        trace_context)
    returning job_id into new_id;
    return new_id;
end $$;

comment on function leasehold.enqueue is
    'Enqueues one job in the caller''s transaction and returns its id. Errors: LH001 unknown tenant, LH002 malformed request, LH004 unknown job in "after"';

create type leasehold.job_request as (
    tenant text,
    kind text,
    args jsonb,
    queue text,
    priority integer,
    run_at timestamptz,
    max_attempts integer,
    timeout_after interval,
    unique_key text,
    on_duplicate text,
    idempotency_key text,
    sequence_key text,
    trace_context text,
    after bigint[],
    on_failure text
);

comment on type leasehold.job_request is 'The parameters of leasehold.enqueue; only tenant and kind may not be null';

create function leasehold.enqueue_many(jobs jsonb)
returns table (job_id bigint, existing boolean)
language plpgsql set search_path = pg_catalog set jit = off as $$
#variable_conflict use_column
declare
    names constant text[] := '{tenant,kind,args,queue,priority,run_at,max_attempts,timeout_after,unique_key,on_duplicate,idempotency_key,sequence_key,trace_context,after,on_failure}';
    bad text;
begin
    if jsonb_typeof(jobs) is distinct from 'array' then
        raise exception 'expected jobs to be a JSON array, got %', coalesce(jsonb_typeof(jobs), 'null')
            using errcode = 'LH002', hint = '[{"tenant": "acme", "kind": "report.build", "args": {}}]';
    end if;
    select jsonb_typeof(body) into bad from jsonb_array_elements(jobs) as job(body)
    where jsonb_typeof(body) <> 'object' limit 1;
    if found then
        raise exception 'expected each job to be a JSON object, got %', bad
            using errcode = 'LH002', hint = '[{"tenant": "acme", "kind": "report.build", "args": {}}]';
    end if;
    select key into bad
    from jsonb_array_elements(jobs) as job(body), jsonb_object_keys(body) as key
    where body - names <> '{}' and key <> all(names)
    limit 1;
    if found then
        raise exception 'expected jobs with the names of the parameters of leasehold.enqueue, got "%"', left(bad, 140)
            using errcode = 'LH002', hint = 'the names are ' || array_to_string(names, ', ');
    end if;
    return query
    select made.job_id, made.existing
    from leasehold.enqueue_all(array(
        select row(r.tenant, r.kind, r.args, r.queue, r.priority, r.run_at, r.max_attempts,
            r.timeout_after, r.unique_key, r.on_duplicate, r.idempotency_key, r.sequence_key,
            r.trace_context,
            case jsonb_typeof(r.after) when 'array'
                then array(select jsonb_array_elements_text(r.after)::bigint) end,
            r.on_failure)::leasehold.job_request
        from rows from (jsonb_to_recordset(jobs) as (tenant text, kind text, args jsonb, queue text,
            priority integer, run_at timestamptz, max_attempts integer, timeout_after interval,
            unique_key text, on_duplicate text, idempotency_key text, sequence_key text,
            trace_context text, after jsonb, on_failure text))
            with ordinality as r(tenant, kind, args, queue, priority, run_at, max_attempts,
                timeout_after, unique_key, on_duplicate, idempotency_key, sequence_key,
                trace_context, after, on_failure, place)
        order by r.place)) as made;
end $$;

comment on function leasehold.enqueue_many is
    'Enqueues many jobs, given as a JSON array of objects with the names of the parameters of leasehold.enqueue; returns one row a job, in order';

create function leasehold.enqueue_all(requests leasehold.job_request[])
returns table (job_id bigint, existing boolean)
language plpgsql set search_path = pg_catalog set jit = off as $$
#variable_conflict use_column
begin
    -- The first that is malformed, if one is.
    perform leasehold.enqueue_check(r.kind, r.args, r.queue, r.priority, r.max_attempts, r.timeout_after,
        r.unique_key, r.on_duplicate, r.idempotency_key, r.sequence_key, r.trace_context)
    from (
        select kind, coalesce(args, '{}') as args, coalesce(queue, 'default') as queue,
            coalesce(priority, 0) as priority, coalesce(max_attempts, 20) as max_attempts, timeout_after,
            unique_key, coalesce(on_duplicate, 'keep') as on_duplicate, idempotency_key, sequence_key,
            trace_context
        from unnest(requests)
        ) as r
    where not (leasehold.name_well_formed(r.kind) and leasehold.name_well_formed(r.queue)
            and leasehold.job_well_formed(r.args, r.priority, r.max_attempts,
                extract(epoch from r.timeout_after)::double precision, r.unique_key, r.sequence_key,
                r.trace_context))
        or r.on_duplicate not in ('keep', 'replace', 'reschedule')
        or length(r.idempotency_key) not between 1 and 500
    limit 1;
    if exists (select from unnest(requests) where num_nonnulls(unique_key, idempotency_key, after) > 0) then
        return query select made.job_id, made.existing from leasehold.enqueue_keyed(requests) as made;
        return;
    end if;
    return query
    insert into leasehold.job (tenant_id, kind, args, queue, priority, run_at, ready_at, max_attempts,
        timeout_seconds, sequence_key, trace_context)
    select r.tenant, r.kind, coalesce(r.args, '{}'), coalesce(r.queue, 'default'),
        coalesce(r.priority, 0), coalesce(r.run_at, clock_timestamp()),
        coalesce(r.run_at, clock_timestamp()), coalesce(r.max_attempts, 20),
        extract(epoch from r.timeout_after), r.sequence_key, r.trace_context
    from unnest(requests) as r
    returning job_id, false;
end $$;

comment on function leasehold.enqueue_all is 'leasehold.enqueue_many for callers that have arrays instead of JSON';

-- Of requests with one key the first makes the job, as if they had come one after another. Keys are
-- taken in key order, so that two calls with the same keys wait for each other in one direction.
create function leasehold.enqueue_keyed(requests leasehold.job_request[])
returns table (job_id bigint, existing boolean)
language plpgsql set search_path = pg_catalog set jit = off as $$
#variable_conflict use_column
declare
    ids bigint[] := array(select nextval('leasehold.job_id_seq') from unnest(requests));
    places constant bigint[] := array(select nextval('leasehold.job_place_seq') from unnest(requests));
    olds boolean[] := array_fill(false, array[cardinality(requests)]);
    made bigint[];
    other record;
    answer record;
begin
    with first as (
        select distinct on (tenant, idempotency_key) tenant, idempotency_key, id
        from unnest(requests, ids) with ordinality as r(tenant, kind, args, queue, priority, run_at,
            max_attempts, timeout_after, unique_key, on_duplicate, idempotency_key, sequence_key,
            trace_context, after, on_failure, id, rank)
        where idempotency_key is not null and after is null
        order by tenant, idempotency_key, rank
    )
    insert into leasehold.job_idempotency (tenant_id, idempotency_key, job_id)
    select tenant, idempotency_key, id from first order by tenant, idempotency_key
    on conflict do nothing;

    with inserted as (
        insert into leasehold.job (job_id, place, tenant_id, kind, args, queue, priority, run_at, ready_at,
            max_attempts, timeout_seconds, unique_key, sequence_key, trace_context)
        select r.id, r.place, r.tenant, r.kind, coalesce(r.args, '{}'), coalesce(r.queue, 'default'),
            coalesce(r.priority, 0), coalesce(r.run_at, clock_timestamp()),
            coalesce(r.run_at, clock_timestamp()), coalesce(r.max_attempts, 20),
            extract(epoch from r.timeout_after), r.unique_key, r.sequence_key, r.trace_context
        from unnest(requests, ids, places) as r(tenant, kind, args, queue, priority, run_at,
                max_attempts, timeout_after, unique_key, on_duplicate, idempotency_key, sequence_key,
                trace_context, after, on_failure, id, place)
            left join leasehold.job_idempotency as i
                on i.tenant_id = r.tenant and i.idempotency_key = r.idempotency_key
        where r.after is null and (i.job_id is null or i.job_id = r.id)
        order by r.tenant, r.kind, r.unique_key, r.place
        on conflict (tenant_id, kind, unique_key) where unique_key is not null do nothing
        returning job_id
    )
    select coalesce(array_agg(job_id), '{}') into made from inserted;

    -- What found its key taken, or needs other jobs, one by one.
    for other in
        select r.*, i.job_id as known_id
        from unnest(requests, ids) with ordinality as r(tenant, kind, args, queue, priority, run_at,
                max_attempts, timeout_after, unique_key, on_duplicate, idempotency_key, sequence_key,
                trace_context, after, on_failure, id, rank)
            left join leasehold.job_idempotency as i
                on i.tenant_id = r.tenant and i.idempotency_key = r.idempotency_key
        where not exists (select from unnest(made) as m(id) where m.id = r.id)
        order by r.rank
    loop
        if other.after is null and other.known_id <> other.id then
            ids[other.rank] := null;
            olds[other.rank] := true;
            continue;
        end if;
        select one.job_id, one.existing into answer
        from leasehold.enqueue_job(other.tenant, other.kind, coalesce(other.args, '{}'),
            coalesce(other.queue, 'default'), coalesce(other.priority, 0), other.run_at,
            coalesce(other.max_attempts, 20), other.timeout_after, other.unique_key,
            coalesce(other.on_duplicate, 'keep'),
            case when other.after is not null then other.idempotency_key end, other.sequence_key,
            other.trace_context, other.after, coalesce(other.on_failure, 'cancel')) as one;
        ids[other.rank] := answer.job_id;
        olds[other.rank] := answer.existing;
        if other.after is null and other.idempotency_key is not null then
            update leasehold.job_idempotency as i set job_id = ids[other.rank]
            where i.tenant_id = other.tenant and i.idempotency_key = other.idempotency_key;
        end if;
    end loop;
    -- An answer by idempotency key is read last: the job that made it may have turned out to be another.
    return query
    select coalesce(r.id, (
            select i.job_id from leasehold.job_idempotency as i
            where i.tenant_id = r.tenant and i.idempotency_key = r.idempotency_key)), r.old
    from unnest(requests, ids, olds) with ordinality as r(tenant, kind, args, queue, priority, run_at,
        max_attempts, timeout_after, unique_key, on_duplicate, idempotency_key, sequence_key,
        trace_context, after, on_failure, id, old, rank)
    order by r.rank;
end $$;

comment on function leasehold.enqueue_keyed is 'leasehold.enqueue_all where keys or other jobs have to be looked at';
