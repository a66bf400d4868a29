-- Sending the outbox: what the jobs of the kind pitchly.push call, and what people do about a push.

-- The next pushes of a table to send together: the first of each record, those never tried before
-- those that failed. What failed together is tried again in groups half the size each time, down to
-- one, so that one that the API cannot stand is soon alone. Walks push_waiting in order and looks each
-- one up in push_waiting_record; a sort would read the whole outbox for every batch.
create function leasehold.push_take(p_tenant_id text, p_table_id text, p_limit integer)
returns table (push_id bigint, record_id text, match_fields text[], changes jsonb, attempts smallint)
language sql stable
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
set jit = off
as $$
    with head as materialized (
        select p.push_id, p.record_id, p.match_fields, p.changes, p.attempts from leasehold.push as p
        where p.tenant_id = p_tenant_id and p.table_id = p_table_id and p.state = 'waiting'
            and p.due_at <= clock_timestamp()
            and p.push_id = (
                select earliest.push_id from leasehold.push as earliest
                where earliest.tenant_id = p_tenant_id and earliest.table_id = p_table_id
                    and earliest.order_key = p.order_key and earliest.state = 'waiting'
                order by earliest.order_key, earliest.push_id
                limit 1)
        order by p.attempts, p.push_id
        limit p_limit
    )
    select h.push_id, h.record_id, h.match_fields, h.changes, h.attempts from head as h
    where h.attempts = (select min(attempts) from head)
    order by h.push_id
    limit greatest(1, p_limit >> (select least(min(attempts), 30) from head))
$$;

comment on function leasehold.push_take is 'Takes nothing away: a push is waiting until leasehold.push_settle';

-- Writes down what became of pushes. done: Pitchly has them; failed: never will; again: later, after
-- 2 s, doubled with each attempt up to an hour, and up to half as long again by chance. What was
-- settled before stays as it was, except that what was done is done even if somebody cancelled it meanwhile.
create function leasehold.push_settle(
    p_tenant_id text, p_push_ids bigint[], p_outcome text, p_error_class text, p_error text, p_record_id text default null
) returns bigint
language sql
set search_path = pg_catalog, pg_temp
as $$
    with settled as (
        update leasehold.push as p
        set state = case p_outcome when 'again' then 'waiting' else p_outcome end,
            attempts = least(p.attempts + 1, 32000),
            attempted_at = clock_timestamp(),
            ended_at = case p_outcome when 'again' then null else clock_timestamp() end,
            due_at = case p_outcome
                when 'again' then clock_timestamp()
                    + least(3600, 2 * 2.0 ^ least(p.attempts, 20)) * (1 + random() / 2) * interval '1 second'
                else p.due_at
            end,
            error_class = p_error_class,
            error = left(p_error, 2000),
            record_id = coalesce(p.record_id, p_record_id)
        where p.tenant_id = p_tenant_id and p.push_id = any (p_push_ids)
            and (p.state = 'waiting' or (p.state = 'cancelled' and p_outcome = 'done'))
        returning 1
    )
    select count(*) from settled
$$;

comment on function leasehold.push_settle is 'outcome: done, failed or again; returns how many were settled';

-- Seconds until the next push of a table is due; null if none waits.
create function leasehold.push_due(p_tenant_id text, p_table_id text) returns double precision
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    -- greatest(0, null) would be 0, and the job would look for ever.
    select case when count(*) > 0
        then greatest(0, extract(epoch from min(first.due_at) - clock_timestamp()))::double precision
    end
    from (
        select distinct on (p.order_key) p.due_at from leasehold.push as p
        where p.tenant_id = p_tenant_id and p.table_id = p_table_id and p.state = 'waiting'
        order by p.order_key, p.push_id
    ) as first
$$;

comment on function leasehold.push_due is 'How long the job of a table may sleep';

-- Sends a push that failed or was cancelled after all, or one that waits at once. Refused once a later
-- push of the same record is done: it would set back what that one wrote.
create function leasehold.push_retry(p_tenant_id text, p_push_id bigint) returns text
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
    target leasehold.push;
    later bigint;
begin
    select p.* into target from leasehold.push as p
    where p.tenant_id = p_tenant_id and p.push_id = p_push_id for update;
    if not found then
        raise exception 'expected the id of a push of tenant %, got %', p_tenant_id, p_push_id
            using errcode = 'LH004', hint = 'leasehold push list --tenant ' || p_tenant_id;
    end if;
    if target.state = 'done' then
        return 'done';
    end if;
    select max(p.push_id) into later from leasehold.push as p
    where p.tenant_id = p_tenant_id and p.table_id = target.table_id and p.order_key = target.order_key
        and p.push_id > p_push_id and p.state = 'done';
    if later is not null then
        raise exception 'push % came after push % for the same record and is done', later, p_push_id
            using errcode = 'LH002', hint = 'write the change anew with leasehold.push, if it is still wanted';
    end if;
    update leasehold.push as p
    set state = 'waiting', ended_at = null, due_at = clock_timestamp(), attempts = 0
    where p.tenant_id = p_tenant_id and p.push_id = p_push_id;
    perform leasehold.push_request(p_tenant_id, target.table_id);
    return 'waiting';
end
$$;

comment on function leasehold.push_retry is 'Returns the state of the push: waiting, or done if Pitchly has it already';

create function leasehold.push_cancel(p_tenant_id text, p_push_id bigint) returns text
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
    found_state text;
begin
    update leasehold.push as p set state = 'cancelled', ended_at = clock_timestamp()
    where p.tenant_id = p_tenant_id and p.push_id = p_push_id and p.state = 'waiting';
    select p.state into found_state from leasehold.push as p
    where p.tenant_id = p_tenant_id and p.push_id = p_push_id;
    if not found then
        raise exception 'expected the id of a push of tenant %, got %', p_tenant_id, p_push_id
            using errcode = 'LH004', hint = 'leasehold push list --tenant ' || p_tenant_id;
    end if;
    return found_state;
end
$$;

comment on function leasehold.push_cancel is
    'Returns the state of the push: cancelled, or what it ended as before; one that is being sent may still arrive and is done then';

-- Forgets pushes that ended, and their idempotency keys with them.
create function leasehold.push_prune(p_keep interval, p_batch integer) returns bigint
language sql
set search_path = pg_catalog, pg_temp
as $$
    with gone as (
        delete from leasehold.push as p
        where (p.tenant_id, p.push_id) in (
            select old.tenant_id, old.push_id from leasehold.push as old
            where old.ended_at < clock_timestamp() - p_keep
            order by old.ended_at
            limit p_batch)
        returning 1
    )
    select count(*) from gone
$$;

comment on function leasehold.push_prune is 'Call it until it returns less than p_batch';

select leasehold.roles_apply();
