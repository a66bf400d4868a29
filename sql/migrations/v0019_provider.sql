-- The shared budget of a token endpoint: token bucket, Retry-After, breaker, stop, failover hold.

-- What provider_admit answers. reason: open, probe, bucket, blocked, breaker, stopped, failover.
create type leasehold.admission as (granted integer, reason text, retry_after_ms bigint);

-- Eight hex digits that change with every promotion or point-in-time restore.
create function leasehold.wal_timeline() returns text
language sql volatile
return left(pg_walfile_name(pg_current_wal_insert_lsn()), 8);

-- Makes the row of a provider, or takes over the settings of the worker that started last.
create function leasehold.provider_register(
    provider_name text, rate double precision, burst_size integer, hold_ms bigint
) returns void
language sql
set search_path = pg_catalog, pg_temp set jit = off
as $$
    insert into leasehold.provider as p (
        provider, exchanges_per_second, burst, bucket, failover_hold, timeline)
    values (
        provider_name, rate, burst_size, burst_size, hold_ms * interval '1 millisecond', leasehold.wal_timeline())
    on conflict (provider) do update
        set exchanges_per_second = excluded.exchanges_per_second, burst = excluded.burst,
            failover_hold = excluded.failover_hold, updated_at = clock_timestamp()
        where (p.exchanges_per_second, p.burst, p.failover_hold)
            is distinct from (excluded.exchanges_per_second, excluded.burst, excluded.failover_hold);
$$;

-- What the budget gives now, without taking it. granted: as many of wanted as there are; of a shut
-- breaker or stop one, as a probe. retry_after_ms: with nothing granted, until one is to be had; with
-- less than wanted, until a worthwhile part of it is, so that a backlog is not looked through for
-- every single exchange.
create function leasehold.provider_weigh(p leasehold.provider, wanted integer, client text, moment timestamptz)
returns leasehold.admission
language plpgsql stable
set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
    answer leasehold.admission := (0, 'open', 0);
    gate timestamptz;
    tokens double precision;
begin
    if p.hold_until > moment then
        answer.reason := 'failover';
        gate := p.hold_until;
    elsif p.stop_reason is not null and p.stop_client = client then
        answer.reason := 'stopped';
        gate := p.probe_at;
    elsif p.blocked_until > moment then
        answer.reason := 'blocked';
        gate := p.blocked_until;
    elsif p.breaker = 'open' then
        answer.reason := 'breaker';
        gate := p.probe_at;
    end if;
    if gate > moment then
        answer.retry_after_ms := ceil(extract(epoch from gate - moment) * 1000);
        return answer;
    end if;

    tokens := least(p.burst, p.bucket
        + greatest(0, extract(epoch from moment - p.bucket_at)) * p.exchanges_per_second);
    answer.granted := greatest(0, least(wanted, floor(tokens)::integer));
    if answer.granted < 1 then
        answer.reason := 'bucket';
        answer.retry_after_ms := greatest(1, ceil((1 - tokens) / p.exchanges_per_second * 1000));
    elsif answer.reason in ('stopped', 'breaker') then
        answer.granted := 1;
        answer.reason := 'probe';
    elsif answer.granted < wanted then
        answer.retry_after_ms := ceil(
            (least(wanted - answer.granted, greatest(1, p.burst / 2)) - (tokens - answer.granted))
            / p.exchanges_per_second * 1000);
    end if;
    return answer;
end
$$;

-- Takes up to wanted exchanges out of the budget, or says why not and when to ask again.
-- Committed without waiting for the disk: a lost bucket costs nothing.
create function leasehold.provider_admit(provider_name text, wanted integer, client text)
returns leasehold.admission
language plpgsql security definer
set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
    p leasehold.provider;
    answer leasehold.admission;
    moment timestamptz;
    line text := leasehold.wal_timeline();
begin
    perform set_config('synchronous_commit', 'off', true);
    select * into p from leasehold.provider where provider = provider_name for update;
    if not found then
        raise exception 'provider "%" is not registered', provider_name
            using hint = 'start a worker with the refresh role once';
    end if;
    moment := clock_timestamp();
    if p.timeline is distinct from line then
        update leasehold.provider set timeline = line, hold_until = moment + p.failover_hold
        where provider = provider_name;
        p.hold_until := moment + p.failover_hold;
    end if;
    answer := leasehold.provider_weigh(p, wanted, client, moment);
    if answer.granted < 1 then return answer; end if;
    update leasehold.provider
    set bucket = least(burst, bucket
            + greatest(0, extract(epoch from moment - bucket_at)) * exchanges_per_second) - answer.granted,
        bucket_at = moment,
        probing = probing or answer.reason = 'probe',
        probe_at = case
            when answer.reason <> 'probe' then probe_at
            when stop_reason is not null and stop_client = client then moment + stop_probe_every
            else moment + breaker_cooldown end
    where provider = provider_name;
    return answer;
