-- mirror_field_list: the fields of a table that are there now, in the order of the API. By the
-- primary key.
-- params: $1 text tenant_id, $2 text table_id
select field_id, name, type from leasehold.mirror_field
where tenant_id = $1 and table_id = $2 and gone_at is null
order by place, field_id
