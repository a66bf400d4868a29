-- exchange_hold: transaction B: takes the row's lock and keeps it over the POST; no row if the intent is gone.
-- params: $1 text tenant_id, $2 uuid attempt_id, $3 bigint generation
select true as held
where leasehold.exchange_hold($1, $2, $3)
