-- queue_lanes: the tenants that wait in a queue, those served next first. Leans on lane_order.
-- params: $1 text queue, $2 integer most
select l.tenant_id, nullif(l.lane_kind, '') as kind, l.state, l.vt,
    date_part('epoch', clock_timestamp() - l.since) as since_seconds, l.look_at
from leasehold.lane as l
where l.queue = $1 and l.state <> 'idle'
order by l.state <> 'open', l.vt, l.tenant_id limit $2
