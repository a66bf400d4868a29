-- The HTTP interface: who may use it, and logins that are under way. Nothing here can be used by who
-- reads it: keys, sessions and states are kept as SHA-256 of 256 random bits, for which a plain hash is
-- as good as a slow one.

create table leasehold.api_key (
    api_key_id text primary key
        constraint api_key_id_shape check (api_key_id ~ '^[a-z0-9]{12}$'),
    name text not null
        constraint api_key_name_length check (length(name) between 1 and 200),
    secret_hash bytea not null
        constraint api_key_secret_hash_length check (length(secret_hash) = 32),
    scopes text[] not null
        constraint api_key_scopes_known check (
            cardinality(scopes) > 0
            and scopes <@ array['jobs:read', 'jobs:write', 'tenants:read', 'tenants:write',
                'tokens:read', 'tokens:write', 'admin']),
    tenant_id text collate "C" references leasehold.tenant on delete cascade,
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    constraint api_key_admin_unbound check (tenant_id is null or not 'admin' = any (scopes))
);

create unique index api_key_secret on leasehold.api_key (secret_hash);
create index api_key_tenant on leasehold.api_key (tenant_id) where tenant_id is not null;

comment on table leasehold.api_key is 'One key of the HTTP interface';
comment on column leasehold.api_key.api_key_id is 'Shown in lists and logs; no part of the secret';
comment on column leasehold.api_key.secret_hash is 'SHA-256 of the whole key; the key itself is shown once, when it is made';
comment on column leasehold.api_key.scopes is 'What the key may do; admin may do everything';
comment on column leasehold.api_key.tenant_id is 'The only tenant the key may see; null is all';
comment on column leasehold.api_key.expires_at is 'Refused from then on; null is never';
comment on column leasehold.api_key.revoked_at is 'Refused since then; kept for the list';
comment on column leasehold.api_key.last_used_at is 'To the minute, so that a busy key costs no update a request';

create table leasehold.api_session (
    session_hash bytea primary key
        constraint api_session_hash_length check (length(session_hash) = 32),
    api_key_id text not null references leasehold.api_key on delete cascade,
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null
);

create index api_session_key on leasehold.api_session (api_key_id);
create index api_session_expiry on leasehold.api_session (expires_at);

comment on table leasehold.api_session is 'One browser that logged in to the page with an API key';
comment on column leasehold.api_session.session_hash is 'SHA-256 of the cookie';

create table leasehold.connect_attempt (
    attempt_hash bytea primary key
        constraint connect_attempt_hash_length check (length(attempt_hash) = 32),
    tenant_id text collate "C" not null references leasehold.tenant on delete cascade,
    browser_hash bytea
        constraint connect_attempt_browser_length check (length(browser_hash) = 32),
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    used_at timestamptz
);

create index connect_attempt_tenant on leasehold.connect_attempt (tenant_id);
create index connect_attempt_expiry on leasehold.connect_attempt (expires_at);

comment on table leasehold.connect_attempt is 'One login at the provider that is under way, or a link to begin one';
comment on column leasehold.connect_attempt.attempt_hash is 'SHA-256 of the state parameter, or of the ticket in a link';
comment on column leasehold.connect_attempt.browser_hash is 'SHA-256 of the cookie of the browser that began; null for a link, which any browser may open';
comment on column leasehold.connect_attempt.used_at is 'Each is good for one use';

create function leasehold.connect_take(attempt bytea, browser bytea) returns text
language sql
set search_path = pg_catalog, pg_temp
as $$
    update leasehold.connect_attempt
    set used_at = clock_timestamp()
    where attempt_hash = attempt and browser_hash is not distinct from browser
        and used_at is null and expires_at > clock_timestamp()
    returning tenant_id
$$;

comment on function leasehold.connect_take is
    'Uses up an attempt and returns its tenant; null if there is none, it is of another browser, was used or has expired';

create function leasehold.api_prune() returns bigint
language sql
set search_path = pg_catalog, pg_temp
as $$
    with sessions as (
        delete from leasehold.api_session where expires_at < clock_timestamp() returning 1
    ), attempts as (
        delete from leasehold.connect_attempt where expires_at < clock_timestamp() - interval '1 day' returning 1
    )
    select (select count(*) from sessions) + (select count(*) from attempts)
$$;

comment on function leasehold.api_prune is 'Forgets sessions and attempts that have expired; returns how many';

select leasehold.roles_apply();
