-- The dashboard, part 2: queues, workers, throughput, jobs and errors.

-- A loose scan: one probe a queue. A queue is known if it has settings, a worker, a lane or letters.
create function leasehold.dashboard_queues() returns setof text
language plpgsql stable security definer rows 10
set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
begin
    return query
    with recursive open_lanes as (
        (select lane.queue from leasehold.lane where state = 'open' order by lane.queue limit 1)
        union all
        select n.queue from open_lanes as o cross join lateral (
            select lane.queue from leasehold.lane where state = 'open' and lane.queue > o.queue
            order by lane.queue limit 1) as n
    ), idle_lanes as (
        (select lane.queue from leasehold.lane where state = 'idle' order by lane.queue limit 1)
        union all
        select n.queue from idle_lanes as o cross join lateral (
            select lane.queue from leasehold.lane where state = 'idle' and lane.queue > o.queue
            order by lane.queue limit 1) as n
    ), letters as (
        (select wake.queue from leasehold.wake order by wake.queue limit 1)
        union all
        select n.queue from letters as o cross join lateral (
            select wake.queue from leasehold.wake where wake.queue > o.queue
            order by wake.queue limit 1) as n
    )
    select queue.queue from leasehold.queue
    union select unnest(queues) from leasehold.worker where lapsed_at is null
    union select o.queue from open_lanes as o
    union select i.queue from idle_lanes as i
    union select l.queue from letters as l;
end $$;

comment on function leasehold.dashboard_queues is 'Names of the queues that are configured, served or have a backlog';

create type leasehold.queue_count as (
    queue text,
    ready bigint,
    running bigint,
    scheduled bigint,
    parked bigint,
    oldest_ready_at timestamptz,
    tenants_waiting bigint,
    estimated text[]
);

-- Each state is counted exactly while all queues together have at most bound jobs in it (by its
-- partial index; running ones by the leases), and estimated from the sample beyond. The sample comes
-- first: of a state that has more for certain no job is read for the count. The order is that of the
-- partial index: without it a plan may look for the few of a state among all jobs.
create function leasehold.dashboard_queue_counts(bound integer default 1000)
returns setof leasehold.queue_count
language plpgsql stable security definer rows 10
set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
begin
    return query
    with met as materialized (
        select g.queue, g.state, g.ready_at, g.counts_for, g.page from leasehold.dashboard_jobs() as g
    ), many as materialized (
        select m.state from met as m group by m.state
        having leasehold.dashboard_at_least(count(distinct m.page), max(m.counts_for)) > bound
    ), in_lane as materialized (
        select job.queue, job.state, job.ready_at from leasehold.job where place is not null
        order by job.tenant_id, job.queue, job.lane_kind, job.priority, job.place
        limit case when exists (select from many where many.state = 'ready') then 0 else bound + 1 end
    ), due as materialized (
        select job.queue from leasehold.job where due_at is not null
        order by job.due_at, job.job_id
        limit case when exists (select from many where many.state = 'scheduled') then 0 else bound + 1 end
    ), waits as materialized (
        select job.queue from leasehold.job where park_reason is not null
        order by job.tenant_id, job.job_id
        limit case when exists (select from many where many.state = 'parked') then 0 else bound + 1 end
    ), leased as materialized (
        select l.id from leasehold.lease cross join unnest(job_ids) as l(id)
        limit case when exists (select from many where many.state = 'running') then 0 else bound + 1 end
    ), runs as materialized (
        select j.queue from (select distinct id from leased) as l cross join lateral (
            select job.queue from leasehold.job
            where job.job_id = l.id and job.claimed_by is not null limit 1) as j
    ), oldest as materialized (
        select job.queue, job.state, job.ready_at from leasehold.job order by job_id limit bound
    ), whole as (
        select c.found[1] <= bound and not m.states @> '{ready}' as ready,
            c.found[2] <= bound and not m.states @> '{running}' as running,
            c.found[3] <= bound and not m.states @> '{scheduled}' as scheduled,
            c.found[4] <= bound and not m.states @> '{parked}' as parked
        from (select coalesce(array_agg(many.state), '{}') as states from many) as m
            cross join (select array[(select count(*) from in_lane), (select count(*) from leased),
                (select count(*) from due), (select count(*) from waits)] as found) as c
    ), tally as (
        select i.queue, i.state, count(*)::double precision as jobs, min(i.ready_at) as ready_at, 'ready' as source
        from in_lane as i where i.state = 'ready' group by 1, 2
        union all
        select r.queue, 'running', count(*), null, 'running' from runs as r group by 1
        union all
        select d.queue, 'scheduled', count(*), null, 'scheduled' from due as d group by 1
        union all
        select w.queue, 'parked', count(*), null, 'parked' from waits as w group by 1
        union all
        select m.queue, m.state, sum(m.counts_for), min(m.ready_at), 'sample' from met as m group by 1, 2
        union all
        select o.queue, 'ready', 0, min(o.ready_at), 'oldest' from oldest as o where o.state = 'ready' group by 1
    ), fit as (
        select t.* from tally as t cross join whole as w
        where t.source = 'oldest' or (t.source = 'sample') is distinct from case t.state
            when 'ready' then w.ready when 'running' then w.running
            when 'scheduled' then w.scheduled else w.parked end
    )
    select q.name,
        round(coalesce(sum(jobs) filter (where f.state = 'ready'), 0))::bigint,
        round(coalesce(sum(jobs) filter (where f.state = 'running'), 0))::bigint,
        round(coalesce(sum(jobs) filter (where f.state = 'scheduled'), 0))::bigint,
        round(coalesce(sum(jobs) filter (where f.state = 'parked'), 0))::bigint,
        min(f.ready_at) filter (where f.state = 'ready'),
        (select count(*) from (
            select from leasehold.lane
            where lane.queue = q.name and lane.state = 'open' limit 1000) as l),
        array_remove(array[case when not w.ready then 'ready' end, case when not w.running then 'running' end,
            case when not w.scheduled then 'scheduled' end, case when not w.parked then 'parked' end], null)
    from (select * from leasehold.dashboard_queues() union select f.queue from fit as f) as q(name)
        cross join whole as w left join fit as f on f.queue = q.name
    group by q.name, w.ready, w.running, w.scheduled, w.parked;
