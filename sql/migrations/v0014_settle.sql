-- Settling: how a run ends. Every settle carries the run it belongs to; a run that is not the
-- current one changes nothing, so a worker that was thought dead cannot end somebody else's run.

-- Not "create table ... partition of": that locks out every reader and writer of the history until
-- commit. Attaching does not.
create function leasehold.history_prepare(first_day date, days integer) returns integer
language plpgsql security definer set search_path = pg_catalog set jit = off as $$
declare
    made integer := 0;
    day date;
    parent text;
    part text;
begin
    perform pg_advisory_xact_lock(hashtext('leasehold.history_prepare'));
    for day in select first_day + n from generate_series(0, days - 1) as n loop
        foreach parent in array array['job_history', 'job_attempt'] loop
            part := format('leasehold.%s_%s', parent, to_char(day, 'YYYYMMDD'));
            continue when to_regclass(part) is not null;
            execute format('create table %s (like leasehold.%I including all)', part, parent);
            execute format('alter table leasehold.%I attach partition %s for values from (%L) to (%L)',
                parent, part, day::timestamp at time zone 'UTC',
                (day + 1)::timestamp at time zone 'UTC');
            made := made + 1;
        end loop;
    end loop;
    return made;
end $$;

comment on function leasehold.history_prepare is
    'Makes the partitions of so many days from first_day (UTC) on that are not there yet; returns how many';

create function leasehold.error_fingerprint(kind text, label text, error text) returns text
language sql immutable set search_path = pg_catalog as $$
    select md5(kind || E'\n' || coalesce(label, '') || E'\n' || regexp_replace(regexp_replace(
        left(coalesce(error, ''), 2000), '"[^"]*"|''[^'']*''', '"', 'g'),
        '[0-9a-fA-F-]*[0-9][0-9a-fA-F-]*', '0', 'g'))
$$;

comment on function leasehold.error_fingerprint is
    'The same for errors of one kind of job that differ only in quoted words, numbers and ids';

create function leasehold.retry_delay(kind text, attempt integer) returns double precision
language sql volatile set search_path = pg_catalog as $$
    select random() * least(coalesce(max(k.retry_cap_seconds), 3600),
        coalesce(max(k.retry_base_seconds), 2) * 2 ^ least(attempt - 1, 40))
    from leasehold.kind as k where k.kind = retry_delay.kind
$$;

comment on function leasehold.retry_delay is
    'Seconds to wait after a failed attempt: uniform from 0 to base * 2^(attempt - 1), at most the cap (full jitter)';

-- Parking waits for an unpark of the same tenant that is going on, so that a job cannot park itself
-- after the event it waits for.
create function leasehold.settle_park_guard(job_ids bigint[]) returns void
language plpgsql set search_path = pg_catalog set enable_seqscan = off set jit = off as $$
declare
    tenants text[];
begin
    select array_agg(distinct job.tenant_id) into tenants
    from leasehold.job where job_id = any(job_ids);
    insert into leasehold.tenant_hold (tenant_id)
    select t from unnest(tenants) as t order by t
    on conflict do nothing;
    perform from leasehold.tenant_hold
    where tenant_id = any(tenants) order by tenant_id for share;
end $$;

comment on function leasehold.settle_park_guard is 'Before settles that park: orders them against tenant_unpark';
