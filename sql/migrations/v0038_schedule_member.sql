-- Tenants come and go: who is added, connected, resumed or unparked takes its turns. Who leaves is
-- noticed at its next turn, which then rests.

-- A schedule that is being added does not see tenants of open transactions, nor they it: adding one
-- excludes this.
create function leasehold.schedule_member_back() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp set jit = off as $$
begin
    perform pg_advisory_xact_lock_shared(hashtext('leasehold.schedule'));
    if exists (select from leasehold.schedule) then
        perform leasehold.schedule_enrol(only_tenant => new.tenant_id);
    end if;
    return null;
end $$;

comment on function leasehold.schedule_member_back is 'After what may make a tenant a member of schedules';

create trigger schedule_tenant_added after insert on leasehold.tenant for each row
    execute function leasehold.schedule_member_back();
create trigger schedule_tenant_resumed after update of state on leasehold.tenant for each row
    when (old.state <> new.state and new.state = 'active')
    execute function leasehold.schedule_member_back();
create trigger schedule_tenant_connected after insert on leasehold.credential for each row
    when (new.state = 'active')
    execute function leasehold.schedule_member_back();
create trigger schedule_tenant_reconnected after update of state on leasehold.credential for each row
    when (old.state <> new.state and new.state = 'active')
    execute function leasehold.schedule_member_back();
create trigger schedule_tenant_unparked after insert or update of released_at on leasehold.tenant_hold for each row
    when (new.released_at is not null)
    execute function leasehold.schedule_member_back();

create function leasehold.schedule_known(named text) returns leasehold.schedule
language plpgsql set search_path = pg_catalog, pg_temp set jit = off as $$
declare
    found_schedule leasehold.schedule;
begin
    select s.* into found_schedule from leasehold.schedule as s where s.name = named;
    if not found then
        raise exception 'expected the name of a schedule, got %', coalesce('"' || left(named, 140) || '"', 'null')
            using errcode = 'LH006', hint = 'leasehold schedules list';
    end if;
    return found_schedule;
end $$;

comment on function leasehold.schedule_known is 'The schedule of that name; raises LH006';

create function leasehold.schedule_zone(spelled text) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp set jit = off as $$
declare
    known text;
begin
    select z.name into known from pg_timezone_names as z
    where lower(z.name) = lower(spelled) and z.name !~ '^(posix|right)/' limit 1;
    if found then
        return known;
    end if;
    raise exception 'expected an IANA time zone, got %', coalesce('"' || left(spelled, 100) || '"', 'null')
        using errcode = 'LH002', hint = coalesce('did you mean ' || (
            select string_agg(like_it.name, ', ') from (
                select z.name from pg_timezone_names as z
                where z.name ilike '%/' || regexp_replace(spelled, '[^A-Za-z]+', '_', 'g') || '%'
                    and z.name !~ '^(posix|right)/'
                order by z.name limit 3) as like_it), 'for example Europe/Berlin');
end $$;

comment on function leasehold.schedule_zone is
    'The name as the time zone database spells it; raises LH002. Abbreviations like EST and offsets like UTC+2 are none';

-- What was asked for, checked, as a row that is not in the table yet.
create function leasehold.schedule_row(
    name text,
    kind text default 'preview',
    every interval default null,
    cron text default null,
    tenant text default null,
    time_zone text default 'UTC',
    args jsonb default '{}',
    queue text default 'default',
    priority integer default 0,
    max_attempts integer default 20,
    timeout_after interval default null,
    starts_at timestamptz default null,
    members text default null,
    missed text default 'once',
    missed_most integer default 10,
    grace interval default '5 minutes',
    jitter interval default '0',
    overlap boolean default null,
    slot_arg text default null
) returns leasehold.schedule
language plpgsql stable set search_path = pg_catalog, pg_temp set jit = off as $$
declare
    made leasehold.schedule;
    expected text;
    got text;
    advice text := 'see sql/README.md, "Schedules"';