end $$;

comment on function leasehold.dashboard_queue_counts is
    'Live jobs by queue and state; estimated names the states whose numbers are estimates';

create view leasehold_dashboard.queue_health as
with tail as materialized (
    select queue, sum(counts_for) filter (where outcome = 'completed') / 300 as completed_per_second,
        sum(counts_for) filter (where outcome = 'discarded') / 300 as discarded_per_second
    from leasehold.dashboard_tail('job_history', statement_timestamp() - interval '5 minutes', 60)
    group by queue
)
select c.queue, s.paused_at, coalesce(s.weight, 1) as weight, s.max_running, s.rate_per_second,
    c.ready, c.running, c.scheduled, c.parked, c.estimated, c.oldest_ready_at,
    date_part('epoch', statement_timestamp() - c.oldest_ready_at) as oldest_ready_seconds,
    c.tenants_waiting, workers.serving as workers, workers.places as worker_places,
    coalesce(tail.completed_per_second, 0) as completed_per_second,
    coalesce(tail.discarded_per_second, 0) as discarded_per_second
from leasehold.dashboard_queue_counts() as c
    left join leasehold.queue as s on s.queue = c.queue
    left join tail on tail.queue = c.queue
    cross join lateral (
        select count(*) as serving, coalesce(sum(concurrency), 0) as places from leasehold.worker
        where c.queue = any(queues) and lapsed_at is null and stopping_at is null) as workers;

comment on view leasehold_dashboard.queue_health is
    'One row a queue: what waits and runs, since when, who serves it, how fast. Read it whole; about 15 ms with 1 000 000 live jobs';
