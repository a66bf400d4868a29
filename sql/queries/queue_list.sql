-- queue_list: queues that have settings, a worker, a backlog or jobs that run.
-- params: $1 text queue
with known as (
    select q.queue from leasehold.queue as q
    union
    select unnest(w.queues) from leasehold.worker as w where w.lapsed_at is null
    union
    select f.queue from leasehold.lane_floor as f
    union
    select l.queue from leasehold.lane as l
), running as (
    select j.queue, count(*) as jobs
    from leasehold.lease as l cross join unnest(l.job_ids) as held (id)
        cross join lateral (
            select job.queue from leasehold.job
            where job.job_id = held.id and job.claimed_by = l.worker_id limit 1) as j
    group by j.queue
)
select k.queue, q.paused_at, coalesce(q.weight, 1) as weight, q.max_running, q.rate_per_second, q.rate_burst,
    coalesce(r.jobs, 0) as running,
    (select count(*) from leasehold.lane as l where l.queue = k.queue and l.state <> 'idle') as tenants_waiting,
    (select count(*) from leasehold.worker as w
        where k.queue = any (w.queues) and w.lapsed_at is null and w.stopping_at is null) as workers,
    (select coalesce(sum(w.concurrency), 0) from leasehold.worker as w
        where k.queue = any (w.queues) and w.lapsed_at is null and w.stopping_at is null) as slots
from known as k left join leasehold.queue as q using (queue) left join running as r using (queue)
where k.queue = coalesce($1, k.queue)
order by k.queue
