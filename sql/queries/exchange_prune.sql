-- exchange_prune: drops log rows of exchanges that ended long ago, a batch at a time (index credential_exchange_ended).
-- params: $1 double precision keep_seconds, $2 integer batch
delete from leasehold.credential_exchange
where (tenant_id, exchange_id) in (
    select tenant_id, exchange_id
    from leasehold.credential_exchange
    where ended_at < clock_timestamp() - $1 * interval '1 second'
    order by ended_at
    limit $2
)
