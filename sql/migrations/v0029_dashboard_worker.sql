-- The dashboard, part 4: errors and workers.

create type leasehold.error_group as (
    fingerprint text,
    attempts bigint,
    attempts_is_minimum boolean,
    jobs bigint,
    tenants bigint,
    first_at timestamptz,
    last_at timestamptz,
    last_job_id bigint
);

-- One probe a fingerprint (a loose scan of job_attempt_fingerprint), then at most 20 000 entries
-- over all of them.
create function leasehold.dashboard_errors(since timestamptz, most integer default 200)
returns setof leasehold.error_group
language plpgsql stable security definer rows 50
set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    prints text[] := '{}';
    latest text := '';
    bound integer;
begin
    loop
        select a.fingerprint into latest from leasehold.job_attempt as a
        where a.fingerprint > latest and a.ended_at >= since
        order by a.fingerprint limit 1;
        exit when latest is null or cardinality(prints) >= most;
        prints := prints || latest;
    end loop;
    bound := greatest(100, 10000 / greatest(1, cardinality(prints)));
    return query
    select p.fingerprint, a.attempts, a.attempts = bound, a.jobs, a.tenants, a.first_at, a.last_at, a.last_job_id
    from unnest(prints) as p(fingerprint) cross join lateral (
        select count(*) as attempts, count(distinct job_id) as jobs, count(distinct tenant_id) as tenants,
            min(ended_at) as first_at, max(ended_at) as last_at,
            (array_agg(job_id order by ended_at desc))[1] as last_job_id
        from (
            select r.job_id, r.tenant_id, r.ended_at from leasehold.job_attempt as r
            where r.fingerprint = p.fingerprint and r.ended_at >= since
            order by r.ended_at desc limit bound) as r) as a;
end $$;

comment on function leasehold.dashboard_errors is 'Failed attempts since a moment, by fingerprint, at most so many';

create view leasehold_dashboard.job_errors as
select e.fingerprint, a.kind, a.error_label, left(a.error, 2000) as error, e.attempts, e.attempts_is_minimum,
    e.jobs, e.tenants, e.first_at, e.last_at, e.last_job_id, a.tenant_id as last_tenant_id
from leasehold.dashboard_errors(statement_timestamp() - interval '24 hours') as e
    left join lateral (
        select r.kind, r.error_label, r.error, r.tenant_id from leasehold.job_attempt as r
        where r.job_id = e.last_job_id and r.ended_at = e.last_at
        order by r.run desc limit 1) as a on true;

comment on view leasehold_dashboard.job_errors is
    'Failed attempts of the last 24 hours, one row for errors of a kind that differ only in numbers, ids and quoted words; at most 200 rows. Read it whole';
comment on column leasehold_dashboard.job_errors.fingerprint is 'Names the group: leasehold.error_fingerprint';
comment on column leasehold_dashboard.job_errors.kind is 'Kind of the jobs';
comment on column leasehold_dashboard.job_errors.error_label is 'Short name of the error';
comment on column leasehold_dashboard.job_errors.error is 'The newest one, its first 2000 characters';
comment on column leasehold_dashboard.job_errors.attempts is 'How many; counting stops at 10 000 over all groups, at 100 a group at the least';
comment on column leasehold_dashboard.job_errors.attempts_is_minimum is 'True: there are more; jobs, tenants and first_at then speak of the newest ones';
comment on column leasehold_dashboard.job_errors.jobs is 'Jobs among these attempts';
comment on column leasehold_dashboard.job_errors.tenants is 'Tenants among these attempts';
comment on column leasehold_dashboard.job_errors.first_at is 'The first of these attempts';
comment on column leasehold_dashboard.job_errors.last_at is 'The newest attempt';
comment on column leasehold_dashboard.job_errors.last_job_id is 'Its job';
comment on column leasehold_dashboard.job_errors.last_tenant_id is 'Its tenant';

create view leasehold_dashboard.worker_health as
select w.worker_id, w.name, w.host, w.process_id, w.version, w.queues, w.kinds, w.concurrency,
    case when w.lapsed_at is not null then 'lapsed' when w.stopping_at is not null then 'stopping'
        when w.heartbeat_at < statement_timestamp() - make_interval(secs => w.lapse_seconds) then 'silent'
        when w.sleeping_until > statement_timestamp() then 'sleeping' else 'working' end as state,
    coalesce(r.running, 0) as running, coalesce(not r.whole, false) as running_is_minimum, r.oldest_claimed_at,
    w.started_at, w.heartbeat_at,
    date_part('epoch', statement_timestamp() - w.heartbeat_at) as heartbeat_seconds, w.lapse_seconds, w.stopping_at, w.lapsed_at
from leasehold.worker as w left join (
    select worker_id, count(*) as running, min(claimed_at) as oldest_claimed_at, bool_and(whole) as whole
    from leasehold.dashboard_running() group by worker_id) as r on r.worker_id = w.worker_id;

comment on view leasehold_dashboard.worker_health is
    'One row a life of a worker process; lapsed ones stay a day. Read it whole';
comment on column leasehold_dashboard.worker_health.worker_id is 'Names this life of the process';
comment on column leasehold_dashboard.worker_health.name is 'Name that the worker gave itself';
comment on column leasehold_dashboard.worker_health.host is 'Machine';
comment on column leasehold_dashboard.worker_health.process_id is 'Process on that machine';
comment on column leasehold_dashboard.worker_health.version is 'Version of the program';
comment on column leasehold_dashboard.worker_health.queues is 'Queues it serves';
comment on column leasehold_dashboard.worker_health.kinds is 'Kinds it can run';
comment on column leasehold_dashboard.worker_health.concurrency is 'Jobs it runs at once';
comment on column leasehold_dashboard.worker_health.state is
    'working; sleeping: nothing to do; stopping: finishes what it runs; silent: no sign of life, its jobs are rescued next; lapsed: they were';
comment on column leasehold_dashboard.worker_health.running is 'Jobs that it runs';
comment on column leasehold_dashboard.worker_health.running_is_minimum is 'True: over 2000 jobs are leased, not all of them were looked at';
comment on column leasehold_dashboard.worker_health.oldest_claimed_at is 'Start of the run that has been going on longest';
comment on column leasehold_dashboard.worker_health.started_at is 'When it registered';
comment on column leasehold_dashboard.worker_health.heartbeat_at is 'Last sign of life';
comment on column leasehold_dashboard.worker_health.heartbeat_seconds is 'Age of it in seconds';
comment on column leasehold_dashboard.worker_health.lapse_seconds is 'Silence after which its jobs are given to others';
comment on column leasehold_dashboard.worker_health.stopping_at is 'When it began to stop';
comment on column leasehold_dashboard.worker_health.lapsed_at is 'When others took its jobs';
