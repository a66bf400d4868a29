-- exchange_hold: transaction B: takes the row's lock and keeps it over the POST; no row if the intent is gone.
-- params: $1 text tenant_id, $2 uuid attempt_id, $3 bigint generation
with limits as materialized (
    select
        set_config('lock_timeout', '5000', true),
        set_config('idle_in_transaction_session_timeout', '0', true),
        -- PostgreSQL 17 and later
        case when current_setting('transaction_timeout', true) is not null
            then set_config('transaction_timeout', '0', true) end
)
select true as held
from limits
cross join leasehold.credential c
where c.tenant_id = $1 and c.attempt_id = $2 and c.generation = $3
for update of c
