-- The dashboard, part 3: jobs.

-- No predicate in either half: the planner then reads both backwards by their keys and stops at the limit.
create view leasehold_dashboard.job_recent as
select job_id, tenant_id, queue, kind, state, park_reason, priority, attempt, max_attempts, run, created_at, run_at,
    claimed_at, null::timestamptz as ended_at, claimed_by as worker_id, null::real as run_seconds,
    waited_turn as wait_turn_seconds, waited_limit as wait_limit_seconds, waited_worker as wait_worker_seconds,
    waited_parked as wait_parked_seconds, unique_key, sequence_key, last_error_label, left(last_error, 500) as last_error
from leasehold.job
union all
select job_id, tenant_id, queue, kind, outcome, null, priority, attempt, max_attempts, run, created_at, run_at,
    claimed_at, ended_at, worker_id, run_seconds, waited_turn, waited_limit, waited_worker, waited_parked,
    unique_key, sequence_key, last_error_label, left(last_error, 500)
from leasehold.job_history;

comment on view leasehold_dashboard.job_recent is
    'Live and ended jobs, without args. Read it with job_id =, or order by job_id desc and a limit; pages go on with job_id <. By state: job_running, job_scheduled, job_parked; of one tenant: job_of_tenant';
comment on column leasehold_dashboard.job_recent.job_id is 'Rises with the time of enqueuing';
comment on column leasehold_dashboard.job_recent.tenant_id is 'The tenant';
comment on column leasehold_dashboard.job_recent.queue is 'The queue';
comment on column leasehold_dashboard.job_recent.kind is 'What is to be done';
comment on column leasehold_dashboard.job_recent.state is 'scheduled, ready, running, parked; completed, discarded, cancelled';
comment on column leasehold_dashboard.job_recent.park_reason is 'What a parked job waits for: authorization, sequence or dependency';
comment on column leasehold_dashboard.job_recent.priority is 'Lower runs first among the jobs of one tenant in one queue';
comment on column leasehold_dashboard.job_recent.attempt is 'Attempts that count so far';
comment on column leasehold_dashboard.job_recent.max_attempts is 'The attempt whose failure discards the job';
comment on column leasehold_dashboard.job_recent.run is 'Claims so far';
comment on column leasehold_dashboard.job_recent.created_at is 'When it was enqueued';
comment on column leasehold_dashboard.job_recent.run_at is 'Not before';
comment on column leasehold_dashboard.job_recent.claimed_at is 'Start of the last run';
comment on column leasehold_dashboard.job_recent.ended_at is 'When it completed or was discarded or cancelled';
comment on column leasehold_dashboard.job_recent.worker_id is 'Who runs it, or ran it last';
comment on column leasehold_dashboard.job_recent.run_seconds is 'Run time of the last run of a job that ended';
comment on column leasehold_dashboard.job_recent.wait_turn_seconds is 'Time ready while workers took other jobs';
comment on column leasehold_dashboard.job_recent.wait_limit_seconds is 'Time ready while its lane was at a limit, throttled or paused';
comment on column leasehold_dashboard.job_recent.wait_worker_seconds is 'Time ready while no worker asked for work';
comment on column leasehold_dashboard.job_recent.wait_parked_seconds is 'Time parked';
comment on column leasehold_dashboard.job_recent.unique_key is 'Only one live job of the tenant and kind has it';
comment on column leasehold_dashboard.job_recent.sequence_key is 'Jobs of the tenant with it run one after another';
comment on column leasehold_dashboard.job_recent.last_error_label is 'Short name of the last error';
comment on column leasehold_dashboard.job_recent.last_error is 'Its first 500 characters';

create view leasehold_dashboard.job_scheduled as
select job_id, tenant_id, queue, kind, state, park_reason, priority, attempt, max_attempts, run, created_at, due_at as run_at,
    claimed_at, null::timestamptz as ended_at, claimed_by as worker_id, null::real as run_seconds,
    waited_turn as wait_turn_seconds, waited_limit as wait_limit_seconds, waited_worker as wait_worker_seconds,
    waited_parked as wait_parked_seconds, unique_key, sequence_key, last_error_label, left(last_error, 500) as last_error
from leasehold.job where due_at is not null;

comment on view leasehold_dashboard.job_scheduled is
    'Jobs that wait for their time. Read it with order by run_at and a limit';

create view leasehold_dashboard.job_parked as
select job_id, tenant_id, queue, kind, state, park_reason, priority, attempt, max_attempts, run, created_at, run_at,
    claimed_at, null::timestamptz as ended_at, claimed_by as worker_id, null::real as run_seconds,
    waited_turn as wait_turn_seconds, waited_limit as wait_limit_seconds, waited_worker as wait_worker_seconds,
    waited_parked as wait_parked_seconds, unique_key, sequence_key, last_error_label, left(last_error, 500) as last_error
from leasehold.job where park_reason is not null;

comment on view leasehold_dashboard.job_parked is
    'Jobs that wait for an authorization, their sequence or another job. Read it with order by tenant_id, job_id and a limit, or with tenant_id =';

