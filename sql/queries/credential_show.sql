-- credential_show: one credential without any token (primary key).
-- params: $1 text tenant_id
select *, clock_timestamp() as now
from leasehold.credential_status
where tenant_id = $1
