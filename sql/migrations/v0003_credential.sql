-- Credentials: one single-use refresh token per tenant, leased for each exchange and never shared.
-- The row lock says that the owner of an exchange is alive; the committed intent (attempt_*) says
-- that the generation was presented; a worker's spool says what came back.

create table leasehold.provider (
    provider text collate "C" primary key
        constraint provider_name_shape check (provider ~ '^[a-z][a-z0-9._-]{0,63}$'),
    exchanges_per_second double precision not null default 20
        constraint provider_rate_positive check (exchanges_per_second > 0),
    burst integer not null default 20
        constraint provider_burst_positive check (burst > 0),
    bucket double precision not null default 20,
    bucket_at timestamptz not null default clock_timestamp(),
    blocked_until timestamptz,
    breaker text not null default 'closed'
        constraint provider_breaker_known check (breaker in ('closed', 'open')),
    breaker_reason text,
    breaker_opened_at timestamptz,
    breaker_cooldown interval,
    probe_at timestamptz,
    probing boolean not null default false,
    unanswered integer not null default 0,
    dead integer not null default 0,
    dead_since timestamptz,
    stop_reason text,
    stop_client text,
    stopped_at timestamptz,
    timeline text,
    hold_until timestamptz,
    unanswered_limit integer not null default 8,
    dead_limit integer not null default 5,
    dead_window interval not null default '1 minute',
    cooldown_first interval not null default '30 seconds',
    cooldown_longest interval not null default '15 minutes',
    stop_probe_every interval not null default '10 minutes',
    failover_hold interval not null default '135 seconds',
    updated_at timestamptz not null default clock_timestamp(),
    constraint provider_open_breaker_has_reason
        check (breaker = 'closed' or (breaker_reason is not null and breaker_cooldown is not null)),
    constraint provider_stop_has_client check ((stop_reason is null) = (stop_client is null))
) with (fillfactor = 50);

comment on table leasehold.provider is
    'What all workers share about one token endpoint: the budget of exchanges, the breaker, a stop';
comment on column leasehold.provider.bucket is 'Exchanges that may start now; refilled on use from bucket_at';
comment on column leasehold.provider.blocked_until is 'Retry-After of a 429: no exchange before';
comment on column leasehold.provider.breaker is 'open: one probe at a time, and no credential is given up';
comment on column leasehold.provider.probe_at is 'When an open breaker or a stop lets the next probe through';
comment on column leasehold.provider.probing is 'A probe is out: its failure, and no other, doubles the cooldown';
comment on column leasehold.provider.unanswered is 'Ambiguous exchanges in a row; unanswered_limit of them open the breaker';
comment on column leasehold.provider.dead is
    'Generations called dead since dead_since; dead_limit of them within dead_window are an incident at the provider';
comment on column leasehold.provider.stop_client is
    'Check value of the client whose configuration was refused; workers with another configuration go on';
comment on column leasehold.provider.timeline is
    'WAL timeline last seen: a new one means that commits may be lost, so spools are replayed before anything is presented';
comment on column leasehold.provider.failover_hold is
    'Longer than an exchange can be out and be worked on, because a failover may have lost its intent';
comment on column leasehold.provider.hold_until is 'End of the time in which workers replay their spools after a failover';

create table leasehold.credential (
    tenant_id text collate "C" primary key references leasehold.tenant (tenant_id),
    provider text collate "C" not null references leasehold.provider (provider),
    state text not null default 'empty'
        constraint credential_state_known check (state in ('empty', 'active', 'needs_authorization')),
    connected_by text,
    renewed_by text not null default 'refresh_token'
        constraint credential_renewal_known check (renewed_by in ('refresh_token', 'client_credentials')),
    organization text,
    scope text,
    generation bigint not null default 0
        constraint credential_generation_counts check (generation >= 0),
    refresh_token bytea,
    previous_refresh_token bytea,
    previous_generation bigint,
    access_token bytea,
    access_issued_at timestamptz,
    access_expires_at timestamptz,
    access_rejected_at timestamptz,
    refresh_planned_at timestamptz,
    refresh_due_at timestamptz,
    refresh_requested_at timestamptz,
    not_before timestamptz,
    attempt_id uuid,
    attempt_generation bigint,
    attempt_rung text,
    attempt_grant text,
    attempt_worker uuid,
    attempt_started_at timestamptz,
    attempt_deadline timestamptz,
    saved_attempt_id uuid,
    suspect_reason text
        constraint credential_suspect_known check (suspect_reason in ('ambiguous', 'dead')),
    suspect_at timestamptz,
    suspect_presented_at timestamptz,
    suspect_deadline timestamptz,
    rungs_tried text[] not null default '{}',
    failures integer not null default 0,
    last_exchange_at timestamptz,
    last_outcome text,
    last_error_class text,
    needs_authorization_at timestamptz,
    connected_at timestamptz,
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    constraint credential_intent_is_whole check (
        (attempt_id is null and attempt_generation is null and attempt_rung is null and attempt_grant is null
            and attempt_worker is null and attempt_started_at is null and attempt_deadline is null)
        or (attempt_id is not null and attempt_generation is not null and attempt_rung is not null
            and attempt_grant is not null and attempt_worker is not null and attempt_started_at is not null and attempt_deadline is not null)),
    constraint credential_intent_is_of_this_generation check (attempt_generation = generation),
    constraint credential_suspect_is_whole check (
        (suspect_reason is null) = (suspect_at is null)
        and (suspect_reason is null) = (suspect_presented_at is null)
        and (suspect_reason is null) = (suspect_deadline is null)),
    constraint credential_active_can_renew check (
        state <> 'active'
        or (renewed_by = 'refresh_token' and refresh_token is not null)
        or (renewed_by = 'client_credentials' and organization is not null)),
    constraint credential_verdict_is_dated check ((state = 'needs_authorization') = (needs_authorization_at is not null))
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);

