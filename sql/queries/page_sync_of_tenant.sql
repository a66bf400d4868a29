-- page_sync_of_tenant: the mirrored tables of one tenant.
-- params: $1 text tenant_id, $2 integer page_size
select coalesce(name, table_id) as table_name, state, record_count::double precision, synced_at,
    reading_share::double precision, reading_mode, last_state, last_reason, statement_timestamp() as now
from leasehold_dashboard.sync_status where tenant_id = $1 order by table_id limit $2
