-- The dashboard, part 5: tenants and credentials.

-- Who needs attention must be found without reading every credential.
create index credential_lost on leasehold.credential (needs_authorization_at) where state = 'needs_authorization';
create index credential_troubled on leasehold.credential (tenant_id) where failures > 0 or suspect_reason is not null;

create type leasehold.tenant_glance as (
    waiting bigint,
    waiting_is_minimum boolean,
    running bigint,
    oldest_ready_at timestamptz,
    next_run_at timestamptz,
    parked bigint,
    ended bigint,
    ended_since timestamptz,
    run_seconds double precision,
    wait_turn_seconds double precision,
    wait_limit_seconds double precision,
    wait_worker_seconds double precision,
    wait_parked_seconds double precision
);

-- What of a tenant waits or runs, in the order in which it is claimed: bound jobs over all lanes, but of
-- each lane that has so many a tenth of that.
create function leasehold.dashboard_tenant_line(
    of_tenant text, bound integer default 100,
    out waiting bigint, out waiting_is_minimum boolean, out running bigint, out oldest_ready_at timestamptz
)
language plpgsql stable security definer cost 100000
set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set jit = off
set plan_cache_mode = force_generic_plan as $$
declare
    lane record;
    most bigint;
    here record;
begin
    waiting := 0;
    running := 0;
    waiting_is_minimum := false;
    for lane in select l.queue, l.lane_kind from leasehold.dashboard_tenant_lanes(of_tenant) as l loop
        most := greatest(bound / 10, bound - waiting - running);
        select count(*) filter (where j.state = 'ready') as ready, count(*) filter (where j.state = 'running') as runs,
            min(j.ready_at) filter (where j.state = 'ready') as ready_at
        into here
        from (
            select job.state, job.ready_at from leasehold.job
            where job.tenant_id = of_tenant and job.queue = lane.queue and job.lane_kind = lane.lane_kind
                and job.place is not null
            order by job.priority, job.place limit most) as j;
        waiting := waiting + here.ready;
        running := running + here.runs;
        oldest_ready_at := least(oldest_ready_at, here.ready_at);
        waiting_is_minimum := waiting_is_minimum or here.ready + here.runs >= most;
    end loop;
end $$;

comment on function leasehold.dashboard_tenant_line is
    'Jobs of a tenant that wait for their turn or run; exact unless waiting_is_minimum';

-- Besides its line, at most bound entries of each index of the tenant's own. Of the jobs that ended, the
-- newest bound ones are looked at, whenever they ended: going back to a moment would have no bound.
create function leasehold.dashboard_tenant(of_tenant text, bound integer default 50)
returns leasehold.tenant_glance
language plpgsql stable security definer cost 100000
set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set jit = off
set plan_cache_mode = force_generic_plan as $$
declare
    glance leasehold.tenant_glance;
    since constant timestamptz := clock_timestamp() - interval '5 minutes';
begin
    select l.* into glance.waiting, glance.waiting_is_minimum, glance.running, glance.oldest_ready_at
    from leasehold.dashboard_tenant_line(of_tenant, bound) as l;
    if glance.waiting_is_minimum then
        -- A tenant at its cap is to be seen as that, wherever in its line its jobs run.
        glance.running := greatest(glance.running, (
            select count(*) from (
                select from leasehold.job where job.tenant_id = of_tenant and job.limited limit 200) as r));
    end if;
    select job.due_at into glance.next_run_at from leasehold.job
    where job.tenant_id = of_tenant and job.due_at is not null order by job.due_at limit 1;
    select count(*) into glance.parked from (
        select from leasehold.job where job.tenant_id = of_tenant and job.park_reason is not null
        order by job.job_id limit bound) as p;
    select count(*), min(h.ended_at), sum(h.run_seconds), avg(h.waited_turn), avg(h.waited_limit),
        avg(h.waited_worker), avg(h.waited_parked)
    into glance.ended, glance.ended_since, glance.run_seconds, glance.wait_turn_seconds, glance.wait_limit_seconds,
        glance.wait_worker_seconds, glance.wait_parked_seconds
    from (
        select * from leasehold.job_history as h
        where h.tenant_id = of_tenant and h.ended_at >= date_trunc('day', since, 'UTC')
        order by h.job_id desc limit bound) as h
    where h.ended_at >= since;
    if glance.ended < bound then glance.ended_since := since; end if;
    return glance;
