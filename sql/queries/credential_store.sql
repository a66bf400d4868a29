-- credential_store: takes in a refresh token that was obtained elsewhere, before it is ever presented.
-- params: $1 text tenant_id, $2 text provider, $3 uuid attempt_id, $4 bigint seen_generation, $5 bytea refresh_token,
-- $6 text organization, $7 uuid worker
select leasehold.credential_store($1, $2, $3, $4, $5, $6, $7) as outcome