comment on column leasehold_dashboard.queue_health.queue is 'Name of the queue';
comment on column leasehold_dashboard.queue_health.paused_at is 'Since when nothing of the queue is claimed; null: not paused';
comment on column leasehold_dashboard.queue_health.weight is 'Share of a worker that serves several queues';
comment on column leasehold_dashboard.queue_health.max_running is 'Most jobs running at once over all workers; null: no limit';
comment on column leasehold_dashboard.queue_health.rate_per_second is 'Most jobs started per second; null: no limit';
comment on column leasehold_dashboard.queue_health.ready is 'Jobs that wait for their turn';
comment on column leasehold_dashboard.queue_health.running is 'Jobs that a worker has claimed';
comment on column leasehold_dashboard.queue_health.scheduled is 'Jobs that wait for their time';
comment on column leasehold_dashboard.queue_health.parked is 'Jobs that wait for an authorization, their sequence or another job';
comment on column leasehold_dashboard.queue_health.estimated is
    'Names of the counts ready, running, scheduled, parked that are estimates from 200 pages, off by one part in the root of the pages they were met on: those of which all queues together have more than 1000. Empty: all are exact';
comment on column leasehold_dashboard.queue_health.oldest_ready_at is
    'When the job that waits longest became ready; if ready is an estimate, among the 1000 oldest live jobs and the sample';
comment on column leasehold_dashboard.queue_health.oldest_ready_seconds is 'Age of oldest_ready_at in seconds';
comment on column leasehold_dashboard.queue_health.tenants_waiting is 'Open lanes of the queue; counted up to 1000';
comment on column leasehold_dashboard.queue_health.workers is 'Workers that are alive, not stopping, and serve the queue';
comment on column leasehold_dashboard.queue_health.worker_places is 'Jobs that these workers can run at once';
comment on column leasehold_dashboard.queue_health.completed_per_second is
    'Completed jobs per second over 5 minutes, from at most 60 pages of the history';
comment on column leasehold_dashboard.queue_health.discarded_per_second is
    'Jobs per second over 5 minutes that ended without success, from at most 60 pages of the history';

create view leasehold_dashboard.lane_backlog as
select l.tenant_id, l.queue, nullif(l.lane_kind, '') as kind, l.state, l.since,
    date_part('epoch', statement_timestamp() - l.since) as state_seconds, l.look_at as opens_at, l.vt as virtual_time,
    greatest(0, l.vt - f.floor) as ahead_seconds, l.job_seconds, w.waiting, w.waiting = 200 as waiting_is_minimum,
    w.oldest_ready_at, date_part('epoch', statement_timestamp() - w.oldest_ready_at) as oldest_ready_seconds
from leasehold.lane as l
    left join lateral (
        select lane_floor.floor from leasehold.lane_floor where lane_floor.queue = l.queue limit 1) as f on true
    left join lateral (
        select count(*) as waiting, min(j.ready_at) as oldest_ready_at from (
            select job.ready_at from leasehold.job
            where job.tenant_id = l.tenant_id and job.queue = l.queue and job.lane_kind = l.lane_kind
                and job.place is not null and job.state = 'ready'
            order by job.priority, job.place limit 200) as j) as w on true
where l.state <> 'idle';

comment on view leasehold_dashboard.lane_backlog is
    'One row for each tenant in each queue with a backlog: why it waits and how far it is from its turn. Up to 200 jobs are read a row: read it with tenant_id = or with a limit';
comment on column leasehold_dashboard.lane_backlog.tenant_id is 'The tenant';
comment on column leasehold_dashboard.lane_backlog.queue is 'The queue';
comment on column leasehold_dashboard.lane_backlog.kind is 'The kind, if its jobs wait apart because it has a limit of its own; null: all other kinds';
comment on column leasehold_dashboard.lane_backlog.state is
    'open: waits for its turn; full: the tenant is at its limit of running jobs; throttled: at its rate limit; paused: the tenant is paused';
