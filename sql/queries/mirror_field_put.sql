-- mirror_field_put: makes the fields of a table those that the API shows, in its order, and notes
-- in the run what changed: added, renamed, retyped, removed, returned. By the primary key.
-- params: $1 text tenant_id, $2 text table_id, $3 bigint sync_id, $4 jsonb fields
with shown as (
    select distinct on (field ->> 'id') field ->> 'id' as id, field ->> 'name' as name, field ->> 'type' as type,
        place::integer as place
    from jsonb_array_elements($4) with ordinality as element (field, place)
    order by field ->> 'id', place
), known as (
    select field_id, name, type, gone_at from leasehold.mirror_field
    where tenant_id = $1 and table_id = $2
    for update
), put as (
    insert into leasehold.mirror_field as target (tenant_id, table_id, field_id, name, type, place)
    select $1, $2, shown.id, shown.name, shown.type, shown.place from shown
    on conflict (tenant_id, table_id, field_id) do update
        set name = excluded.name, type = excluded.type, place = excluded.place, gone_at = null,
            previous_type = case when target.type <> excluded.type then target.type else target.previous_type end,
            type_changed_at = case
                when target.type <> excluded.type then clock_timestamp() else target.type_changed_at
            end,
            updated_at = clock_timestamp()
        where (target.name, target.type, target.place, target.gone_at)
            is distinct from (excluded.name, excluded.type, excluded.place, null::timestamptz)
), gone as (
    update leasehold.mirror_field as target
    set gone_at = clock_timestamp(), updated_at = clock_timestamp()
    where target.tenant_id = $1 and target.table_id = $2 and target.gone_at is null
        and not exists (select from shown where shown.id = target.field_id)
), change as (
    select coalesce(shown.id, known.field_id) as field_id, coalesce(shown.name, known.name) as name, what.change,
        case what.change when 'renamed' then known.name when 'retyped' then known.type end as before,
        case what.change when 'renamed' then shown.name when 'retyped' then shown.type end as after
    from shown
    full join known on known.field_id = shown.id
    cross join lateral (
        values
            ('added', known.field_id is null),
            ('returned', shown.id is not null and known.gone_at is not null),
            ('renamed', shown.name <> known.name),
            ('retyped', shown.type <> known.type),
            ('removed', shown.id is null and known.gone_at is null)
    ) as what (change, applies)
    where what.applies
), noted as (
    update leasehold.sync_run
    set field_changes = field_changes || (
        select jsonb_agg(jsonb_strip_nulls(to_jsonb(change)) order by change.field_id, change.change) from change
    )
    where tenant_id = $1 and sync_id = $3 and exists (select from change)
)
select field_id, name, change, before, after from change order by field_id, change
