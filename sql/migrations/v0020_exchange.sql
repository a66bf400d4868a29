-- One exchange in the database: intent (begin), save, fail, abandon. All of them lock the row of
-- the credential first; whoever holds that lock reads the truth.

-- What a worker gets to present. outcome: go, or why not: moved, exchanging, suspect,
-- needs_authorization, no_credential, no_tenant, backing_off, held, tried.
create type leasehold.exchange_ticket as (
    outcome text,
    generation bigint,
    renewed_by text,
    grant_kind text,
    refresh_token bytea,
    access_token bytea,
    organization text,
    -- A client gave what is presented, and no exchange has proven it yet.
    is_given boolean,
    failures integer,
    started_at timestamptz,
    deadline timestamptz,
    retry_after_ms bigint
);

-- synchronous_commit at least on for this transaction, whatever the session says.
create function leasehold.commit_durably() returns void
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off
as $$
begin
    if current_setting('synchronous_commit') not in ('on', 'remote_apply') then
        perform set_config('synchronous_commit', 'on', true);
    end if;
end
$$;

-- Null for null. Without settings and written out, so that the planner puts it in place of the call.
create function leasehold.milliseconds_until(moment timestamptz) returns bigint
language sql volatile
return case
    when moment is not null then greatest(0, ceil(extract(epoch from moment - clock_timestamp()) * 1000))::bigint end;

-- Closes an intent whose owner is gone past its deadline. A presented refresh token becomes
-- suspect: it may have been exchanged. The caller holds the row's lock.
create function leasehold.exchange_abandon(c leasehold.credential) returns void
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
as $$
declare
    moment timestamptz := clock_timestamp();
    spent boolean := c.attempt_grant = 'refresh_token';
begin
    insert into leasehold.credential_exchange (
        tenant_id, attempt_id, generation, rung, grant_kind, worker, started_at, ended_at, outcome, error_class)
    values (
        c.tenant_id, c.attempt_id, c.attempt_generation, c.attempt_rung, c.attempt_grant, c.attempt_worker,
        c.attempt_started_at, moment, 'abandoned', 'worker_lost');
    update leasehold.credential
    set attempt_id = null, attempt_generation = null, attempt_rung = null, attempt_grant = null,
        attempt_worker = null, attempt_started_at = null, attempt_deadline = null,
        -- What spends nothing may be tried again, and so may a probe: it may never have been sent.
        rungs_tried = case
            when not spent or c.attempt_rung = 'late_probe' then array_remove(c.rungs_tried, c.attempt_rung)
            else c.rungs_tried end,
        suspect_reason = case when spent then 'ambiguous' else suspect_reason end,
        suspect_at = case when spent then coalesce(suspect_at, moment) else suspect_at end,
        suspect_presented_at = case when spent then c.attempt_started_at else suspect_presented_at end,
        suspect_deadline = case when spent then c.attempt_deadline else suspect_deadline end,
        failures = failures + 1, last_exchange_at = c.attempt_started_at, last_outcome = 'abandoned',
        last_error_class = 'worker_lost', updated_at = moment
    where tenant_id = c.tenant_id;
end
$$;

-- The functions of credentials switch sequential scans off: a session keeps the plan that it made when
-- the tables were empty, and would read them from end to end as they grow.

-- Transaction A: under the row's lock, looks again whether generation seen still needs an exchange
-- by this rung, and writes the intent. Waits for the lock as long as lock_timeout_ms (55P03 after).
-- rung: refresh, connect (with the grant that is presented), replay, access_token,
-- client_credentials, late_probe.
create function leasehold.exchange_begin(
    of_tenant text, provider_name text, attempt uuid, by_worker uuid, rung text, connect_grant text,
    seen bigint, deadline_ms bigint, lock_timeout_ms bigint
) returns leasehold.exchange_ticket
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
as $$
declare
    c leasehold.credential;
    ticket leasehold.exchange_ticket;
    moment timestamptz;
