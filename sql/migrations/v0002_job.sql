-- The tables of the job queue. What each is for and how a job moves through them: sql/README.md.
--
-- Only live jobs are in leasehold.job; what ended is in leasehold.job_history. A row of job is
-- written three times in its life: enqueue, claim, settle. The claim changes no indexed column and
-- no column of an index predicate (state is in none), so it is a HOT update: it writes no index
-- entry and leaves none dead. A test holds this.

create table leasehold.queue (
    queue text collate "C" primary key
        constraint queue_shape check (queue ~ '^[a-z][a-z0-9._-]{0,127}$'),
    paused_at timestamptz,
    weight real not null default 1
        constraint queue_weight_range check (weight between 0.01 and 1000),
    max_running integer
        constraint queue_max_running_positive check (max_running > 0),
    rate_per_second real
        constraint queue_rate_positive check (rate_per_second > 0),
    rate_burst integer
        constraint queue_burst_positive check (rate_burst > 0)
);

comment on table leasehold.queue is 'Settings of a queue; a queue without a row has none and works';
comment on column leasehold.queue.paused_at is 'Set: enqueuing goes on, nothing of the queue is claimed';
comment on column leasehold.queue.weight is 'Share of a worker that serves several queues; default 1';
comment on column leasehold.queue.max_running is 'Most jobs of the queue running at once, over all workers; null is no limit';

create table leasehold.kind (
    kind text collate "C" primary key
        constraint kind_shape check (kind ~ '^[a-z][a-z0-9._-]{0,127}$'),
    paused_at timestamptz,
    max_running integer
        constraint kind_max_running_positive check (max_running > 0),
    rate_per_second real
        constraint kind_rate_positive check (rate_per_second > 0),
    rate_burst integer
        constraint kind_burst_positive check (rate_burst > 0),
    retry_base_seconds real not null default 2
        constraint kind_retry_base_range check (retry_base_seconds between 0.001 and 86400),
    retry_cap_seconds real not null default 3600
        constraint kind_retry_cap_range check (retry_cap_seconds between 0.001 and 604800),
    apart boolean not null generated always as
        (paused_at is not null or max_running is not null or rate_per_second is not null) stored
);

comment on table leasehold.kind is 'Settings of a job kind; a kind without a row has none and works';
comment on column leasehold.kind.apart is
    'True: jobs of this kind wait in lanes of their own (lane_kind), so that a limit of the kind cannot stand before other jobs of the tenant';

-- What a request may hold (leasehold.job_well_formed) is checked by the insert trigger
-- (leasehold.job_arrived), also for a plain insert and COPY. As check constraints the same rules would
-- run again at every claim and cost a third of it, and the server reads the text of each constraint
-- anew for every statement, which took a fifth of a single enqueue.
create sequence leasehold.job_id_seq;
create sequence leasehold.job_place_seq;

-- Defaults are not volatile, so that COPY inserts a page at a time.
create table leasehold.job (
    job_id bigint primary key default nextval('leasehold.job_id_seq'),
    created_at timestamptz not null default statement_timestamp(),
    run_at timestamptz not null default statement_timestamp(),
    ready_at timestamptz not null default statement_timestamp(),
    claimed_at timestamptz,
    first_claimed_at timestamptz,
    due_at timestamptz,
    parked_at timestamptz,
    run bigint not null default 0,
    place bigint default nextval('leasehold.job_place_seq'),
    claimed_by uuid,
    charged real not null default 0,
    timeout_seconds real,
    waited_turn real not null default 0,
    waited_limit real not null default 0,
    waited_worker real not null default 0,
    waited_parked real not null default 0,
    priority smallint not null default 0,
    attempt smallint not null default 0,
    max_attempts smallint not null default 20,
    kills smallint not null default 0,
    limited boolean not null default false,
    sequence_live boolean not null default false,
    tenant_id text collate "C" not null,
    queue text collate "C" not null default 'default',
    kind text collate "C" not null,
    lane_kind text collate "C" not null default '',
    state text collate "C" not null default 'ready',
    args jsonb not null default '{}',
    unique_key text collate "C",
    sequence_key text collate "C",
    park_reason text,
    trace_context text,
    last_error_label text,
    last_error text,
    progress jsonb,
    again jsonb,
    -- Short on purpose: see above. That state says the same is for those who write it, and for the tests.
    constraint job_is_in_one_state check (num_nonnulls(place, due_at, park_reason) = 1)
) with (
    -- Room for the version that the claim writes, on the page where the job already is.
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_insert_scale_factor = 0.2,
    autovacuum_analyze_scale_factor = 0.1,
    autovacuum_vacuum_cost_delay = 0
);

