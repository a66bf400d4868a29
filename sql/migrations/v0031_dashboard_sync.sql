-- The dashboard, part 6: token endpoints, syncs, and the whole on one line.

create view leasehold_dashboard.provider_health as
select provider, exchanges_per_second, burst, breaker, breaker_reason, breaker_opened_at, blocked_until,
    stop_reason, stopped_at, probe_at, hold_until, unanswered, dead,
    case when hold_until > statement_timestamp() then 'failover' when stop_reason is not null then 'stopped'
        when blocked_until > statement_timestamp() then 'blocked' when breaker = 'open' then 'breaker'
        else 'open' end as state
from leasehold.provider;

comment on view leasehold_dashboard.provider_health is
    'One row a token endpoint: whether exchanges may start, and why not. Read it whole';
comment on column leasehold_dashboard.provider_health.provider is 'Name of the endpoint';
comment on column leasehold_dashboard.provider_health.exchanges_per_second is 'Budget of all workers together';
comment on column leasehold_dashboard.provider_health.burst is 'Exchanges that may start at once after a quiet time';
comment on column leasehold_dashboard.provider_health.breaker is 'open: one probe at a time, and no credential is given up; closed: all is well';
comment on column leasehold_dashboard.provider_health.breaker_reason is 'Why it opened';
comment on column leasehold_dashboard.provider_health.breaker_opened_at is 'When it opened';
comment on column leasehold_dashboard.provider_health.blocked_until is 'The endpoint asked to wait (429, Retry-After) until then';
comment on column leasehold_dashboard.provider_health.stop_reason is 'The endpoint refuses the client''s configuration with this error; null: it does not';
comment on column leasehold_dashboard.provider_health.stopped_at is 'Since when';
comment on column leasehold_dashboard.provider_health.probe_at is 'When the next probe may go out';
comment on column leasehold_dashboard.provider_health.hold_until is 'After a failover of the database: spools are replayed and nothing is presented until then';
comment on column leasehold_dashboard.provider_health.unanswered is 'Exchanges in a row without a usable answer';
comment on column leasehold_dashboard.provider_health.dead is 'Refresh tokens refused in the present window';
comment on column leasehold_dashboard.provider_health.state is
    'open: exchanges may start; blocked, breaker, stopped, failover say why not';

create view leasehold_dashboard.sync_status as
select m.tenant_id, m.table_id, m.workspace_id, m.name, m.state, m.record_count, m.synced_at,
    date_part('epoch', statement_timestamp() - m.synced_at) as synced_seconds, m.full_synced_at,
    m.last_position, m.deletion_confirmed,
    r.sync_id as reading_sync_id, r.mode as reading_mode, r.pages as reading_pages, r.rows as reading_rows,
    r.expected_rows as reading_expected_rows,
    case when r.expected_rows > 0 then least(1, r.rows::double precision / r.expected_rows) end as reading_share,
    r.advanced_at as reading_advanced_at, l.sync_id as last_sync_id, l.state as last_state, l.reason as last_reason,
    l.finished_at as last_finished_at
from leasehold.mirror_table as m
    left join lateral (
        select * from leasehold.sync_run as run
        where run.tenant_id = m.tenant_id and run.table_id = m.table_id and run.state = 'reading' limit 1) as r on true
    left join lateral (
        select run.sync_id, run.state, run.reason, run.finished_at from leasehold.sync_run as run
        where run.tenant_id = m.tenant_id and run.table_id = m.table_id and run.state <> 'reading'
        order by run.sync_id desc limit 1) as l on true;

comment on view leasehold_dashboard.sync_status is
    'One row a mirrored table: how fresh it is, the run under way and the last one. Read it with tenant_id =, or order by tenant_id, table_id and a limit';