begin
    perform leasehold.commit_durably();
    perform set_config('lock_timeout', lock_timeout_ms::text, true);
    if rung = 'connect' then
        if not exists (select from leasehold.tenant where tenant_id = of_tenant) then
            ticket.outcome := 'no_tenant';
            return ticket;
        end if;
        insert into leasehold.credential (tenant_id, provider) values (of_tenant, provider_name)
        on conflict (tenant_id) do nothing;
    end if;
    select * into c from leasehold.credential where tenant_id = of_tenant for update;
    if not found or (c.state = 'empty' and rung <> 'connect') then
        ticket.outcome := 'no_credential';
        return ticket;
    end if;
    moment := clock_timestamp();
    ticket.generation := c.generation;
    if c.attempt_id is not null then
        if c.attempt_deadline > moment then
            ticket.outcome := 'exchanging';
            ticket.retry_after_ms := leasehold.milliseconds_until(c.attempt_deadline);
            return ticket;
        end if;
        perform leasehold.exchange_abandon(c);
        select * into c from leasehold.credential where tenant_id = of_tenant;
    end if;
    ticket.outcome := leasehold.exchange_obstacle(c, rung, seen);
    if ticket.outcome is not null then
        ticket.retry_after_ms := leasehold.milliseconds_until(c.not_before);
        return ticket;
    end if;

    ticket.outcome := 'go';
    ticket.renewed_by := c.renewed_by;
    ticket.grant_kind := case rung
        when 'connect' then connect_grant
        when 'refresh' then c.renewed_by
        when 'access_token' then 'access_token'
        when 'client_credentials' then 'client_credentials'
        else 'refresh_token'
    end;
    ticket.refresh_token := c.refresh_token;
    ticket.access_token := c.access_token;
    ticket.organization := c.organization;
    ticket.is_given := rung = 'connect' or (c.access_issued_at is null and c.previous_generation is null);
    ticket.failures := c.failures;
    ticket.started_at := moment;
    ticket.deadline := moment + deadline_ms * interval '1 millisecond';
    update leasehold.credential
    set attempt_id = attempt, attempt_generation = c.generation, attempt_rung = rung,
        attempt_grant = ticket.grant_kind, attempt_worker = by_worker, attempt_started_at = moment,
        attempt_deadline = ticket.deadline,
        rungs_tried = case
            when rung in ('refresh', 'connect') or rung = any (rungs_tried) then rungs_tried
            else rungs_tried || rung end,
        refresh_due_at = case when rung = 'connect' then refresh_due_at else ticket.deadline end,
        updated_at = moment
    where tenant_id = of_tenant;
    return ticket;
end
$$;

-- Transaction B: takes the row's lock, to be kept over the POST, and says whether the intent is still
-- this attempt's. The limits hold until the transaction ends.
create function leasehold.exchange_hold(of_tenant text, attempt uuid, presented bigint) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
as $$
begin
    perform set_config('lock_timeout', '5000', true);
    perform set_config('idle_in_transaction_session_timeout', '0', true);
    -- PostgreSQL 17 and later.
    if current_setting('transaction_timeout', true) is not null then
        perform set_config('transaction_timeout', '0', true);
    end if;
    perform from leasehold.credential
    where tenant_id = of_tenant and attempt_id = attempt and generation = presented
    for update;
    return found;
end
$$;

-- Why a rung may not be taken now; null if it may.
create function leasehold.exchange_obstacle(c leasehold.credential, rung text, seen bigint) returns text
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off
as $$
begin
    return case
        when rung = 'connect' then null
        when c.generation is distinct from seen then 'moved'
        when c.state = 'needs_authorization' then 'needs_authorization'
        when rung = 'refresh' and c.suspect_reason is not null then 'suspect'
        when rung <> 'refresh' and c.suspect_reason is null then 'moved'
        -- A probe without an answer may be repeated; the ladder knows when.
        when rung <> 'late_probe' and rung = any (c.rungs_tried) then 'tried'
        when c.not_before > clock_timestamp() then 'backing_off'
        -- Admitted on the old primary, beginning on the new one.
        when exists (
            select from leasehold.provider p
            where p.provider = c.provider
                and (p.timeline is distinct from leasehold.wal_timeline() or p.hold_until > clock_timestamp()))
            then 'held'
    end;
end
$$;

