-- exchange_save: compare-and-set of a reply on the generation that was presented.
-- params: $1 text tenant_id, $2 uuid attempt_id, $3 bigint presented_generation, $4 bytea witness, $5 text rung,
-- $6 text grant_kind, $7 uuid worker, $8 timestamptz started_at, $9 integer http_status, $10 text fingerprint,
-- $11 text client, $12 boolean replayed, $13 bytea refresh_token, $14 boolean rotated, $15 bytea access_token,
-- $16 timestamptz access_issued_at, $17 timestamptz access_expires_at, $18 timestamptz refresh_due_at, $19 text scope,
-- $20 text organization
select outcome, generation, refresh_token
from leasehold.exchange_save(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
    row($13, $14, $15, $16, $17, $18, $19, $20)::leasehold.exchange_reply)
