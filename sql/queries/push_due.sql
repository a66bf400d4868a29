-- push_due: seconds until the next push of a table is due; null if none waits. Leans on push_waiting.
-- params: $1 text tenant_id, $2 text table_id
select leasehold.push_due($1, $2) as seconds
