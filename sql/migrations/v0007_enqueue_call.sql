-- leasehold.enqueue and leasehold.enqueue_many: what other services call.

-- A job with unique_key is there already: what becomes of the request. Null if the job ended
-- meanwhile, so that the caller tries its insert again.
create function leasehold.enqueue_duplicate(
    tenant text, kind text, args jsonb, priority integer, run_at timestamptz,
    max_attempts integer, timeout_seconds real, unique_key text, on_duplicate text,
    trace_context text
) returns bigint
language plpgsql set search_path = pg_catalog as $$
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
language plpgsql set search_path = pg_catalog as $$
#variable_conflict use_column
declare
    seconds constant real := extract(epoch from timeout_after);
    new_id bigint;
begin
    perform leasehold.enqueue_check(kind, args, queue, priority, max_attempts, timeout_after,
        unique_key, on_duplicate, idempotency_key, sequence_key);
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
language plpgsql set search_path = pg_catalog as $$
declare
    unknown bigint;
begin
    if on_failure is null or on_failure not in ('cancel', 'run') then
        raise exception 'expected on_failure to be cancel or run, got %',
            coalesce('"' || left(on_failure, 140) || '"', 'null') using errcode = 'LH002';
    end if;
    select needed into unknown from unnest(after) as needed
    where not exists (select from leasehold.job where job_id = needed)
        and not exists (select from leasehold.job_history where job_id = needed)
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
language plpgsql set search_path = pg_catalog as $$
begin
    return (leasehold.enqueue_job(tenant, kind, args, queue, priority, run_at, max_attempts,
        timeout_after, unique_key, on_duplicate, idempotency_key, sequence_key, trace_context,
        after, on_failure)).job_id;
end $$;

comment on function leasehold.enqueue is
    'Enqueues one job in the caller''s transaction and returns its id. Errors: LH001 unknown tenant, LH002 malformed request, LH004 unknown job in "after"';

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
    select key into bad
    from jsonb_array_elements(jobs) as job(body), jsonb_object_keys(body) as key
    where body - names <> '{}' and key <> all(names)
    limit 1;
    if bad is not null then
        raise exception 'expected jobs with the names of the parameters of leasehold.enqueue, got "%"', left(bad, 140)
            using errcode = 'LH002', hint = 'the names are ' || array_to_string(names, ', ');
    end if;
    if not exists (
        select from jsonb_array_elements(jobs) as job(body)
        where body ?| array['unique_key', 'idempotency_key', 'after']) then
        return query select id, false from leasehold.enqueue_plain(jobs) as id;
        return;
    end if;
    return query
    select made.job_id, made.existing
    from jsonb_array_elements(jobs) with ordinality as job(body, place)
        cross join lateral jsonb_to_record(body) as r(tenant text, kind text, args jsonb, queue text,
            priority integer, run_at timestamptz, max_attempts integer, timeout_after interval,
            unique_key text, on_duplicate text, idempotency_key text, sequence_key text,
            trace_context text, after jsonb, on_failure text)
        cross join lateral leasehold.enqueue_job(r.tenant, r.kind, coalesce(r.args, '{}'),
            coalesce(r.queue, 'default'), coalesce(r.priority, 0), r.run_at,
            coalesce(r.max_attempts, 20), r.timeout_after, r.unique_key,
            coalesce(r.on_duplicate, 'keep'), r.idempotency_key, r.sequence_key, r.trace_context,
            case jsonb_typeof(r.after) when 'array'
                then array(select jsonb_array_elements_text(r.after)::bigint) end,
            coalesce(r.on_failure, 'cancel')) as made
    order by job.place;
end $$;

comment on function leasehold.enqueue_many is
    'Enqueues many jobs, given as a JSON array of objects with the names of the parameters of leasehold.enqueue; returns one row a job, in order';

-- One insert for jobs that need no look at others.
create function leasehold.enqueue_plain(jobs jsonb) returns setof bigint
language plpgsql set search_path = pg_catalog set jit = off as $$
#variable_conflict use_column
begin
    perform leasehold.enqueue_check(r.kind, r.args, r.queue, r.priority, r.max_attempts,
        r.timeout_after, null, 'keep', null, r.sequence_key)
    from jsonb_array_elements(jobs) as job(body)
        cross join lateral (
            select kind, coalesce(args, '{}') as args, coalesce(queue, 'default') as queue,
                coalesce(priority, 0) as priority, coalesce(max_attempts, 20) as max_attempts,
                timeout_after, sequence_key
            from jsonb_to_record(body) as x(kind text, args jsonb, queue text, priority integer,
                max_attempts integer, timeout_after interval, sequence_key text)) as r
    where (r.kind ~ '^[a-z][a-z0-9._-]{0,127}$' and r.queue ~ '^[a-z][a-z0-9._-]{0,127}$'
        and jsonb_typeof(r.args) = 'object' and pg_column_size(r.args) <= 1048576
        and r.priority between -100 and 100 and r.max_attempts between 1 and 1000
        and coalesce(r.timeout_after > interval '0', true)
        and coalesce(length(r.sequence_key) between 1 and 500, true)) is not true;
    return query
    insert into leasehold.job (tenant_id, kind, args, queue, priority, run_at, ready_at, max_attempts,
        timeout_seconds, sequence_key, trace_context)
    select r.tenant, r.kind, coalesce(r.args, '{}'), coalesce(r.queue, 'default'),
        coalesce(r.priority, 0), coalesce(r.run_at, clock_timestamp()),
        coalesce(r.run_at, clock_timestamp()), coalesce(r.max_attempts, 20),
        extract(epoch from r.timeout_after), r.sequence_key, r.trace_context
    from jsonb_array_elements(jobs) with ordinality as job(body, place)
        cross join lateral jsonb_to_record(body) as r(tenant text, kind text, args jsonb, queue text,
            priority integer, run_at timestamptz, max_attempts integer, timeout_after interval,
            sequence_key text, trace_context text)
    order by job.place
    returning job.job_id;
end $$;
