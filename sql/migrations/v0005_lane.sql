-- Lanes and arrivals: who is served next.
--
-- An enqueuing transaction only appends to leasehold.wake; it never touches a lane, so it can stay
-- open as long as it likes without blocking anybody. Only leasehold.job_claim and
-- leasehold.reconcile lock lanes, always by this rule: a transaction may wait for a lane lock only
-- before it has picked any job, in (tenant_id, queue, lane_kind) order; after that it skips what
-- others have locked. So no two claims can wait for each other.

create table leasehold.lane (
    tenant_id text collate "C" not null,
    queue text collate "C" not null,
    lane_kind text collate "C" not null default '',
    vt double precision not null,
    low_place bigint not null,
    urgent_place bigint,
    look_at timestamptz,
    since timestamptz not null default clock_timestamp(),
    blocked_seconds real not null default 0,
    job_seconds real not null default 0.001,
    low_priority smallint not null,
    urgent_priority smallint,
    state text collate "C" not null default 'open'
        constraint lane_state_known check (state in ('open', 'full', 'throttled', 'paused', 'idle')),
    primary key (tenant_id, queue, lane_kind)
) with (
    fillfactor = 60,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_threshold = 500,
    autovacuum_vacuum_cost_delay = 0
);

comment on table leasehold.lane is
    'One tenant in one queue, while it has a backlog; a tenant whose jobs are claimed as they come has none';
comment on column leasehold.lane.vt is
    'Virtual time: seconds of running time received, divided by the weight; the lowest open lane is served first';
comment on column leasehold.lane.low_priority is
    'With low_place the low mark: no ready job of the lane is before it in (priority, place), but for urgent ones';
comment on column leasehold.lane.urgent_priority is
    'With urgent_place the low mark of jobs with a priority below low_priority that came later; null: there are none';
comment on column leasehold.lane.state is
    'open: may be served; full: the tenant is at its limit of running jobs; throttled: at its rate limit; paused: the tenant is paused; idle: nothing waits, vt is remembered until the others have caught up';
comment on column leasehold.lane.look_at is 'When a lane that is not open is looked at again, if no event comes before';
comment on column leasehold.lane.since is 'When the lane got its state';
comment on column leasehold.lane.blocked_seconds is 'Time spent full, throttled or paused since the backlog began';
comment on column leasehold.lane.job_seconds is 'Running mean of the run time of its jobs: what a claim charges in advance';

create index lane_order on leasehold.lane (queue, lane_kind, vt) where state = 'open';
create index lane_idle on leasehold.lane (queue, vt) where state = 'idle';
create index lane_look on leasehold.lane (look_at) where look_at is not null;

create table leasehold.lane_floor (
    queue text collate "C" primary key,
    floor double precision not null,
    noted_at timestamptz not null default clock_timestamp()
) with (fillfactor = 50);

comment on table leasehold.lane_floor is
    'About the lowest virtual time of the open lanes of a queue, noted at most once a second; sessions that claim keep their own and read this one only after a pause';

-- A domain and not a check constraint of the table: the server reads the text of a constraint anew for
-- every statement.
create domain leasehold.letter_purpose as text collate "C"
    check (value in ('ready', 'look', 'charge', 'sequence', 'dependency'));

create sequence leasehold.wake_id_seq cache 32;

create table leasehold.wake (
    wake_id bigint not null default nextval('leasehold.wake_id_seq'),
    xid bigint not null default pg_current_xact_id()::text::bigint,
    first_job_id bigint not null default 0,
    place bigint not null default 0,
    ran_seconds double precision not null default 0,
    charged_seconds double precision not null default 0,
    jobs integer not null default 0,
    settled integer not null default 0,
    priority smallint not null default 0,
    ring boolean not null default false,
    purpose leasehold.letter_purpose not null default 'ready',
    tenant_id text collate "C" not null,
    queue text collate "C" not null,
    lane_kind text collate "C" not null default '',
    sequence_key text collate "C"
) with (
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0
);

comment on table leasehold.wake is
    'Letters to lanes, append-only: jobs that became ready, run time to charge, slots that became free. A claim reads and deletes them';
comment on column leasehold.wake.xid is
    'Transaction that wrote it: a claim reads what its last snapshot could not see, because ids are given out at insert and seen at commit';
comment on column leasehold.wake.purpose is
    'ready: jobs became ready; look: a limit or a pause went away; charge: run time differs from what the claim charged; sequence: a job of sequence_key came or ended; dependency: see whether what first_job_id needs has ended';
comment on column leasehold.wake.jobs is 'How many jobs became ready';
comment on column leasehold.wake.first_job_id is 'The job, if one became ready';
comment on column leasehold.wake.place is 'The lowest place of the jobs that became ready';
comment on column leasehold.wake.priority is 'The lowest priority of the jobs that became ready';
comment on column leasehold.wake.ran_seconds is 'What the settled jobs ran; less charged_seconds it goes to the virtual time';
comment on column leasehold.wake.settled is 'Over how many settled jobs ran_seconds was summed; 0 in letters to other lanes of the tenant';
comment on column leasehold.wake.ring is 'One per queue and statement: at commit it notifies a sleeping worker';

create index wake_order on leasehold.wake (queue, xid, wake_id);

create table leasehold.bucket (
    scope text collate "C" not null
        constraint bucket_scope_known check (scope in ('tenant', 'queue', 'kind')),
    name text collate "C" not null,
    tokens double precision not null,
    filled_at timestamptz not null,
    primary key (scope, name)
) with (fillfactor = 50);

comment on table leasehold.bucket is 'Token buckets of tenants, queues and kinds with a rate limit; locked only by claims';

create table leasehold.tenant_hold (
    tenant_id text collate "C" primary key,
    reason text,
    held_at timestamptz,
    released_at timestamptz
);

comment on table leasehold.tenant_hold is
    'Tenants whose jobs are or were parked as a whole; released_at sends a job that parks itself too late back to ready';
