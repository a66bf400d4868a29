-- exchange_fail: closes an intent whose exchange brought no successor.
-- params: $1 text tenant_id, $2 uuid attempt_id, $3 bigint presented_generation, $4 text rung, $5 text grant_kind,
-- $6 uuid worker, $7 timestamptz started_at, $8 text fingerprint, $9 text client, $10 text outcome,
-- $11 text error_class, $12 integer http_status, $13 text suspect, $14 boolean rung_free, $15 bigint back_off_ms,
-- $16 bigint due_ms, $17 text provider_effect, $18 bigint provider_ms, $19 bytea access_token,
-- $20 timestamptz access_expires_at
select leasehold.exchange_fail(
    $1, $2, $3, $4, $5, $6, $7, $8, $9,
    row($10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)::leasehold.exchange_failure) as closed
