-- Rhythms: when a schedule's slots are. Cron expressions are walked in local time, where people mean
-- them, and each local time is turned into one instant:
--   a local time that the clock skips (spring) is the first instant after the gap;
--   a local time that comes twice (autumn) is the first of the two.
-- So a daily job runs once a day on every day of the year, and `*/15 * * * *` pauses while the clock
-- repeats an hour. What must go on through it is an interval: intervals are elapsed time.

-- One field as a bit mask. all_bit: set if the field begins with *, which decides how the two fields
-- for days go together.
create function leasehold.cron_field(
    expression text, field text, what text, lowest integer, highest integer, names text[], all_bit integer
) returns bigint
language plpgsql immutable strict parallel safe set search_path = pg_catalog set jit = off as $$
declare
    expected constant text := format('%s to be %s to %s%s', what, lowest, highest,
        case when cardinality(names) > 0 then format(' or %s to %s', names[1], names[cardinality(names)])
            else '' end);
    item text;
    part text[];
    ends integer[];
    step integer;
    place integer;
    mask bigint := case when field like '*%' and all_bit >= 0 then 1::bigint << all_bit else 0 end;
begin
    foreach item in array string_to_array(field, ',') loop
        part := regexp_match(item, '^(?:(\*)|([0-9]{1,4}|[a-z]+)(?:-([0-9]{1,4}|[a-z]+))?)(?:/([0-9]{1,4}))?$', 'i');
        if part is null then
            raise exception 'expected %, as n, n-n, * or one of the last two with /step; got "%" in "%"',
                expected, left(item, 40), left(expression, 200)
                using errcode = 'LH002', hint = 'for example 0,30 or 8-18/2 or */5';
        end if;
        ends := array[lowest, highest];
        for place in 2..3 loop
            continue when part[place] is null;
            ends[place - 1] := coalesce(
                array_position(names, lower(part[place])) - 1 + (what = 'month')::integer,
                case when part[place] ~ '^[0-9]+$' then part[place]::integer end, -1);
            if ends[place - 1] not between lowest and highest then
                raise exception 'expected %, got "%" in "%"', expected, left(part[place], 40),
                    left(expression, 200) using errcode = 'LH002';
            end if;
        end loop;
        if part[1] is null and part[3] is null then
            ends[2] := ends[1];
        end if;
        if ends[1] > ends[2] then
            raise exception 'expected % in rising order, got "%" in "%"', what, left(item, 40),
                left(expression, 200)
                using errcode = 'LH002', hint = format('%s-%s,%s-%s', ends[1], highest, lowest, ends[2]);
        end if;
        step := coalesce(part[4]::integer, 1);
        if step not between 1 and highest or (part[4] is not null and part[1] is null and part[3] is null) then
            raise exception 'expected a step of 1 to % after * or a range of %, got "%" in "%"', highest, what,
                left(item, 40), left(expression, 200)
                using errcode = 'LH002', hint = format('%s-%s/%s', ends[1], highest, least(step, highest));
        end if;
        for place in ends[1]..ends[2] by step loop
            mask := mask | (1::bigint << place);
        end loop;
    end loop;
    return mask;
end $$;

comment on function leasehold.cron_field is 'One field of a cron expression as a bit mask, bit n for the value n; raises LH002';

create function leasehold.cron_parse(expression text) returns bigint[]
language plpgsql immutable strict parallel safe set search_path = pg_catalog set jit = off as $$
declare
    spelled constant text := coalesce(('{"@hourly": "0 * * * *", "@daily": "0 0 * * *",
        "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *",
        "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *"}'::jsonb) ->> lower(btrim(expression)),
        btrim(expression));
    fields constant text[] := regexp_split_to_array(spelled, '\s+');
    weekdays bigint;
begin
    if spelled like '@%' then
        raise exception 'expected @hourly, @daily, @weekly, @monthly, @yearly or five fields, got "%"',
            left(spelled, 200) using errcode = 'LH002';
    end if;
    if cardinality(fields) <> 5 or spelled = '' then
        raise exception 'expected five fields, minute hour day month weekday, got % in "%"',
            case when spelled = '' then 0 else cardinality(fields) end, left(spelled, 200)
            using errcode = 'LH002', hint = '30 8 * * mon-fri is 08:30 from Monday to Friday';
    end if;
    weekdays := leasehold.cron_field(spelled, fields[5], 'weekday', 0, 7,
        '{sun,mon,tue,wed,thu,fri,sat}', 8);
    return array[
        leasehold.cron_field(spelled, fields[1], 'minute', 0, 59, '{}', -1),
        leasehold.cron_field(spelled, fields[2], 'hour', 0, 23, '{}', -1),
        leasehold.cron_field(spelled, fields[3], 'day', 1, 31, '{}', 0),
        leasehold.cron_field(spelled, fields[4], 'month', 1, 12,
            '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}', -1),
        -- Sunday is 0 and 7.
        weekdays | (weekdays >> 7 & 1)];
end $$;

comment on function leasehold.cron_parse is
    'Bit masks of minute, hour, day (bit 0: it began with *), month and weekday (bit 8 likewise); raises LH002 saying what was expected';

