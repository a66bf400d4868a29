-- push_take: the pushes of a table to send together next. Leans on push_waiting.
-- params: $1 text tenant_id, $2 text table_id, $3 integer limit
select push_id, record_id, match_fields, changes::text as changes, attempts from leasehold.push_take($1, $2, $3)