-- What the refresh service looks for; a credential that waits for a person has nothing due.
create index credential_due on leasehold.credential (provider, refresh_due_at) where state = 'active';

comment on table leasehold.credential is 'The one credential of a tenant; tokens only sealed, bound to tenant, column and generation';
comment on column leasehold.credential.state is
    'empty: never connected. active: can be renewed. needs_authorization: a person has to connect it again';
comment on column leasehold.credential.generation is
    'How often the credential was exchanged or connected; never reset, also not by connecting again';
comment on column leasehold.credential.previous_refresh_token is
    'The predecessor as it was sealed in column refresh_token for previous_generation; kept for forensics';
comment on column leasehold.credential.access_rejected_at is 'The API refused the access token before it expired';
comment on column leasehold.credential.refresh_due_at is
    'When the refresh service looks at it next: a refresh, the next rung of a recovery, or the end of an intent';
comment on column leasehold.credential.refresh_planned_at is
    'The random point in the life of the access token at which it is replaced, if somebody needs it';
comment on column leasehold.credential.refresh_requested_at is
    'Somebody used the token after that point, or a worker that may not exchange asked for a new one';
comment on column leasehold.credential.not_before is 'Back-off after an exchange that spent nothing';
comment on column leasehold.credential.attempt_id is
    'The open intent: this generation was or is about to be presented; null when nothing is open';
comment on column leasehold.credential.attempt_deadline is 'Until then the owner may be sending or receiving; nobody else acts';
comment on column leasehold.credential.saved_attempt_id is
    'The exchange that made this generation: tells its owner that a COMMIT without an answer has worked';
comment on column leasehold.credential.suspect_reason is
    'ambiguous: presented, and no usable answer came. dead: the provider refused this generation';
comment on column leasehold.credential.rungs_tried is 'Rungs of the recovery ladder used for this generation, each at most once';

create table leasehold.credential_exchange (
    tenant_id text collate "C" not null,
    exchange_id bigint generated always as identity,
    attempt_id uuid not null,
    generation bigint not null,
    rung text not null,
    grant_kind text not null,
    worker uuid not null,
    started_at timestamptz not null,
    ended_at timestamptz not null default clock_timestamp(),
    outcome text not null
        constraint credential_exchange_outcome_known check (outcome in (
            'saved', 'replayed', 'superseded', 'not_sent', 'throttled', 'misconfigured', 'refused', 'dead',
            'ambiguous', 'abandoned')),
    error_class text,
    http_status integer,
    fingerprint text,
    primary key (tenant_id, exchange_id)
);

create index credential_exchange_ended on leasehold.credential_exchange (ended_at);

comment on table leasehold.credential_exchange is 'Append-only log of exchanges; holds no token';
comment on column leasehold.credential_exchange.fingerprint is
    'First 8 bytes of an HMAC of the presented token, after the id of its key: two equal ones are one token';

create table leasehold.credential_event (
    tenant_id text collate "C" not null,
    event_id bigint generated always as identity,
    at timestamptz not null default clock_timestamp(),
    kind text not null
        constraint credential_event_known check (kind in ('connected', 'needs_authorization', 'recovered')),
    generation bigint not null,
    detail text not null default '',
    primary key (tenant_id, event_id)
);

comment on table leasehold.credential_event is 'What a person may want to know of a credential: connected, lost, recovered';

create table leasehold.credential_archive (
    tenant_id text collate "C" not null,
    archive_id bigint generated always as identity,
    generation bigint not null,
    refresh_token bytea not null,
    reason text not null
        constraint credential_archive_reason_known check (reason in ('reconnected', 'superseded')),
    archived_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, archive_id)
);

comment on table leasehold.credential_archive is
    'Refresh tokens that left their credential without being exchanged, sealed as column refresh_token of their generation';

create table leasehold.sealing_key (
    key_id text collate "C" primary key
        constraint sealing_key_id_shape check (key_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$'),
    check_value text not null,
    first_seen_at timestamptz not null default clock_timestamp(),
    last_sealed_at timestamptz,
    retired_at timestamptz
);

comment on table leasehold.sealing_key is 'Keys that workers have met, without material';
comment on column leasehold.sealing_key.check_value is
    'HMAC of a fixed text: refuses a worker that holds other material under the same id';
comment on column leasehold.sealing_key.last_sealed_at is
    'Last time, to the hour, that a worker sealed with it: its spool entries live for 24 hours more';

create function leasehold.sealing_key_of(sealed bytea) returns text
language sql immutable strict parallel safe
set search_path = pg_catalog, pg_temp
return convert_from(substr(sealed, 3, get_byte(sealed, 1)), 'UTF8');

comment on function leasehold.sealing_key_of is 'The id of the key a cell is sealed with: byte 0 version, byte 1 its length, then the id';

create view leasehold.credential_status as
select
    tenant_id, provider, state, connected_by, renewed_by, organization, scope, generation,
    access_issued_at, access_expires_at, access_rejected_at is not null as access_rejected,
    refresh_due_at, refresh_requested_at, not_before,
    attempt_id is not null as exchanging, attempt_rung, attempt_started_at, attempt_deadline,
    suspect_reason, suspect_at, rungs_tried, failures, last_exchange_at, last_outcome, last_error_class,
    needs_authorization_at, connected_at, updated_at
from leasehold.credential;

comment on view leasehold.credential_status is 'Everything of a credential that is not a token, sealed or otherwise';

revoke all on leasehold.credential, leasehold.credential_archive, leasehold.credential_exchange,
    leasehold.credential_event, leasehold.provider, leasehold.sealing_key, leasehold.credential_status from public;