comment on table leasehold.job is 'Jobs that have not ended';
comment on column leasehold.job.state is
    'scheduled: waits for run_at; ready: waits for its turn; running: claimed; parked: waits for park_reason to go away';
comment on column leasehold.job.park_reason is 'authorization, sequence or dependency';
comment on column leasehold.job.run is 'Fencing number: counts the claims of this job; a settle must carry the current one';
comment on column leasehold.job.priority is 'Lower runs first among the jobs of one tenant in one queue; default 0';
comment on column leasehold.job.place is
    'Place in its lane, rising, while ready or running; each time a job becomes ready it gets a new one';
comment on column leasehold.job.attempt is 'Claims that count: a snooze, a park and a hand-back give theirs back';
comment on column leasehold.job.kills is 'Times a worker died while it ran this job; the third discards it';
comment on column leasehold.job.charged is 'Seconds of virtual time taken at the claim; the settle sends the difference to the real run time';
comment on column leasehold.job.limited is 'The run counts against a limit of running jobs, and its end must tell the lanes';
comment on column leasehold.job.due_at is 'run_at, while the job is scheduled';
comment on column leasehold.job.sequence_live is 'The job has the turn of its sequence key, until it ends';
comment on column leasehold.job.lane_kind is 'Empty, or the kind if the kind is apart';
comment on column leasehold.job.ready_at is 'When the job last became ready';
comment on column leasehold.job.waited_turn is 'Seconds ready while workers took other jobs';
comment on column leasehold.job.waited_limit is 'Seconds ready while its lane was at a limit, throttled or paused';
comment on column leasehold.job.waited_worker is 'Seconds ready while no worker asked for work';
comment on column leasehold.job.waited_parked is 'Seconds parked, for example until the tenant authorized again';
comment on column leasehold.job.again is 'A request that came while the job with this unique_key ran: enqueued when the run ends';

-- The order in which one lane is served. Running jobs are in it too, before the lane's low mark.
create index job_lane on leasehold.job (tenant_id, queue, lane_kind, priority, place)
    where place is not null;
create index job_due on leasehold.job (due_at, job_id) where due_at is not null;
create index job_due_tenant on leasehold.job (tenant_id, due_at) where due_at is not null;
create index job_parked on leasehold.job (tenant_id, job_id) where park_reason is not null;
create index job_limited on leasehold.job (tenant_id, job_id) where limited;
create unique index job_unique on leasehold.job (tenant_id, kind, unique_key)
    where unique_key is not null;
-- Who of a sequence key waits for its turn, and whether one of the key has it.
create index job_sequence_next on leasehold.job (tenant_id, sequence_key, job_id)
    where park_reason = 'sequence';
create index job_sequence_live on leasehold.job (tenant_id, sequence_key) where sequence_live;

create table leasehold.lease (
    worker_id uuid not null,
    claimed_at timestamptz not null,
    job_ids bigint[] not null
) with (
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0
);

create index lease_worker on leasehold.lease (worker_id, claimed_at);

comment on table leasehold.lease is
    'One row a claim: which jobs a worker took. How the jobs of a dead worker are found without an index that every claim would write; rows go with the heartbeat when their jobs have ended';

create table leasehold.job_cancel (
    job_id bigint primary key,
    reason text not null,
    requested_at timestamptz not null default clock_timestamp()
);

comment on table leasehold.job_cancel is
    'Cancel requests for running jobs. Not a column of job: the transaction that asks may stay open and must not hold up the settle';

