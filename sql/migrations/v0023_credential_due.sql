-- What the refresh service takes, and what a recovery decides on.

-- Whether any schedule is a template for every tenant; those of one tenant are in schedule_tenant.
create index schedule_template on leasehold.schedule (schedule_id) where tenant_id is null and paused_at is null;

-- tenants: whose token is due and needed, most urgent first. idle: due, and known to be needed by nobody.
create type leasehold.due_ranking as (tenants text[], idle text[]);

-- The most urgent due credentials: those that were asked for or whose tenant has jobs waiting or
-- running, then those that will be needed (a later job, a schedule); the longest due first.
-- probes: a provider in doubt is tried with credentials that are not in doubt themselves.
-- Walks credential_due, at most 10 000 of it, and stops when it has enough; each tenant costs a look into
-- job_lane, and if it has no job one into job_due_tenant and schedule_tenant. These are index scans at any
-- size: a plan made for empty tables stays right as they grow.
create function leasehold.credential_rank_due(provider_name text, moment timestamptz, most integer, probes boolean)
returns leasehold.due_ranking
language plpgsql stable
set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set jit = off set plan_cache_mode = force_generic_plan
as $$
declare
    ranking leasehold.due_ranking;
    everybody boolean := exists (select from leasehold.schedule where tenant_id is null and paused_at is null);
    later text[];
begin
    select coalesce(array_agg(urgent.tenant_id), '{}') into ranking.tenants
    from (
        select due.tenant_id
        from (
            select
                c.tenant_id, c.suspect_reason is not null as suspect,
                c.refresh_requested_at is not null or c.suspect_reason is not null or c.attempt_id is not null as asked
            from leasehold.credential c
            where c.provider = provider_name and c.state = 'active' and c.refresh_due_at <= moment
            order by c.refresh_due_at
            limit 10000) due
        where not (probes and due.suspect) and (due.asked or (
            select true from leasehold.job j where j.tenant_id = due.tenant_id and j.place is not null limit 1))
        limit most) urgent;
    if cardinality(ranking.tenants) >= most then return ranking; end if;

    with rest as materialized (
        select due.tenant_id
        from (
            select c.tenant_id
            from leasehold.credential c
            where c.provider = provider_name and c.state = 'active' and c.refresh_due_at <= moment
                and c.refresh_requested_at is null and c.suspect_reason is null and c.attempt_id is null
            order by c.refresh_due_at
            limit 10000) due
        where (select true from leasehold.job j where j.tenant_id = due.tenant_id and j.place is not null limit 1) is null
        limit 1000
    ), judged as materialized (
        select
            rest.tenant_id,
            everybody
                or (select true from leasehold.job j where j.tenant_id = rest.tenant_id and j.due_at is not null limit 1)
                    is not null
                or (select true from leasehold.schedule s
                    where s.tenant_id = rest.tenant_id and s.paused_at is null limit 1) is not null as needed
        from rest
    )
    select
        coalesce(array_agg(tenant_id) filter (where needed), '{}'),
        coalesce(array_agg(tenant_id) filter (where not needed), '{}')
    into later, ranking.idle
    from judged;
    ranking.tenants := ranking.tenants || later[:most - cardinality(ranking.tenants)];
    if probes and cardinality(ranking.tenants) = 0 and cardinality(ranking.idle) = 0 then
        return leasehold.credential_rank_due(provider_name, moment, most, false);
    end if;
    return ranking;
end
$$;

-- tenants and generations are what was taken. reason and retry_after_ms say when to come again (null:
-- nothing is due at any time). ranked: what is most urgent after that. waiting: due ones that were left,
-- counted up to 10 000; null if nobody looked.
create type leasehold.due_batch as (
    tenants text[], generations bigint[], ranked text[], waiting bigint, reason text, retry_after_ms bigint
);

-- Takes at most most due credentials, as far as the provider's budget goes. What is taken is out of
-- sight for claim_ms; an idle tenant is looked at again after recheck_ms.
-- ranked: what an earlier call left over, to be taken from without ranking the backlog again; empty, or
-- older than the caller likes: depth of them are ranked anew. The backlog is looked into only if something
-- is due and the budget has something to give.
create function leasehold.credential_take_due(
    provider_name text, client text, most integer, depth integer, ranked text[], claim_ms bigint, recheck_ms bigint
) returns leasehold.due_batch
language plpgsql
set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set jit = off set plan_cache_mode = force_generic_plan
as $$
declare
    moment timestamptz := clock_timestamp();
    batch leasehold.due_batch := ('{}', '{}', '{}', 0, 'open', leasehold.credential_next_due(provider_name));
    admission leasehold.admission;
    ranking leasehold.due_ranking;
    p leasehold.provider;
