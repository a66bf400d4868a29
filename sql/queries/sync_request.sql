-- sync_request: enqueues a sync of one table and returns the job.
-- params: $1 text tenant_id, $2 text table_id, $3 text queue
select leasehold.sync_request($1, $2, $3) as job_id