create table leasehold.job_idempotency (
    tenant_id text collate "C" not null,
    idempotency_key text collate "C" not null
        constraint idempotency_key_length check (length(idempotency_key) between 1 and 500),
    job_id bigint not null,
    created_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, idempotency_key)
);

-- Rows are written in the order of their age: a few pages of index for millions of keys.
create index job_idempotency_age on leasehold.job_idempotency using brin (created_at);

comment on table leasehold.job_idempotency is
    'Which job an idempotency key made, for as long as prune keeps it (default 7 days), also after the job ended';

create table leasehold.job_dependency (
    job_id bigint not null,
    needs_job_id bigint not null,
    on_failure text collate "C" not null default 'cancel'
        constraint dependency_policy_known check (on_failure in ('cancel', 'run')),
    primary key (needs_job_id, job_id),
    constraint dependency_not_self check (job_id <> needs_job_id)
);

create index job_dependency_waiting on leasehold.job_dependency (job_id);

comment on table leasehold.job_dependency is 'Job job_id stays parked until needs_job_id has ended; the row goes when it has';
comment on column leasehold.job_dependency.on_failure is
    'If the needed job is discarded or cancelled: cancel ends this job too, run lets it start all the same';

create table leasehold.job_history (
    job_id bigint not null,
    ended_at timestamptz not null,
    created_at timestamptz not null,
    run_at timestamptz not null,
    first_claimed_at timestamptz,
    claimed_at timestamptz,
    run bigint not null,
    worker_id uuid,
    run_seconds real,
    waited_turn real not null,
    waited_limit real not null,
    waited_worker real not null,
    waited_parked real not null,
    timeout_seconds real,
    priority smallint not null,
    attempt smallint not null,
    max_attempts smallint not null,
    kills smallint not null,
    tenant_id text collate "C" not null,
    queue text collate "C" not null,
    kind text collate "C" not null,
    outcome text collate "C" not null
        constraint history_outcome_known check (outcome in ('completed', 'discarded', 'cancelled')),
    args jsonb not null,
    unique_key text collate "C",
    sequence_key text collate "C",
    trace_context text,
    last_error_label text,
    last_error text,
    progress jsonb,
    primary key (job_id, ended_at)
) partition by range (ended_at);

create index job_history_tenant on leasehold.job_history (tenant_id, job_id);

comment on table leasehold.job_history is
    'Jobs that ended, one partition a UTC day, made by leasehold.history_prepare and dropped by leasehold.prune';
comment on column leasehold.job_history.waited_turn is
    'With waited_limit, waited_worker and waited_parked all the time the job waited to run, summed over its attempts';

create table leasehold.job_attempt (
    job_id bigint not null,
    ended_at timestamptz not null,
    attempt smallint not null,
    run bigint not null,
    started_at timestamptz,
    worker_id uuid,
    tenant_id text collate "C" not null,
    queue text collate "C" not null,
    kind text collate "C" not null,
    outcome text collate "C" not null
        constraint attempt_outcome_known check (outcome in ('retry', 'discard', 'kill')),
    error_label text,
    error text,
    fingerprint text collate "C" not null,
    primary key (job_id, ended_at, run)
) partition by range (ended_at);

create index job_attempt_fingerprint on leasehold.job_attempt (fingerprint, ended_at);

comment on table leasehold.job_attempt is 'Attempts that failed, partitioned and dropped like job_history';
comment on column leasehold.job_attempt.fingerprint is
    'Same for errors that differ only in numbers, ids and quoted words: leasehold.error_fingerprint';

create table leasehold.worker (
    worker_id uuid primary key,
    name text not null constraint worker_name_length check (length(name) <= 200),
    host text not null constraint worker_host_length check (length(host) <= 300),
    process_id integer,
    version text,
    queues text[] collate "C" not null
        constraint worker_has_queue check (cardinality(queues) between 1 and 100),
    kinds text[] collate "C" not null,
    concurrency integer not null constraint worker_concurrency_positive check (concurrency > 0),
    lapse_seconds real not null constraint worker_lapse_range check (lapse_seconds between 1 and 86400),
    started_at timestamptz not null default clock_timestamp(),
    heartbeat_at timestamptz not null default clock_timestamp(),
    sleeping_until timestamptz,
    stopping_at timestamptz,
    lapsed_at timestamptz
) with (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 200,
    autovacuum_vacuum_cost_delay = 0
);

