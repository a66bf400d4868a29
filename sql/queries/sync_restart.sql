-- sync_restart: forgets the pages of a run; false if the claim no longer holds it.
-- params: $1 text tenant_id, $2 bigint sync_id, $3 bigint job_id, $4 bigint job_run
select leasehold.sync_restart($1, $2, $3, $4) as restarted
