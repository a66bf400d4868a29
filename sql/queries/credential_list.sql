-- credential_list: credentials without any token, by tenant; keyset paging by the last tenant seen.
-- params: $1 text state, $2 text after_tenant_id, $3 integer limit
select *, clock_timestamp() as now
from leasehold.credential_status
where ($1::text is null or state = $1) and tenant_id > coalesce($2, '')
order by tenant_id
limit $3
