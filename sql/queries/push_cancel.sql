-- push_cancel: ends a waiting push without sending it.
-- params: $1 text tenant_id, $2 bigint push_id
select leasehold.push_cancel($1, $2) as state