begin
    if batch.retry_after_ms is null or batch.retry_after_ms > 0 then return batch; end if;
    perform set_config('synchronous_commit', 'off', true);
    select * into p from leasehold.provider where provider = provider_name;
    if p.timeline is distinct from leasehold.wal_timeline() then
        -- A failover, of which this takes note.
        admission := leasehold.provider_admit(provider_name, 0, client);
    else
        admission := leasehold.provider_weigh(p, most, client, moment);
    end if;
    batch.ranked := ranked;
    batch.waiting := null;
    batch.reason := admission.reason;
    batch.retry_after_ms := admission.retry_after_ms;
    if admission.granted = 0 then return batch; end if;

    if admission.reason = 'probe' or cardinality(ranked) = 0 then
        ranking := leasehold.credential_rank_due(
            provider_name, moment, greatest(most, depth), admission.reason = 'probe');
        batch.ranked := ranking.tenants;
        if cardinality(ranking.idle) > 0 then
            perform leasehold.credential_put_away(ranking.idle, moment, recheck_ms);
        end if;
    end if;
    if cardinality(batch.ranked) > 0 then
        admission := leasehold.provider_admit(provider_name, least(most, cardinality(batch.ranked)), client);
        batch.reason := admission.reason;
        batch.retry_after_ms := admission.retry_after_ms;
        if admission.granted > 0 then
            select t.tenants, t.generations, batch.ranked[t.last + 1:]
            into batch.tenants, batch.generations, batch.ranked
            from leasehold.credential_claim_due(batch.ranked, moment, admission.granted, claim_ms) t;
        end if;
        if cardinality(batch.tenants) < admission.granted then
            perform leasehold.provider_return(provider_name, admission.granted - cardinality(batch.tenants));
            batch.ranked := '{}';
        end if;
    end if;
    if ranking is null then return batch; end if;
    select count(*) into batch.waiting
    from (
        select from leasehold.credential c
        where c.provider = provider_name and c.state = 'active' and c.refresh_due_at <= moment
        limit 10000) due;
    if batch.waiting = 0 then
        batch.retry_after_ms := leasehold.credential_next_due(provider_name);
    elsif admission.granted > 0 and cardinality(batch.tenants) = 0 then
        -- Idle ones were put away, or others took what was ranked.
        batch.retry_after_ms := 20;
    end if;
    return batch;
end
$$;

-- Milliseconds until the next credential is due, 0 if one is; null if none will be.
create function leasehold.credential_next_due(provider_name text) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
as $$
begin
    return leasehold.milliseconds_until((
        select refresh_due_at from leasehold.credential
        where provider = provider_name and state = 'active' and refresh_due_at is not null
        order by refresh_due_at
        limit 1));
end
$$;

-- Takes up to most of the candidates in their order, passing over those that are in other hands or due
-- no more. last: the place of the last one taken.
create function leasehold.credential_claim_due(
    candidates text[], moment timestamptz, most integer, claim_ms bigint,
    out tenants text[], out generations bigint[], out last integer)
language plpgsql
set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set jit = off set plan_cache_mode = force_generic_plan
as $$
begin
    with taken as materialized (
        select c.tenant_id, ranked.place
        from unnest(candidates) with ordinality as ranked (tenant_id, place)
        join leasehold.credential c on c.tenant_id = ranked.tenant_id
        where c.state = 'active' and c.refresh_due_at <= moment
        order by ranked.place
        limit most
        for update of c skip locked
    ), claimed as (
        update leasehold.credential c
        set refresh_due_at = moment + claim_ms * interval '1 millisecond'
        from taken
        where c.tenant_id = taken.tenant_id
        returning c.tenant_id, c.generation, taken.place
    )
    select
        coalesce(array_agg(tenant_id order by place), '{}'), coalesce(array_agg(generation order by place), '{}'),
        coalesce(max(place), 0)::integer
    into tenants, generations, last
    from claimed;
end
$$;

-- Looks at credentials that nobody needs again later.
create function leasehold.credential_put_away(idle text[], moment timestamptz, recheck_ms bigint) returns void
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
as $$
begin
    update leasehold.credential
    set refresh_due_at = moment + recheck_ms * interval '1 millisecond'
    where ctid = any (array(
        select ctid from leasehold.credential
        where tenant_id = any (idle) and refresh_due_at <= moment and attempt_id is null
            and refresh_requested_at is null
        for update skip locked));