end $$;

comment on function leasehold.dashboard_tenant is 'A tenant now and over the last 5 minutes, from its line and at most bound entries of each other index';

create type leasehold.service_load as (run_seconds_per_second double precision, weights_waiting double precision);

-- What all tenants received over 5 minutes, and the weights of those with a backlog: from 8 pages of
-- the lanes (some 400, so the sum is off by some 5 %), or all of them if there are no more.
create function leasehold.dashboard_load() returns leasehold.service_load
language plpgsql stable security definer cost 100000
set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    load leasehold.service_load;
    all_pages constant double precision := greatest(1, pg_relation_size('leasehold.lane')
        / current_setting('block_size')::double precision);
    percent constant double precision := least(100, 100 * 8 / all_pages);
begin
    select coalesce(sum(run_seconds * counts_for), 0) / 300 into load.run_seconds_per_second
    from leasehold.dashboard_tail('job_history', clock_timestamp() - interval '5 minutes', 60);
    -- A tenant with several lanes counts once.
    select coalesce(sum(t.weight / n.lanes), 0) * 100 / percent into load.weights_waiting
    from (select lane.tenant_id from leasehold.lane tablesample system (percent) where lane.state <> 'idle') as l
        cross join lateral (
            select tenant.weight from leasehold.tenant where tenant.tenant_id = l.tenant_id limit 1) as t
        cross join lateral (
            select greatest(1, count(*)) as lanes from (
                select from leasehold.lane where lane.tenant_id = l.tenant_id and lane.state <> 'idle' limit 100
            ) as own) as n;
    return load;
end $$;

comment on function leasehold.dashboard_load is
    'Running time that all tenants received per second over 5 minutes, and the sum of the weights of those with a backlog';

create view leasehold_dashboard.tenant_health as
select t.tenant_id, t.name, t.state, h.held_at is not null and h.released_at is null as is_held, h.reason as held_reason,
    t.weight, t.max_running, t.rate_per_second, g.waiting, g.waiting_is_minimum, g.running,
    t.max_running is not null and g.running >= t.max_running as is_at_cap, g.parked, g.next_run_at,
    g.oldest_ready_at, date_part('epoch', statement_timestamp() - g.oldest_ready_at) as oldest_ready_seconds,
    case when l.run_seconds_per_second > 0 then least(1, coalesce(g.run_seconds, 0)
        / greatest(1, date_part('epoch', statement_timestamp() - g.ended_since)) / l.run_seconds_per_second)
        end as share_received,
    case when g.waiting > 0 then t.weight / greatest(t.weight, l.weights_waiting) end as share_due,
    g.ended as ended_runs, g.wait_turn_seconds, g.wait_limit_seconds, g.wait_worker_seconds, g.wait_parked_seconds,
    c.state as token_state, c.suspect_reason as token_suspect, c.access_expires_at as token_expires_at,
    c.generation as token_generation, t.created_at
from leasehold.tenant as t
    cross join leasehold.dashboard_load() as l
    cross join lateral leasehold.dashboard_tenant(t.tenant_id) as g
    left join leasehold.tenant_hold as h on h.tenant_id = t.tenant_id
    left join leasehold.credential as c on c.tenant_id = t.tenant_id;

comment on view leasehold_dashboard.tenant_health is
    'One row a tenant: what it waits for, what it got of what is due to it. Each row costs some probes: read it with tenant_id =, or order by tenant_id and a limit. Who waits most: tenant_pressure';
