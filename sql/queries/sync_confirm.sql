-- sync_confirm: lets the next sync of a table delete what it finds gone, and enqueues it.
-- params: $1 text tenant_id, $2 text table_id
select leasehold.sync_confirm($1, $2) as job_id
