-- push_retry: sends a push that failed or was cancelled after all, or a waiting one at once.
-- params: $1 text tenant_id, $2 bigint push_id
select leasehold.push_retry($1, $2) as state
