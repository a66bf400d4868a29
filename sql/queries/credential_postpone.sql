-- credential_postpone: sets when the refresh service looks at a credential next, unless it moved.
-- params: $1 text tenant_id, $2 bigint generation, $3 bigint due_ms
select leasehold.credential_postpone($1, $2, $3) as postponed
