-- mirror_table_put: writes down the tables that a complete listing showed and marks those that it
-- did not show as gone. By the primary key.
-- params: $1 text tenant_id, $2 jsonb tables
with shown as (
    select distinct on (shown.id) shown.id, shown.workspace, shown.name
    from jsonb_to_recordset($2) as shown (id text, workspace text, name text)
), put as (
    insert into leasehold.mirror_table as target (tenant_id, table_id, workspace_id, name)
    select $1, shown.id, shown.workspace, shown.name from shown
    on conflict (tenant_id, table_id) do update
        set workspace_id = excluded.workspace_id, name = excluded.name, state = 'live', updated_at = clock_timestamp()
        where (target.workspace_id, target.name, target.state)
            is distinct from (excluded.workspace_id, excluded.name, 'live')
), gone as (
    update leasehold.mirror_table as target
    set state = 'gone', updated_at = clock_timestamp()
    where target.tenant_id = $1 and target.state = 'live'
        and not exists (select from shown where shown.id = target.table_id)
    returning target.table_id
)
select (select count(*) from shown) as shown, (select count(*) from gone) as gone
