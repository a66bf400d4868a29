-- How an exchange ends in the row: applied, failed, given up.

-- Writes a reply into the row. The caller holds the lock and has compared the generation.
create function leasehold.exchange_apply(
    c leasehold.credential, attempt uuid, rung text, grant_used text, reply leasehold.exchange_reply,
    moment timestamptz, log_outcome text
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
as $$
declare
    connects boolean := rung = 'connect';
    revives boolean := c.state <> 'active';
begin
    if connects then
        perform leasehold.exchange_archive(c.tenant_id, c.generation, c.refresh_token, 'reconnected');
    end if;
    update leasehold.credential
    set generation = c.generation + 1,
        state = 'active',
        connected_by = case when connects then grant_used else c.connected_by end,
        connected_at = case when connects then moment else c.connected_at end,
        renewed_by = case when grant_used = 'client_credentials' then 'client_credentials' else 'refresh_token' end,
        refresh_token = reply.refresh_token,
        previous_refresh_token = case
            when connects then null when reply.rotated then c.refresh_token else c.previous_refresh_token end,
        previous_generation = case
            when connects then null when reply.rotated then c.generation else c.previous_generation end,
        access_token = reply.access_token,
        access_issued_at = reply.access_issued_at,
        access_expires_at = reply.access_expires_at,
        access_rejected_at = null,
        refresh_planned_at = reply.refresh_due_at,
        refresh_due_at = reply.refresh_due_at,
        refresh_requested_at = null,
        not_before = null,
        scope = case when connects then reply.scope else coalesce(reply.scope, c.scope) end,
        organization = case when connects then reply.organization else coalesce(reply.organization, c.organization) end,
        attempt_id = null, attempt_generation = null, attempt_rung = null, attempt_grant = null,
        attempt_worker = null, attempt_started_at = null, attempt_deadline = null,
        saved_attempt_id = attempt,
        suspect_reason = null, suspect_at = null, suspect_presented_at = null, suspect_deadline = null,
        rungs_tried = '{}', failures = 0, last_exchange_at = moment, last_outcome = log_outcome,
        last_error_class = null, needs_authorization_at = null, updated_at = moment
    where tenant_id = c.tenant_id;
    if connects or revives then
        insert into leasehold.credential_event (tenant_id, kind, generation, detail)
        values (
            c.tenant_id, case when connects then 'connected' else 'recovered' end, c.generation + 1,
            case when connects then 'by ' || grant_used when log_outcome = 'replayed'
                then 'a successor was found in a spool' else 'by rung ' || rung end);
        perform leasehold.tenant_unpark(c.tenant_id);
    end if;
    if connects or revives or c.refresh_requested_at is not null then
        perform pg_notify('leasehold_credential', 'saved ' || c.tenant_id);
    end if;
end
$$;

-- What a failed exchange leaves behind; the decision was made outside.
create type leasehold.exchange_failure as (
    -- For the log: not_sent, throttled, misconfigured, refused, dead, ambiguous.
    outcome text,
    error_class text,
    http_status integer,
    -- null, or how the presented generation stands now: ambiguous, dead.
    suspect text,
    -- The rung was not used up: nothing was spent.
    rung_free boolean,
    back_off_ms bigint,
    due_ms bigint,
    -- null, or what provider_failed takes note of.
    provider_effect text,
    provider_ms bigint,
    -- Of a reply that was cut after its access token.
    access_token bytea,
    access_expires_at timestamptz
);

-- Closes an intent whose exchange brought no successor. False if the intent is no longer open:
-- then somebody else has dealt with it, and only the log is written.
create function leasehold.exchange_fail(
    of_tenant text, attempt uuid, presented bigint, rung text, grant_used text, by_worker uuid, started timestamptz,
    token_fingerprint text, client text, failure leasehold.exchange_failure
) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
as $$
declare
    c leasehold.credential;
    moment timestamptz;
    is_first_verdict boolean;
begin
    perform leasehold.commit_durably();
    select * into c from leasehold.credential where tenant_id = of_tenant for update;
    if not found then return false; end if;
    moment := clock_timestamp();
    is_first_verdict := c.suspect_reason is null;
    insert into leasehold.credential_exchange (
        tenant_id, attempt_id, generation, rung, grant_kind, worker, started_at, ended_at, outcome, error_class,
        http_status, fingerprint)
    values (
        of_tenant, attempt, presented, rung, grant_used, by_worker, started, moment, failure.outcome,
        failure.error_class, failure.http_status, token_fingerprint);
    -- A dead generation counts as news about the provider once, not again at every rung.
    if failure.provider_effect is not null and (failure.provider_effect <> 'dead' or is_first_verdict) then
        perform leasehold.provider_failed(
            c.provider, failure.provider_effect, failure.provider_ms, client, failure.error_class);
    end if;
    if c.attempt_id is distinct from attempt then return false; end if;

    update leasehold.credential
    set attempt_id = null, attempt_generation = null, attempt_rung = null, attempt_grant = null,
        attempt_worker = null, attempt_started_at = null, attempt_deadline = null,
        rungs_tried = case when failure.rung_free then array_remove(c.rungs_tried, rung) else c.rungs_tried end,
        suspect_reason = coalesce(failure.suspect, c.suspect_reason),
        suspect_at = case when failure.suspect is null then c.suspect_at else coalesce(c.suspect_at, moment) end,
        suspect_presented_at = case
            when failure.suspect is null then c.suspect_presented_at else c.attempt_started_at end,
        suspect_deadline = case failure.suspect
            when 'ambiguous' then c.attempt_deadline
            when 'dead' then coalesce(c.suspect_deadline, moment)
            else c.suspect_deadline end,
        access_token = coalesce(failure.access_token, c.access_token),
        access_expires_at = case
            when failure.access_token is null then c.access_expires_at else failure.access_expires_at end,
        access_rejected_at = case when failure.access_token is null then c.access_rejected_at end,
        not_before = case
            when failure.back_off_ms > 0 then moment + failure.back_off_ms * interval '1 millisecond' end,
        refresh_due_at = case
            when c.attempt_rung = 'connect' then c.refresh_due_at
            else moment + failure.due_ms * interval '1 millisecond' end,
        failures = c.failures + 1, last_exchange_at = moment, last_outcome = failure.outcome,
        last_error_class = failure.error_class, updated_at = moment
    where tenant_id = of_tenant;
    return true;
end
$$;

-- Opens the intent's lock again before anything was sent: the exchange never happened.
create function leasehold.exchange_cancel(of_tenant text, attempt uuid) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
as $$
begin
    update leasehold.credential
    set attempt_id = null, attempt_generation = null, attempt_grant = null, attempt_worker = null,
        attempt_started_at = null, attempt_deadline = null, attempt_rung = null,
        rungs_tried = array_remove(rungs_tried, attempt_rung),
        refresh_due_at = case when attempt_rung = 'connect' then refresh_due_at else clock_timestamp() end,
        updated_at = clock_timestamp()
    where tenant_id = of_tenant and attempt_id = attempt;
    return found;
end
$$;

-- Takes in a refresh token that was obtained elsewhere, sealed for generation seen + 1: it is kept
-- before it is ever presented. outcome: stored, moved, exchanging, no_tenant.
create function leasehold.credential_store(
    of_tenant text, provider_name text, attempt uuid, seen bigint, sealed bytea, of_organization text, by_worker uuid
) returns text
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
as $$
declare
    c leasehold.credential;
    moment timestamptz := clock_timestamp();
begin
    perform leasehold.commit_durably();
    if not exists (select from leasehold.tenant where tenant_id = of_tenant) then return 'no_tenant'; end if;
    insert into leasehold.credential (tenant_id, provider) values (of_tenant, provider_name)
    on conflict (tenant_id) do nothing;
    select * into c from leasehold.credential where tenant_id = of_tenant for update;
    if c.attempt_id is not null and c.attempt_deadline > clock_timestamp() then return 'exchanging'; end if;
    if c.generation <> seen then return 'moved'; end if;
    if c.attempt_id is not null then perform leasehold.exchange_abandon(c); end if;
    perform leasehold.exchange_apply(
        c, attempt, 'connect', 'refresh_token',
        row(sealed, true, null, null, null, moment, null, of_organization)::leasehold.exchange_reply, moment, 'stored');
    return 'stored';
end
$$;

-- The verdict after the last rung: parks the tenant's jobs, leaves an event, notifies. False if the
-- credential moved, is being exchanged, is not suspect, or the provider itself is in doubt.
create function leasehold.credential_give_up(of_tenant text, suspected bigint, detail text) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
as $$
declare
    c leasehold.credential;
    moment timestamptz;
begin
    perform leasehold.commit_durably();
    select * into c from leasehold.credential where tenant_id = of_tenant for update;
    if not found or c.state <> 'active' or c.generation <> suspected or c.attempt_id is not null
        or c.suspect_reason is null
        or exists (
            select from leasehold.provider p
            where p.provider = c.provider
                and (p.breaker = 'open' or p.hold_until > clock_timestamp() or p.stop_reason is not null))
    then
        return false;
    end if;
    moment := clock_timestamp();
    update leasehold.credential
    set state = 'needs_authorization', needs_authorization_at = moment, refresh_due_at = null, updated_at = moment
    where tenant_id = of_tenant;
    insert into leasehold.credential_event (tenant_id, kind, generation, detail)
    values (of_tenant, 'needs_authorization', c.generation, detail);
    perform leasehold.tenant_park(of_tenant, 'the credential needs authorization: ' || detail);
    perform pg_notify('leasehold_credential', 'needs_authorization ' || of_tenant);
    return true;
end
$$;

-- Drops log rows of exchanges that ended more than keep_seconds ago, at most batch of them.
create function leasehold.exchange_prune(keep_seconds double precision, batch integer) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off set enable_bitmapscan = off
as $$
declare
    dropped bigint;
begin
    delete from leasehold.credential_exchange
    where ctid = any (array(
        select ctid from leasehold.credential_exchange
        where ended_at < clock_timestamp() - keep_seconds * interval '1 second'
        order by ended_at
        limit batch
        for update skip locked));
    get diagnostics dropped = row_count;
    return dropped;
end
$$;

revoke all on function leasehold.exchange_begin, leasehold.exchange_hold, leasehold.exchange_prune, leasehold.exchange_save, leasehold.exchange_fail,
    leasehold.exchange_cancel, leasehold.exchange_apply, leasehold.exchange_archive, leasehold.exchange_abandon,
    leasehold.credential_give_up, leasehold.credential_doubt, leasehold.credential_store from public;
