-- mirror_hash_list: the content hashes of some records of a table. By the primary key.
-- params: $1 text tenant_id, $2 text table_id, $3 text[] record_ids
select record_id, content_hash from leasehold.mirror_record
where tenant_id = $1 and table_id = $2 and record_id = any ($3)