comment on column leasehold_dashboard.tenant_health.tenant_id is 'The tenant';
comment on column leasehold_dashboard.tenant_health.name is 'Its name for people';
comment on column leasehold_dashboard.tenant_health.state is 'active, or paused: nothing of it is claimed';
comment on column leasehold_dashboard.tenant_health.is_held is 'True: its jobs are parked as a whole';
comment on column leasehold_dashboard.tenant_health.held_reason is 'Why they are or were parked';
comment on column leasehold_dashboard.tenant_health.weight is 'Share of the workers relative to other tenants';
comment on column leasehold_dashboard.tenant_health.max_running is 'Most jobs running at once; null: no limit';
comment on column leasehold_dashboard.tenant_health.rate_per_second is 'Most jobs started per second; null: no limit';
comment on column leasehold_dashboard.tenant_health.waiting is 'Jobs that wait for their turn, counted until 50 of its jobs are met';
comment on column leasehold_dashboard.tenant_health.waiting_is_minimum is 'True: there may be more';
comment on column leasehold_dashboard.tenant_health.running is 'Its jobs that run; where waiting_is_minimum, those among the jobs met, and up to 200 that a limit counts';
comment on column leasehold_dashboard.tenant_health.is_at_cap is 'True: it runs as many as max_running allows; not seen where that is over 200 and waiting_is_minimum';
comment on column leasehold_dashboard.tenant_health.parked is 'Jobs that wait for an authorization, their sequence or another job; counted up to 50';
comment on column leasehold_dashboard.tenant_health.next_run_at is 'When its next scheduled job is due';
comment on column leasehold_dashboard.tenant_health.oldest_ready_at is 'When the job that waits longest, among those counted, became ready';
comment on column leasehold_dashboard.tenant_health.oldest_ready_seconds is 'Age of oldest_ready_at in seconds';
comment on column leasehold_dashboard.tenant_health.share_received is
    'Its part, 0 to 1, of all running time of the last 5 minutes; from its last 50 runs and an estimate of the whole. Null: nothing ended';
comment on column leasehold_dashboard.tenant_health.share_due is
    'Its weight among the tenants that have a backlog now, 0 to 1. Null: it has none, so nothing is due. Below it and waiting: see lane_backlog for the cause';
comment on column leasehold_dashboard.tenant_health.ended_runs is 'Jobs that ended in the last 5 minutes, counted up to 50: the four means are over these';
comment on column leasehold_dashboard.tenant_health.wait_turn_seconds is 'Mean wait while workers took other jobs: not its turn';
comment on column leasehold_dashboard.tenant_health.wait_limit_seconds is 'Mean wait while at its own cap, throttled or paused';
comment on column leasehold_dashboard.tenant_health.wait_worker_seconds is 'Mean wait while no worker asked for work';
comment on column leasehold_dashboard.tenant_health.wait_parked_seconds is 'Mean time parked: its token was not ready, or a sequence or dependency';
comment on column leasehold_dashboard.tenant_health.token_state is 'empty, active or needs_authorization; null: it has no credential';
comment on column leasehold_dashboard.tenant_health.token_suspect is 'ambiguous or dead: under recovery; null: healthy';
comment on column leasehold_dashboard.tenant_health.token_expires_at is 'When its access token expires';
comment on column leasehold_dashboard.tenant_health.token_generation is 'How often its credential was exchanged or connected';
comment on column leasehold_dashboard.tenant_health.created_at is 'When it was added';