comment on column leasehold_dashboard.lane_backlog.since is 'When the lane got its state';
comment on column leasehold_dashboard.lane_backlog.state_seconds is 'Age of since in seconds';
comment on column leasehold_dashboard.lane_backlog.opens_at is 'When a closed lane is looked at again, if no event comes before';
comment on column leasehold_dashboard.lane_backlog.virtual_time is 'Seconds of running time received, divided by the weight; the lowest open lane is served first';
comment on column leasehold_dashboard.lane_backlog.ahead_seconds is 'virtual_time above that of the lane served next: 0 is its turn';
comment on column leasehold_dashboard.lane_backlog.job_seconds is 'Running mean of the run time of its jobs';
comment on column leasehold_dashboard.lane_backlog.waiting is 'Jobs that wait in the lane, counted up to 200';
comment on column leasehold_dashboard.lane_backlog.waiting_is_minimum is 'True: there may be more than waiting says';
comment on column leasehold_dashboard.lane_backlog.oldest_ready_at is 'When the job that waits longest, among those counted, became ready';
comment on column leasehold_dashboard.lane_backlog.oldest_ready_seconds is 'Age of oldest_ready_at in seconds';

create view leasehold_dashboard.throughput_by_minute as
with tail as materialized (
    select date_trunc('minute', ended_at) as minute, queue, outcome, run_seconds, waited_turn,
        waited_limit, waited_worker, waited_parked, counts_for
    from leasehold.dashboard_tail('job_history', statement_timestamp() - interval '1 hour')
    union all
    select date_trunc('minute', ended_at), queue, 'failed', null, null, null, null, null, counts_for
    from leasehold.dashboard_tail('job_attempt', statement_timestamp() - interval '1 hour', 60)
)
select minute, queue,
    round(coalesce(sum(counts_for) filter (where outcome = 'completed'), 0)::numeric) as completed,
    round(coalesce(sum(counts_for) filter (where outcome = 'discarded'), 0)::numeric) as discarded,
    round(coalesce(sum(counts_for) filter (where outcome = 'cancelled'), 0)::numeric) as cancelled,
    round(coalesce(sum(counts_for) filter (where outcome = 'failed'), 0)::numeric) as failed_attempts,
    avg(run_seconds) as mean_run_seconds,
    avg(waited_turn + waited_limit + waited_worker + waited_parked) as mean_wait_seconds,
    avg(waited_turn) as mean_wait_turn_seconds, avg(waited_limit) as mean_wait_limit_seconds,
    avg(waited_worker) as mean_wait_worker_seconds, avg(waited_parked) as mean_wait_parked_seconds,
    max(counts_for) > 1 as is_estimate
from tail
group by minute, queue;

comment on view leasehold_dashboard.throughput_by_minute is
    'What ended in each minute of the last hour, by queue, with the causes of waiting. Read it whole; about 10 ms';
comment on column leasehold_dashboard.throughput_by_minute.minute is 'Start of the minute; the first one is not whole, nor is the last';
comment on column leasehold_dashboard.throughput_by_minute.queue is 'The queue; a minute in which nothing ended has no row';
comment on column leasehold_dashboard.throughput_by_minute.completed is 'Jobs that completed';
comment on column leasehold_dashboard.throughput_by_minute.discarded is 'Jobs that were given up';
comment on column leasehold_dashboard.throughput_by_minute.cancelled is 'Jobs that were cancelled';
comment on column leasehold_dashboard.throughput_by_minute.failed_attempts is 'Attempts that failed, whatever became of the job';
comment on column leasehold_dashboard.throughput_by_minute.mean_run_seconds is 'Mean run time of the last run of the jobs that ended';
comment on column leasehold_dashboard.throughput_by_minute.mean_wait_seconds is 'Mean of all the time that a job waited to run';
comment on column leasehold_dashboard.throughput_by_minute.mean_wait_turn_seconds is 'Of it, while workers took other jobs';
comment on column leasehold_dashboard.throughput_by_minute.mean_wait_limit_seconds is 'Of it, while its tenant was at a limit, throttled or paused';
comment on column leasehold_dashboard.throughput_by_minute.mean_wait_worker_seconds is 'Of it, while no worker asked for work';
comment on column leasehold_dashboard.throughput_by_minute.mean_wait_parked_seconds is 'Of it, while parked: until the tenant authorized, its sequence came or another job ended';
comment on column leasehold_dashboard.throughput_by_minute.is_estimate is
    'True: the hour has more than 120 pages of history, so these are scaled up from every n-th page';
