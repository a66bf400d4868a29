-- mirror_record_list: the ids of a table's records after one of them, a page in their order. By the
-- primary key.
-- params: $1 text tenant_id, $2 text table_id, $3 text after, $4 integer limit
select record_id from leasehold.mirror_record
where tenant_id = $1 and table_id = $2 and ($3 is null or record_id > $3)
order by record_id
limit $4
