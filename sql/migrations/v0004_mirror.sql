-- Mirrors: copies of the tenants' Pitchly tables, the outbox of their changes, and the runs that
-- keep them up to date. Positions, pages and rows are counted here, so that any program that can
-- speak SQL can follow a mirror.

create table leasehold.mirror_table (
    tenant_id text collate "C" not null references leasehold.tenant,
    table_id text collate "C" not null
        constraint mirror_table_id_length check (octet_length(table_id) between 1 and 500),
    workspace_id text collate "C" not null,
    name text not null,
    state text not null default 'live'
        constraint mirror_table_state_known check (state in ('live', 'gone')),
    record_count bigint not null default 0,
    first_position bigint not null default 1,
    last_position bigint not null default 0,
    deletion_confirmed boolean not null default false,
    synced_at timestamptz,
    full_synced_at timestamptz,
    high_mark timestamptz,
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, table_id),
    constraint mirror_table_positions_ordered check (first_position between 1 and last_position + 1)
);

comment on table leasehold.mirror_table is 'One table of Pitchly that is mirrored';
comment on column leasehold.mirror_table.state is 'gone: the API no longer shows it; its mirror is kept as it was';
comment on column leasehold.mirror_table.first_position is 'The oldest change that is still kept';
comment on column leasehold.mirror_table.last_position is 'The newest change; taken under this row''s lock, so positions have no gaps and become visible in order';
comment on column leasehold.mirror_table.deletion_confirmed is 'The next sync may delete any share of the records, once';
comment on column leasehold.mirror_table.high_mark is 'Changes that Pitchly dates before it are in the mirror: where an incremental run begins; null asks for a full run';

create table leasehold.mirror_field (
    tenant_id text collate "C" not null,
    table_id text collate "C" not null,
    field_id text collate "C" not null,
    name text not null,
    type text not null,
    place integer not null,
    previous_type text,
    type_changed_at timestamptz,
    gone_at timestamptz,
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, table_id, field_id),
    foreign key (tenant_id, table_id) references leasehold.mirror_table
);

comment on table leasehold.mirror_field is 'The fields of the mirrored tables, those that are gone included';
comment on column leasehold.mirror_field.place is 'From 1, in the order of the API';
comment on column leasehold.mirror_field.gone_at is 'When the field was first missing; null while it is there';

-- No foreign key to mirror_table: a check per record would cost more than the insert.
create table leasehold.mirror_record (
    tenant_id text collate "C" not null,
    table_id text collate "C" not null,
    record_id text collate "C" not null,
    content_hash bytea not null,
    fields jsonb not null,
    labels jsonb,
    changed_at timestamptz not null,
    primary key (tenant_id, table_id, record_id)
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

comment on table leasehold.mirror_record is 'The records of the mirrored tables';
comment on column leasehold.mirror_record.content_hash is 'First 16 bytes of SHA-256 over the content as it was read';
comment on column leasehold.mirror_record.fields is 'From field id to the value as the API gave it: {"fld...": {"val": ...}}';
comment on column leasehold.mirror_record.labels is 'From field id to the text shown to people, where it is not the value''s own val; null where it never is';

-- Unlogged: a page need not be written twice to disk. A crash of the server empties it, which a run
-- notices by its count of rows and starts over.
create unlogged table leasehold.mirror_stage (
    tenant_id text collate "C" not null,
    sync_id bigint not null,
    page integer not null,
    record_id text collate "C" not null,
    content_hash bytea not null,
    fields text not null,
    labels text
) with (autovacuum_vacuum_scale_factor = 0.02, toast.autovacuum_vacuum_scale_factor = 0.02);

create index mirror_stage_sync on leasehold.mirror_stage (sync_id);

comment on table leasehold.mirror_stage is 'Records read by unfinished runs; a record may stand on several pages, the later counts';

create table leasehold.mirror_change (
    tenant_id text collate "C" not null,
    table_id text collate "C" not null,
    position bigint not null,
    record_id text collate "C" not null,
    operation text not null
        constraint mirror_change_operation_known check (operation in ('insert', 'update', 'delete')),
    changed_at timestamptz not null,
    primary key (tenant_id, table_id, position)
);

comment on table leasehold.mirror_change is 'Outbox: what changed in a mirror, in order; read it with leasehold.mirror_changes';

create table leasehold.sync_run (
    tenant_id text collate "C" not null,
    sync_id bigint generated always as identity,
    table_id text collate "C" not null,
    job_id bigint not null,
    job_run bigint not null,
    state text not null default 'reading'
        constraint sync_run_state_known check (state in ('reading', 'merged', 'suspicious', 'abandoned')),
    mode text not null
        constraint sync_run_mode_known check (mode in ('full', 'incremental')),
    dialect text not null,
    since timestamptz,
    cursor text,
    pages integer not null default 0,
    rows bigint not null default 0,
    expected_rows bigint,
    repairs bigint not null default 0,
    takeovers integer not null default 0,
    restarts integer not null default 0,
    inserted bigint,
    updated bigint,
    deleted bigint,
    unchanged bigint,
    field_changes jsonb not null default '[]'
        constraint sync_run_field_changes_array check (jsonb_typeof(field_changes) = 'array'),
    reason text,
    source_time timestamptz,
    started_at timestamptz not null default clock_timestamp(),
    advanced_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    primary key (tenant_id, sync_id),
    foreign key (tenant_id, table_id) references leasehold.mirror_table,
    constraint sync_run_finished check ((state = 'reading') = (finished_at is null)),
    constraint sync_run_counted check (state <> 'merged' or inserted is not null)
) with (fillfactor = 70);

create unique index sync_run_reading on leasehold.sync_run (tenant_id, table_id) where state = 'reading';
create index sync_run_table on leasehold.sync_run (tenant_id, table_id, sync_id);
create index sync_run_finished on leasehold.sync_run (finished_at);

comment on table leasehold.sync_run is 'One reading of one table, over as many jobs and workers as it takes';
comment on column leasehold.sync_run.job_id is 'With job_run the fence: only this claim of this job may go on with the run';
comment on column leasehold.sync_run.state is 'suspicious: nothing was changed, because too many records would have been deleted; abandoned: given up for a new run';
comment on column leasehold.sync_run.since is 'Incremental: only records that changed after it were read';
comment on column leasehold.sync_run.cursor is 'Checkpoint: the next page begins here; null is the first page';
comment on column leasehold.sync_run.rows is 'Checkpoint: records in mirror_stage';
comment on column leasehold.sync_run.expected_rows is 'As the API counts; null if it does not';
comment on column leasehold.sync_run.repairs is 'Characters that PostgreSQL cannot store (NUL, half surrogates), replaced by U+FFFD';
comment on column leasehold.sync_run.takeovers is 'How often another claim went on with the run';
comment on column leasehold.sync_run.source_time is 'Pitchly''s clock when the run began; null if the API did not say';
comment on column leasehold.sync_run.restarts is 'How often it began again at the first page: an expired cursor, a crash of the server';

create view leasehold.sync_progress as
select run.tenant_id, run.table_id, target.name as table_name, run.sync_id, run.mode, run.job_id,
    run.pages, run.rows, run.expected_rows,
    case when run.expected_rows > 0 then least(1, run.rows::numeric / run.expected_rows)::real end as share,
    run.takeovers, run.restarts, run.started_at, run.advanced_at
from leasehold.sync_run as run
join leasehold.mirror_table as target using (tenant_id, table_id)
where run.state = 'reading';

comment on view leasehold.sync_progress is 'The runs under way; share is an estimate from the API''s own count';
