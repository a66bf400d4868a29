-- page_exchanges: the last exchanges of one tenant.
-- params: $1 text tenant_id, $2 integer page_size
select generation::double precision, rung, grant_kind, started_at, took_seconds, outcome, error_class,
    http_status::double precision, statement_timestamp() as now
from leasehold_dashboard.exchange_log where tenant_id = $1 order by ended_at desc limit $2
