-- push_list: a tenant's pushes, newest first, of one state or one table or all. By the primary key.
-- params: $1 text tenant_id, $2 text table_id, $3 text state, $4 bigint before, $5 integer limit
select push_id, table_id, record_id, match_fields, state, attempts, due_at, error_class, error, idempotency_key,
    changes, created_at, attempted_at, ended_at
from leasehold.push
where tenant_id = $1 and ($2 is null or table_id = $2) and ($3 is null or state = $3)
    and ($4 is null or push_id < $4)
order by push_id desc
limit $5
