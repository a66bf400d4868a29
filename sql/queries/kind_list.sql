-- kind_list: kinds that have settings, a worker that knows them, or jobs that run.
-- params: $1 text kind
with known as (
    select k.kind from leasehold.kind as k
    union
    select unnest(w.kinds) from leasehold.worker as w where w.lapsed_at is null
), running as (
    select j.kind, count(*) as jobs
    from leasehold.lease as l cross join unnest(l.job_ids) as held (id)
        cross join lateral (
            select job.kind from leasehold.job
            where job.job_id = held.id and job.claimed_by = l.worker_id limit 1) as j
    group by j.kind
)
select kind, k.paused_at, k.max_running, k.rate_per_second, k.rate_burst, coalesce(r.jobs, 0) as running,
    (select count(*) from leasehold.worker as w
        where kind = any (w.kinds) and w.lapsed_at is null and w.stopping_at is null) as workers
from known full join running as r using (kind) left join leasehold.kind as k using (kind)
where kind = coalesce($1, kind)
order by kind