create view leasehold_dashboard.tenant_pressure as
with met as materialized (
    select tenant_id, sum(counts_for) as ready, min(ready_at) as oldest_ready_at,
        leasehold.dashboard_at_least(count(distinct page), max(counts_for)) as at_least
    from leasehold.dashboard_jobs() where state = 'ready' group by tenant_id
), top as (
    (select * from met order by ready desc limit 25)
    union
    (select * from met order by oldest_ready_at limit 25)
)
-- The sample finds them. Those that may have few jobs are counted; of the others the head of the line is
-- looked at, where those that wait longest are.
select w.tenant_id, t.name, w.ready, g.waiting_is_minimum as is_estimate, w.oldest_ready_at,
    date_part('epoch', statement_timestamp() - w.oldest_ready_at) as oldest_ready_seconds,
    t.state, t.weight, t.max_running, l.states as lane_states
from top
    cross join lateral leasehold.dashboard_tenant_line(
        top.tenant_id, case when top.at_least > 100 then 20 else 100 end) as g
    cross join lateral (
        select top.tenant_id, least(top.oldest_ready_at, g.oldest_ready_at) as oldest_ready_at,
            case when g.waiting_is_minimum then greatest(g.waiting, round(top.ready::numeric)::bigint)
                else g.waiting end as ready) as w
    left join leasehold.tenant as t on t.tenant_id = top.tenant_id
    left join lateral (
        select array_agg(distinct lane.state) as states from leasehold.lane
        where lane.tenant_id = top.tenant_id) as l on true;

comment on view leasehold_dashboard.tenant_pressure is
    'The 25 tenants with the most ready jobs and the 25 that wait longest, as far as a sample of 200 pages of live jobs shows. Read it whole';
comment on column leasehold_dashboard.tenant_pressure.tenant_id is 'The tenant';
comment on column leasehold_dashboard.tenant_pressure.name is 'Its name for people';
comment on column leasehold_dashboard.tenant_pressure.ready is 'Jobs that wait for their turn';
comment on column leasehold_dashboard.tenant_pressure.is_estimate is 'True: 100 or more of its jobs wait or run, so ready is scaled up from the sample and off by one part in the root of the pages that it was met on; false: counted';
comment on column leasehold_dashboard.tenant_pressure.oldest_ready_at is 'When the job that waits longest, among those met, became ready';
comment on column leasehold_dashboard.tenant_pressure.oldest_ready_seconds is 'Age of oldest_ready_at in seconds';
comment on column leasehold_dashboard.tenant_pressure.state is 'active or paused';
comment on column leasehold_dashboard.tenant_pressure.weight is 'Share of the workers relative to other tenants';
comment on column leasehold_dashboard.tenant_pressure.max_running is 'Most jobs running at once; null: no limit';
comment on column leasehold_dashboard.tenant_pressure.lane_states is 'States of its lanes: open waits for its turn; full, throttled, paused say why it must wait';

create view leasehold_dashboard.token_health as
select tenant_id, provider, state, connected_by, renewed_by, organization, scope, generation,
    access_issued_at, access_expires_at,
    date_part('epoch', access_expires_at - statement_timestamp()) as expires_seconds,
    access_rejected_at is not null as access_rejected,
    refresh_due_at, date_part('epoch', refresh_due_at - statement_timestamp()) as refresh_due_seconds,
    attempt_id is not null as is_exchanging, attempt_started_at, suspect_reason, suspect_at, rungs_tried,
    failures, not_before, last_exchange_at, last_outcome, last_error_class, needs_authorization_at, connected_at
from leasehold.credential;

comment on view leasehold_dashboard.token_health is
    'One row a credential, without any token. Read it with tenant_id =, with order by tenant_id and a limit, or with state = ''needs_authorization'' or failures > 0, which have an index';
