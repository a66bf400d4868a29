-- credential_doubt: makes a generation suspect that a spool knows to have been presented.
-- params: $1 text tenant_id, $2 bigint generation, $3 timestamptz presented_at, $4 timestamptz deadline
select leasehold.credential_doubt($1, $2, $3, $4) as doubted