-- For a generation that a spool knows to have been presented: if the row knows of no intent and no
-- suspicion, their commits were lost. True if the row is suspect only now.
create function leasehold.credential_doubt(
    of_tenant text, presented bigint, presented_at timestamptz, deadline timestamptz
) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
as $$
begin
    perform leasehold.commit_durably();
    update leasehold.credential
    set suspect_reason = 'ambiguous', suspect_at = clock_timestamp(), suspect_presented_at = presented_at,
        suspect_deadline = deadline, refresh_due_at = clock_timestamp(), updated_at = clock_timestamp()
    where tenant_id = of_tenant and generation = presented and state = 'active' and attempt_id is null
        and suspect_reason is null;
    return found;
end
$$;

-- What came of saving a reply. outcome: saved; already (this very attempt was saved before);
-- superseded (the generation has moved on by another); behind (the row is older than what was
-- presented: commits were lost); unproven (same generation, other attempt: show as witness the
-- sealed refresh token that was found to be the one presented); no_credential.
create type leasehold.exchange_saving as (outcome text, generation bigint, refresh_token bytea);

-- The columns of a reply that is saved. rotated: refresh_token is a successor, not the old one sealed anew.
create type leasehold.exchange_reply as (
    refresh_token bytea,
    rotated boolean,
    access_token bytea,
    access_issued_at timestamptz,
    access_expires_at timestamptz,
    refresh_due_at timestamptz,
    scope text,
    organization text
);

-- Compare-and-set of a reply on the generation that was presented. Also what a spool is replayed by.
create function leasehold.exchange_save(
    of_tenant text, attempt uuid, presented bigint, witness bytea, rung text, grant_used text, by_worker uuid,
    started timestamptz, status integer, token_fingerprint text, client text, replayed boolean,
    reply leasehold.exchange_reply
) returns leasehold.exchange_saving
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
as $$
declare
    c leasehold.credential;
    answer leasehold.exchange_saving;
    moment timestamptz;
    log_outcome text := case when replayed then 'replayed' else 'saved' end;
begin
    perform leasehold.commit_durably();
    if replayed then
        -- The session of a dead worker may hold the lock for as long as TCP believes in it.
        perform set_config('lock_timeout', '5000', true);
    end if;
    select * into c from leasehold.credential where tenant_id = of_tenant for update;
    if not found then
        answer.outcome := 'no_credential';
        return answer;
    end if;
    moment := clock_timestamp();
    answer.generation := c.generation;
    if c.saved_attempt_id = attempt then
        answer.outcome := 'already';
    elsif c.generation < presented then
        answer.outcome := 'behind';
    elsif c.generation > presented then
        answer.outcome := 'superseded';
        log_outcome := 'superseded';
        if not replayed then
            perform leasehold.exchange_archive(of_tenant, presented + 1, reply.refresh_token, 'superseded');
        end if;
    elsif c.attempt_id is distinct from attempt and c.refresh_token is distinct from witness then
        answer.outcome := 'unproven';
        answer.refresh_token := c.refresh_token;
    else
        answer.outcome := 'saved';
    end if;
    if answer.outcome = 'saved' or (answer.outcome = 'superseded' and not replayed) then
        insert into leasehold.credential_exchange (
            tenant_id, attempt_id, generation, rung, grant_kind, worker, started_at, ended_at, outcome,
            http_status, fingerprint)
        values (
            of_tenant, attempt, presented, rung, grant_used, by_worker, started, moment, log_outcome,
            status, token_fingerprint);
    end if;
    if answer.outcome <> 'saved' then return answer; end if;

    perform leasehold.exchange_apply(c, attempt, rung, grant_used, reply, moment, log_outcome);
    answer.generation := presented + 1;
    if not replayed then
        perform leasehold.provider_answered(c.provider, client, started);
    end if;
    return answer;
end
$$;

-- Keeps a refresh token that leaves its row without having been exchanged.
create function leasehold.exchange_archive(of_tenant text, of_generation bigint, sealed bytea, why text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off
as $$
begin
    insert into leasehold.credential_archive (tenant_id, generation, refresh_token, reason)
    select of_tenant, of_generation, sealed, why where sealed is not null;
end
$$;
