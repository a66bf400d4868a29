-- push_show: one push. By the primary key.
-- params: $1 text tenant_id, $2 bigint push_id
select push_id, table_id, record_id, match_fields, state, attempts, due_at, error_class, error, idempotency_key,
    changes, created_at, attempted_at, ended_at
from leasehold.push
where tenant_id = $1 and push_id = $2
