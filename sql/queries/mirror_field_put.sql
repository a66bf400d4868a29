-- mirror_field_put: makes the fields of a table those that the API shows and tells what changed.
-- params: $1 text tenant_id, $2 text table_id, $3 jsonb fields
select leasehold.mirror_field_put($1, $2, $3) as changes
