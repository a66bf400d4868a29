-- Typed views over the mirrors: one per mirrored table, one column per field, in a schema of the
-- tenant's own that one role may read.
--
-- A view belongs to the schema's owner and reads leasehold.mirror_record with the owner's rights, so
-- whoever reads it needs no right on the mirror and sees the rows of one table of one tenant. It is a
-- security barrier: without that, a function of the reader's own in a where clause could run on rows
-- of other tenants before the view's own condition is applied.

create table leasehold.mirror_view (
    tenant_id text collate "C" not null,
    table_id text collate "C" not null,
    schema_name text,
    view_name text,
    columns jsonb not null default '[]'
        constraint mirror_view_columns_array check (jsonb_typeof(columns) = 'array'),
    state text not null
        constraint mirror_view_state_known check (state in ('current', 'waiting', 'failed')),
    problem text,
    changed_at timestamptz,
    checked_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, table_id),
    foreign key (tenant_id, table_id) references leasehold.mirror_table,
    constraint mirror_view_problem_told check ((state = 'current') = (problem is null))
);

create index mirror_view_behind on leasehold.mirror_view (checked_at) where state <> 'current';

comment on table leasehold.mirror_view is 'The typed views as they are in the database';
comment on column leasehold.mirror_view.view_name is 'Null until the view could be made';
comment on column leasehold.mirror_view.columns is 'One {"field", "name", "type"} per field, in the order of the view';
comment on column leasehold.mirror_view.state is
    'waiting: a reader held the view, so it is as it was and will be tried again; failed: it cannot be changed, see problem';

-- What a cell becomes. A cell is the value as the API gave it, {"val": ...}; what does not fit is null.
-- The short ones are plain expressions, which the planner puts into the query; the others take their
-- cell out of the record once. None catches errors, because that would forbid parallel workers; none has
-- settings of its own, which would cost more than the work: both casts read ISO forms, whatever DateStyle is.

create function leasehold.cell_text(cell jsonb) returns text
language sql immutable parallel safe
return case when pg_catalog.jsonb_typeof(cell -> 'val') in ('string', 'number', 'boolean') then cell ->> 'val' end;

create function leasehold.cell_numeric(cell jsonb) returns numeric
language sql immutable parallel safe
return case
    when pg_catalog.jsonb_typeof(cell -> 'val') = 'number' then (cell -> 'val')::numeric
    when pg_catalog.jsonb_typeof(cell -> 'val') = 'string' and cell ->> 'val' ~ '^-?[0-9]{1,100}(\.[0-9]{1,100})?$'
        then (cell ->> 'val')::numeric
end;

create function leasehold.cell_boolean(cell jsonb) returns boolean
language sql immutable parallel safe
return case cell -> 'val' when 'true' then true when 'false' then false end;

-- Checked by hand, because a cast would raise an error for a day that does not exist. Pitchly's page on
-- field types shows MM/DD/YYYY in words and no sample; both forms are read.
create function leasehold.day_of(day text) returns date
language plpgsql immutable strict parallel safe
as $$
declare
    iso text := day;
    year integer;
begin
    if day ~ '^[0-9]{2}/[0-9]{2}/[0-9]{4}$' then
        iso := substr(day, 7) || '-' || left(day, 2) || '-' || substr(day, 4, 2);
    elsif day !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' then
        return null;
    end if;
    year := left(iso, 4);
    return case
        when year > 0 and substr(iso, 6, 2) between '01' and '12'
            and right(iso, 2) between '01' and case substr(iso, 6, 2)
                when '02' then case when year % 4 = 0 and (year % 100 <> 0 or year % 400 = 0) then '29' else '28' end
                when '04' then '30' when '06' then '30' when '09' then '30' when '11' then '30'
                else '31'
            end
            then iso::date
    end;
end
$$;

-- RFC 3339 with its offset, on a day that exists. A leap second has no place in timestamptz.
create function leasehold.moment_of(moment text) returns timestamptz
language plpgsql immutable strict parallel safe
as $$
begin
    return case
        when moment ~ ('^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-2][0-9]:[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?'
                '(?:[Zz]|[+-][01][0-9]:[0-5][0-9])$')
            and substr(moment, 12, 2) < '24' and left(right(moment, 5), 2) < '16' and length(moment) < 80
            then moment::timestamptz
    end;
end
$$;

