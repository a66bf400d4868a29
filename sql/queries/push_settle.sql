-- push_settle: what became of pushes: done, failed or again. By the primary key.
-- params: $1 text tenant_id, $2 bigint[] push_ids, $3 text outcome, $4 text error_class, $5 text error, $6 text record_id
select leasehold.push_settle($1, $2, $3, $4, $5, $6) as settled
