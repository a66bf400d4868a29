-- connect_take: uses up an attempt; null unless it is good for this browser. Leans on its primary key.
-- params: $1 bytea attempt_hash, $2 bytea browser_hash
select leasehold.connect_take($1, $2) as tenant_id