begin
    perform leasehold.enqueue_check(kind, args, queue, priority, max_attempts, timeout_after,
        null, 'keep', null, null, null);
    case
    when name is null or name !~ '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$' then
        expected := 'a name of 1 to 128 of A-Z a-z 0-9 . _ : -, a letter or digit first';
        got := coalesce('"' || left(name, 140) || '"', 'null');
    when (every is null) = (cron is null) then
        expected := 'either every, for elapsed time, or cron, for times of the clock';
        got := case when every is null then 'neither' else 'both' end;
        advice := 'every => ''15 minutes'' or cron => ''0 3 * * *''';
    when extract(year from every) <> 0 or extract(month from every) <> 0 then
        expected := 'every in days, hours, minutes and seconds, since months differ in length';
        got := every::text;
        advice := 'cron => ''0 0 1 * *'' is the first of every month';
    when every not between interval '1 second' and interval '366 days'
        or extract(epoch from every) % 1 <> 0 then
        expected := 'every to be whole seconds, from 1 second to 366 days';
        got := every::text;
    when coalesce(members, 'active') not in ('active', 'connected') then
        expected := 'members to be active or connected';
        got := '"' || left(members, 40) || '"';
    when missed is null or missed not in ('skip', 'once', 'all') then
        expected := 'missed to be skip, once or all';
        got := coalesce('"' || left(missed, 40) || '"', 'null');
    when missed_most is null or missed_most not between 1 and 1000 then
        expected := 'missed_most from 1 to 1000';
        got := coalesce(missed_most::text, 'null');
    when grace is null or grace not between interval '1 second' and interval '1 day' then
        expected := 'grace from 1 second to 1 day';
        got := coalesce(grace::text, 'null');
    when jitter is null or jitter not between interval '0' and interval '1 day' or jitter >= every then
        expected := 'jitter from 0 to 1 day' || case when every is null then '' else ', less than every' end;
        got := coalesce(jitter::text, 'null');
    when missed = 'all' and not overlap then
        expected := 'overlap to be allowed if all missed slots are fired, since they are fired together';
        got := 'overlap => false';
        advice := 'missed => ''once'', or leave overlap out';
    when length(slot_arg) not between 1 and 100 then
        expected := 'slot_arg of 1 to 100 characters';
        got := length(slot_arg) || ' characters';
    when tenant is not null and not exists (select from leasehold.tenant as t where t.tenant_id = tenant) then
        perform leasehold.refuse_unknown_tenant(tenant);
    else
        made.name := name;
        made.tenant_id := tenant;
        made.members := coalesce(members, case when tenant is null then 'connected' else 'active' end);
        made.kind := kind;
        made.queue := queue;
        made.args := args;
        made.priority := priority;
        made.max_attempts := max_attempts;
        made.timeout_seconds := extract(epoch from timeout_after);
        made.slot_arg := slot_arg;
        made.every_seconds := extract(epoch from every);
        made.starts_at := coalesce(starts_at, clock_timestamp());
        made.cron := cron;
        made.masks := leasehold.cron_parse(cron);
        made.time_zone := leasehold.schedule_zone(time_zone);
        made.missed := missed;
        made.missed_most := missed_most;
        made.grace_seconds := extract(epoch from grace);
        made.jitter_seconds := extract(epoch from jitter);
        made.overlap := coalesce(overlap, missed = 'all');
        if leasehold.schedule_slot_after(made, coalesce(tenant, ''), clock_timestamp()) is not null then
            return made;
        end if;
        expected := 'a cron expression that some day fits';
        got := '"' || left(cron, 100) || '", which none does in twelve years';
    end case;
    raise exception 'expected %, got %', expected, got using errcode = 'LH002', hint = advice;
end $$;

comment on function leasehold.schedule_row is 'A checked schedule that is not stored: for leasehold.schedule_preview; raises LH001 and LH002';