comment on column leasehold_dashboard.sync_status.tenant_id is 'The tenant';
comment on column leasehold_dashboard.sync_status.table_id is 'The table at Pitchly';
comment on column leasehold_dashboard.sync_status.workspace_id is 'Its workspace there';
comment on column leasehold_dashboard.sync_status.name is 'Its name there';
comment on column leasehold_dashboard.sync_status.state is 'live; gone: the API no longer shows it, the mirror is kept';
comment on column leasehold_dashboard.sync_status.record_count is 'Records in the mirror';
comment on column leasehold_dashboard.sync_status.synced_at is 'When the mirror was last made equal';
comment on column leasehold_dashboard.sync_status.synced_seconds is 'Age of synced_at in seconds';
comment on column leasehold_dashboard.sync_status.full_synced_at is 'When the whole table was last read';
comment on column leasehold_dashboard.sync_status.last_position is 'Number of the newest change in mirror_change';
comment on column leasehold_dashboard.sync_status.deletion_confirmed is 'True: the next sync may delete any share of the records, once';
comment on column leasehold_dashboard.sync_status.reading_sync_id is 'The run under way; null: none, and so the other reading_ columns';
comment on column leasehold_dashboard.sync_status.reading_mode is 'full or incremental';
comment on column leasehold_dashboard.sync_status.reading_pages is 'Pages read so far';
comment on column leasehold_dashboard.sync_status.reading_rows is 'Records read so far';
comment on column leasehold_dashboard.sync_status.reading_expected_rows is 'As the API counts; null if it does not';
comment on column leasehold_dashboard.sync_status.reading_share is 'The part read so far, 0 to 1';
comment on column leasehold_dashboard.sync_status.reading_advanced_at is 'When the last page came';
comment on column leasehold_dashboard.sync_status.last_sync_id is 'The last run that ended';
comment on column leasehold_dashboard.sync_status.last_state is
    'merged; suspicious: nothing was changed because too many records would have been deleted; abandoned: given up for a new run';
comment on column leasehold_dashboard.sync_status.last_reason is 'Why, unless it merged';
comment on column leasehold_dashboard.sync_status.last_finished_at is 'When it ended';

create view leasehold_dashboard.sync_runs as
select r.sync_id, r.tenant_id, r.table_id, m.name as table_name, r.state, r.mode, r.job_id, r.pages, r.rows,
    r.expected_rows, r.inserted, r.updated, r.deleted, r.unchanged, r.takeovers, r.restarts, r.reason, r.started_at,
    r.advanced_at, r.finished_at,
    date_part('epoch', coalesce(r.finished_at, statement_timestamp()) - r.started_at) as took_seconds
from leasehold.sync_run as r
    left join lateral (
        select target.name from leasehold.mirror_table as target
        where target.tenant_id = r.tenant_id and target.table_id = r.table_id limit 1) as m on true;

comment on view leasehold_dashboard.sync_runs is
    'Every reading of a table. Read it with order by finished_at desc and a limit, or with tenant_id = and order by sync_id desc; those under way: sync_status with reading_sync_id is not null';
comment on column leasehold_dashboard.sync_runs.sync_id is 'Rises with time';
comment on column leasehold_dashboard.sync_runs.tenant_id is 'The tenant';
comment on column leasehold_dashboard.sync_runs.table_id is 'The table';
comment on column leasehold_dashboard.sync_runs.table_name is 'Its name';
comment on column leasehold_dashboard.sync_runs.state is 'reading, merged, suspicious or abandoned: see sync_status.last_state';
comment on column leasehold_dashboard.sync_runs.mode is 'full or incremental';
comment on column leasehold_dashboard.sync_runs.job_id is 'The job that read it last';
comment on column leasehold_dashboard.sync_runs.pages is 'Pages read';
comment on column leasehold_dashboard.sync_runs.rows is 'Records read';
comment on column leasehold_dashboard.sync_runs.expected_rows is 'As the API counts; null if it does not';
comment on column leasehold_dashboard.sync_runs.inserted is 'Records that were new';
comment on column leasehold_dashboard.sync_runs.updated is 'Records that had changed';
comment on column leasehold_dashboard.sync_runs.deleted is 'Records that were gone';
comment on column leasehold_dashboard.sync_runs.unchanged is 'Records that were as before';
comment on column leasehold_dashboard.sync_runs.takeovers is 'How often another worker went on with it';
comment on column leasehold_dashboard.sync_runs.restarts is 'How often it began again at the first page';
comment on column leasehold_dashboard.sync_runs.reason is 'Why, unless it merged';
comment on column leasehold_dashboard.sync_runs.started_at is 'When it began';
comment on column leasehold_dashboard.sync_runs.advanced_at is 'When its last page came';
comment on column leasehold_dashboard.sync_runs.finished_at is 'When it ended; null: it has not';
comment on column leasehold_dashboard.sync_runs.took_seconds is 'Seconds from its beginning to its end, or to now';

