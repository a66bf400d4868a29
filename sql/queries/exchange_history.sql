-- exchange_history: the exchanges of a tenant, newest first (primary key).
-- params: $1 text tenant_id, $2 integer limit
select exchange_id, generation, rung, grant_kind, started_at, ended_at, outcome, error_class, http_status, fingerprint
from leasehold.credential_exchange
where tenant_id = $1
order by exchange_id desc
limit $2
