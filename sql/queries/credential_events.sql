-- credential_events: what happened to a tenant's credential, newest first (primary key).
-- params: $1 text tenant_id, $2 integer limit
select at, kind, generation, detail
from leasehold.credential_event
where tenant_id = $1
order by event_id desc
limit $2
