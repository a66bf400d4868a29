-- mirror_table_gone: marks a table that the API no longer shows; its mirror is kept as it was. By
-- the primary key.
-- params: $1 text tenant_id, $2 text table_id
with gone as (
    update leasehold.mirror_table
    set state = 'gone', updated_at = clock_timestamp()
    where tenant_id = $1 and table_id = $2 and state <> 'gone'
)
update leasehold.sync_run
set state = 'abandoned', reason = 'the table is gone', finished_at = clock_timestamp()
where tenant_id = $1 and table_id = $2 and state = 'reading'