create view leasehold_dashboard.overview as
select leasehold.dashboard_rows('leasehold.tenant') as tenants, q.ready, q.running, q.scheduled, q.parked,
    q.estimated, q.oldest_ready_at, date_part('epoch', statement_timestamp() - q.oldest_ready_at) as oldest_ready_seconds,
    q.completed_per_second, q.discarded_per_second, w.alive as workers, w.places as worker_places, w.silent as workers_silent,
    lost.found as tokens_needing_authorization, troubled.found as tokens_troubled, p.closed as providers_closed,
    statement_timestamp() as at
from (
        select coalesce(sum(ready), 0)::bigint as ready, coalesce(sum(running), 0)::bigint as running,
            coalesce(sum(scheduled), 0)::bigint as scheduled,
            coalesce(sum(parked), 0)::bigint as parked, min(oldest_ready_at) as oldest_ready_at,
            coalesce(sum(completed_per_second), 0) as completed_per_second,
            coalesce(sum(discarded_per_second), 0) as discarded_per_second,
            coalesce(max(estimated), '{}') as estimated
        from leasehold_dashboard.queue_health) as q
    cross join (
        select count(*) filter (where state in ('working', 'sleeping')) as alive,
            count(*) filter (where state = 'silent') as silent,
            coalesce(sum(concurrency) filter (where state in ('working', 'sleeping')), 0) as places
        from leasehold_dashboard.worker_health) as w
    cross join (
        select count(*) as found from (
            select from leasehold.credential where state = 'needs_authorization' limit 1000) as c) as lost
    cross join (
        select count(*) as found from (
            select from leasehold.credential where failures > 0 or suspect_reason is not null limit 1000) as c) as troubled
    cross join (
        select count(*) as closed from leasehold_dashboard.provider_health where state <> 'open') as p;

comment on view leasehold_dashboard.overview is 'The whole service on one line. About 20 ms with 1 000 000 live jobs';
comment on column leasehold_dashboard.overview.tenants is 'Tenants; an estimate once the table has more than 4 MB';
comment on column leasehold_dashboard.overview.ready is 'Jobs that wait for their turn';
comment on column leasehold_dashboard.overview.running is 'Jobs that a worker has claimed';
comment on column leasehold_dashboard.overview.scheduled is 'Jobs that wait for their time';
comment on column leasehold_dashboard.overview.parked is 'Jobs that wait for an authorization, their sequence or another job';
comment on column leasehold_dashboard.overview.estimated is 'Which of the four counts are estimates: see queue_health';
comment on column leasehold_dashboard.overview.oldest_ready_at is 'When the job that waits longest became ready: see queue_health';
comment on column leasehold_dashboard.overview.oldest_ready_seconds is 'Age of it in seconds';
comment on column leasehold_dashboard.overview.completed_per_second is 'Completed jobs per second over 5 minutes';
comment on column leasehold_dashboard.overview.discarded_per_second is 'Discarded jobs per second over 5 minutes';
comment on column leasehold_dashboard.overview.workers is 'Workers that are alive';
comment on column leasehold_dashboard.overview.worker_places is 'Jobs that they can run at once';
comment on column leasehold_dashboard.overview.workers_silent is 'Workers that give no sign of life and are not yet rescued';
comment on column leasehold_dashboard.overview.tokens_needing_authorization is 'Credentials that wait for a person, counted up to 1000';
comment on column leasehold_dashboard.overview.tokens_troubled is 'Credentials that failed last or are under recovery, counted up to 1000';
comment on column leasehold_dashboard.overview.providers_closed is 'Token endpoints at which no exchange may start';
comment on column leasehold_dashboard.overview.at is 'When this was read';

select leasehold.roles_apply();
