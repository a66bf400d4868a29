-- credential_request: asks the refresh service for a newer generation, for a worker that may not exchange.
-- params: $1 text tenant_id, $2 bigint seen_generation
select leasehold.credential_request($1, $2) as requested
