-- doctor_lanes: lanes with jobs that became ready over a minute ago and that nothing will serve: no
--   lane, no letter, or a low mark beyond them. What leasehold.reconcile would repair. Looks at 2000
--   lanes from the first on and at 2000 from a random one on, a probe of job_lane each.
-- params: none
with recursive heads as (
    (select queue, tenant_id, lane_kind from leasehold.job
    where place is not null order by tenant_id, queue, lane_kind limit 1)
    union all
    (select queue, tenant_id, lane_kind from leasehold.job
    where place is not null
        and tenant_id >= (select tenant_id from leasehold.dashboard_jobs(4) order by random() limit 1)
    order by tenant_id, queue, lane_kind limit 1)
    union all
    select next.* from heads cross join lateral (
        select job.queue, job.tenant_id, job.lane_kind from leasehold.job
        where job.place is not null
            and (job.tenant_id, job.queue, job.lane_kind) > (heads.tenant_id, heads.queue, heads.lane_kind)
        order by job.tenant_id, job.queue, job.lane_kind limit 1) as next
)
select distinct h.tenant_id, h.queue, first.job_id, date_part('epoch', statement_timestamp() - first.ready_at) as waited_seconds
from (select * from heads limit 4000) as h
    left join lateral (
        select lane.state, lane.low_priority, lane.low_place, lane.urgent_priority, lane.urgent_place
        from leasehold.lane
        where lane.tenant_id = h.tenant_id and lane.queue = h.queue and lane.lane_kind = h.lane_kind limit 1) as l on true
    cross join lateral (
        select job.priority, job.place, job.job_id, job.ready_at from leasehold.job
        where job.queue = h.queue and job.tenant_id = h.tenant_id and job.lane_kind = h.lane_kind
            and job.place is not null and job.state = 'ready' and job.ready_at < clock_timestamp() - interval '1 minute'
        order by job.priority, job.place limit 1) as first
where (l.state is null or l.state = 'idle'
        or (first.priority, first.place) < (l.low_priority, l.low_place)
            and (l.urgent_place is null or (first.priority, first.place) < (l.urgent_priority, l.urgent_place)))
    and not exists (
        select from leasehold.wake where wake.queue = h.queue and wake.tenant_id = h.tenant_id
            and wake.lane_kind = h.lane_kind and wake.purpose = 'ready')
limit 20
