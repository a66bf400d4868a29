-- mirror_table_list: a tenant's mirrored tables, or one of them: the run under way, the last one that
-- ended, the live job, the typed view. By the primary keys, sync_run_reading, sync_run_table and
-- job_unique.
-- params: $1 text tenant_id, $2 text table_id
select target.table_id, target.workspace_id, target.name, target.state, target.record_count, target.last_position,
    target.synced_at, target.full_synced_at, target.deletion_confirmed,
    run.sync_id, run.pages, run.rows, run.expected_rows, run.started_at, run.advanced_at,
    ended.sync_id as ended_sync_id, ended.state as ended_state, ended.mode as ended_mode, ended.inserted, ended.updated,
    ended.deleted, ended.unchanged, ended.reason, ended.finished_at,
    job.job_id, job.state as job_state, job.run_at as job_run_at, job.last_error as job_error,
    view.schema_name, view.view_name, view.state as view_state, view.problem as view_problem,
    clock_timestamp() as now
from leasehold.mirror_table as target
left join leasehold.sync_run as run
    on run.tenant_id = target.tenant_id and run.table_id = target.table_id and run.state = 'reading'
left join lateral (
    select past.* from leasehold.sync_run as past
    where past.tenant_id = target.tenant_id and past.table_id = target.table_id and past.state <> 'reading'
    order by past.sync_id desc
    limit 1
) as ended on true
left join leasehold.job as job
    on job.tenant_id = target.tenant_id and job.kind = 'pitchly.sync_table' and job.unique_key = target.table_id
left join leasehold.mirror_view as view
    on view.tenant_id = target.tenant_id and view.table_id = target.table_id
where target.tenant_id = $1 and ($2 is null or target.table_id = $2)
order by target.name, target.table_id
