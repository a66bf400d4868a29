-- provider_register: makes the provider's row, or gives it this worker's budget.
-- params: $1 text provider, $2 double precision exchanges_per_second, $3 integer burst, $4 bigint hold_ms
select leasehold.provider_register($1, $2, $3, $4)