end
$$;

-- Sets when the refresh service looks at a credential next, unless it moved or is being exchanged.
create function leasehold.credential_postpone(of_tenant text, seen bigint, due_ms bigint) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
as $$
begin
    update leasehold.credential
    set refresh_due_at = clock_timestamp() + due_ms * interval '1 millisecond'
    where tenant_id = of_tenant and generation = seen and attempt_id is null and state = 'active';
    return found;
end
$$;

-- Where credentials stand, to compare with a spool.
create type leasehold.credential_place as (
    tenant_id text, generation bigint, saved_attempt_id uuid, refresh_token bytea
);

create function leasehold.credential_standing(tenants text[]) returns setof leasehold.credential_place
language sql stable
set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
as $$
    select c.tenant_id, c.generation, c.saved_attempt_id, c.refresh_token
    from leasehold.credential c
    where c.tenant_id = any (tenants);
$$;

-- The same of one credential, whose lock is held until the transaction ends.
create function leasehold.credential_lock(of_tenant text) returns setof leasehold.credential_place
language sql volatile
set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
as $$
    select c.tenant_id, c.generation, c.saved_attempt_id, c.refresh_token
    from leasehold.credential c
    where c.tenant_id = of_tenant
    for update;
$$;

-- What the recovery ladder decides on. outcome: suspect, healthy, exchanging, needs_authorization,
-- no_credential.
create type leasehold.credential_suspicion as (
    outcome text,
    generation bigint,
    reason text,
    suspect_ms bigint,
    presented_ms bigint,
    deadline_ms bigint,
    access_valid_ms bigint,
    access_life_ms bigint,
    has_organization boolean,
    has_refresh_token boolean,
    renewed_by text,
    rungs_tried text[],
    provider_in_doubt boolean,
    retry_after_ms bigint
);

-- Times are milliseconds from now, negative for the past. Reads under the row's lock, because a
-- commit that waits for a standby shows the old generation to a plain read; closes an intent whose
-- owner is gone.
create function leasehold.credential_suspect(of_tenant text, lock_timeout_ms bigint) returns leasehold.credential_suspicion
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
as $$
declare
    c leasehold.credential;
    s leasehold.credential_suspicion;
    moment timestamptz;
begin
    perform set_config('lock_timeout', lock_timeout_ms::text, true);
    select * into c from leasehold.credential where tenant_id = of_tenant for update;
    if not found then
        s.outcome := 'no_credential';
        return s;
    end if;
    moment := clock_timestamp();
    if c.attempt_id is not null and c.attempt_deadline <= moment then
        perform leasehold.exchange_abandon(c);
        select * into c from leasehold.credential where tenant_id = of_tenant;
    end if;
    s.generation := c.generation;
    s.outcome := case
        when c.attempt_id is not null then 'exchanging'
        when c.state <> 'active' then c.state
        when c.suspect_reason is null then 'healthy'
        else 'suspect'
    end;
    s.retry_after_ms := leasehold.milliseconds_until(coalesce(c.attempt_deadline, c.not_before));
    s.reason := c.suspect_reason;
    s.suspect_ms := extract(epoch from c.suspect_at - moment) * 1000;
    s.presented_ms := extract(epoch from c.suspect_presented_at - moment) * 1000;
    s.deadline_ms := extract(epoch from c.suspect_deadline - moment) * 1000;
    if c.access_token is not null and c.access_rejected_at is null then
        s.access_valid_ms := extract(epoch from c.access_expires_at - moment) * 1000;
    end if;
    s.access_life_ms := extract(epoch from c.access_expires_at - c.access_issued_at) * 1000;
    s.has_organization := c.organization is not null;
    s.rungs_tried := c.rungs_tried;
    s.has_refresh_token := c.refresh_token is not null;
    s.renewed_by := c.renewed_by;
    s.provider_in_doubt := exists (
        select from leasehold.provider p
        where p.provider = c.provider
            and (p.breaker = 'open' or p.hold_until > moment or p.stop_reason is not null));
    return s;
end
$$;

revoke all on function leasehold.credential_take_due, leasehold.credential_rank_due, leasehold.credential_next_due,
    leasehold.credential_claim_due, leasehold.credential_put_away, leasehold.credential_postpone,
    leasehold.credential_standing, leasehold.credential_lock, leasehold.credential_suspect from public;
