-- exchange_prune: drops log rows of exchanges that ended long ago, a batch at a time (index credential_exchange_ended).
-- params: $1 double precision keep_seconds, $2 integer batch
select leasehold.exchange_prune($1, $2) as dropped
