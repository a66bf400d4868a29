-- mirror_table_list: a tenant's mirrored tables with the run under way, if any. By the primary key
-- and sync_run_reading.
-- params: $1 text tenant_id
select target.table_id, target.workspace_id, target.name, target.state, target.record_count, target.last_position,
    target.synced_at, target.full_synced_at, target.deletion_confirmed, run.pages, run.rows, run.expected_rows,
    run.started_at, run.advanced_at
from leasehold.mirror_table as target
left join leasehold.sync_run as run
    on run.tenant_id = target.tenant_id and run.table_id = target.table_id and run.state = 'reading'
where target.tenant_id = $1
order by target.name, target.table_id
