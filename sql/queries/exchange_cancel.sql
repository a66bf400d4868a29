-- exchange_cancel: takes an intent back before anything was sent.
-- params: $1 text tenant_id, $2 uuid attempt_id
select leasehold.exchange_cancel($1, $2) as cancelled
