-- sync_run_list: the latest runs of a tenant, of one table or of all. Leans on sync_run_table.
-- params: $1 text tenant_id, $2 text table_id, $3 integer limit
select run.sync_id, run.table_id, target.name as table_name, run.state, run.mode, run.job_id, run.pages, run.rows,
    run.expected_rows, run.inserted, run.updated, run.deleted, run.unchanged, run.field_changes, run.takeovers,
    run.restarts, run.reason, run.started_at, run.advanced_at, run.finished_at
from leasehold.sync_run as run
join leasehold.mirror_table as target using (tenant_id, table_id)
where run.tenant_id = $1 and ($2 is null or run.table_id = $2)
order by run.sync_id desc
limit $3
