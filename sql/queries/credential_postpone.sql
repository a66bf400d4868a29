-- credential_postpone: sets when the refresh service looks at a credential next, unless it moved.
-- params: $1 text tenant_id, $2 bigint generation, $3 bigint due_ms
update leasehold.credential
set refresh_due_at = clock_timestamp() + $3 * interval '1 millisecond'
where tenant_id = $1 and generation = $2 and attempt_id is null and state = 'active'