-- If both fields for days are restricted, a day that fits either of them fits, as in every cron.
create function leasehold.cron_fits(masks bigint[], day date) returns boolean
language sql immutable strict parallel safe as $$
    select case when ((masks[3] & 1) | (masks[5] >> 8 & 1)) = 1
        then (masks[3] >> extract(day from day)::integer & 1) = 1
            and (masks[5] >> extract(dow from day)::integer & 1) = 1
        else (masks[3] >> extract(day from day)::integer & 1) = 1
            or (masks[5] >> extract(dow from day)::integer & 1) = 1 end
$$;

comment on function leasehold.cron_fits is 'Whether a day of a fitting month is one of the expression''s';

-- Twelve years reach from one 29 February over a year like 2100 to the next that is on a given weekday
-- or not; what has no slot in them has none.
create function leasehold.cron_walk(masks bigint[], start timestamp, direction integer) returns timestamp
language plpgsql immutable strict parallel safe set search_path = pg_catalog set jit = off as $$
declare
    day date := start::date;
    last constant date := (start + direction * interval '12 years')::date;
    low constant boolean := direction > 0;
    hour integer := extract(hour from start);
    minute integer := extract(minute from start);
begin
    while (day <= last) = low or day = last loop
        if (masks[4] >> extract(month from day)::integer & 1) = 0 then
            day := date_trunc('month', day)::date;
            day := case when low then day + interval '1 month' else day - interval '1 day' end;
            hour := case when low then 0 else 23 end;
            minute := case when low then 0 else 59 end;
            continue;
        end if;
        if leasehold.cron_fits(masks, day) then
            while hour between 0 and 23 loop
                if (masks[2] >> hour & 1) = 1 then
                    while minute between 0 and 59 loop
                        if (masks[1] >> minute & 1) = 1 then
                            return day + make_interval(hours => hour, mins => minute);
                        end if;
                        minute := minute + direction;
                    end loop;
                end if;
                hour := hour + direction;
                minute := case when low then 0 else 59 end;
            end loop;
        end if;
        day := day + direction;
        hour := case when low then 0 else 23 end;
        minute := case when low then 0 else 59 end;
    end loop;
    return null;
end $$;

comment on function leasehold.cron_walk is
    'The first local minute from start on that the masks name, forwards (1) or backwards (-1); null if there is none in twelve years';

create function leasehold.zone_offset(at timestamptz, zone text) returns interval
language sql stable strict parallel safe as $$
    select (at at time zone zone) - (at at time zone 'UTC')
$$;

comment on function leasehold.zone_offset is 'What a zone''s clock is ahead of UTC at an instant';

-- PostgreSQL's own conversion takes the second of two equal local times, and shifts one that does not
-- exist by the width of the gap.
create function leasehold.local_instant(local timestamp, zone text) returns timestamptz
language plpgsql stable strict parallel safe set search_path = pg_catalog set jit = off as $$
declare
    naive constant timestamptz := local at time zone 'UTC';
    offset_before constant interval := leasehold.zone_offset(naive - interval '1 day', zone);
    offset_after constant interval := leasehold.zone_offset(naive + interval '1 day', zone);
    early timestamptz := naive - offset_before;
    late timestamptz := naive - offset_after;
    middle timestamptz;
begin
    if early at time zone zone = local then
        return early;
    elsif late at time zone zone = local then
        return late;
    end if;
    -- In a gap: the instant at which the clock jumped, between the two readings of the local time.
    early := least(naive - offset_before, naive - offset_after);
    late := greatest(naive - offset_before, naive - offset_after);
    while late - early > interval '1 second' loop
        middle := date_trunc('second', early + (late - early) / 2);
        if leasehold.zone_offset(middle, zone) = offset_after then
            late := middle;
        else
            early := middle;
        end if;
    end loop;
    return late;
end $$;

comment on function leasehold.local_instant is
    'The instant of a local time: the first of two, the first after the gap if there is none';

create function leasehold.cron_next(masks bigint[], zone text, after timestamptz) returns timestamptz
language plpgsql stable strict parallel safe set search_path = pg_catalog set jit = off as $$
declare
    local timestamp := date_trunc('minute', after at time zone zone) + interval '1 minute';
    instant timestamptz;
begin
    loop
        local := leasehold.cron_walk(masks, local, 1);
        instant := leasehold.local_instant(local, zone);
        exit when local is null or instant > after;
        -- The clock repeats: this time was reached in its first pass.
        local := local + interval '1 minute';
    end loop;
    return instant;
end $$;

comment on function leasehold.cron_next is 'The first slot after an instant; null if there is none';

create function leasehold.cron_latest(masks bigint[], zone text, until timestamptz) returns timestamptz
language plpgsql stable strict parallel safe set search_path = pg_catalog set jit = off as $$
declare
    -- After the clock was set back, later local times than the present one have been.
    local timestamp := greatest(until at time zone zone,
        (until at time zone 'UTC') + leasehold.zone_offset(until - interval '1 day', zone));
    instant timestamptz;
begin
    loop
        local := leasehold.cron_walk(masks, local, -1);
        instant := leasehold.local_instant(local, zone);
        exit when local is null or instant <= until;
        local := local - interval '1 minute';
    end loop;
    return instant;
end $$;

comment on function leasehold.cron_latest is 'The last slot up to an instant; null if there is none';

-- The last column: it needs the function.
alter table leasehold.schedule add column masks bigint[] generated always as (leasehold.cron_parse(cron)) stored;

comment on column leasehold.schedule.masks is 'The expression, read by leasehold.cron_parse';