-- Leases name what was claimed and may have ended since.
create function leasehold.dashboard_running(bound integer default 2000)
returns table (worker_id uuid, job_id bigint, claimed_at timestamptz, whole boolean)
language plpgsql stable security definer rows 500
set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
begin
    return query
    with leased as materialized (
        select l.worker_id, u.id from leasehold.lease as l cross join unnest(l.job_ids) as u(id) limit bound + 1
    )
    select l.worker_id, l.id, j.claimed_at, (select count(*) from leased) <= bound
    from (select distinct leased.worker_id, leased.id from leased) as l cross join lateral (
        select job.claimed_at from leasehold.job
        where job.job_id = l.id and job.claimed_by = l.worker_id limit 1) as j;
end $$;

comment on function leasehold.dashboard_running is
    'Running jobs; whole false: more than bound jobs were leased, and only so many were looked at';

create view leasehold_dashboard.job_running as
select j.job_id, tenant_id, queue, kind, state, park_reason, priority, attempt, max_attempts, run, created_at, run_at,
    j.claimed_at, null::timestamptz as ended_at, claimed_by as worker_id, null::real as run_seconds,
    waited_turn as wait_turn_seconds, waited_limit as wait_limit_seconds, waited_worker as wait_worker_seconds,
    waited_parked as wait_parked_seconds, unique_key, sequence_key, last_error_label, left(last_error, 500) as last_error
from leasehold.dashboard_running() as r
    cross join lateral (
        select * from leasehold.job where job.job_id = r.job_id and job.state = 'running' limit 1) as j;

comment on view leasehold_dashboard.job_running is
    'Jobs that a worker has claimed, at most 2000 of them. Read it whole';


create function leasehold.dashboard_tenant_lanes(of_tenant text) returns table (queue text, lane_kind text)
language plpgsql stable security definer rows 3
set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
    return query
    with recursive lanes as (
        (select job.queue, job.lane_kind from leasehold.job
        where job.tenant_id = of_tenant and job.place is not null
        order by job.queue, job.lane_kind limit 1)
        union all
        select n.queue, n.lane_kind from lanes as l cross join lateral (
            select job.queue, job.lane_kind from leasehold.job
            where job.tenant_id = of_tenant and job.place is not null
                and (job.queue, job.lane_kind) > (l.queue, l.lane_kind)
            order by job.queue, job.lane_kind limit 1) as n
    )
    select lanes.queue, lanes.lane_kind from lanes;
end $$;

comment on function leasehold.dashboard_tenant_lanes is 'Where a tenant has jobs ready or running: one probe of job_lane each';

create function leasehold.dashboard_tenant_jobs(of_tenant text, most integer default 200)
returns setof leasehold_dashboard.job_recent
language plpgsql stable security definer rows 200
set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
begin
    return query
    select j.* from (
        (select w.job_id from leasehold.dashboard_tenant_lanes(of_tenant) as l cross join lateral (
            select job.job_id from leasehold.job
            where job.tenant_id = of_tenant and job.queue = l.queue and job.lane_kind = l.lane_kind
                and job.place is not null
            order by job.priority, job.place limit most) as w)
        union all
        (select job.job_id from leasehold.job
        where job.tenant_id = of_tenant and job.due_at is not null order by job.due_at limit most)
        union all
        (select job.job_id from leasehold.job
        where job.tenant_id = of_tenant and job.park_reason is not null order by job.job_id limit most)
        union all
        (select h.job_id from leasehold.job_history as h
        where h.tenant_id = of_tenant order by h.job_id desc limit most)
    ) as i cross join lateral (
        select * from leasehold_dashboard.job_recent as r where r.job_id = i.job_id limit 1) as j;
end $$;

comment on function leasehold.dashboard_tenant_jobs is 'The jobs of a tenant that matter now';

create view leasehold_dashboard.job_of_tenant as
select
    j.job_id, t.tenant_id, j.queue, j.kind, j.state, j.park_reason, j.priority, j.attempt, j.max_attempts, j.run,
    j.created_at, j.run_at, j.claimed_at, j.ended_at, j.worker_id, j.run_seconds, j.wait_turn_seconds,
    j.wait_limit_seconds, j.wait_worker_seconds, j.wait_parked_seconds, j.unique_key, j.sequence_key,
    j.last_error_label, j.last_error
from leasehold.tenant as t cross join lateral leasehold.dashboard_tenant_jobs(t.tenant_id) as j;

comment on view leasehold_dashboard.job_of_tenant is
    'Of a tenant: of each queue the running and the next 200 in line, the 200 due next, 200 parked ones and the 200 newest that ended. Read it with tenant_id =';

do $$
declare
    sibling text;
    about record;
begin
    foreach sibling in array array['job_scheduled', 'job_parked', 'job_running', 'job_of_tenant'] loop
        for about in
            select a.attname as name, col_description(a.attrelid, a.attnum) as text from pg_attribute as a
            where a.attrelid = 'leasehold_dashboard.job_recent'::regclass and a.attnum > 0
        loop
            execute format('comment on column leasehold_dashboard.%I.%I is %L', sibling, about.name, about.text);
        end loop;
    end loop;
end $$;