comment on table leasehold.worker is 'One row per life of a worker process';
comment on column leasehold.worker.lapse_seconds is 'Without a heartbeat for so long, the worker has lapsed and its jobs are rescued';
comment on column leasehold.worker.sleeping_until is 'In the future: an enqueue for one of its queues notifies leasehold_wake';
comment on column leasehold.worker.lapsed_at is 'Set once, never cleared: the process must register under a new id';

create table leasehold.schedule (
    schedule_id bigint generated always as identity primary key,
    name text collate "C" not null unique
        constraint schedule_name_shape check (name ~ '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$'),
    tenant_id text collate "C" references leasehold.tenant on delete cascade,
    members text collate "C" not null default 'connected'
        constraint schedule_members_known check (members in ('active', 'connected')),
    kind text collate "C" not null
        constraint schedule_kind_shape check (kind ~ '^[a-z][a-z0-9._-]{0,127}$'),
    queue text collate "C" not null default 'default'
        constraint schedule_queue_shape check (queue ~ '^[a-z][a-z0-9._-]{0,127}$'),
    args jsonb not null default '{}'
        constraint schedule_args_object check (jsonb_typeof(args) = 'object')
        constraint schedule_args_size check (pg_column_size(args) <= 1000000),
    priority smallint not null default 0
        constraint schedule_priority_range check (priority between -100 and 100),
    max_attempts smallint not null default 20
        constraint schedule_max_attempts_range check (max_attempts between 1 and 1000),
    timeout_seconds real
        constraint schedule_timeout_positive check (timeout_seconds > 0),
    slot_arg text
        constraint schedule_slot_arg_length check (length(slot_arg) between 1 and 100),
    every_seconds integer
        constraint schedule_interval_range check (every_seconds between 1 and 31622400),
    starts_at timestamptz not null default clock_timestamp(),
    cron text,
    time_zone text not null default 'UTC',
    missed text collate "C" not null default 'once'
        constraint schedule_missed_known check (missed in ('skip', 'once', 'all')),
    missed_most integer not null default 10
        constraint schedule_missed_most_range check (missed_most between 1 and 1000),
    grace_seconds integer not null default 300
        constraint schedule_grace_range check (grace_seconds between 1 and 86400),
    jitter_seconds integer not null default 0
        constraint schedule_jitter_range check (jitter_seconds between 0 and 86400),
    overlap boolean not null default false,
    paused_at timestamptz,
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    constraint schedule_has_one_rhythm check ((every_seconds is null) <> (cron is null)),
    constraint schedule_jitter_below_interval check (jitter_seconds < every_seconds),
    constraint schedule_all_overlap check (missed <> 'all' or overlap)
);

create index schedule_tenant on leasehold.schedule (tenant_id);

comment on table leasehold.schedule is 'What enqueues itself, at a rhythm';
comment on column leasehold.schedule.tenant_id is
    'Null: a template, with a turn for every member; an interval is spread over the members by a hash of the tenant';
comment on column leasehold.schedule.members is
    'active: tenants that are not paused; connected: of those, the ones whose credential is active and whose jobs are not parked';
comment on column leasehold.schedule.slot_arg is
    'Name of the member of args that gets the slot''s time, ISO 8601 in UTC; null: none';
comment on column leasehold.schedule.starts_at is
    'Intervals are counted from here; no slot is earlier. Kept when a schedule is replaced, so that its slots stay where they were';
comment on column leasehold.schedule.missed is
    'When several slots are due at once, or one is due for longer than the grace, because nobody fired: skip fires the last one if it is within the grace, once fires the last one, all fires the last missed_most of them';
comment on column leasehold.schedule.jitter_seconds is
    'Each firing is put off by up to this, by a hash of tenant and slot: the same whoever computes it';
comment on column leasehold.schedule.overlap is
    'False: a slot whose tenant still has a live job of this schedule enqueues nothing';
comment on column leasehold.schedule.paused_at is 'Slots of a pause are dropped, not missed';
