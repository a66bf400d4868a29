-- doctor_leases: running jobs of workers that have been silent for a minute more than others wait
--   before they rescue. Leans on lease_worker and job_pkey.
-- params: none
select l.worker_id, w.name, w.host, count(*) as jobs, date_part('epoch', clock_timestamp() - min(j.claimed_at)) as oldest_seconds
from leasehold.lease as l
    left join leasehold.worker as w using (worker_id)
    cross join unnest(l.job_ids) as u(id)
    cross join lateral (
        select job.claimed_at from leasehold.job where job.job_id = u.id and job.claimed_by = l.worker_id limit 1) as j
where w.worker_id is null
    or least(coalesce(w.lapsed_at, 'infinity'), w.heartbeat_at + make_interval(secs => w.lapse_seconds))
        < clock_timestamp() - interval '1 minute'
group by l.worker_id, w.name, w.host
order by jobs desc limit 20
