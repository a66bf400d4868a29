-- mirror_stage_clear: throws away the records that a finished run had read. Leans on
-- mirror_stage_sync.
-- params: $1 text tenant_id, $2 bigint sync_id
delete from leasehold.mirror_stage as stage
where stage.sync_id = $2 and stage.tenant_id = $1
    and not exists (
        select from leasehold.sync_run as run
        where run.tenant_id = $1 and run.sync_id = $2 and run.state = 'reading'
    )
