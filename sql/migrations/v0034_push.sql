-- Writing back to Pitchly: an outbox of changes, sent by jobs of the kind pitchly.push.
--
-- A push sets values, so presenting it twice changes nothing more; after an answer that never came it
-- is presented again (at least once). Pushes of one record are sent in the order in which they were
-- written; those of different records do not wait for each other.

create table leasehold.push (
    tenant_id text collate "C" not null references leasehold.tenant,
    push_id bigint generated always as identity,
    table_id text collate "C" not null,
    record_id text collate "C"
        constraint push_record_length check (octet_length(record_id) between 1 and 500),
    match_fields text[] collate "C"
        constraint push_match_fields_named check (cardinality(match_fields) between 1 and 100),
    order_key text collate "C" not null,
    changes jsonb not null
        constraint push_changes_object check (jsonb_typeof(changes) = 'object')
        constraint push_changes_size check (pg_column_size(changes) <= 1048576),
    idempotency_key text collate "C" not null
        constraint push_idempotency_key_length check (length(idempotency_key) between 1 and 500),
    state text collate "C" not null default 'waiting'
        constraint push_state_known check (state in ('waiting', 'done', 'failed', 'cancelled')),
    attempts smallint not null default 0,
    due_at timestamptz not null default clock_timestamp(),
    error_class text,
    error text,
    created_at timestamptz not null default clock_timestamp(),
    attempted_at timestamptz,
    ended_at timestamptz,
    primary key (tenant_id, push_id),
    unique (tenant_id, idempotency_key),
    foreign key (tenant_id, table_id) references leasehold.mirror_table,
    constraint push_names_its_record check (record_id is not null or match_fields is not null),
    constraint push_ended check ((state = 'waiting') = (ended_at is null))
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);

create index push_waiting on leasehold.push (tenant_id, table_id, attempts, push_id) where state = 'waiting';
create index push_waiting_record on leasehold.push (tenant_id, table_id, order_key, push_id) where state = 'waiting';
create index push_record on leasehold.push (tenant_id, table_id, order_key, push_id);
create index push_ended on leasehold.push (ended_at) where ended_at is not null;

comment on table leasehold.push is 'Outbox of changes for Pitchly; write to it with leasehold.push and leasehold.push_upsert';
comment on column leasehold.push.record_id is 'Null for an upsert, until its row is known';
comment on column leasehold.push.match_fields is 'An upsert: the fields by whose values the row is found';
comment on column leasehold.push.order_key is 'Pushes with the same key are sent one after another';
comment on column leasehold.push.changes is 'From field id to the new value: {"fld...": {"val": ...}}; {"val": null} empties a cell';
comment on column leasehold.push.state is 'waiting: to be sent, again if it was tried; failed: refused for good, see error; cancelled: by request';
comment on column leasehold.push.due_at is 'Not to be sent before: rises with every failed attempt';
comment on column leasehold.push.error_class is 'Of the last attempt, without variable part: pitchly_forbidden; null after a good one';

create function leasehold.push_refuse(expected text, got text, advice text) returns void
language plpgsql set search_path = pg_catalog, pg_temp set jit = off
as $$
begin
    -- A hint that is null would be an error of its own.
    if advice is null then
        raise exception 'expected %, got %', expected, got using errcode = 'LH002';
    end if;
    raise exception 'expected %, got %', expected, got using errcode = 'LH002', hint = advice;
end
$$;

comment on function leasehold.push_refuse is 'Raises LH002; never returns';

create function leasehold.push_check(
    tenant text, "table" text, record text, match_fields text[], changes jsonb, idempotency_key text
) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
    shape constant text := 'changes to be {"<field id>": {"val": ...}, ...} with at least one field';
    bad text;
