-- Steering many jobs by a filter, in batches that a client repeats: each looks at a bounded number of
-- jobs, downwards by their ids, so that no job is met twice and none that came meanwhile.

create type leasehold.job_batch as (
    looked bigint,
    matched bigint,
    done bigint,
    refused bigint,
    goes_on bigint
);

comment on type leasehold.job_batch is
    'looked at, of these matched, of these done and refused (such as a unique key that another job has); goes_on: what to give as before next, null after the last batch';

create function leasehold.jobs_steer(
    verb text, tenant text default null, queue text default null, kind text default null, state text default null,
    label text default null, everything boolean default false, before bigint default null, most integer default null
) returns leasehold.job_batch
language plpgsql
set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
    bound constant integer := 5000;
    ended constant boolean := case when state is null then verb = 'retry'
        else state in ('completed', 'discarded', 'cancelled') end;
    wanted constant text := coalesce(state, case when verb = 'retry' then 'discarded' end);
    -- A retry takes two subtransactions, and with over 64 of them in one transaction every other session
    -- has to look further for each row that it meets.
    size constant integer := coalesce(most, case verb when 'retry' then 30 else 500 end);
    batch leasehold.job_batch;
    found_ids bigint[];
    lowest bigint;
    one bigint;
    answer text;
begin
    if verb is null or verb not in ('retry', 'cancel', 'discard', 'count') then
        raise exception 'expected the verb retry, cancel, discard or count, got %', coalesce(quote_literal(verb), 'none')
            using errcode = 'LH002';
    elsif state is not null and state not in ('scheduled', 'ready', 'running', 'parked', 'completed', 'discarded', 'cancelled') then
        raise exception 'expected a state of jobs, got %', quote_literal(left(state, 40)) using errcode = 'LH002';
    elsif verb = 'retry' and state in ('ready', 'running') or verb in ('cancel', 'discard') and ended then
        raise exception 'expected a state that % can change, got %', verb, state
            using errcode = 'LH002', hint = 'jobs that ended can be run again, those that wait or run be cancelled';
    elsif coalesce(tenant, queue, kind, label) is null and not coalesce(everything, false) then
        raise exception 'expected a tenant, queue, kind or error, got none'
            using errcode = 'LH002', hint = 'to mean every job, say so: --all';
    elsif size not between 1 and 1000 then
        raise exception 'expected 1 to 1000 jobs a batch, got %', size using errcode = 'LH002';
    end if;
    -- A tenant's ended jobs have an index of their own; live ones are walked by their ids.
    execute format($q$
        with looked as materialized (
            select job_id, tenant_id, queue, kind, %1$I as state, last_error_label from leasehold.%2$I
            where job_id < $1 %3$s order by job_id desc limit %4$s
        ), matching as materialized (
            select job_id from looked
            where ($2 is null or tenant_id = $2) and ($3 is null or queue = $3) and ($4 is null or kind = $4)
                and ($5 is null or state = $5) and ($6 is null or last_error_label = $6)
            order by job_id desc limit $7
        )
        select (select count(*) from looked), (select count(*) from matching),
            array(select job_id from matching order by job_id desc),
            case when (select count(*) from matching) = $7 then (select min(job_id) from matching)
                when (select count(*) from looked) = %4$s then (select min(job_id) from looked) end
        $q$, case when ended then 'outcome' else 'state' end, case when ended then 'job_history' else 'job' end,
        case when ended and tenant is not null then format('and tenant_id = %L', tenant) end, bound)
    into batch.looked, batch.matched, found_ids, lowest
    using coalesce(before, 9223372036854775807), tenant, queue, kind, wanted, label, size;
    batch.goes_on := lowest;
    batch.done := 0;
    batch.refused := 0;
    if verb = 'count' then
        return batch;
    end if;
    perform set_config('leasehold.many', 'on', true);
    foreach one in array found_ids loop
        if verb = 'retry' then
            begin
                answer := leasehold.job_retry(one);
            exception
                -- It is gone meanwhile, or its unique key is taken.
                when sqlstate 'LH004' or sqlstate 'LH005' then answer := 'refused';
            end;
        elsif verb = 'cancel' then
            answer := leasehold.job_cancel(one);
        else
            answer := leasehold.job_discard(one);
        end if;
        if verb = 'retry' and answer = 'ready'
            or verb <> 'retry' and answer in ('cancelled', 'requested', 'discarded') then
            batch.done := batch.done + 1;
        else
            batch.refused := batch.refused + 1;
        end if;
    end loop;
    perform set_config('leasehold.many', '', true);
    if batch.done > 0 then
        perform leasehold.action_note(verb, 'jobs', tenant => tenant, count => batch.done,
            detail => jsonb_build_object('queue', queue, 'kind', kind, 'state', wanted, 'error', label));
    end if;
    return batch;
end
$$;

comment on function leasehold.jobs_steer is
    'One batch of retry, cancel, discard or count over the jobs that a filter lets through, newest first. Retry means discarded jobs unless a state is given; everything must be true where nothing else narrows. Repeat with before => goes_on until that is null. most: 30 of a retry, else 500';

select leasehold.roles_apply();
