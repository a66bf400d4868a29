-- credential_give_up: the verdict that a person has to connect the tenant again.
-- params: $1 text tenant_id, $2 bigint suspected_generation, $3 text detail
select leasehold.credential_give_up($1, $2, $3) as given_up
