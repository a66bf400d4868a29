-- Reading access tokens, and finding credentials that are due.

-- outcome: fresh (with the sealed token), refresh (the caller may exchange generation; one exchange
-- was taken out of the budget if it asked for that), exchanging, suspect, wait (detail says why),
-- needs_authorization, no_credential.
create type leasehold.credential_reading as (
    outcome text,
    generation bigint,
    access_token bytea,
    access_expires_at timestamptz,
    valid_ms bigint,
    retry_after_ms bigint,
    detail text
);

-- The access token of a tenant, unless it is about to expire (valid for less than min_valid_ms or a
-- tenth of its life) or is the one that the API refused (generation failed). A refused token younger
-- than young_ms is not replaced at once: an API that refuses everything must not burn refresh tokens.
-- Roles that may not see the credential table call this; it has no way to a refresh token.
create function leasehold.credential_read(
    of_tenant text, failed bigint, min_valid_ms bigint, young_ms bigint, admits boolean, client text
) returns leasehold.credential_reading
language plpgsql security definer
set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
as $$
declare
    c leasehold.credential;
    reading leasehold.credential_reading;
    admission leasehold.admission;
    moment timestamptz := clock_timestamp();
    margin interval := min_valid_ms * interval '1 millisecond';
    is_refused boolean;
begin
    select * into c from leasehold.credential where tenant_id = of_tenant;
    if not found or c.state = 'empty' then
        reading.outcome := 'no_credential';
        return reading;
    end if;
    reading.generation := c.generation;
    is_refused := c.access_rejected_at is not null or coalesce(failed >= c.generation, false);
    if c.access_token is not null and not is_refused
        and c.access_expires_at > moment + least(margin, (c.access_expires_at - c.access_issued_at) / 10)
    then
        reading.outcome := 'fresh';
        reading.access_token := c.access_token;
        reading.access_expires_at := c.access_expires_at;
        reading.valid_ms := floor(extract(epoch from c.access_expires_at - moment) * 1000);
        -- In use past the planned point: somebody needs it, whatever the queue says.
        if c.refresh_planned_at <= moment and c.refresh_requested_at is null and c.attempt_id is null then
            perform leasehold.credential_mark_wanted(of_tenant, c.generation);
        end if;
        return reading;
    end if;
    if failed >= c.generation and c.access_rejected_at is null then
        perform set_config('synchronous_commit', 'off', true);
        perform from leasehold.credential
        where tenant_id = of_tenant and generation = c.generation
        for update skip locked;
        if found then
            update leasehold.credential set access_rejected_at = moment, updated_at = moment
            where tenant_id = of_tenant;
        end if;
    end if;

    reading.outcome := 'wait';
    if c.state = 'needs_authorization' then
        reading.outcome := 'needs_authorization';
    elsif c.attempt_id is not null and c.attempt_deadline > moment then
        reading.outcome := 'exchanging';
        reading.retry_after_ms := leasehold.milliseconds_until(c.attempt_deadline);
    elsif is_refused and c.access_issued_at > moment - young_ms * interval '1 millisecond' then
        reading.detail := 'refused_young';
        reading.retry_after_ms := leasehold.milliseconds_until(
            c.access_issued_at + young_ms * interval '1 millisecond');
    elsif c.not_before > moment then
        reading.detail := 'back_off';
        reading.retry_after_ms := leasehold.milliseconds_until(c.not_before);
    elsif c.suspect_reason is not null and c.refresh_due_at > moment then
        reading.detail := 'recovering';
        reading.retry_after_ms := leasehold.milliseconds_until(c.refresh_due_at);
    elsif c.suspect_reason is not null or c.attempt_id is not null then
        reading.outcome := 'suspect';
    elsif admits then
        admission := leasehold.provider_admit(c.provider, 1, client);
        if admission.granted = 1 then
            reading.outcome := 'refresh';
        else
            reading.detail := admission.reason;
            reading.retry_after_ms := admission.retry_after_ms;
        end if;
    else
        reading.outcome := 'refresh';
    end if;
    return reading;
end
$$;

-- Makes a credential due because it is needed. Does nothing while an exchange holds the row. A lost
-- mark is set again by the next reader.
create function leasehold.credential_mark_wanted(of_tenant text, seen bigint) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
as $$
declare
    moment timestamptz := clock_timestamp();
begin
    perform set_config('synchronous_commit', 'off', true);
    perform from leasehold.credential
    where tenant_id = of_tenant and generation = seen and state = 'active' and refresh_requested_at is null
    for update skip locked;
    if not found then return false; end if;
    update leasehold.credential
    set refresh_requested_at = moment, updated_at = moment,
        refresh_due_at = case
            when suspect_reason is null then greatest(moment, not_before) else least(refresh_due_at, moment) end
    where tenant_id = of_tenant;
    return true;
end
$$;

-- For workers that may not exchange: makes a credential due and wakes the refresh service.
create function leasehold.credential_request(of_tenant text, seen bigint) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp set jit = off
as $$
begin
    if not leasehold.credential_mark_wanted(of_tenant, seen) then return false; end if;
    perform pg_notify('leasehold_credential', 'requested ' || of_tenant);
    return true;
end
$$;

revoke all on function leasehold.credential_read, leasehold.credential_request, leasehold.credential_mark_wanted
    from public;