-- What they call is bound when they are made: who reads a view need not be able to name it.
create function leasehold.cell_date(cell jsonb) returns date
language sql immutable parallel safe
return leasehold.day_of(cell ->> 'val');

create function leasehold.cell_timestamptz(cell jsonb) returns timestamptz
language sql immutable parallel safe
return case
    when leasehold.day_of(left(cell ->> 'val', 10)) is not null then leasehold.moment_of(cell ->> 'val')
end;

create function leasehold.cell_texts(cell jsonb) returns text[]
language plpgsql immutable strict parallel safe
as $$
declare
    val constant jsonb := cell -> 'val';
begin
    case jsonb_typeof(val)
    when 'string', 'number', 'boolean' then
        return array[val #>> '{}'];
    when 'array' then
        if jsonb_path_exists(val, 'strict $[*] ? (@.type() == "array" || @.type() == "object")') then
            return null;
        end if;
        return array(select jsonb_array_elements_text(val));
    else
        return null;
    end case;
end
$$;

create function leasehold.cell_jsonb(cell jsonb) returns jsonb
language sql immutable parallel safe
return nullif(case when jsonb_typeof(cell) = 'object' and cell ? 'val' then cell -> 'val' else cell end, 'null');

-- Whoever may read a view must be allowed what the view calls.
grant execute on function leasehold.cell_text, leasehold.cell_numeric, leasehold.cell_boolean, leasehold.day_of, leasehold.moment_of,
    leasehold.cell_date, leasehold.cell_timestamptz, leasehold.cell_texts, leasehold.cell_jsonb to public;

comment on function leasehold.cell_text is 'A text, number or boolean as text';
comment on function leasehold.cell_numeric is 'A JSON number, or a text that is a plain decimal number';
comment on function leasehold.cell_boolean is 'true or false';
comment on function leasehold.day_of is 'Null for a day that does not exist';
comment on function leasehold.moment_of is 'Null for another form; raises an error for a day that does not exist';
comment on function leasehold.cell_date is 'YYYY-MM-DD or MM/DD/YYYY';
comment on function leasehold.cell_timestamptz is 'RFC 3339 with offset';
comment on function leasehold.cell_texts is 'A list of texts, numbers and booleans; one of them alone is a list of one';
comment on function leasehold.cell_jsonb is 'What stands in val; a cell without val whole';

-- Spellings of both generations of the API. Only "attachment" and "string" have been seen; the others
-- are the words of the product's help pages and their usual forms.
create function leasehold.mirror_column_type(type text) returns text
language sql immutable parallel safe
return case regexp_replace(lower(type), '[^a-z]', '', 'g')
    when 'text' then 'text' when 'string' then 'text' when 'singlelinetext' then 'text'
    when 'multilinetext' then 'text' when 'longtext' then 'text'
    when 'dropdown' then 'text' when 'enum' then 'text' when 'select' then 'text'
    when 'attachment' then 'text' when 'file' then 'text' when 'reference' then 'text'
    when 'number' then 'numeric' when 'currency' then 'numeric'
    when 'boolean' then 'boolean' when 'yesno' then 'boolean'
    when 'date' then 'date'
    when 'createdat' then 'timestamptz' when 'updatedat' then 'timestamptz' when 'datetime' then 'timestamptz'
    when 'dropdownmultiple' then 'text[]' when 'enummultiple' then 'text[]' when 'multiselect' then 'text[]'
    when 'referencemultiple' then 'text[]'
    else 'jsonb'
end;

comment on function leasehold.mirror_column_type is
    'Column type of a field type: lookup, formula, rollup and what nobody knows are jsonb';

-- The beginning of a name that has at most so many bytes, cut between two characters.
create function leasehold.clip(name text, bytes integer) returns text
language plpgsql immutable strict parallel safe
set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
    clipped text := left(name, bytes);
begin
    while octet_length(clipped) > bytes loop
        clipped := left(clipped, -1);
    end loop;
    return clipped;
end
$$;

comment on function leasehold.clip is 'PostgreSQL would cut a longer identifier itself, and two of them to the same name';

-- Identifiers for things that people named. A name that fits and is free is taken as it is; one that
-- is too long, empty or taken gets a mark made from the id, which stays the same whatever comes and
-- goes beside it. So the order matters: who is named first keeps the plain name.
create function leasehold.mirror_names(p_ids text[], p_names text[], p_reserved text[]) returns text[]
language plpgsql immutable
set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
    taken jsonb := (select coalesce(jsonb_object_agg(r, true), '{}') from unnest(p_reserved) as r);
    result text[] := '{}';
    plain text;
    chosen text;
    mark text;
    digits integer;
begin
    for place in 1 .. coalesce(cardinality(p_ids), 0) loop
        plain := case when p_names[place] ~ '[^[:space:]]' then p_names[place] else 'unnamed' end;
        chosen := plain;
        digits := 6;
        while octet_length(chosen) > 63 or taken ? chosen loop
            mark := '~' || left(encode(sha256(convert_to(p_ids[place], 'UTF8')), 'hex'), digits);
            -- Two ids never have the same 54 digits, so this ends.
            chosen := leasehold.clip(plain, 63 - octet_length(mark)) || mark;
            digits := digits + 6;
        end loop;
        taken := taken || jsonb_build_object(chosen, true);
        result := result || chosen;
    end loop;
    return result;
end
$$;

comment on function leasehold.mirror_names is 'One identifier of at most 63 bytes per id, all different';

-- Ids of tenants have at most 128 characters of A-Z a-z 0-9 . _ : -, so a name with ~ in it belongs to
-- no shorter id.
create function leasehold.mirror_schema(p_tenant_id text) returns text
language sql immutable strict parallel safe
return case when length(p_tenant_id) <= 56 then 'mirror_' || p_tenant_id
    else 'mirror_' || left(p_tenant_id, 23) || '~' || left(encode(sha256(convert_to(p_tenant_id, 'UTF8')), 'hex'), 32)
end;

comment on function leasehold.mirror_schema is 'The schema with a tenant''s views; two tenants never share one';

-- Roles belong to the whole server, so the database is part of the name: @ is in no tenant's id.
create function leasehold.tenant_dashboard_role_name(p_tenant_id text) returns text
language sql stable strict parallel safe
return case
    when octet_length(p_tenant_id || current_database()) <= 52
        then 'leasehold:' || p_tenant_id || '@' || current_database()
    else 'leasehold:' || left(p_tenant_id, 20) || '#'
        || left(encode(sha256(convert_to(p_tenant_id || '@' || current_database(), 'UTF8')), 'hex'), 32)
end;

comment on function leasehold.tenant_dashboard_role_name is 'The role that may read a tenant''s views';

-- The columns that a table's view should have now, in the order of the API. Of two fields with one name
-- the older keeps it. A view has room for 1 600; what is beyond is in _raw.
create function leasehold.mirror_view_columns(p_tenant_id text, p_table_id text) returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with field as (
        select f.field_id, f.type, f.place, named.name
        from (
            select array_agg(field_id order by created_at, place, field_id) as ids,
                array_agg(name order by created_at, place, field_id) as names
            from leasehold.mirror_field
            where tenant_id = p_tenant_id and table_id = p_table_id and gone_at is null
        ) as aged
        cross join lateral unnest(
            aged.ids,
            leasehold.mirror_names(aged.ids, aged.names, array['_record_id', '_raw', '_labels', '_changed_at'])
        ) as named (field_id, name)
        join leasehold.mirror_field as f
            on f.tenant_id = p_tenant_id and f.table_id = p_table_id and f.field_id = named.field_id
        order by f.place, f.field_id
        limit 1600
    )
    select coalesce(
        jsonb_agg(
            jsonb_build_object('field', field_id, 'name', name, 'type', leasehold.mirror_column_type(type))
            order by place, field_id
        ), '[]')
    from field
$$;

comment on function leasehold.mirror_view_columns is 'What leasehold.mirror_view.columns should be';

create function leasehold.mirror_view_query(p_tenant_id text, p_table_id text, p_columns jsonb) returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select format(
        'select record_id as _record_id, fields as _raw, labels as _labels, changed_at as _changed_at%s '
            'from leasehold.mirror_record where tenant_id = %L and table_id = %L',
        string_agg(
            format(
                ', leasehold.%I(fields -> %L) as %I',
                'cell_' || case c.type when 'text[]' then 'texts' else c.type end, c.field, c.name),
            '' order by place),
        p_tenant_id, p_table_id)
    from jsonb_array_elements(p_columns) with ordinality as element (value, place)
    cross join lateral jsonb_to_record(value) as c (field text, name text, type text)
$$;

comment on function leasehold.mirror_view_query is 'The query of a view with these columns';
