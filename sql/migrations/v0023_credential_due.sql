-- What the refresh service takes, and what a recovery decides on.

-- How urgently a tenant needs its token: 2 jobs wait for their turn, 1 jobs will come (a later job, a
-- schedule), 0 nobody is known to need it. Leans on job_lane, job_due_tenant and schedule_tenant.
create function leasehold.tenant_demand(of_tenant text) returns integer
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when exists (select from leasehold.job j where j.tenant_id = of_tenant and j.place is not null) then 2
        when exists (select from leasehold.job j where j.tenant_id = of_tenant and j.due_at is not null) then 1
        when exists (
            select from leasehold.schedule s
            where (s.tenant_id = of_tenant or s.tenant_id is null) and s.paused_at is null) then 1
        else 0
    end;
$$;

-- tenants and generations are what was taken; reason and retry_after_ms say when to come again
-- (null: nothing is due at any time); waiting is how many due ones were left.
create type leasehold.due_batch as (
    tenants text[], generations bigint[], waiting bigint, reason text, retry_after_ms bigint
);

-- Takes at most most due credentials, as far as the provider's budget goes: tenants with jobs
-- first, then by expiry of their access token. What is taken is out of sight for claim_ms; an idle
-- tenant is looked at again after recheck_ms. Leans on credential_due. Order is exact among the
-- 10 000 longest due.
create function leasehold.credential_take_due(
    provider_name text, client text, most integer, claim_ms bigint, recheck_ms bigint
) returns leasehold.due_batch
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
    moment timestamptz := clock_timestamp();
    batch leasehold.due_batch;
    admission leasehold.admission;
    candidates text[];
begin
    perform set_config('synchronous_commit', 'off', true);
    candidates := leasehold.credential_rank_due(provider_name, moment, recheck_ms);
    batch := ('{}', '{}', cardinality(candidates), 'open', null);
    if batch.waiting > 0 and most > 0 then
        admission := leasehold.provider_admit(provider_name, least(most, batch.waiting)::integer, client);
        batch.reason := admission.reason;
        batch.retry_after_ms := admission.retry_after_ms;
        if admission.granted > 0 then
            with taken as materialized (
                select c.tenant_id
                from unnest(candidates) with ordinality as ranked (tenant_id, place)
                join leasehold.credential c using (tenant_id)
                where c.state = 'active' and c.refresh_due_at <= moment
                order by admission.reason = 'probe' and c.suspect_reason is not null, ranked.place
                limit admission.granted
                for update of c skip locked
            ), claimed as (
                update leasehold.credential c
                set refresh_due_at = moment + claim_ms * interval '1 millisecond'
                from taken
                where c.tenant_id = taken.tenant_id
                returning c.tenant_id, c.generation
            )
            select coalesce(array_agg(tenant_id), '{}'), coalesce(array_agg(generation), '{}')
            into batch.tenants, batch.generations
            from claimed;
            if cardinality(batch.tenants) < admission.granted then
                perform leasehold.provider_return(provider_name, admission.granted - cardinality(batch.tenants));
            end if;
        end if;
    end if;
    batch.waiting := batch.waiting - cardinality(batch.tenants);
    if batch.waiting = 0 then
        select leasehold.milliseconds_until(min(refresh_due_at)) into batch.retry_after_ms
        from leasehold.credential
        where provider = provider_name and state = 'active';
    end if;
    return batch;
end
$$;

-- The due tenants that somebody needs, most urgent first; puts the others away.
create function leasehold.credential_rank_due(provider_name text, moment timestamptz, recheck_ms bigint) returns text[]
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
    ranked text[];
    idle text[];
begin
    with due as materialized (
        select
            c.tenant_id, c.access_expires_at,
            case
                when c.refresh_requested_at is not null or c.suspect_reason is not null or c.attempt_id is not null
                    then 2
                else leasehold.tenant_demand(c.tenant_id)
            end as demand
        from leasehold.credential c
        where c.provider = provider_name and c.state = 'active' and c.refresh_due_at <= moment
        order by c.refresh_due_at
        limit 10000
    )
    select
        coalesce(array_agg(tenant_id order by demand desc, access_expires_at nulls first, tenant_id)
            filter (where demand > 0), '{}'),
        coalesce(array_agg(tenant_id) filter (where demand = 0), '{}')
    into ranked, idle
    from due;
    if cardinality(idle) > 0 then
        update leasehold.credential
        set refresh_due_at = moment + recheck_ms * interval '1 millisecond'
        where tenant_id in (
            select tenant_id from leasehold.credential
            where tenant_id = any (idle) and refresh_due_at <= moment and attempt_id is null
                and refresh_requested_at is null
            for update skip locked);
    end if;
    return ranked;
end
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
set search_path = pg_catalog, pg_temp set jit = off
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

revoke all on function leasehold.credential_take_due, leasehold.credential_rank_due, leasehold.credential_suspect
    from public;