end
$$;

-- Hands back what was admitted and not used.
create function leasehold.provider_return(provider_name text, unused integer) returns void
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off
as $$
begin
    perform set_config('synchronous_commit', 'off', true);
    update leasehold.provider set bucket = least(burst, bucket + unused) where provider = provider_name;
end
$$;

-- A usable answer to an exchange that started at started: closes what a later start could not have passed.
create function leasehold.provider_answered(provider_name text, client text, started timestamptz) returns void
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off
as $$
begin
    -- The usual case changes nothing and must not take the row's lock.
    if not exists (
        select from leasehold.provider
        where provider = provider_name and (unanswered > 0 or breaker = 'open' or stop_reason is not null))
    then
        return;
    end if;
    update leasehold.provider
    set unanswered = 0, updated_at = clock_timestamp()
    where provider = provider_name and breaker = 'closed' and unanswered > 0;
    update leasehold.provider
    set breaker = 'closed', breaker_reason = null, breaker_opened_at = null, breaker_cooldown = null,
        probe_at = null, probing = false, unanswered = 0, dead = 0, dead_since = null,
        updated_at = clock_timestamp()
    where provider = provider_name and breaker = 'open' and breaker_opened_at < started;
    update leasehold.provider
    set stop_reason = null, stop_client = null, stopped_at = null, updated_at = clock_timestamp()
    where provider = provider_name and stop_client = client and stopped_at < started;
end
$$;

-- Takes note of what a failed exchange says about the provider.
-- effect: unanswered, dead, blocked (for milliseconds), stopped (why: the error code).
create function leasehold.provider_failed(provider_name text, effect text, milliseconds bigint, client text, why text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
    p leasehold.provider;
    moment timestamptz := clock_timestamp();
    opens text;
begin
    select * into strict p from leasehold.provider where provider = provider_name for update;
    if effect = 'blocked' then
        p.blocked_until := greatest(p.blocked_until, moment + milliseconds * interval '1 millisecond');
    elsif effect = 'stopped' then
        p.stop_reason := why;
        p.stop_client := client;
        p.stopped_at := coalesce(p.stopped_at, moment);
        p.probe_at := moment + p.stop_probe_every;
    elsif effect = 'unanswered' then
        p.unanswered := p.unanswered + 1;
        if p.unanswered >= p.unanswered_limit then opens := 'no usable answers'; end if;
    elsif effect = 'dead' then
        if p.dead_since is null or p.dead_since < moment - p.dead_window then
            p.dead := 0;
            p.dead_since := moment;
        end if;
        p.dead := p.dead + 1;
        if p.dead >= p.dead_limit then opens := 'many refresh tokens refused at once'; end if;
    end if;
    -- Exchanges that were out when the breaker opened also fail: only a probe's failure counts then.
    if p.breaker = 'open' and p.probing and effect in ('unanswered', 'dead') then
        p.breaker_cooldown := least(p.cooldown_longest, p.breaker_cooldown * 2);
        p.probe_at := moment + p.breaker_cooldown;
        p.probing := false;
    elsif p.breaker = 'closed' and opens is not null then
        p.breaker := 'open';
        p.breaker_reason := opens;
        p.breaker_opened_at := moment;
        p.breaker_cooldown := p.cooldown_first;
        p.probe_at := moment + p.breaker_cooldown;
        p.probing := false;
    end if;
    update leasehold.provider
    set blocked_until = p.blocked_until, stop_reason = p.stop_reason, stop_client = p.stop_client,
        stopped_at = p.stopped_at, probe_at = p.probe_at, probing = p.probing, unanswered = p.unanswered, dead = p.dead,
        dead_since = p.dead_since, breaker = p.breaker, breaker_reason = p.breaker_reason,
        breaker_opened_at = p.breaker_opened_at, breaker_cooldown = p.breaker_cooldown, updated_at = moment
    where provider = provider_name;
end
$$;

revoke all on function leasehold.provider_register, leasehold.provider_weigh, leasehold.provider_admit,
    leasehold.provider_return, leasehold.provider_answered, leasehold.provider_failed, leasehold.wal_timeline
    from public;
