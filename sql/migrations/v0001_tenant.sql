-- Tenants: who a job, a lane, a credential and a mirror belong to.
-- Every table that grows with tenants has a key starting with tenant_id, so that the schema
-- distributes by tenant.

create schema if not exists leasehold;

comment on schema leasehold is 'Leasehold: job queue, credentials and mirrors of its tenants';

create table leasehold.tenant (
    tenant_id text collate "C" primary key
        constraint tenant_id_shape check (tenant_id ~ '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$'),
    name text not null default ''
        constraint tenant_name_length check (length(name) <= 500),
    state text not null default 'active'
        constraint tenant_state_known check (state in ('active', 'paused')),
    weight real not null default 1
        constraint tenant_weight_range check (weight between 0.01 and 1000),
    max_running integer
        constraint tenant_max_running_positive check (max_running > 0),
    rate_per_second real
        constraint tenant_rate_positive check (rate_per_second > 0),
    rate_burst integer
        constraint tenant_burst_positive check (rate_burst > 0),
    settings jsonb not null default '{}'
        constraint tenant_settings_object check (jsonb_typeof(settings) = 'object'),
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp()
);

comment on table leasehold.tenant is 'One organisation whose jobs run here';
comment on column leasehold.tenant.tenant_id is 'Chosen by the service that adds the tenant; never changes';
comment on column leasehold.tenant.state is 'paused: enqueuing goes on, nothing of the tenant is claimed';
comment on column leasehold.tenant.weight is 'Share of the workers relative to other tenants with work; default 1';
comment on column leasehold.tenant.max_running is 'Most jobs of the tenant running at once; null is no limit';
comment on column leasehold.tenant.rate_per_second is 'Most jobs of the tenant started per second on average; null is no limit';
comment on column leasehold.tenant.rate_burst is 'Jobs that may start at once after a quiet time; null is the rate rounded up';
comment on column leasehold.tenant.settings is 'Settings of job kinds for this tenant, one object a kind family: {"pitchly": {"workspaces": ["wks..."]}}';