begin
    if not exists (select from leasehold.tenant as t where t.tenant_id = push_check.tenant) then
        perform leasehold.refuse_unknown_tenant(tenant);
    end if;
    if not exists (
        select from leasehold.mirror_table as t
        where t.tenant_id = push_check.tenant and t.table_id = push_check."table")
    then
        raise exception 'no mirrored table % of tenant %', "table", tenant
            using errcode = 'no_data_found', hint = 'leasehold sync run --tenant ' || tenant;
    end if;
    if record is not null and octet_length(record) not between 1 and 500 then
        perform leasehold.push_refuse('record to have 1 to 500 bytes', octet_length(record) || ' bytes', null);
    end if;
    if coalesce(length(idempotency_key), 0) not between 1 and 500 then
        perform leasehold.push_refuse('idempotency_key of 1 to 500 characters',
            coalesce(length(idempotency_key) || ' characters', 'null'),
            'use the id of the event that the change comes from');
    end if;
    if jsonb_typeof(changes) is distinct from 'object' or changes = '{}' then
        perform leasehold.push_refuse(shape, coalesce(nullif(jsonb_typeof(changes), 'object'), 'no field'), null);
    end if;
    if pg_column_size(changes) > 1048576 then
        perform leasehold.push_refuse('changes of at most 1 MiB', pg_column_size(changes) || ' bytes', null);
    end if;
    select key into bad from jsonb_each(changes) where jsonb_typeof(value) <> 'object' or not value ? 'val' limit 1;
    if found then
        perform leasehold.push_refuse(shape, format('field "%s" with %s', left(bad, 140),
                case jsonb_typeof(changes -> bad) when 'object' then 'an object without val'
                    else 'the JSON type ' || jsonb_typeof(changes -> bad) end),
            format('wrap the value: {%s: {"val": ...}}', to_json(left(bad, 140))));
    end if;
    select key into bad from jsonb_object_keys(changes) as key
    where not exists (
        select from leasehold.mirror_field as f
        where f.tenant_id = push_check.tenant and f.table_id = push_check."table" and f.field_id = key
            and f.gone_at is null)
    limit 1;
    if found then
        perform leasehold.push_refuse(format('field ids of table %s', "table"), '"' || left(bad, 140) || '"',
            format('select field_id, name from leasehold.mirror_field where tenant_id = %L and table_id = %L', tenant, "table"));
    end if;
    select field into bad from unnest(match_fields) as field where not changes ? field limit 1;
    if found then
        perform leasehold.push_refuse('every match field to be among the changes', '"' || left(bad, 140) || '" is not', null);
    end if;
    select field into bad from unnest(match_fields) as field
    where changes -> field -> 'val' in ('null', '""', '[]') limit 1;
    if found then
        perform leasehold.push_refuse('every match field to have a value', '"' || left(bad, 140) || '" without one', null);
    end if;
end
$$;

comment on function leasehold.push_check is 'Raises LH001, LH002 or no_data_found, if a request is malformed';

create function leasehold.push_request(p_tenant_id text, p_table_id text) returns bigint
language sql set search_path = pg_catalog, pg_temp
as $$
    select leasehold.enqueue(
        tenant => p_tenant_id, kind => 'pitchly.push', args => jsonb_build_object('table', p_table_id),
        max_attempts => 1000, unique_key => p_table_id, on_duplicate => 'reschedule')
$$;

comment on function leasehold.push_request is
    'The job that sends a table''s pushes; one at a time, so that nothing overtakes. While it runs, the request is remembered';

create function leasehold.push_write(
    p_tenant_id text, p_table_id text, p_record_id text, p_match_fields text[], p_changes jsonb, p_key text
) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
    key_values jsonb;
    result bigint;
    known leasehold.push;
begin
    perform leasehold.push_check(p_tenant_id, p_table_id, p_record_id, p_match_fields, p_changes, p_key);
    if p_match_fields is not null then
        p_match_fields := array(select distinct field from unnest(p_match_fields) as field order by field);
        key_values := (select jsonb_object_agg(field, p_changes -> field) from unnest(p_match_fields) as field);
    end if;
    insert into leasehold.push (tenant_id, table_id, record_id, match_fields, order_key, changes, idempotency_key)
    values (p_tenant_id, p_table_id, p_record_id, p_match_fields,
        coalesce('record ' || p_record_id, 'match ' || encode(sha256(convert_to(key_values::text, 'UTF8')), 'hex')),
        p_changes, p_key)
    on conflict (tenant_id, idempotency_key) do nothing
    returning push_id into result;
    if result is null then
        select p.* into known from leasehold.push as p
        where p.tenant_id = p_tenant_id and p.idempotency_key = p_key;
        if (known.table_id, known.match_fields, known.changes) is distinct from (p_table_id, p_match_fields, p_changes)
            or (p_record_id is not null and known.record_id is distinct from p_record_id)
        then
            perform leasehold.push_refuse('a new idempotency_key for another change',
                format('%L, which made push %s', left(p_key, 140), known.push_id),
                format('leasehold push show --tenant %s %s', p_tenant_id, known.push_id));
        end if;
        return known.push_id;
    end if;
    perform leasehold.push_request(p_tenant_id, p_table_id);
    return result;
end
$$;

comment on function leasehold.push_write is 'leasehold.push and leasehold.push_upsert in one';

create function leasehold.push(tenant text, "table" text, record text, changes jsonb, idempotency_key text)
returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
begin
    if record is null then
        perform leasehold.push_refuse('the id of a record', 'null', 'for a row that is found by its values: leasehold.push_upsert');
    end if;
    return leasehold.push_write(tenant, "table", record, null, changes, idempotency_key);
end
$$;

comment on function leasehold.push is
    'Sets cells of a record at Pitchly, in the background. Returns the push''s id; the first one''s for a key that was used before';

create function leasehold.push_upsert(
    tenant text, "table" text, match_fields text[], changes jsonb, idempotency_key text
) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
begin
    if coalesce(cardinality(match_fields), 0) = 0 then
        perform leasehold.push_refuse('at least one match field', 'none', 'name the fields whose values tell which row it is');
    end if;
    return leasehold.push_write(tenant, "table", null, match_fields, changes, idempotency_key);
end
$$;

comment on function leasehold.push_upsert is
    'Sets cells of the row whose match fields have these values, or inserts it; only the v2 API can (otherwise the push fails)';
