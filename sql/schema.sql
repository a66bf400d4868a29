-- Made from the migrations: LEASEHOLD_UPDATE_SCHEMA=1 scripts/test SQLGuardTests

CREATE SCHEMA leasehold;

COMMENT ON SCHEMA leasehold IS 'Leasehold: job queue, credentials and mirrors of its tenants';

CREATE TABLE leasehold.schema_migration (
    version integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE leasehold.tenant (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    name text DEFAULT ''::text NOT NULL,
    state text DEFAULT 'active'::text NOT NULL,
    weight real DEFAULT 1 NOT NULL,
    max_running integer,
    rate_per_second real,
    rate_burst integer,
    settings jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT tenant_burst_positive CHECK ((rate_burst > 0)),
    CONSTRAINT tenant_id_shape CHECK ((tenant_id ~ '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$'::text)),
    CONSTRAINT tenant_max_running_positive CHECK ((max_running > 0)),
    CONSTRAINT tenant_name_length CHECK ((length(name) <= 500)),
    CONSTRAINT tenant_rate_positive CHECK ((rate_per_second > (0)::double precision)),
    CONSTRAINT tenant_settings_object CHECK ((jsonb_typeof(settings) = 'object'::text)),
    CONSTRAINT tenant_state_known CHECK ((state = ANY (ARRAY['active'::text, 'paused'::text]))),
    CONSTRAINT tenant_weight_range CHECK (((weight >= (0.01)::double precision) AND (weight <= (1000)::double precision)))
);

COMMENT ON TABLE leasehold.tenant IS 'One organisation whose jobs run here';

COMMENT ON COLUMN leasehold.tenant.tenant_id IS 'Chosen by the service that adds the tenant; never changes';

COMMENT ON COLUMN leasehold.tenant.state IS 'paused: enqueuing goes on, nothing of the tenant is claimed';

COMMENT ON COLUMN leasehold.tenant.weight IS 'Share of the workers relative to other tenants with work; default 1';

COMMENT ON COLUMN leasehold.tenant.max_running IS 'Most jobs of the tenant running at once; null is no limit';

COMMENT ON COLUMN leasehold.tenant.rate_per_second IS 'Most jobs of the tenant started per second on average; null is no limit';

COMMENT ON COLUMN leasehold.tenant.rate_burst IS 'Jobs that may start at once after a quiet time; null is the rate rounded up';

COMMENT ON COLUMN leasehold.tenant.settings IS 'Settings of job kinds for this tenant, one object a kind family: {"pitchly": {"workspaces": ["wks..."]}}';

ALTER TABLE ONLY leasehold.schema_migration
    ADD CONSTRAINT schema_migration_pkey PRIMARY KEY (version);

ALTER TABLE ONLY leasehold.tenant
    ADD CONSTRAINT tenant_pkey PRIMARY KEY (tenant_id);