comment on column leasehold_dashboard.token_health.tenant_id is 'The tenant';
comment on column leasehold_dashboard.token_health.provider is 'Whose token endpoint';
comment on column leasehold_dashboard.token_health.state is 'empty: never connected; active: can be renewed; needs_authorization: a person has to connect it again';
comment on column leasehold_dashboard.token_health.connected_by is 'Who connected it';
comment on column leasehold_dashboard.token_health.renewed_by is 'refresh_token or client_credentials';
comment on column leasehold_dashboard.token_health.organization is 'The organisation at the provider';
comment on column leasehold_dashboard.token_health.scope is 'What it may read';
comment on column leasehold_dashboard.token_health.generation is 'How often it was exchanged or connected; never falls';
comment on column leasehold_dashboard.token_health.access_issued_at is 'When the access token came';
comment on column leasehold_dashboard.token_health.access_expires_at is 'When it expires';
comment on column leasehold_dashboard.token_health.expires_seconds is 'Seconds until then; negative: expired';
comment on column leasehold_dashboard.token_health.access_rejected is 'True: the API refused it before it expired';
comment on column leasehold_dashboard.token_health.refresh_due_at is 'When the refresh service looks at it next';
comment on column leasehold_dashboard.token_health.refresh_due_seconds is 'Seconds until then; negative: overdue';
comment on column leasehold_dashboard.token_health.is_exchanging is 'True: an exchange is open';
comment on column leasehold_dashboard.token_health.attempt_started_at is 'When it began';
comment on column leasehold_dashboard.token_health.suspect_reason is 'ambiguous: presented, and no usable answer came; dead: refused; null: healthy';
comment on column leasehold_dashboard.token_health.suspect_at is 'Since when';
comment on column leasehold_dashboard.token_health.rungs_tried is 'Steps of the recovery that were taken for this generation';
comment on column leasehold_dashboard.token_health.failures is 'Exchanges in a row that failed';
comment on column leasehold_dashboard.token_health.not_before is 'Back-off: no exchange before';
comment on column leasehold_dashboard.token_health.last_exchange_at is 'Last exchange';
comment on column leasehold_dashboard.token_health.last_outcome is 'What it came to: see exchange_log.outcome';
comment on column leasehold_dashboard.token_health.last_error_class is 'Its error, if it failed';
comment on column leasehold_dashboard.token_health.needs_authorization_at is 'Since when a person is needed';
comment on column leasehold_dashboard.token_health.connected_at is 'When it was last connected';

create view leasehold_dashboard.exchange_log as
select exchange_id, tenant_id, generation, rung, grant_kind, worker as worker_id, started_at, ended_at,
    date_part('epoch', ended_at - started_at) as took_seconds, outcome, error_class, http_status, fingerprint
from leasehold.credential_exchange;

comment on view leasehold_dashboard.exchange_log is
    'Every exchange and what it came to. Read it with order by ended_at desc and a limit, or with tenant_id =';
comment on column leasehold_dashboard.exchange_log.exchange_id is 'Rises with time';
comment on column leasehold_dashboard.exchange_log.tenant_id is 'The tenant';
comment on column leasehold_dashboard.exchange_log.generation is 'Which generation was presented';
comment on column leasehold_dashboard.exchange_log.rung is 'refresh, or the step of the recovery';
comment on column leasehold_dashboard.exchange_log.grant_kind is 'grant_type of the request';
comment on column leasehold_dashboard.exchange_log.worker_id is 'Who presented it';
comment on column leasehold_dashboard.exchange_log.started_at is 'When it was about to be presented';
comment on column leasehold_dashboard.exchange_log.ended_at is 'When the outcome was known';
comment on column leasehold_dashboard.exchange_log.took_seconds is 'Seconds between the two';
comment on column leasehold_dashboard.exchange_log.outcome is
    'saved; replayed: from the spool; superseded: a person had connected meanwhile; not_sent; throttled; misconfigured; refused; dead; ambiguous: no usable answer; abandoned: its owner was gone';
comment on column leasehold_dashboard.exchange_log.error_class is 'The error, if it failed';
comment on column leasehold_dashboard.exchange_log.http_status is 'Status of the answer, if one came';
comment on column leasehold_dashboard.exchange_log.fingerprint is 'Keyed hash of the presented token: two equal ones are one token presented twice';
