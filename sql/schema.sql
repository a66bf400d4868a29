-- Made from the migrations: LEASEHOLD_UPDATE_SCHEMA=1 scripts/test SQLGuardTests

CREATE SCHEMA leasehold;

COMMENT ON SCHEMA leasehold IS 'Leasehold: job queue, credentials and mirrors of its tenants';

CREATE SCHEMA leasehold_dashboard;

COMMENT ON SCHEMA leasehold_dashboard IS 'Views for people, Grafana and alerts: read only, no token, each at a bounded cost whatever the tables hold';

CREATE TYPE leasehold.admission AS (
	granted integer,
	reason text,
	retry_after_ms bigint
);

CREATE TYPE leasehold.arrival AS (
	tenant_id text,
	queue text,
	lane_kind text,
	jobs bigint,
	first_job_id bigint,
	priority smallint,
	place bigint,
	ran_seconds double precision,
	charged_seconds double precision,
	settled bigint,
	look boolean
);

CREATE TYPE leasehold.claim_cursor AS (
	claimed_at timestamp with time zone,
	full_look_at timestamp with time zone,
	low_xid bigint,
	low_wake_id bigint,
	open_xids bigint[],
	due_from timestamp with time zone,
	floor double precision,
	floor_at timestamp with time zone,
	mark double precision,
	earlier_mark double precision,
	earliest_mark double precision,
	marked_at timestamp with time zone,
	contended boolean
);

COMMENT ON TYPE leasehold.claim_cursor IS 'What a session remembers between claims, in its setting leasehold.cursor_HASH-OF-QUEUES. It saves work and nothing else: it may be lost at any time';

CREATE TYPE leasehold.claim_scope AS (
	queue text,
	lane_kind text,
	bounded boolean,
	counted boolean
);

COMMENT ON TYPE leasehold.claim_scope IS 'The ordinary lanes of one queue, or those of one kind that is apart; bounded: a limit of the queue or the kind is to be kept; counted: a limit of running jobs is among them';

CREATE TYPE leasehold.claimed_job AS (
	job_id bigint,
	run bigint,
	tenant_id text,
	queue text,
	kind text,
	args jsonb,
	attempt smallint,
	max_attempts smallint,
	priority smallint,
	created_at timestamp with time zone,
	claimed_at timestamp with time zone,
	waited_seconds double precision,
	timeout_seconds real,
	progress jsonb,
	trace_context text
);

CREATE TYPE leasehold.credential_place AS (
	tenant_id text,
	generation bigint,
	saved_attempt_id uuid,
	refresh_token bytea
);

CREATE TYPE leasehold.credential_reading AS (
	outcome text,
	generation bigint,
	access_token bytea,
	access_expires_at timestamp with time zone,
	valid_ms bigint,
	retry_after_ms bigint,
	detail text
);

CREATE TYPE leasehold.credential_suspicion AS (
	outcome text,
	generation bigint,
	reason text,
	suspect_ms bigint,
	presented_ms bigint,
	deadline_ms bigint,
	access_valid_ms bigint,
	access_life_ms bigint,
	has_organization boolean,
	has_refresh_token boolean,
	renewed_by text,
	rungs_tried text[],
	provider_in_doubt boolean,
	retry_after_ms bigint
);

CREATE TYPE leasehold.due_batch AS (
	tenants text[],
	generations bigint[],
	ranked text[],
	waiting bigint,
	reason text,
	retry_after_ms bigint
);

CREATE TYPE leasehold.due_ranking AS (
	tenants text[],
	idle text[]
);

CREATE TYPE leasehold.end_glimpse AS (
	tenant_id text,
	queue text,
	outcome text,
	ended_at timestamp with time zone,
	run_seconds real,
	waited_turn real,
	waited_limit real,
	waited_worker real,
	waited_parked real,
	counts_for double precision
);

COMMENT ON TYPE leasehold.end_glimpse IS 'The end of a run that a sample has met, and how many it stands for';

CREATE TYPE leasehold.error_group AS (
	fingerprint text,
	attempts bigint,
	attempts_is_minimum boolean,
	jobs bigint,
	tenants bigint,
	first_at timestamp with time zone,
	last_at timestamp with time zone,
	last_job_id bigint
);

CREATE TYPE leasehold.exchange_failure AS (
	outcome text,
	error_class text,
	http_status integer,
	suspect text,
	rung_free boolean,
	back_off_ms bigint,
	due_ms bigint,
	provider_effect text,
	provider_ms bigint,
	access_token bytea,
	access_expires_at timestamp with time zone
);

CREATE TYPE leasehold.exchange_reply AS (
	refresh_token bytea,
	rotated boolean,
	access_token bytea,
	access_issued_at timestamp with time zone,
	access_expires_at timestamp with time zone,
	refresh_due_at timestamp with time zone,
	scope text,
	organization text
);

CREATE TYPE leasehold.exchange_saving AS (
	outcome text,
	generation bigint,
	refresh_token bytea
);

CREATE TYPE leasehold.exchange_ticket AS (
	outcome text,
	generation bigint,
	renewed_by text,
	grant_kind text,
	refresh_token bytea,
	access_token bytea,
	organization text,
	is_given boolean,
	failures integer,
	started_at timestamp with time zone,
	deadline timestamp with time zone,
	retry_after_ms bigint
);

CREATE TYPE leasehold.job_batch AS (
	looked bigint,
	matched bigint,
	done bigint,
	refused bigint,
	goes_on bigint
);

COMMENT ON TYPE leasehold.job_batch IS 'looked at, of these matched, of these done and refused (such as a unique key that another job has); goes_on: what to give as before next, null after the last batch';

CREATE TYPE leasehold.job_glimpse AS (
	tenant_id text,
	queue text,
	state text,
	claimed_by uuid,
	ready_at timestamp with time zone,
	counts_for double precision,
	page bigint
);

COMMENT ON TYPE leasehold.job_glimpse IS 'A live job that a sample has met, and how many it stands for';

CREATE TYPE leasehold.job_request AS (
	tenant text,
	kind text,
	args jsonb,
	queue text,
	priority integer,
	run_at timestamp with time zone,
	max_attempts integer,
	timeout_after interval,
	unique_key text,
	on_duplicate text,
	idempotency_key text,
	sequence_key text,
	trace_context text,
	after bigint[],
	on_failure text
);

COMMENT ON TYPE leasehold.job_request IS 'The parameters of leasehold.enqueue; only tenant and kind may not be null';

CREATE DOMAIN leasehold.letter_purpose AS text COLLATE pg_catalog."C"
	CONSTRAINT letter_purpose_check CHECK ((VALUE = ANY (ARRAY['ready'::text, 'look'::text, 'charge'::text, 'sequence'::text, 'dependency'::text])));

CREATE TYPE leasehold.open_lane AS (
	at tid,
	tenant_id text,
	queue text,
	lane_kind text,
	vt double precision,
	job_seconds real,
	blocked_seconds real,
	low_priority smallint,
	low_place bigint,
	urgent_priority smallint,
	urgent_place bigint,
	weight double precision,
	take integer,
	bounded boolean,
	limited boolean
);

CREATE TYPE leasehold.queue_count AS (
	queue text,
	ready bigint,
	running bigint,
	scheduled bigint,
	parked bigint,
	oldest_ready_at timestamp with time zone,
	tenants_waiting bigint,
	estimated text[]
);

CREATE TYPE leasehold.service_load AS (
	run_seconds_per_second double precision,
	weights_waiting double precision
);

CREATE TYPE leasehold.tenant_glance AS (
	waiting bigint,
	waiting_is_minimum boolean,
	running bigint,
	oldest_ready_at timestamp with time zone,
	next_run_at timestamp with time zone,
	parked bigint,
	ended bigint,
	ended_since timestamp with time zone,
	run_seconds double precision,
	wait_turn_seconds double precision,
	wait_limit_seconds double precision,
	wait_worker_seconds double precision,
	wait_parked_seconds double precision
);

CREATE FUNCTION leasehold.action_change(before jsonb, after jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select coalesce(jsonb_object_agg(key, jsonb_build_array(before -> key, value)), '{}')
    from jsonb_each(after)
    where before -> key is distinct from value
        and key not in ('created_at', 'updated_at', 'secret_hash', 'apart', 'schedule_id', 'starts_at', 'masks')
$$;

COMMENT ON FUNCTION leasehold.action_change(before jsonb, after jsonb) IS 'Columns that differ, as [before, after]; without those that follow by themselves';

CREATE FUNCTION leasehold.action_note(verb text, object text, name text DEFAULT NULL::text, tenant text DEFAULT NULL::text, job bigint DEFAULT NULL::bigint, count bigint DEFAULT 1, detail jsonb DEFAULT '{}'::jsonb) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    with said as (
        select left(coalesce(nullif(current_setting('leasehold.actor', true), ''), session_user), 200) as actor,
            coalesce(nullif(current_setting('leasehold.via', true), ''), 'sql') as via,
            jsonb_strip_nulls(action_note.detail) as detail
        -- One line for many jobs at once is written by who steers them all.
        where coalesce(current_setting('leasehold.many', true), '') <> 'on' or action_note.object = 'jobs'
    ), continued as (
        -- Their batches follow each other closely and are one line.
        update leasehold.action as a set count = a.count + action_note.count
        from said
        where action_note.object = 'jobs' and a.action_id = (
            select l.action_id from (select * from leasehold.action order by action_id desc limit 20) as l
            where l.object = 'jobs' and l.verb = action_note.verb and l.actor = said.actor and l.via = said.via
                and l.login = session_user and l.tenant_id is not distinct from action_note.tenant
                and l.detail = said.detail and l.done_at > clock_timestamp() - interval '1 minute'
            order by l.action_id desc limit 1)
        returning a.action_id
    )
    insert into leasehold.action (actor, via, verb, object, name, tenant_id, job_id, count, detail)
    select said.actor, said.via, action_note.verb, action_note.object, action_note.name, action_note.tenant,
        action_note.job, action_note.count, said.detail
    from said where not exists (select from continued)
$$;

COMMENT ON FUNCTION leasehold.action_note(verb text, object text, name text, tenant text, job bigint, count bigint, detail jsonb) IS 'Adds a line. Programs say who acts by set_config(''leasehold.actor'', …, true) and set_config(''leasehold.via'', …, true)';

CREATE FUNCTION leasehold.action_of_row() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    before constant jsonb := case when tg_op = 'INSERT' then '{}' else to_jsonb(old) end;
    after constant jsonb := case when tg_op = 'DELETE' then '{}' else to_jsonb(new) end;
    known constant jsonb := case when tg_op = 'DELETE' then before else after end;
    changed jsonb := case when tg_op = 'DELETE' then '{}' else leasehold.action_change(before, after) end;
    done text;
begin
    if tg_op = 'UPDATE' and changed = '{}' then
        return null;
    end if;
    -- An empty setting of a new row says nothing.
    if tg_op = 'INSERT' then
        changed := (select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(changed)
            where value -> 1 not in ('null', '{}', '[]', '""') and key <> tg_argv[1]);
    end if;
    -- May hold anything, and the log is for more eyes.
    changed := changed || coalesce((
        select jsonb_object_agg(key, '["…", "…"]'::jsonb) from jsonb_object_keys(changed) as key
        where key in ('settings', 'args')), '{}');
    done := case
        when changed #>> '{paused_at,1}' is not null or changed #>> '{state,1}' = 'paused' then 'pause'
        when changed ? 'paused_at' or changed #>> '{state,1}' = 'active' and tg_op = 'UPDATE' then 'resume'
        when changed #>> '{revoked_at,1}' is not null then 'revoke'
        when tg_op = 'DELETE' then 'remove'
        when tg_op = 'INSERT' and tg_argv[0] not in ('queue', 'kind') then 'add'
        else 'change' end;
    perform leasehold.action_note(done, tg_argv[0], case when tg_argv[0] <> 'tenant' then known ->> tg_argv[1] end,
        known ->> 'tenant_id', detail => changed - '{paused_at,revoked_at}'::text[]);
    return null;
end
$$;

CREATE FUNCTION leasehold.action_of_tenants() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    total bigint;
    single text;
    named text;
begin
    select count(*), min(tenant_id), min(name) into total, single, named from touched;
    if total > 0 then
        perform leasehold.action_note(case tg_op when 'INSERT' then 'add' else 'remove' end, 'tenant',
            tenant => case when total = 1 then single end, count => total,
            detail => jsonb_build_object('name', case when total = 1 then nullif(named, '') end));
    end if;
    return null;
end
$$;

CREATE FUNCTION leasehold.api_prune() RETURNS bigint
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    with sessions as (
        delete from leasehold.api_session where expires_at < clock_timestamp() returning 1
    ), attempts as (
        delete from leasehold.connect_attempt where expires_at < clock_timestamp() - interval '1 day' returning 1
    )
    select (select count(*) from sessions) + (select count(*) from attempts)
$$;

COMMENT ON FUNCTION leasehold.api_prune() IS 'Forgets sessions and attempts that have expired; returns how many';

CREATE FUNCTION leasehold.arrivals_merge(arrivals leasehold.arrival[]) RETURNS leasehold.arrival[]
    LANGUAGE sql
    SET search_path TO 'pg_catalog'
    AS $$
    select array_agg(row(m.*)::leasehold.arrival)
    from (
        select tenant_id, queue, lane_kind, sum(jobs)::bigint, min(first_job_id) filter (where jobs > 0),
            min(priority) filter (where jobs > 0), min(place) filter (where jobs > 0),
            sum(ran_seconds), sum(charged_seconds), sum(settled)::bigint, bool_or(look)
        from unnest(arrivals) group by tenant_id, queue, lane_kind) as m
$$;

COMMENT ON FUNCTION leasehold.arrivals_merge(arrivals leasehold.arrival[]) IS 'One arrival a lane';

CREATE FUNCTION leasehold.arrivals_sort(INOUT arrivals leasehold.arrival[]) RETURNS leasehold.arrival[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_material TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
declare
    one text;
    changing text[] := '{}';
    ordinary text[] := '{}';
begin
    foreach one in array array(
        select distinct a.lane_kind from unnest(arrivals) as a where a.lane_kind <> '' and a.jobs > 0)
    loop
        -- Shared by claims, to their end; leasehold.kind_changed waits for it. Asked before the kind is read.
        if not pg_try_advisory_xact_lock_shared(hashtext('leasehold.kind'), hashtext(one)) then
            changing := changing || one;
        elsif not exists (select from leasehold.kind where kind.kind = one and kind.apart) then
            ordinary := ordinary || one;
        end if;
    end loop;
    if changing = '{}' and ordinary = '{}' then
        return;
    end if;

    with astray as materialized (
        select j.at
        from unnest(arrivals) as a cross join lateral (
            select job.ctid as at from leasehold.job
            where job.queue = a.queue and job.tenant_id = a.tenant_id and job.lane_kind = a.lane_kind
                and job.place is not null and job.state = 'ready'
            order by job.priority, job.place
            limit 10000 for update skip locked) as j
        where a.lane_kind = any(ordinary) and a.jobs > 0
    ), moved as (
        update leasehold.job
        set lane_kind = '', place = nextval('leasehold.job_place_seq')
        from astray
        where job.ctid = astray.at
        returning tenant_id, queue, job_id, place, priority
    )
    insert into leasehold.wake (tenant_id, queue, jobs, first_job_id, place, priority, ring)
    select tenant_id, queue, count(*), min(job_id), min(place), min(priority), true
    from moved group by tenant_id, queue;
    -- Also if some of the jobs are in other hands.
    insert into leasehold.wake (tenant_id, queue, lane_kind, purpose, jobs, first_job_id, place,
        priority, ran_seconds, charged_seconds, settled)
    select a.tenant_id, a.queue, a.lane_kind, case when a.look then 'look' else 'ready' end, a.jobs,
        a.first_job_id, a.place, a.priority, a.ran_seconds, a.charged_seconds, a.settled
    from unnest(arrivals) as a
    where a.jobs > 0 and (a.lane_kind = any(changing)
        or a.lane_kind = any(ordinary) and (
            select true from leasehold.job
            where job.queue = a.queue and job.tenant_id = a.tenant_id and job.lane_kind = a.lane_kind
                and job.place is not null and job.state = 'ready'
            limit 1));
    arrivals := array(
        select a from unnest(arrivals) as a
        where a.jobs = 0 or a.lane_kind <> all(changing || ordinary));
end $$;

COMMENT ON FUNCTION leasehold.arrivals_sort(INOUT arrivals leasehold.arrival[]) IS 'Moves jobs that wait in lanes of kinds that are not apart, and puts letters back whose kind is being changed; returns the other arrivals';

CREATE FUNCTION leasehold.bucket_spend(scope text, name text, spent integer) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog'
    AS $$
    update leasehold.bucket set tokens = tokens - spent
    where bucket.scope = bucket_spend.scope and bucket.name = bucket_spend.name
$$;

CREATE FUNCTION leasehold.bucket_tokens(scope text, name text, rate real, burst integer) RETURNS double precision
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
#variable_conflict use_variable
declare
    filled_to constant timestamptz := clock_timestamp();
    size constant double precision := coalesce(burst, ceil(rate));
    left_now double precision;
begin
    insert into leasehold.bucket as b (scope, name, tokens, filled_at)
    values (scope, name, size, filled_to)
    on conflict on constraint bucket_pkey do update
    set tokens = least(size, b.tokens + rate * date_part('epoch', filled_to - b.filled_at)),
        filled_at = filled_to
    returning b.tokens into left_now;
    return left_now;
end $$;

COMMENT ON FUNCTION leasehold.bucket_tokens(scope text, name text, rate real, burst integer) IS 'Fills a token bucket up to now and returns what is in it';

CREATE FUNCTION leasehold.cell_boolean(cell jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE (cell -> 'val'::text) WHEN 'true'::jsonb THEN true WHEN 'false'::jsonb THEN false ELSE NULL::boolean END;

COMMENT ON FUNCTION leasehold.cell_boolean(cell jsonb) IS 'true or false';

CREATE FUNCTION leasehold.day_of(day text) RETURNS date
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $_$
declare
    iso text := day;
    year integer;
begin
    if day ~ '^[0-9]{2}/[0-9]{2}/[0-9]{4}$' then
        iso := substr(day, 7) || '-' || left(day, 2) || '-' || substr(day, 4, 2);
    elsif day !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' then
        return null;
    end if;
    year := left(iso, 4);
    return case
        when year > 0 and substr(iso, 6, 2) between '01' and '12'
            and right(iso, 2) between '01' and case substr(iso, 6, 2)
                when '02' then case when year % 4 = 0 and (year % 100 <> 0 or year % 400 = 0) then '29' else '28' end
                when '04' then '30' when '06' then '30' when '09' then '30' when '11' then '30'
                else '31'
            end
            then iso::date
    end;
end
$_$;

COMMENT ON FUNCTION leasehold.day_of(day text) IS 'Null for a day that does not exist';

CREATE FUNCTION leasehold.cell_date(cell jsonb) RETURNS date
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN leasehold.day_of((cell ->> 'val'::text));

COMMENT ON FUNCTION leasehold.cell_date(cell jsonb) IS 'YYYY-MM-DD or MM/DD/YYYY';

CREATE FUNCTION leasehold.cell_jsonb(cell jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN NULLIF(CASE WHEN ((jsonb_typeof(cell) = 'object'::text) AND (cell ? 'val'::text)) THEN (cell -> 'val'::text) ELSE cell END, 'null'::jsonb);

COMMENT ON FUNCTION leasehold.cell_jsonb(cell jsonb) IS 'What stands in val; a cell without val whole';

CREATE FUNCTION leasehold.cell_numeric(cell jsonb) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (jsonb_typeof((cell -> 'val'::text)) = 'number'::text) THEN ((cell -> 'val'::text))::numeric WHEN ((jsonb_typeof((cell -> 'val'::text)) = 'string'::text) AND ((cell ->> 'val'::text) ~ '^-?[0-9]{1,100}(\.[0-9]{1,100})?$'::text)) THEN ((cell ->> 'val'::text))::numeric ELSE NULL::numeric END;

COMMENT ON FUNCTION leasehold.cell_numeric(cell jsonb) IS 'A JSON number, or a text that is a plain decimal number';

CREATE FUNCTION leasehold.cell_text(cell jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (jsonb_typeof((cell -> 'val'::text)) = ANY (ARRAY['string'::text, 'number'::text, 'boolean'::text])) THEN (cell ->> 'val'::text) ELSE NULL::text END;

COMMENT ON FUNCTION leasehold.cell_text(cell jsonb) IS 'A text, number or boolean as text';

CREATE FUNCTION leasehold.cell_texts(cell jsonb) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $_$
declare
    val constant jsonb := cell -> 'val';
begin
    case jsonb_typeof(val)
    when 'string', 'number', 'boolean' then
        return array[val #>> '{}'];
    when 'array' then
        if jsonb_path_exists(val, 'strict $[*] ? (@.type() == "array" || @.type() == "object")') then
            return null;
        end if;
        return array(select jsonb_array_elements_text(val));
    else
        return null;
    end case;
end
$_$;

COMMENT ON FUNCTION leasehold.cell_texts(cell jsonb) IS 'A list of texts, numbers and booleans; one of them alone is a list of one';

CREATE FUNCTION leasehold.moment_of(moment text) RETURNS timestamp with time zone
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $_$
begin
    return case
        when moment ~ ('^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-2][0-9]:[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?'
                '(?:[Zz]|[+-][01][0-9]:[0-5][0-9])$')
            and substr(moment, 12, 2) < '24' and left(right(moment, 5), 2) < '16' and length(moment) < 80
            then moment::timestamptz
    end;
end
$_$;

COMMENT ON FUNCTION leasehold.moment_of(moment text) IS 'Null for another form; raises an error for a day that does not exist';

CREATE FUNCTION leasehold.cell_timestamptz(cell jsonb) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (leasehold.day_of("left"((cell ->> 'val'::text), 10)) IS NOT NULL) THEN leasehold.moment_of((cell ->> 'val'::text)) ELSE NULL::timestamp with time zone END;

COMMENT ON FUNCTION leasehold.cell_timestamptz(cell jsonb) IS 'RFC 3339 with offset';

CREATE SEQUENCE leasehold.wake_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 32;

CREATE TABLE leasehold.wake (
    wake_id bigint DEFAULT nextval('leasehold.wake_id_seq'::regclass) NOT NULL,
    xid bigint DEFAULT ((pg_current_xact_id())::text)::bigint NOT NULL,
    first_job_id bigint DEFAULT 0 NOT NULL,
    place bigint DEFAULT 0 NOT NULL,
    ran_seconds double precision DEFAULT 0 NOT NULL,
    charged_seconds double precision DEFAULT 0 NOT NULL,
    jobs integer DEFAULT 0 NOT NULL,
    settled integer DEFAULT 0 NOT NULL,
    priority smallint DEFAULT 0 NOT NULL,
    ring boolean DEFAULT false NOT NULL,
    purpose leasehold.letter_purpose DEFAULT 'ready'::text NOT NULL,
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    queue text NOT NULL COLLATE pg_catalog."C",
    lane_kind text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    sequence_key text COLLATE pg_catalog."C"
)
WITH (autovacuum_vacuum_scale_factor='0.05', autovacuum_vacuum_threshold='1000', autovacuum_vacuum_cost_delay='0');

COMMENT ON TABLE leasehold.wake IS 'Letters to lanes, append-only: jobs that became ready, run time to charge, slots that became free. A claim reads and deletes them';

COMMENT ON COLUMN leasehold.wake.xid IS 'Transaction that wrote it: a claim reads what its last snapshot could not see, because ids are given out at insert and seen at commit';

COMMENT ON COLUMN leasehold.wake.first_job_id IS 'The job, if one became ready';

COMMENT ON COLUMN leasehold.wake.place IS 'The lowest place of the jobs that became ready';

COMMENT ON COLUMN leasehold.wake.ran_seconds IS 'What the settled jobs ran; less charged_seconds it goes to the virtual time';

COMMENT ON COLUMN leasehold.wake.jobs IS 'How many jobs became ready';

COMMENT ON COLUMN leasehold.wake.settled IS 'Over how many settled jobs ran_seconds was summed; 0 in letters to other lanes of the tenant';

COMMENT ON COLUMN leasehold.wake.priority IS 'The lowest priority of the jobs that became ready';

COMMENT ON COLUMN leasehold.wake.ring IS 'One per queue and statement: at commit it notifies a sleeping worker';

COMMENT ON COLUMN leasehold.wake.purpose IS 'ready: jobs became ready; look: a limit or a pause went away; charge: run time differs from what the claim charged; sequence: a job of sequence_key came or ended; dependency: see whether what first_job_id needs has ended';

CREATE FUNCTION leasehold.claim_dependents(letters leasehold.wake[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
declare
    asked record;
    needed record;
    waits boolean;
    unsure boolean;
    failed bigint;
    freed leasehold.job;
begin
    for asked in select distinct l.first_job_id, l.tenant_id, l.queue from unnest(letters) as l order by 1 loop
        perform from leasehold.job
        where job.job_id = asked.first_job_id and job.park_reason = 'dependency' for update skip locked;
        continue when not found;
        waits := false;
        unsure := false;
        failed := null;
        for needed in
            select d.needs_job_id, d.on_failure,
                exists (select from leasehold.job where job.job_id = d.needs_job_id) as live,
                (select h.outcome from leasehold.job_history as h where h.job_id = d.needs_job_id
                    order by h.ended_at desc limit 1) as outcome
            from leasehold.job_dependency as d where d.job_id = asked.first_job_id
            order by d.needs_job_id
        loop
            if needed.live then
                waits := true;
                perform from leasehold.job where job.job_id = needed.needs_job_id
                for key share skip locked;
                unsure := unsure or not found;
            elsif needed.outcome in ('discarded', 'cancelled') and needed.on_failure = 'cancel' then
                failed := needed.needs_job_id;
            end if;
        end loop;
        if failed is not null then
            perform leasehold.job_end(asked.first_job_id, 'cancelled', 'dependency_failed',
                format('job %s, which this one needs, did not complete', failed));
        elsif unsure then
            insert into leasehold.wake (tenant_id, queue, purpose, first_job_id, ring)
            values (asked.tenant_id, asked.queue, 'dependency', asked.first_job_id, true);
        elsif not waits then
            delete from leasehold.job_dependency where job_id = asked.first_job_id;
            freed := leasehold.job_release(asked.first_job_id);
        end if;
    end loop;
end $$;

COMMENT ON FUNCTION leasehold.claim_dependents(letters leasehold.wake[]) IS 'Lets jobs go whose needed jobs have ended, or ends them if one failed';

CREATE FUNCTION leasehold.claim_direct(who uuid, arrivals leasehold.arrival[], scopes leasehold.claim_scope[], apart boolean, most integer, mem leasehold.claim_cursor) RETURNS leasehold.claimed_job[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_material TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
declare
    took_at constant timestamptz := clock_timestamp();
    looked_at constant timestamptz := coalesce(mem.claimed_at, '-infinity');
    taken leasehold.claimed_job[];
begin
    with sparse as materialized (
        select j.at
        from unnest(arrivals) as a
            cross join lateral (
                select from leasehold.tenant
                where tenant.tenant_id = a.tenant_id and tenant.state = 'active'
                    and tenant.max_running is null and tenant.rate_per_second is null
                limit 1) as t
            cross join lateral (
                select job.ctid as at from leasehold.job
                where job.job_id = a.first_job_id and job.claimed_by is null
                    and (not apart
                        or job.kind <> all(array(select kind.kind from leasehold.kind where kind.apart)))
                limit 1) as j
        where a.jobs = 1 and a.lane_kind = ''
            and exists (select from unnest(scopes) as s
                where s.queue = a.queue and s.lane_kind = '' and not s.bounded)
            and (select 1 from leasehold.lane
                where lane.tenant_id = a.tenant_id and lane.queue = a.queue and lane.lane_kind = ''
                limit 1) is null
        order by a.priority, a.place
        limit most
    ), held as materialized (
        select job.ctid as at from sparse join leasehold.job on job.ctid = sparse.at
        where job.state = 'ready'
        for update of job skip locked
    ), moved as (
        update leasehold.job
        set state = 'running', run = run + 1, attempt = attempt + 1, claimed_by = who,
            claimed_at = took_at, first_claimed_at = coalesce(first_claimed_at, took_at),
            charged = 0.001,
            waited_turn = waited_turn
                + date_part('epoch', greatest(ready_at, looked_at) - ready_at),
            waited_worker = waited_worker
                + date_part('epoch', took_at - greatest(ready_at, looked_at))
        from held
        where job.ctid = held.at
        returning job_id, run, tenant_id, queue, kind, args, attempt, max_attempts, priority,
            created_at, claimed_at,
            (waited_turn + waited_limit + waited_worker + waited_parked)::double precision,
            timeout_seconds, progress, trace_context
    ), leased as (
        insert into leasehold.lease (worker_id, claimed_at, job_ids)
        select who, took_at, array_agg(job_id) from moved having count(*) > 0
    )
    select array_agg(row(moved.*)::leasehold.claimed_job) into taken from moved;
    return taken;
end $$;

COMMENT ON FUNCTION leasehold.claim_direct(who uuid, arrivals leasehold.arrival[], scopes leasehold.claim_scope[], apart boolean, most integer, mem leasehold.claim_cursor) IS 'Claims jobs of tenants without a lane';

CREATE FUNCTION leasehold.claim_due(since timestamp with time zone, most integer) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_material TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
declare
    due_now constant timestamptz := clock_timestamp();
    total bigint;
begin
    perform from leasehold.job
    where due_at >= since and due_at <= due_now
    order by due_at limit 1;
    if not found then
        return 0;
    end if;
    with due as materialized (
        select ctid as at from leasehold.job
        where due_at >= since and due_at <= due_now
        order by due_at, job_id
        limit most for update skip locked
    ), moved as (
        update leasehold.job
        set state = case when sequence_key is not null and not sequence_live then 'parked' else 'ready' end,
            park_reason = case when sequence_key is not null and not sequence_live then 'sequence' end,
            parked_at = case when sequence_key is not null and not sequence_live then due_now end,
            ready_at = run_at, due_at = null,
            place = case when sequence_key is null or sequence_live
                then nextval('leasehold.job_place_seq') end
        from due
        where job.ctid = due.at
        returning tenant_id, queue, lane_kind, state, job_id, place, priority,
            case state when 'parked' then sequence_key end as sequence_key
    ), told as (
        insert into leasehold.wake (tenant_id, queue, lane_kind, purpose, jobs, first_job_id, place,
            priority, sequence_key, ring)
        select tenant_id, queue, lane_kind, case state when 'ready' then 'ready' else 'sequence' end,
            count(*) filter (where state = 'ready'), min(job_id), coalesce(min(place), 0), min(priority),
            sequence_key, row_number() over (partition by queue) = 1
        from moved
        group by tenant_id, queue, lane_kind, state, sequence_key
    )
    select count(*) into total from moved;
    return total;
end $$;

COMMENT ON FUNCTION leasehold.claim_due(since timestamp with time zone, most integer) IS 'Moves due jobs to ready, at most so many, and returns how many';

CREATE FUNCTION leasehold.claim_letters(queues text[], most integer, INOUT mem leasehold.claim_cursor, OUT arrivals leasehold.arrival[], OUT sequences leasehold.wake[], OUT dependents leasehold.wake[], OUT complete boolean) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_material TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
declare
    seen constant pg_snapshot := pg_current_snapshot();
    found_at tid[];
    more_at tid[];
    own_xid constant bigint[] := array(select x::text::bigint
        from pg_current_xact_id_if_assigned() as x where x is not null);
    last_xid bigint;
    last_id bigint;
begin
    select array_agg(w.at order by w.xid, w.wake_id), max(w.xid),
        (array_agg(w.wake_id order by w.xid desc, w.wake_id desc))[1]
    into found_at, last_xid, last_id
    from unnest(queues) as q(queue) cross join lateral (
        select wake.ctid as at, wake.xid, wake.wake_id from leasehold.wake
        where wake.queue = q.queue and (wake.xid, wake.wake_id) > (mem.low_xid, mem.low_wake_id)
        order by wake.xid, wake.wake_id
        limit most for update skip locked) as w;
    complete := coalesce(cardinality(found_at), 0) < most;
    if cardinality(mem.open_xids) > 0 then
        select array_agg(w.at) into more_at
        from unnest(queues) as q(queue) cross join unnest(mem.open_xids) as open(xid)
            cross join lateral (
                select wake.ctid as at from leasehold.wake
                where wake.queue = q.queue and wake.xid = open.xid
                limit most for update skip locked) as w;
        found_at := found_at || more_at;
    end if;
    if complete and coalesce(cardinality(more_at), 0) < most then
        mem.low_xid := pg_snapshot_xmax(seen)::text::bigint;
        mem.low_wake_id := 0;
        mem.open_xids := array(select x::text::bigint from pg_snapshot_xip(seen) as x) || own_xid;
    elsif cardinality(queues) = 1 and not complete then
        mem.open_xids := mem.open_xids || array(
            select x::text::bigint from pg_snapshot_xip(seen) as x
            where x::text::bigint <= last_xid and x::text::bigint > mem.low_xid) || own_xid;
        mem.low_xid := last_xid;
        mem.low_wake_id := last_id;
    end if;
    if found_at is null then
        return;
    end if;
    with gone as (
        delete from leasehold.wake using unnest(found_at) as f(at)
        where wake.ctid = f.at returning wake.*
    ), ordinary as (
        select tenant_id, queue, lane_kind, sum(jobs), min(first_job_id) filter (where jobs > 0),
            min(priority) filter (where jobs > 0), min(place) filter (where jobs > 0),
            sum(ran_seconds), sum(charged_seconds), sum(settled), bool_or(purpose = 'look')
        from gone where purpose in ('ready', 'look', 'charge')
        group by tenant_id, queue, lane_kind
    )
    select (select array_agg(row(o.*)::leasehold.arrival) from ordinary as o),
        (select array_agg(g) from gone as g where purpose = 'sequence'),
        (select array_agg(g) from gone as g where purpose = 'dependency')
    into arrivals, sequences, dependents;
end $$;

COMMENT ON FUNCTION leasehold.claim_letters(queues text[], most integer, INOUT mem leasehold.claim_cursor, OUT arrivals leasehold.arrival[], OUT sequences leasehold.wake[], OUT dependents leasehold.wake[], OUT complete boolean) IS 'Reads and deletes letters: arrivals by lane, and those that need a check of a sequence key or a dependency';

CREATE FUNCTION leasehold.claim_scopes(queues text[], OUT scopes leasehold.claim_scope[], OUT apart boolean, OUT free jsonb) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
declare
    one record;
    places double precision;
    kinds text[];
begin
    free := '{}';
    kinds := array(select kind.kind from leasehold.kind where kind.apart);
    apart := kinds <> '{}';
    for one in
        select 'queue' as scope, q.queue as name, q.paused_at, q.max_running, q.rate_per_second, q.rate_burst
        from leasehold.queue as q
        where q.queue = any(queues)
            and (q.paused_at is not null or q.max_running is not null or q.rate_per_second is not null)
        union all
        select 'kind', k.kind, k.paused_at, k.max_running, k.rate_per_second, k.rate_burst
        from leasehold.kind as k where k.apart
        order by 1 desc, 2
    loop
        places := null;
        if one.paused_at is not null then
            places := 0;
        else
            perform leasehold.limit_lock(one.scope, one.name);
            if one.max_running is not null then
                select one.max_running - count(*) into places from leasehold.job
                where limited and case one.scope when 'queue' then job.queue else job.kind end = one.name;
            end if;
            if one.rate_per_second is not null then
                places := least(places, floor(leasehold.bucket_tokens(
                    one.scope, one.name, one.rate_per_second, one.rate_burst)));
            end if;
        end if;
        free := free || jsonb_build_object(one.scope || ':' || one.name, greatest(0, places)::integer);
    end loop;
    select array_agg(row(q.name, k.name,
            q.name is not null and (free ? ('queue:' || q.name) or k.name <> ''),
            coalesce((select queue.max_running is not null from leasehold.queue
                where queue.queue = q.name), false)
            or coalesce((select kind.max_running is not null from leasehold.kind
                where kind.kind = k.name), false))::leasehold.claim_scope)
    into scopes
    from unnest(queues) as q(name), unnest(array[''] || kinds) as k(name)
    where coalesce((free ->> ('queue:' || q.name))::integer, 1) > 0
        and coalesce((free ->> ('kind:' || k.name))::integer, 1) > 0;
end $$;

CREATE FUNCTION leasehold.claim_sequences(letters leasehold.wake[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_material TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
declare
    asked record;
    decided boolean;
    first_id bigint;
    admitted leasehold.job;
begin
    for asked in
        select distinct hashtext(l.tenant_id || E'\n' || l.sequence_key) as lock, l.tenant_id, l.sequence_key
        from unnest(letters) as l
    loop
        -- Held to the end of the claim, so that whoever looks next sees who got the turn. Not waited
        -- for: this claim may hold others.
        decided := pg_try_advisory_xact_lock(hashtext('leasehold.sequence'), asked.lock);
        if decided then
            perform from leasehold.job
            where job.tenant_id = asked.tenant_id and job.sequence_key = asked.sequence_key
                and job.sequence_live limit 1;
            continue when found;
            select next.job_id into first_id from leasehold.job as next
            where next.tenant_id = asked.tenant_id and next.sequence_key = asked.sequence_key
                and next.park_reason = 'sequence'
            order by next.job_id limit 1;
            continue when not found;
            -- The first and no other; who holds it now may be ending it.
            perform from leasehold.job
            where job.job_id = first_id and job.park_reason = 'sequence' for update skip locked;
            decided := found;
        end if;
        if not decided then
            insert into leasehold.wake (tenant_id, queue, lane_kind, purpose, sequence_key, ring)
            select distinct on (l.queue) l.tenant_id, l.queue, l.lane_kind, 'sequence', l.sequence_key, true
            from unnest(letters) as l
            where l.tenant_id = asked.tenant_id and l.sequence_key = asked.sequence_key;
            continue;
        end if;
        update leasehold.job
        set state = 'ready', park_reason = null, sequence_live = true,
            place = nextval('leasehold.job_place_seq'), ready_at = clock_timestamp(),
            waited_turn = waited_turn + date_part('epoch', clock_timestamp() - parked_at),
            parked_at = null
        where job.job_id = first_id
        returning job.* into admitted;
        perform leasehold.wake_job(admitted);
    end loop;
end $$;

COMMENT ON FUNCTION leasehold.claim_sequences(letters leasehold.wake[]) IS 'Admits the next job of sequence keys whose turn is free';

CREATE FUNCTION leasehold.claim_woken(who uuid, queues text[], most integer) RETURNS SETOF leasehold.claimed_job
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_material TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
declare
    took_at constant timestamptz := clock_timestamp();
    mem constant leasehold.claim_cursor := leasehold.cursor_read(queues);
begin
    return query
    with letter as materialized (
        select w.*
        from unnest(queues) as q(queue) cross join lateral (
            select wake.ctid as at, wake.tenant_id, wake.queue, wake.first_job_id from leasehold.wake
            where wake.queue = q.queue
                and (wake.xid, wake.wake_id) > (mem.low_xid, mem.low_wake_id)
                and wake.purpose = 'ready' and wake.jobs = 1 and wake.lane_kind = ''
            order by wake.xid, wake.wake_id
            limit most + 1 for update skip locked) as w
        where exists (select from leasehold.worker where worker_id = who and lapsed_at is null)
            and not exists (select from leasehold.lane
                where lane.queue = any(queues) and lane.state = 'open' and lane.vt >= mem.earliest_mark)
            and not exists (select from leasehold.lane where lane.look_at <= took_at)
            and not exists (select from leasehold.job
                where job.due_at >= mem.due_from and job.due_at <= took_at)
            and not exists (select from leasehold.queue
                where paused_at is not null or max_running is not null or rate_per_second is not null)
            and not exists (select from leasehold.kind where kind.apart)
    ), held as materialized (
        select letter.at as letter_at, j.at
        from letter
            cross join lateral (
                select from leasehold.tenant
                where tenant.tenant_id = letter.tenant_id and tenant.state = 'active'
                    and tenant.max_running is null and tenant.rate_per_second is null
                limit 1) as t
            cross join lateral (
                select job.ctid as at from leasehold.job
                where job.job_id = letter.first_job_id and job.state = 'ready'
                limit 1 for update skip locked) as j
        where (select count(*) from letter) <= most
            and (select 1 from leasehold.lane
                where lane.tenant_id = letter.tenant_id and lane.queue = letter.queue and lane.lane_kind = ''
                limit 1) is null
    ), moved as (
        update leasehold.job
        set state = 'running', run = run + 1, attempt = attempt + 1, claimed_by = who,
            claimed_at = took_at, first_claimed_at = coalesce(first_claimed_at, took_at),
            charged = 0.001,
            waited_turn = waited_turn
                + date_part('epoch', greatest(ready_at, mem.claimed_at) - ready_at),
            waited_worker = waited_worker
                + date_part('epoch', took_at - greatest(ready_at, mem.claimed_at))
        from held
        where job.ctid = held.at
        returning held.letter_at, job_id, run, tenant_id, queue, kind, args, attempt, max_attempts,
            priority, created_at, timeout_seconds, progress, trace_context,
            (waited_turn + waited_limit + waited_worker + waited_parked)::double precision as waited
    ), gone as (
        delete from leasehold.wake where ctid = any(array(select letter_at from moved))
    ), leased as (
        insert into leasehold.lease (worker_id, claimed_at, job_ids)
        select who, took_at, array_agg(job_id) from moved having count(*) > 0
    )
    select job_id, run, tenant_id, queue, kind, args, attempt, max_attempts, priority, created_at, took_at,
        waited, timeout_seconds, progress, trace_context
    from moved;
end $$;

COMMENT ON FUNCTION leasehold.claim_woken(who uuid, queues text[], most integer) IS 'Claims single jobs while no line waits and all of them fit; returns none if that is not so';

CREATE FUNCTION leasehold.clip(name text, bytes integer) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    clipped text := left(name, bytes);
begin
    while octet_length(clipped) > bytes loop
        clipped := left(clipped, -1);
    end loop;
    return clipped;
end
$$;

COMMENT ON FUNCTION leasehold.clip(name text, bytes integer) IS 'PostgreSQL would cut a longer identifier itself, and two of them to the same name';

CREATE FUNCTION leasehold.commit_durably() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
begin
    if current_setting('synchronous_commit') not in ('on', 'remote_apply') then
        perform set_config('synchronous_commit', 'on', true);
    end if;
end
$$;

CREATE FUNCTION leasehold.connect_take(attempt bytea, browser bytea) RETURNS text
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    update leasehold.connect_attempt
    set used_at = clock_timestamp()
    where attempt_hash = attempt and browser_hash is not distinct from browser
        and used_at is null and expires_at > clock_timestamp()
    returning tenant_id
$$;

COMMENT ON FUNCTION leasehold.connect_take(attempt bytea, browser bytea) IS 'Uses up an attempt and returns its tenant; null if there is none, it is of another browser, was used or has expired';

CREATE FUNCTION leasehold.credential_claim_due(candidates text[], moment timestamp with time zone, most integer, claim_ms bigint, OUT tenants text[], OUT generations bigint[], OUT last integer) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
begin
    with taken as materialized (
        select c.tenant_id, ranked.place
        from unnest(candidates) with ordinality as ranked (tenant_id, place)
        join leasehold.credential c on c.tenant_id = ranked.tenant_id
        where c.state = 'active' and c.refresh_due_at <= moment
        order by ranked.place
        limit most
        for update of c skip locked
    ), claimed as (
        update leasehold.credential c
        set refresh_due_at = moment + claim_ms * interval '1 millisecond'
        from taken
        where c.tenant_id = taken.tenant_id
        returning c.tenant_id, c.generation, taken.place
    )
    select
        coalesce(array_agg(tenant_id order by place), '{}'), coalesce(array_agg(generation order by place), '{}'),
        coalesce(max(place), 0)::integer
    into tenants, generations, last
    from claimed;
end
$$;

CREATE FUNCTION leasehold.credential_doubt(of_tenant text, presented bigint, presented_at timestamp with time zone, deadline timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    AS $$
begin
    perform leasehold.commit_durably();
    update leasehold.credential
    set suspect_reason = 'ambiguous', suspect_at = clock_timestamp(), suspect_presented_at = presented_at,
        suspect_deadline = deadline, refresh_due_at = clock_timestamp(), updated_at = clock_timestamp()
    where tenant_id = of_tenant and generation = presented and state = 'active' and attempt_id is null
        and suspect_reason is null;
    return found;
end
$$;

CREATE FUNCTION leasehold.credential_give_up(of_tenant text, suspected bigint, detail text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    AS $$
declare
    c leasehold.credential;
    moment timestamptz;
begin
    perform leasehold.commit_durably();
    select * into c from leasehold.credential where tenant_id = of_tenant for update;
    if not found or c.state <> 'active' or c.generation <> suspected or c.attempt_id is not null
        or c.suspect_reason is null
        or exists (
            select from leasehold.provider p
            where p.provider = c.provider
                and (p.breaker = 'open' or p.hold_until > clock_timestamp() or p.stop_reason is not null))
    then
        return false;
    end if;
    moment := clock_timestamp();
    update leasehold.credential
    set state = 'needs_authorization', needs_authorization_at = moment, refresh_due_at = null, updated_at = moment
    where tenant_id = of_tenant;
    insert into leasehold.credential_event (tenant_id, kind, generation, detail)
    values (of_tenant, 'needs_authorization', c.generation, detail);
    perform leasehold.tenant_park(of_tenant, 'the credential needs authorization: ' || detail);
    perform pg_notify('leasehold_credential', 'needs_authorization ' || of_tenant);
    return true;
end
$$;

CREATE FUNCTION leasehold.credential_lock(of_tenant text) RETURNS SETOF leasehold.credential_place
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    AS $$
    select c.tenant_id, c.generation, c.saved_attempt_id, c.refresh_token
    from leasehold.credential c
    where c.tenant_id = of_tenant
    for update;
$$;

CREATE FUNCTION leasehold.credential_mark_wanted(of_tenant text, seen bigint) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    AS $$
declare
    moment timestamptz := clock_timestamp();
begin
    perform set_config('synchronous_commit', 'off', true);
    perform from leasehold.credential
    where tenant_id = of_tenant and generation = seen and state = 'active' and refresh_requested_at is null
    for update skip locked;
    if not found then return false; end if;
    update leasehold.credential
    set refresh_requested_at = moment, updated_at = moment,
        refresh_due_at = case
            when suspect_reason is null then greatest(moment, not_before) else least(refresh_due_at, moment) end
    where tenant_id = of_tenant;
    return true;
end
$$;

CREATE FUNCTION leasehold.credential_next_due(provider_name text) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    AS $$
begin
    return leasehold.milliseconds_until((
        select refresh_due_at from leasehold.credential
        where provider = provider_name and state = 'active' and refresh_due_at is not null
        order by refresh_due_at
        limit 1));
end
$$;

CREATE FUNCTION leasehold.credential_postpone(of_tenant text, seen bigint, due_ms bigint) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    AS $$
begin
    update leasehold.credential
    set refresh_due_at = clock_timestamp() + due_ms * interval '1 millisecond'
    where tenant_id = of_tenant and generation = seen and attempt_id is null and state = 'active';
    return found;
end
$$;

CREATE FUNCTION leasehold.credential_put_away(idle text[], moment timestamp with time zone, recheck_ms bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    AS $$
begin
    update leasehold.credential
    set refresh_due_at = moment + recheck_ms * interval '1 millisecond'
    where ctid = any (array(
        select ctid from leasehold.credential
        where tenant_id = any (idle) and refresh_due_at <= moment and attempt_id is null
            and refresh_requested_at is null
        for update skip locked));
end
$$;

CREATE FUNCTION leasehold.credential_rank_due(provider_name text, moment timestamp with time zone, most integer, probes boolean) RETURNS leasehold.due_ranking
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
declare
    ranking leasehold.due_ranking;
    everybody boolean := exists (select from leasehold.schedule where tenant_id is null and paused_at is null);
    later text[];
begin
    select coalesce(array_agg(urgent.tenant_id), '{}') into ranking.tenants
    from (
        select due.tenant_id
        from (
            select
                c.tenant_id, c.suspect_reason is not null as suspect,
                c.refresh_requested_at is not null or c.suspect_reason is not null or c.attempt_id is not null as asked
            from leasehold.credential c
            where c.provider = provider_name and c.state = 'active' and c.refresh_due_at <= moment
            order by c.refresh_due_at
            limit 10000) due
        where not (probes and due.suspect) and (due.asked or (
            select true from leasehold.job j where j.tenant_id = due.tenant_id and j.place is not null limit 1))
        limit most) urgent;
    if cardinality(ranking.tenants) >= most then return ranking; end if;

    with rest as materialized (
        select due.tenant_id
        from (
            select c.tenant_id
            from leasehold.credential c
            where c.provider = provider_name and c.state = 'active' and c.refresh_due_at <= moment
                and c.refresh_requested_at is null and c.suspect_reason is null and c.attempt_id is null
            order by c.refresh_due_at
            limit 10000) due
        where (select true from leasehold.job j where j.tenant_id = due.tenant_id and j.place is not null limit 1) is null
        limit 1000
    ), judged as materialized (
        select
            rest.tenant_id,
            everybody
                or (select true from leasehold.job j where j.tenant_id = rest.tenant_id and j.due_at is not null limit 1)
                    is not null
                or (select true from leasehold.schedule s
                    where s.tenant_id = rest.tenant_id and s.paused_at is null limit 1) is not null as needed
        from rest
    )
    select
        coalesce(array_agg(tenant_id) filter (where needed), '{}'),
        coalesce(array_agg(tenant_id) filter (where not needed), '{}')
    into later, ranking.idle
    from judged;
    ranking.tenants := ranking.tenants || later[:most - cardinality(ranking.tenants)];
    if probes and cardinality(ranking.tenants) = 0 and cardinality(ranking.idle) = 0 then
        return leasehold.credential_rank_due(provider_name, moment, most, false);
    end if;
    return ranking;
end
$$;

CREATE FUNCTION leasehold.credential_read(of_tenant text, failed bigint, min_valid_ms bigint, young_ms bigint, admits boolean, client text) RETURNS leasehold.credential_reading
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    AS $$
declare
    c leasehold.credential;
    reading leasehold.credential_reading;
    admission leasehold.admission;
    moment timestamptz := clock_timestamp();
    margin interval := min_valid_ms * interval '1 millisecond';
    is_refused boolean;
begin
    select * into c from leasehold.credential where tenant_id = of_tenant;
    if not found or c.state = 'empty' then
        reading.outcome := 'no_credential';
        return reading;
    end if;
    reading.generation := c.generation;
    is_refused := c.access_rejected_at is not null or coalesce(failed >= c.generation, false);
    if c.access_token is not null and not is_refused
        and c.access_expires_at > moment + least(margin, (c.access_expires_at - c.access_issued_at) / 10)
    then
        reading.outcome := 'fresh';
        reading.access_token := c.access_token;
        reading.access_expires_at := c.access_expires_at;
        reading.valid_ms := floor(extract(epoch from c.access_expires_at - moment) * 1000);
        -- In use past the planned point: somebody needs it, whatever the queue says.
        if c.refresh_planned_at <= moment and c.refresh_requested_at is null and c.attempt_id is null then
            perform leasehold.credential_mark_wanted(of_tenant, c.generation);
        end if;
        return reading;
    end if;
    if failed >= c.generation and c.access_rejected_at is null then
        perform set_config('synchronous_commit', 'off', true);
        perform from leasehold.credential
        where tenant_id = of_tenant and generation = c.generation
        for update skip locked;
        if found then
            update leasehold.credential set access_rejected_at = moment, updated_at = moment
            where tenant_id = of_tenant;
        end if;
    end if;

    reading.outcome := 'wait';
    if c.state = 'needs_authorization' then
        reading.outcome := 'needs_authorization';
    elsif c.attempt_id is not null and c.attempt_deadline > moment then
        reading.outcome := 'exchanging';
        reading.retry_after_ms := leasehold.milliseconds_until(c.attempt_deadline);
    elsif is_refused and c.access_issued_at > moment - young_ms * interval '1 millisecond' then
        reading.detail := 'refused_young';
        reading.retry_after_ms := leasehold.milliseconds_until(
            c.access_issued_at + young_ms * interval '1 millisecond');
    elsif c.not_before > moment then
        reading.detail := 'back_off';
        reading.retry_after_ms := leasehold.milliseconds_until(c.not_before);
    elsif c.suspect_reason is not null and c.refresh_due_at > moment then
        reading.detail := 'recovering';
        reading.retry_after_ms := leasehold.milliseconds_until(c.refresh_due_at);
    elsif c.suspect_reason is not null or c.attempt_id is not null then
        reading.outcome := 'suspect';
    elsif admits then
        admission := leasehold.provider_admit(c.provider, 1, client);
        if admission.granted = 1 then
            reading.outcome := 'refresh';
        else
            reading.detail := admission.reason;
            reading.retry_after_ms := admission.retry_after_ms;
        end if;
    else
        reading.outcome := 'refresh';
    end if;
    return reading;
end
$$;

CREATE FUNCTION leasehold.credential_request(of_tenant text, seen bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
begin
    if not leasehold.credential_mark_wanted(of_tenant, seen) then return false; end if;
    perform pg_notify('leasehold_credential', 'requested ' || of_tenant);
    return true;
end
$$;

CREATE FUNCTION leasehold.credential_standing(tenants text[]) RETURNS SETOF leasehold.credential_place
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    AS $$
    select c.tenant_id, c.generation, c.saved_attempt_id, c.refresh_token
    from leasehold.credential c
    where c.tenant_id = any (tenants);
$$;

CREATE FUNCTION leasehold.credential_store(of_tenant text, provider_name text, attempt uuid, seen bigint, sealed bytea, of_organization text, by_worker uuid) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    AS $$
declare
    c leasehold.credential;
    moment timestamptz := clock_timestamp();
begin
    perform leasehold.commit_durably();
    if not exists (select from leasehold.tenant where tenant_id = of_tenant) then return 'no_tenant'; end if;
    insert into leasehold.credential (tenant_id, provider) values (of_tenant, provider_name)
    on conflict (tenant_id) do nothing;
    select * into c from leasehold.credential where tenant_id = of_tenant for update;
    if c.attempt_id is not null and c.attempt_deadline > clock_timestamp() then return 'exchanging'; end if;
    if c.generation <> seen then return 'moved'; end if;
    if c.attempt_id is not null then perform leasehold.exchange_abandon(c); end if;
    perform leasehold.exchange_apply(
        c, attempt, 'connect', 'refresh_token',
        row(sealed, true, null, null, null, moment, null, of_organization)::leasehold.exchange_reply, moment, 'stored');
    return 'stored';
end
$$;

CREATE FUNCTION leasehold.credential_suspect(of_tenant text, lock_timeout_ms bigint) RETURNS leasehold.credential_suspicion
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    AS $$
declare
    c leasehold.credential;
    s leasehold.credential_suspicion;
    moment timestamptz;
begin
    perform set_config('lock_timeout', lock_timeout_ms::text, true);
    select * into c from leasehold.credential where tenant_id = of_tenant for update;
    if not found then
        s.outcome := 'no_credential';
        return s;
    end if;
    moment := clock_timestamp();
    if c.attempt_id is not null and c.attempt_deadline <= moment then
        perform leasehold.exchange_abandon(c);
        select * into c from leasehold.credential where tenant_id = of_tenant;
    end if;
    s.generation := c.generation;
    s.outcome := case
        when c.attempt_id is not null then 'exchanging'
        when c.state <> 'active' then c.state
        when c.suspect_reason is null then 'healthy'
        else 'suspect'
    end;
    s.retry_after_ms := leasehold.milliseconds_until(coalesce(c.attempt_deadline, c.not_before));
    s.reason := c.suspect_reason;
    s.suspect_ms := extract(epoch from c.suspect_at - moment) * 1000;
    s.presented_ms := extract(epoch from c.suspect_presented_at - moment) * 1000;
    s.deadline_ms := extract(epoch from c.suspect_deadline - moment) * 1000;
    if c.access_token is not null and c.access_rejected_at is null then
        s.access_valid_ms := extract(epoch from c.access_expires_at - moment) * 1000;
    end if;
    s.access_life_ms := extract(epoch from c.access_expires_at - c.access_issued_at) * 1000;
    s.has_organization := c.organization is not null;
    s.rungs_tried := c.rungs_tried;
    s.has_refresh_token := c.refresh_token is not null;
    s.renewed_by := c.renewed_by;
    s.provider_in_doubt := exists (
        select from leasehold.provider p
        where p.provider = c.provider
            and (p.breaker = 'open' or p.hold_until > moment or p.stop_reason is not null));
    return s;
end
$$;

CREATE FUNCTION leasehold.credential_take_due(provider_name text, client text, most integer, depth integer, ranked text[], claim_ms bigint, recheck_ms bigint) RETURNS leasehold.due_batch
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
declare
    moment timestamptz := clock_timestamp();
    batch leasehold.due_batch := ('{}', '{}', '{}', 0, 'open', leasehold.credential_next_due(provider_name));
    admission leasehold.admission;
    ranking leasehold.due_ranking;
    p leasehold.provider;
begin
    if batch.retry_after_ms is null or batch.retry_after_ms > 0 then return batch; end if;
    perform set_config('synchronous_commit', 'off', true);
    select * into p from leasehold.provider where provider = provider_name;
    if p.timeline is distinct from leasehold.wal_timeline() then
        -- A failover, of which this takes note.
        admission := leasehold.provider_admit(provider_name, 0, client);
    else
        admission := leasehold.provider_weigh(p, most, client, moment);
    end if;
    batch.ranked := ranked;
    batch.waiting := null;
    batch.reason := admission.reason;
    batch.retry_after_ms := admission.retry_after_ms;
    if admission.granted = 0 then return batch; end if;

    if admission.reason = 'probe' or cardinality(ranked) = 0 then
        ranking := leasehold.credential_rank_due(
            provider_name, moment, greatest(most, depth), admission.reason = 'probe');
        batch.ranked := ranking.tenants;
        if cardinality(ranking.idle) > 0 then
            perform leasehold.credential_put_away(ranking.idle, moment, recheck_ms);
        end if;
    end if;
    if cardinality(batch.ranked) > 0 then
        admission := leasehold.provider_admit(provider_name, least(most, cardinality(batch.ranked)), client);
        batch.reason := admission.reason;
        batch.retry_after_ms := admission.retry_after_ms;
        if admission.granted > 0 then
            select t.tenants, t.generations, batch.ranked[t.last + 1:]
            into batch.tenants, batch.generations, batch.ranked
            from leasehold.credential_claim_due(batch.ranked, moment, admission.granted, claim_ms) t;
        end if;
        if cardinality(batch.tenants) < admission.granted then
            perform leasehold.provider_return(provider_name, admission.granted - cardinality(batch.tenants));
            batch.ranked := '{}';
        end if;
    end if;
    if ranking is null then return batch; end if;
    select count(*) into batch.waiting
    from (
        select from leasehold.credential c
        where c.provider = provider_name and c.state = 'active' and c.refresh_due_at <= moment
        limit 10000) due;
    if batch.waiting = 0 then
        batch.retry_after_ms := leasehold.credential_next_due(provider_name);
    elsif admission.granted > 0 and cardinality(batch.tenants) = 0 then
        -- Idle ones were put away, or others took what was ranked.
        batch.retry_after_ms := 20;
    end if;
    return batch;
end
$$;

CREATE FUNCTION leasehold.cron_field(expression text, field text, what text, lowest integer, highest integer, names text[], all_bit integer) RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO 'pg_catalog'
    SET jit TO 'off'
    AS $_$
declare
    expected constant text := format('%s to be %s to %s%s', what, lowest, highest,
        case when cardinality(names) > 0 then format(' or %s to %s', names[1], names[cardinality(names)])
            else '' end);
    item text;
    part text[];
    ends integer[];
    step integer;
    place integer;
    mask bigint := case when field like '*%' and all_bit >= 0 then 1::bigint << all_bit else 0 end;
begin
    foreach item in array string_to_array(field, ',') loop
        part := regexp_match(item, '^(?:(\*)|([0-9]{1,4}|[a-z]+)(?:-([0-9]{1,4}|[a-z]+))?)(?:/([0-9]{1,4}))?$', 'i');
        if part is null then
            raise exception 'expected %, as n, n-n, * or one of the last two with /step; got "%" in "%"',
                expected, left(item, 40), left(expression, 200)
                using errcode = 'LH002', hint = 'for example 0,30 or 8-18/2 or */5';
        end if;
        ends := array[lowest, highest];
        for place in 2..3 loop
            continue when part[place] is null;
            ends[place - 1] := coalesce(
                array_position(names, lower(part[place])) - 1 + (what = 'month')::integer,
                case when part[place] ~ '^[0-9]+$' then part[place]::integer end, -1);
            if ends[place - 1] not between lowest and highest then
                raise exception 'expected %, got "%" in "%"', expected, left(part[place], 40),
                    left(expression, 200) using errcode = 'LH002';
            end if;
        end loop;
        if part[1] is null and part[3] is null then
            ends[2] := ends[1];
        end if;
        if ends[1] > ends[2] then
            raise exception 'expected % in rising order, got "%" in "%"', what, left(item, 40),
                left(expression, 200)
                using errcode = 'LH002', hint = format('%s-%s,%s-%s', ends[1], highest, lowest, ends[2]);
        end if;
        step := coalesce(part[4]::integer, 1);
        if step not between 1 and highest or (part[4] is not null and part[1] is null and part[3] is null) then
            raise exception 'expected a step of 1 to % after * or a range of %, got "%" in "%"', highest, what,
                left(item, 40), left(expression, 200)
                using errcode = 'LH002', hint = format('%s-%s/%s', ends[1], highest, least(step, highest));
        end if;
        for place in ends[1]..ends[2] by step loop
            mask := mask | (1::bigint << place);
        end loop;
    end loop;
    return mask;
end $_$;

COMMENT ON FUNCTION leasehold.cron_field(expression text, field text, what text, lowest integer, highest integer, names text[], all_bit integer) IS 'One field of a cron expression as a bit mask, bit n for the value n; raises LH002';

CREATE FUNCTION leasehold.cron_fits(masks bigint[], day date) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
    select case when ((masks[3] & 1) | (masks[5] >> 8 & 1)) = 1
        then (masks[3] >> extract(day from day)::integer & 1) = 1
            and (masks[5] >> extract(dow from day)::integer & 1) = 1
        else (masks[3] >> extract(day from day)::integer & 1) = 1
            or (masks[5] >> extract(dow from day)::integer & 1) = 1 end
$$;

COMMENT ON FUNCTION leasehold.cron_fits(masks bigint[], day date) IS 'Whether a day of a fitting month is one of the expression''s';

CREATE FUNCTION leasehold.cron_latest(masks bigint[], zone text, until timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    SET search_path TO 'pg_catalog'
    SET jit TO 'off'
    AS $$
declare
    -- After the clock was set back, later local times than the present one have been.
    local timestamp := greatest(until at time zone zone,
        (until at time zone 'UTC') + leasehold.zone_offset(until - interval '1 day', zone));
    instant timestamptz;
begin
    loop
        local := leasehold.cron_walk(masks, local, -1);
        instant := leasehold.local_instant(local, zone);
        exit when local is null or instant <= until;
        local := local - interval '1 minute';
    end loop;
    return instant;
end $$;

COMMENT ON FUNCTION leasehold.cron_latest(masks bigint[], zone text, until timestamp with time zone) IS 'The last slot up to an instant; null if there is none';

CREATE FUNCTION leasehold.cron_next(masks bigint[], zone text, after timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    SET search_path TO 'pg_catalog'
    SET jit TO 'off'
    AS $$
declare
    local timestamp := date_trunc('minute', after at time zone zone) + interval '1 minute';
    instant timestamptz;
begin
    loop
        local := leasehold.cron_walk(masks, local, 1);
        instant := leasehold.local_instant(local, zone);
        exit when local is null or instant > after;
        -- The clock repeats: this time was reached in its first pass.
        local := local + interval '1 minute';
    end loop;
    return instant;
end $$;

COMMENT ON FUNCTION leasehold.cron_next(masks bigint[], zone text, after timestamp with time zone) IS 'The first slot after an instant; null if there is none';

CREATE FUNCTION leasehold.cron_parse(expression text) RETURNS bigint[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO 'pg_catalog'
    SET jit TO 'off'
    AS $$
declare
    spelled constant text := coalesce(('{"@hourly": "0 * * * *", "@daily": "0 0 * * *",
        "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *",
        "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *"}'::jsonb) ->> lower(btrim(expression)),
        btrim(expression));
    fields constant text[] := regexp_split_to_array(spelled, '\s+');
    weekdays bigint;
begin
    if spelled like '@%' then
        raise exception 'expected @hourly, @daily, @weekly, @monthly, @yearly or five fields, got "%"',
            left(spelled, 200) using errcode = 'LH002';
    end if;
    if cardinality(fields) <> 5 or spelled = '' then
        raise exception 'expected five fields, minute hour day month weekday, got % in "%"',
            case when spelled = '' then 0 else cardinality(fields) end, left(spelled, 200)
            using errcode = 'LH002', hint = '30 8 * * mon-fri is 08:30 from Monday to Friday';
    end if;
    weekdays := leasehold.cron_field(spelled, fields[5], 'weekday', 0, 7,
        '{sun,mon,tue,wed,thu,fri,sat}', 8);
    return array[
        leasehold.cron_field(spelled, fields[1], 'minute', 0, 59, '{}', -1),
        leasehold.cron_field(spelled, fields[2], 'hour', 0, 23, '{}', -1),
        leasehold.cron_field(spelled, fields[3], 'day', 1, 31, '{}', 0),
        leasehold.cron_field(spelled, fields[4], 'month', 1, 12,
            '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}', -1),
        -- Sunday is 0 and 7.
        weekdays | (weekdays >> 7 & 1)];
end $$;

COMMENT ON FUNCTION leasehold.cron_parse(expression text) IS 'Bit masks of minute, hour, day (bit 0: it began with *), month and weekday (bit 8 likewise); raises LH002 saying what was expected';

CREATE FUNCTION leasehold.cron_walk(masks bigint[], start timestamp without time zone, direction integer) RETURNS timestamp without time zone
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO 'pg_catalog'
    SET jit TO 'off'
    AS $$
declare
    day date := start::date;
    last constant date := (start + direction * interval '12 years')::date;
    low constant boolean := direction > 0;
    hour integer := extract(hour from start);
    minute integer := extract(minute from start);
begin
    while (day <= last) = low or day = last loop
        if (masks[4] >> extract(month from day)::integer & 1) = 0 then
            day := date_trunc('month', day)::date;
            day := case when low then day + interval '1 month' else day - interval '1 day' end;
            hour := case when low then 0 else 23 end;
            minute := case when low then 0 else 59 end;
            continue;
        end if;
        if leasehold.cron_fits(masks, day) then
            while hour between 0 and 23 loop
                if (masks[2] >> hour & 1) = 1 then
                    while minute between 0 and 59 loop
                        if (masks[1] >> minute & 1) = 1 then
                            return day + make_interval(hours => hour, mins => minute);
                        end if;
                        minute := minute + direction;
                    end loop;
                end if;
                hour := hour + direction;
                minute := case when low then 0 else 59 end;
            end loop;
        end if;
        day := day + direction;
        hour := case when low then 0 else 23 end;
        minute := case when low then 0 else 59 end;
    end loop;
    return null;
end $$;

COMMENT ON FUNCTION leasehold.cron_walk(masks bigint[], start timestamp without time zone, direction integer) IS 'The first local minute from start on that the masks name, forwards (1) or backwards (-1); null if there is none in twelve years';

CREATE FUNCTION leasehold.cursor_load(queues text[], began timestamp with time zone) RETURNS leasehold.claim_cursor
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
declare
    mem leasehold.claim_cursor := leasehold.cursor_read(queues);
begin
    if mem.full_look_at is null or mem.full_look_at <= began then
        mem.low_xid := 0;
        mem.low_wake_id := 0;
        mem.open_xids := '{}';
        mem.due_from := '-infinity';
        mem.earliest_mark := '-infinity';
        mem.full_look_at := null;
    end if;
    if mem.floor_at is null or mem.floor_at < began - interval '1 second' then
        mem.floor := coalesce(greatest(mem.floor, (
            select max(floor) from leasehold.lane_floor where queue = any(queues))), 0);
        mem.floor_at := began;
    end if;
    return mem;
end $$;

COMMENT ON FUNCTION leasehold.cursor_load(queues text[], began timestamp with time zone) IS 'What this session remembers of earlier claims; every few seconds it forgets on purpose and looks at everything once';

CREATE FUNCTION leasehold.cursor_read(queues text[]) RETURNS leasehold.claim_cursor
    LANGUAGE sql STABLE
    RETURN (NULLIF(current_setting(('leasehold.cursor_'::text || md5(array_to_string(queues, ' '::text))), true), ''::text))::leasehold.claim_cursor;

COMMENT ON FUNCTION leasehold.cursor_read(queues text[]) IS 'What this session remembers of its last claim from these queues, or null';

CREATE FUNCTION leasehold.cursor_save(queues text[], began timestamp with time zone, mem leasehold.claim_cursor) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET jit TO 'off'
    AS $$
declare
    spent constant interval := clock_timestamp() - began;
begin
    mem.claimed_at := began;
    -- A whole look costs what dead rows stand in the way; it may take a fiftieth of the time.
    mem.full_look_at := coalesce(mem.full_look_at, began + greatest(interval '5 seconds', spent * 50));
    -- Lanes are looked for from the floor of two to three seconds ago on, and no charge is given back
    -- below that of one to two seconds ago, so that every session sees the lane.
    if mem.marked_at is null or mem.marked_at < began - interval '1 second' then
        mem.earliest_mark := coalesce(mem.earlier_mark, '-infinity');
        mem.earlier_mark := mem.mark;
        mem.mark := mem.floor;
        mem.marked_at := began;
        if mem.contended then
            insert into leasehold.lane_floor (queue, floor)
            select q, mem.floor from unnest(queues) as q
            where not exists (select from leasehold.lane_floor where queue = q)
            on conflict do nothing;
            update leasehold.lane_floor set floor = mem.floor, noted_at = began
            where ctid = any(array(
                select ctid from leasehold.lane_floor
                where queue = any(queues) and floor < mem.floor and noted_at < began - interval '1 second'
                for update skip locked));
        end if;
        delete from leasehold.lane where ctid = any(array(
            select ctid from leasehold.lane
            where queue = any(queues) and state = 'idle' and (vt <= mem.floor or not mem.contended)
            limit 5000 for update skip locked));
    end if;
    perform set_config('leasehold.cursor_' || md5(array_to_string(queues, ' ')), mem::text, false);
end $$;

COMMENT ON FUNCTION leasehold.cursor_save(queues text[], began timestamp with time zone, mem leasehold.claim_cursor) IS 'Remembers a claim for the next one of this session, notes the floor, and forgets idle lanes that the others have caught up with';

CREATE FUNCTION leasehold.dashboard_at_least(pages_met bigint, counts_for double precision) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (counts_for > (1)::double precision) THEN (GREATEST((0)::double precision, ((pages_met)::double precision - ((3)::double precision * sqrt((pages_met)::double precision)))) * counts_for) ELSE (pages_met)::double precision END;

COMMENT ON FUNCTION leasehold.dashboard_at_least(pages_met bigint, counts_for double precision) IS 'No fewer jobs than this, as good as certain, after a sample met some on so many pages';

CREATE FUNCTION leasehold.dashboard_errors(since timestamp with time zone, most integer DEFAULT 200) RETURNS SETOF leasehold.error_group
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
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

COMMENT ON FUNCTION leasehold.dashboard_errors(since timestamp with time zone, most integer) IS 'Failed attempts since a moment, by fingerprint, at most so many';

CREATE FUNCTION leasehold.dashboard_first_page(part regclass, pages bigint, since timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    low bigint := 0;
    high bigint := pages;
    middle bigint;
begin
    while low < high loop
        middle := (low + high) / 2;
        if coalesce(leasehold.dashboard_page_time(part, middle) < since, false) then
            low := middle + 1;
        else
            high := middle;
        end if;
    end loop;
    return greatest(0, low - 64);
end $$;

COMMENT ON FUNCTION leasehold.dashboard_first_page(part regclass, pages bigint, since timestamp with time zone) IS 'Where the rows since a moment begin, give or take neighbours';

CREATE FUNCTION leasehold.dashboard_jobs(pages integer DEFAULT 200) RETURNS SETOF leasehold.job_glimpse
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 3000
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    all_pages constant double precision := greatest(1, pg_relation_size('leasehold.job')
        / current_setting('block_size')::double precision);
    percent constant double precision := least(100, 100 * pages / all_pages);
begin
    return query
    select job.tenant_id, job.queue, job.state, job.claimed_by, job.ready_at, 100 / percent,
        (job.ctid::text::point)[0]::bigint
    from leasehold.job tablesample system (percent);
end $$;

COMMENT ON FUNCTION leasehold.dashboard_jobs(pages integer) IS 'Live jobs on so many random pages, or all if there are no more';

CREATE FUNCTION leasehold.dashboard_load() RETURNS leasehold.service_load
    LANGUAGE plpgsql STABLE SECURITY DEFINER COST 100000
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
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

COMMENT ON FUNCTION leasehold.dashboard_load() IS 'Running time that all tenants received per second over 5 minutes, and the sum of the weights of those with a backlog';

CREATE FUNCTION leasehold.dashboard_page_time(part regclass, page bigint) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    found_at timestamptz;
begin
    execute format('select ended_at from %s where ctid >= %L::tid and ctid < %L::tid limit 1',
        part, format('(%s,0)', page), format('(%s,0)', page + 8)) into found_at;
    return found_at;
end $$;

COMMENT ON FUNCTION leasehold.dashboard_page_time(part regclass, page bigint) IS 'When the first row at or after a page of a part of the history ended';

CREATE FUNCTION leasehold.dashboard_queue_counts(bound integer DEFAULT 1000) RETURNS SETOF leasehold.queue_count
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
begin
    return query
    with met as materialized (
        select g.queue, g.state, g.ready_at, g.counts_for, g.page from leasehold.dashboard_jobs() as g
    ), many as materialized (
        select m.state from met as m group by m.state
        having leasehold.dashboard_at_least(count(distinct m.page), max(m.counts_for)) > bound
    ), in_lane as materialized (
        select job.queue, job.state, job.ready_at from leasehold.job where place is not null
        order by job.tenant_id, job.queue, job.lane_kind, job.priority, job.place
        limit case when exists (select from many where many.state = 'ready') then 0 else bound + 1 end
    ), due as materialized (
        select job.queue from leasehold.job where due_at is not null
        order by job.due_at, job.job_id
        limit case when exists (select from many where many.state = 'scheduled') then 0 else bound + 1 end
    ), waits as materialized (
        select job.queue from leasehold.job where park_reason is not null
        order by job.tenant_id, job.job_id
        limit case when exists (select from many where many.state = 'parked') then 0 else bound + 1 end
    ), leased as materialized (
        select l.id from leasehold.lease cross join unnest(job_ids) as l(id)
        limit case when exists (select from many where many.state = 'running') then 0 else bound + 1 end
    ), runs as materialized (
        select j.queue from (select distinct id from leased) as l cross join lateral (
            select job.queue from leasehold.job
            where job.job_id = l.id and job.claimed_by is not null limit 1) as j
    ), oldest as materialized (
        select job.queue, job.state, job.ready_at from leasehold.job order by job_id limit bound
    ), whole as (
        select c.found[1] <= bound and not m.states @> '{ready}' as ready,
            c.found[2] <= bound and not m.states @> '{running}' as running,
            c.found[3] <= bound and not m.states @> '{scheduled}' as scheduled,
            c.found[4] <= bound and not m.states @> '{parked}' as parked
        from (select coalesce(array_agg(many.state), '{}') as states from many) as m
            cross join (select array[(select count(*) from in_lane), (select count(*) from leased),
                (select count(*) from due), (select count(*) from waits)] as found) as c
    ), tally as (
        select i.queue, i.state, count(*)::double precision as jobs, min(i.ready_at) as ready_at, 'ready' as source
        from in_lane as i where i.state = 'ready' group by 1, 2
        union all
        select r.queue, 'running', count(*), null, 'running' from runs as r group by 1
        union all
        select d.queue, 'scheduled', count(*), null, 'scheduled' from due as d group by 1
        union all
        select w.queue, 'parked', count(*), null, 'parked' from waits as w group by 1
        union all
        select m.queue, m.state, sum(m.counts_for), min(m.ready_at), 'sample' from met as m group by 1, 2
        union all
        select o.queue, 'ready', 0, min(o.ready_at), 'oldest' from oldest as o where o.state = 'ready' group by 1
    ), fit as (
        select t.* from tally as t cross join whole as w
        where t.source = 'oldest' or (t.source = 'sample') is distinct from case t.state
            when 'ready' then w.ready when 'running' then w.running
            when 'scheduled' then w.scheduled else w.parked end
    )
    select q.name,
        round(coalesce(sum(jobs) filter (where f.state = 'ready'), 0))::bigint,
        round(coalesce(sum(jobs) filter (where f.state = 'running'), 0))::bigint,
        round(coalesce(sum(jobs) filter (where f.state = 'scheduled'), 0))::bigint,
        round(coalesce(sum(jobs) filter (where f.state = 'parked'), 0))::bigint,
        min(f.ready_at) filter (where f.state = 'ready'),
        (select count(*) from (
            select from leasehold.lane
            where lane.queue = q.name and lane.state = 'open' limit 1000) as l),
        array_remove(array[case when not w.ready then 'ready' end, case when not w.running then 'running' end,
            case when not w.scheduled then 'scheduled' end, case when not w.parked then 'parked' end], null)
    from (select * from leasehold.dashboard_queues() union select f.queue from fit as f) as q(name)
        cross join whole as w left join fit as f on f.queue = q.name
    group by q.name, w.ready, w.running, w.scheduled, w.parked;
end $$;

COMMENT ON FUNCTION leasehold.dashboard_queue_counts(bound integer) IS 'Live jobs by queue and state; estimated names the states whose numbers are estimates';

CREATE FUNCTION leasehold.dashboard_queues() RETURNS SETOF text
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET jit TO 'off'
    AS $$
begin
    return query
    with recursive open_lanes as (
        (select lane.queue from leasehold.lane where state = 'open' order by lane.queue limit 1)
        union all
        select n.queue from open_lanes as o cross join lateral (
            select lane.queue from leasehold.lane where state = 'open' and lane.queue > o.queue
            order by lane.queue limit 1) as n
    ), idle_lanes as (
        (select lane.queue from leasehold.lane where state = 'idle' order by lane.queue limit 1)
        union all
        select n.queue from idle_lanes as o cross join lateral (
            select lane.queue from leasehold.lane where state = 'idle' and lane.queue > o.queue
            order by lane.queue limit 1) as n
    ), letters as (
        (select wake.queue from leasehold.wake order by wake.queue limit 1)
        union all
        select n.queue from letters as o cross join lateral (
            select wake.queue from leasehold.wake where wake.queue > o.queue
            order by wake.queue limit 1) as n
    )
    select queue.queue from leasehold.queue
    union select unnest(queues) from leasehold.worker where lapsed_at is null
    union select o.queue from open_lanes as o
    union select i.queue from idle_lanes as i
    union select l.queue from letters as l;
end $$;

COMMENT ON FUNCTION leasehold.dashboard_queues() IS 'Names of the queues that are configured, served or have a backlog';

CREATE FUNCTION leasehold.dashboard_rows(of_table regclass) RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    estimate double precision;
    exact bigint;
begin
    if pg_relation_size(of_table) < 4000000 then
        execute format('select count(*) from %s', of_table) into exact;
        return exact;
    end if;
    select reltuples / greatest(relpages, 1) * (pg_relation_size(oid) / current_setting('block_size')::integer)
    into estimate
    from pg_class where oid = of_table and reltuples >= 0;
    return estimate;
end $$;

COMMENT ON FUNCTION leasehold.dashboard_rows(of_table regclass) IS 'Rows of a table: counted up to 4 MB, the planner''s estimate beyond, null if it was never analysed';

CREATE FUNCTION leasehold.dashboard_running(bound integer DEFAULT 2000) RETURNS TABLE(worker_id uuid, job_id bigint, claimed_at timestamp with time zone, whole boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 500
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
#variable_conflict use_column
begin
    return query
    with leased as materialized (
        select l.worker_id, u.id from leasehold.lease as l cross join unnest(l.job_ids) as u(id) limit bound + 1
    )
    select l.worker_id, l.id, j.claimed_at, (select count(*) from leased) <= bound
    from (select distinct leased.worker_id, leased.id from leased) as l cross join lateral (
        select job.claimed_at from leasehold.job
        where job.job_id = l.id and job.claimed_by = l.worker_id limit 1) as j;
end $$;

COMMENT ON FUNCTION leasehold.dashboard_running(bound integer) IS 'Running jobs; whole false: more than bound jobs were leased, and only so many were looked at';

CREATE FUNCTION leasehold.dashboard_tail(parent text, since timestamp with time zone, pages integer DEFAULT 120) RETURNS SETOF leasehold.end_glimpse
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 4000
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $_$
declare
    parts regclass[];
    firsts bigint[] := '{}';
    ends bigint[] := '{}';
    step bigint;
begin
    select array_agg(c.oid::regclass order by c.relname) into parts
    from pg_inherits as i join pg_class as c on c.oid = i.inhrelid
    where i.inhparent = ('leasehold.' || parent)::regclass
        and right(c.relname, 8) between to_char(since at time zone 'UTC', 'YYYYMMDD')
            and to_char(clock_timestamp() at time zone 'UTC', 'YYYYMMDD');
    for n in 1 .. coalesce(cardinality(parts), 0) loop
        ends := ends || pg_relation_size(parts[n]) / current_setting('block_size')::bigint;
        firsts := firsts || leasehold.dashboard_first_page(parts[n], ends[n], since);
    end loop;
    step := ceil((select sum(e - f) from unnest(firsts, ends) as b(f, e)) / pages::double precision);
    for n in 1 .. coalesce(cardinality(parts), 0) loop
        return query execute format(
            'select r.tenant_id, r.queue, r.outcome, r.ended_at, %s, $4::double precision
            from generate_series($1 + floor(random() * $3)::bigint, $2 - 1, $3) as p(page)
                cross join lateral (
                    select * from %s where ctid >= (''('' || p.page || '',0)'')::tid
                        and ctid < (''('' || p.page + 1 || '',0)'')::tid offset 0) as r
            where r.ended_at >= $5',
            case parent when 'job_history'
                then 'r.run_seconds, r.waited_turn, r.waited_limit, r.waited_worker, r.waited_parked'
                else 'null::real, null::real, null::real, null::real, null::real' end, parts[n])
        using firsts[n], ends[n], greatest(1, step), greatest(1, step), since;
    end loop;
end $_$;

COMMENT ON FUNCTION leasehold.dashboard_tail(parent text, since timestamp with time zone, pages integer) IS 'Ended jobs (job_history) or failed attempts (job_attempt) since a moment: all, or every n-th page of them';

CREATE FUNCTION leasehold.dashboard_tenant(of_tenant text, bound integer DEFAULT 50) RETURNS leasehold.tenant_glance
    LANGUAGE plpgsql STABLE SECURITY DEFINER COST 100000
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

COMMENT ON FUNCTION leasehold.dashboard_tenant(of_tenant text, bound integer) IS 'A tenant now and over the last 5 minutes, from its line and at most bound entries of each other index';

CREATE SEQUENCE leasehold.job_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE SEQUENCE leasehold.job_place_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE leasehold.job (
    job_id bigint DEFAULT nextval('leasehold.job_id_seq'::regclass) NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    run_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    ready_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    claimed_at timestamp with time zone,
    first_claimed_at timestamp with time zone,
    due_at timestamp with time zone,
    parked_at timestamp with time zone,
    run bigint DEFAULT 0 NOT NULL,
    place bigint DEFAULT nextval('leasehold.job_place_seq'::regclass),
    claimed_by uuid,
    charged real DEFAULT 0 NOT NULL,
    timeout_seconds real,
    waited_turn real DEFAULT 0 NOT NULL,
    waited_limit real DEFAULT 0 NOT NULL,
    waited_worker real DEFAULT 0 NOT NULL,
    waited_parked real DEFAULT 0 NOT NULL,
    priority smallint DEFAULT 0 NOT NULL,
    attempt smallint DEFAULT 0 NOT NULL,
    max_attempts smallint DEFAULT 20 NOT NULL,
    kills smallint DEFAULT 0 NOT NULL,
    limited boolean DEFAULT false NOT NULL,
    sequence_live boolean DEFAULT false NOT NULL,
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    queue text DEFAULT 'default'::text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    lane_kind text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    state text DEFAULT 'ready'::text NOT NULL COLLATE pg_catalog."C",
    args jsonb DEFAULT '{}'::jsonb NOT NULL,
    unique_key text COLLATE pg_catalog."C",
    sequence_key text COLLATE pg_catalog."C",
    park_reason text,
    trace_context text,
    last_error_label text,
    last_error text,
    progress jsonb,
    again jsonb,
    CONSTRAINT job_is_in_one_state CHECK ((num_nonnulls(place, due_at, park_reason) = 1))
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='2000', autovacuum_vacuum_insert_scale_factor='0.2', autovacuum_analyze_scale_factor='0.1', autovacuum_vacuum_cost_delay='0');

COMMENT ON TABLE leasehold.job IS 'Jobs that have not ended';

COMMENT ON COLUMN leasehold.job.ready_at IS 'When the job last became ready';

COMMENT ON COLUMN leasehold.job.due_at IS 'run_at, while the job is scheduled';

COMMENT ON COLUMN leasehold.job.run IS 'Fencing number: counts the claims of this job; a settle must carry the current one';

COMMENT ON COLUMN leasehold.job.place IS 'Place in its lane, rising, while ready or running; each time a job becomes ready it gets a new one';

COMMENT ON COLUMN leasehold.job.charged IS 'Seconds of virtual time taken at the claim; the settle sends the difference to the real run time';

COMMENT ON COLUMN leasehold.job.waited_turn IS 'Seconds ready while workers took other jobs';

COMMENT ON COLUMN leasehold.job.waited_limit IS 'Seconds ready while its lane was at a limit, throttled or paused';

COMMENT ON COLUMN leasehold.job.waited_worker IS 'Seconds ready while no worker asked for work';

COMMENT ON COLUMN leasehold.job.waited_parked IS 'Seconds parked, for example until the tenant authorized again';

COMMENT ON COLUMN leasehold.job.priority IS 'Lower runs first among the jobs of one tenant in one queue; default 0';

COMMENT ON COLUMN leasehold.job.attempt IS 'Claims that count: a snooze, a park and a hand-back give theirs back';

COMMENT ON COLUMN leasehold.job.kills IS 'Times a worker died while it ran this job; the third discards it';

COMMENT ON COLUMN leasehold.job.limited IS 'The run counts against a limit of running jobs, and its end must tell the lanes';

COMMENT ON COLUMN leasehold.job.sequence_live IS 'The job has the turn of its sequence key, until it ends';

COMMENT ON COLUMN leasehold.job.lane_kind IS 'Empty, or the kind if the kind is apart';

COMMENT ON COLUMN leasehold.job.state IS 'scheduled: waits for run_at; ready: waits for its turn; running: claimed; parked: waits for park_reason to go away';

COMMENT ON COLUMN leasehold.job.park_reason IS 'authorization, sequence or dependency';

COMMENT ON COLUMN leasehold.job.again IS 'A request that came while the job with this unique_key ran: enqueued when the run ends';

CREATE TABLE leasehold.job_history (
    job_id bigint NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    run_at timestamp with time zone NOT NULL,
    first_claimed_at timestamp with time zone,
    claimed_at timestamp with time zone,
    run bigint NOT NULL,
    worker_id uuid,
    run_seconds real,
    waited_turn real NOT NULL,
    waited_limit real NOT NULL,
    waited_worker real NOT NULL,
    waited_parked real NOT NULL,
    timeout_seconds real,
    priority smallint NOT NULL,
    attempt smallint NOT NULL,
    max_attempts smallint NOT NULL,
    kills smallint NOT NULL,
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    queue text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    outcome text NOT NULL COLLATE pg_catalog."C",
    args jsonb NOT NULL,
    unique_key text COLLATE pg_catalog."C",
    sequence_key text COLLATE pg_catalog."C",
    trace_context text,
    last_error_label text,
    last_error text,
    progress jsonb,
    CONSTRAINT history_outcome_known CHECK ((outcome = ANY (ARRAY['completed'::text, 'discarded'::text, 'cancelled'::text])))
)
PARTITION BY RANGE (ended_at);

COMMENT ON TABLE leasehold.job_history IS 'Jobs that ended, one partition a UTC day, made by leasehold.history_prepare and dropped by leasehold.prune';

COMMENT ON COLUMN leasehold.job_history.waited_turn IS 'With waited_limit, waited_worker and waited_parked all the time the job waited to run, summed over its attempts';

CREATE VIEW leasehold_dashboard.job_recent AS
 SELECT job.job_id,
    job.tenant_id,
    job.queue,
    job.kind,
    job.state,
    job.park_reason,
    job.priority,
    job.attempt,
    job.max_attempts,
    job.run,
    job.created_at,
    job.run_at,
    job.claimed_at,
    NULL::timestamp with time zone AS ended_at,
    job.claimed_by AS worker_id,
    NULL::real AS run_seconds,
    job.waited_turn AS wait_turn_seconds,
    job.waited_limit AS wait_limit_seconds,
    job.waited_worker AS wait_worker_seconds,
    job.waited_parked AS wait_parked_seconds,
    job.unique_key,
    job.sequence_key,
    job.last_error_label,
    "left"(job.last_error, 500) AS last_error
   FROM leasehold.job
UNION ALL
 SELECT job_history.job_id,
    job_history.tenant_id,
    job_history.queue,
    job_history.kind,
    job_history.outcome AS state,
    NULL::text AS park_reason,
    job_history.priority,
    job_history.attempt,
    job_history.max_attempts,
    job_history.run,
    job_history.created_at,
    job_history.run_at,
    job_history.claimed_at,
    job_history.ended_at,
    job_history.worker_id,
    job_history.run_seconds,
    job_history.waited_turn AS wait_turn_seconds,
    job_history.waited_limit AS wait_limit_seconds,
    job_history.waited_worker AS wait_worker_seconds,
    job_history.waited_parked AS wait_parked_seconds,
    job_history.unique_key,
    job_history.sequence_key,
    job_history.last_error_label,
    "left"(job_history.last_error, 500) AS last_error
   FROM leasehold.job_history;

COMMENT ON VIEW leasehold_dashboard.job_recent IS 'Live and ended jobs, without args. Read it with job_id =, or order by job_id desc and a limit; pages go on with job_id <. By state: job_running, job_scheduled, job_parked; of one tenant: job_of_tenant';

COMMENT ON COLUMN leasehold_dashboard.job_recent.job_id IS 'Rises with the time of enqueuing';

COMMENT ON COLUMN leasehold_dashboard.job_recent.tenant_id IS 'The tenant';

COMMENT ON COLUMN leasehold_dashboard.job_recent.queue IS 'The queue';

COMMENT ON COLUMN leasehold_dashboard.job_recent.kind IS 'What is to be done';

COMMENT ON COLUMN leasehold_dashboard.job_recent.state IS 'scheduled, ready, running, parked; completed, discarded, cancelled';

COMMENT ON COLUMN leasehold_dashboard.job_recent.park_reason IS 'What a parked job waits for: authorization, sequence or dependency';

COMMENT ON COLUMN leasehold_dashboard.job_recent.priority IS 'Lower runs first among the jobs of one tenant in one queue';

COMMENT ON COLUMN leasehold_dashboard.job_recent.attempt IS 'Attempts that count so far';

COMMENT ON COLUMN leasehold_dashboard.job_recent.max_attempts IS 'The attempt whose failure discards the job';

COMMENT ON COLUMN leasehold_dashboard.job_recent.run IS 'Claims so far';

COMMENT ON COLUMN leasehold_dashboard.job_recent.created_at IS 'When it was enqueued';

COMMENT ON COLUMN leasehold_dashboard.job_recent.run_at IS 'Not before';

COMMENT ON COLUMN leasehold_dashboard.job_recent.claimed_at IS 'Start of the last run';

COMMENT ON COLUMN leasehold_dashboard.job_recent.ended_at IS 'When it completed or was discarded or cancelled';

COMMENT ON COLUMN leasehold_dashboard.job_recent.worker_id IS 'Who runs it, or ran it last';

COMMENT ON COLUMN leasehold_dashboard.job_recent.run_seconds IS 'Run time of the last run of a job that ended';

COMMENT ON COLUMN leasehold_dashboard.job_recent.wait_turn_seconds IS 'Time ready while workers took other jobs';

COMMENT ON COLUMN leasehold_dashboard.job_recent.wait_limit_seconds IS 'Time ready while its lane was at a limit, throttled or paused';

COMMENT ON COLUMN leasehold_dashboard.job_recent.wait_worker_seconds IS 'Time ready while no worker asked for work';

COMMENT ON COLUMN leasehold_dashboard.job_recent.wait_parked_seconds IS 'Time parked';

COMMENT ON COLUMN leasehold_dashboard.job_recent.unique_key IS 'Only one live job of the tenant and kind has it';

COMMENT ON COLUMN leasehold_dashboard.job_recent.sequence_key IS 'Jobs of the tenant with it run one after another';

COMMENT ON COLUMN leasehold_dashboard.job_recent.last_error_label IS 'Short name of the last error';

COMMENT ON COLUMN leasehold_dashboard.job_recent.last_error IS 'Its first 500 characters';

CREATE FUNCTION leasehold.dashboard_tenant_jobs(of_tenant text, most integer DEFAULT 200) RETURNS SETOF leasehold_dashboard.job_recent
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 200
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
#variable_conflict use_column
begin
    return query
    select j.* from (
        (select w.job_id from leasehold.dashboard_tenant_lanes(of_tenant) as l cross join lateral (
            select job.job_id from leasehold.job
            where job.tenant_id = of_tenant and job.queue = l.queue and job.lane_kind = l.lane_kind
                and job.place is not null
            order by job.priority, job.place limit most) as w)
        union all
        (select job.job_id from leasehold.job
        where job.tenant_id = of_tenant and job.due_at is not null order by job.due_at limit most)
        union all
        (select job.job_id from leasehold.job
        where job.tenant_id = of_tenant and job.park_reason is not null order by job.job_id limit most)
        union all
        (select h.job_id from leasehold.job_history as h
        where h.tenant_id = of_tenant order by h.job_id desc limit most)
    ) as i cross join lateral (
        select * from leasehold_dashboard.job_recent as r where r.job_id = i.job_id limit 1) as j;
end $$;

COMMENT ON FUNCTION leasehold.dashboard_tenant_jobs(of_tenant text, most integer) IS 'The jobs of a tenant that matter now';

CREATE FUNCTION leasehold.dashboard_tenant_lanes(of_tenant text) RETURNS TABLE(queue text, lane_kind text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 3
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
#variable_conflict use_column
begin
    return query
    with recursive lanes as (
        (select job.queue, job.lane_kind from leasehold.job
        where job.tenant_id = of_tenant and job.place is not null
        order by job.queue, job.lane_kind limit 1)
        union all
        select n.queue, n.lane_kind from lanes as l cross join lateral (
            select job.queue, job.lane_kind from leasehold.job
            where job.tenant_id = of_tenant and job.place is not null
                and (job.queue, job.lane_kind) > (l.queue, l.lane_kind)
            order by job.queue, job.lane_kind limit 1) as n
    )
    select lanes.queue, lanes.lane_kind from lanes;
end $$;

COMMENT ON FUNCTION leasehold.dashboard_tenant_lanes(of_tenant text) IS 'Where a tenant has jobs ready or running: one probe of job_lane each';

CREATE FUNCTION leasehold.dashboard_tenant_line(of_tenant text, bound integer DEFAULT 100, OUT waiting bigint, OUT waiting_is_minimum boolean, OUT running bigint, OUT oldest_ready_at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql STABLE SECURITY DEFINER COST 100000
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

COMMENT ON FUNCTION leasehold.dashboard_tenant_line(of_tenant text, bound integer, OUT waiting bigint, OUT waiting_is_minimum boolean, OUT running bigint, OUT oldest_ready_at timestamp with time zone) IS 'Jobs of a tenant that wait for their turn or run; exact unless waiting_is_minimum';

CREATE FUNCTION leasehold.depend(new_job_id bigint, tenant text, queue text, after bigint[], on_failure text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
declare
    unknown bigint;
begin
    if on_failure is null or on_failure not in ('cancel', 'run') then
        raise exception 'expected on_failure to be cancel or run, got %',
            coalesce('"' || left(on_failure, 140) || '"', 'null') using errcode = 'LH002';
    end if;
    select needed into unknown from unnest(after) as needed
    where coalesce((select true from leasehold.job where job_id = needed limit 1),
        (select true from leasehold.job_history as h where h.job_id = needed order by h.ended_at limit 1)) is null
    limit 1;
    if found then
        raise exception 'expected "after" to name jobs, got the unknown job %', unknown
            using errcode = 'LH004', hint = 'leasehold jobs list --tenant ' || tenant;
    end if;
    insert into leasehold.job_dependency (job_id, needs_job_id, on_failure)
    select distinct new_job_id, needed, depend.on_failure from unnest(after) as needed;
    insert into leasehold.wake (tenant_id, queue, purpose, first_job_id, ring)
    values (tenant, depend.queue, 'dependency', new_job_id, true);
end $$;

COMMENT ON FUNCTION leasehold.depend(new_job_id bigint, tenant text, queue text, after bigint[], on_failure text) IS 'Lets a job wait until others have ended';

CREATE FUNCTION leasehold.enqueue(tenant text, kind text, args jsonb DEFAULT '{}'::jsonb, queue text DEFAULT 'default'::text, priority integer DEFAULT 0, run_at timestamp with time zone DEFAULT NULL::timestamp with time zone, max_attempts integer DEFAULT 20, timeout_after interval DEFAULT NULL::interval, unique_key text DEFAULT NULL::text, on_duplicate text DEFAULT 'keep'::text, idempotency_key text DEFAULT NULL::text, sequence_key text DEFAULT NULL::text, trace_context text DEFAULT NULL::text, after bigint[] DEFAULT NULL::bigint[], on_failure text DEFAULT 'cancel'::text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    due constant timestamptz := coalesce(run_at, clock_timestamp());
    seconds constant double precision := extract(epoch from timeout_after);
    new_id bigint;
begin
    if num_nonnulls(unique_key, idempotency_key, after) > 0 then
        return (leasehold.enqueue_job(tenant, kind, args, queue, priority, run_at, max_attempts,
            timeout_after, unique_key, on_duplicate, idempotency_key, sequence_key, trace_context,
            after, on_failure)).job_id;
    end if;
    -- The trigger checks the rest; these would not fit into their columns.
    if (priority between -100 and 100 and max_attempts between 1 and 1000) is not true then
        perform leasehold.enqueue_check(kind, args, queue, priority, max_attempts, timeout_after,
            unique_key, on_duplicate, idempotency_key, sequence_key, trace_context);
    end if;
    insert into leasehold.job (tenant_id, queue, kind, args, priority, run_at, ready_at, max_attempts,
        timeout_seconds, sequence_key, trace_context)
    values (tenant, queue, kind, args, priority, due, due, max_attempts, seconds, sequence_key,
        trace_context)
    returning job_id into new_id;
    return new_id;
end $$;

COMMENT ON FUNCTION leasehold.enqueue(tenant text, kind text, args jsonb, queue text, priority integer, run_at timestamp with time zone, max_attempts integer, timeout_after interval, unique_key text, on_duplicate text, idempotency_key text, sequence_key text, trace_context text, after bigint[], on_failure text) IS 'Enqueues one job in the caller''s transaction and returns its id. Errors: LH001 unknown tenant, LH002 malformed request, LH004 unknown job in "after"';

CREATE FUNCTION leasehold.enqueue_all(requests leasehold.job_request[]) RETURNS TABLE(job_id bigint, existing boolean)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET jit TO 'off'
    AS $$
#variable_conflict use_column
begin
    -- The first that is malformed, if one is.
    perform leasehold.enqueue_check(r.kind, r.args, r.queue, r.priority, r.max_attempts, r.timeout_after,
        r.unique_key, r.on_duplicate, r.idempotency_key, r.sequence_key, r.trace_context)
    from (
        select kind, coalesce(args, '{}') as args, coalesce(queue, 'default') as queue,
            coalesce(priority, 0) as priority, coalesce(max_attempts, 20) as max_attempts, timeout_after,
            unique_key, coalesce(on_duplicate, 'keep') as on_duplicate, idempotency_key, sequence_key,
            trace_context
        from unnest(requests)
        ) as r
    where not (leasehold.name_well_formed(r.kind) and leasehold.name_well_formed(r.queue)
            and leasehold.job_well_formed(r.args, r.priority, r.max_attempts,
                extract(epoch from r.timeout_after)::double precision, r.unique_key, r.sequence_key,
                r.trace_context))
        or r.on_duplicate not in ('keep', 'replace', 'reschedule')
        or length(r.idempotency_key) not between 1 and 500
    limit 1;
    if exists (select from unnest(requests) where num_nonnulls(unique_key, idempotency_key, after) > 0) then
        return query select made.job_id, made.existing from leasehold.enqueue_keyed(requests) as made;
        return;
    end if;
    return query
    insert into leasehold.job (tenant_id, kind, args, queue, priority, run_at, ready_at, max_attempts,
        timeout_seconds, sequence_key, trace_context)
    select r.tenant, r.kind, coalesce(r.args, '{}'), coalesce(r.queue, 'default'),
        coalesce(r.priority, 0), coalesce(r.run_at, clock_timestamp()),
        coalesce(r.run_at, clock_timestamp()), coalesce(r.max_attempts, 20),
        extract(epoch from r.timeout_after), r.sequence_key, r.trace_context
    from unnest(requests) as r
    returning job_id, false;
end $$;

COMMENT ON FUNCTION leasehold.enqueue_all(requests leasehold.job_request[]) IS 'leasehold.enqueue_many for callers that have arrays instead of JSON';

CREATE FUNCTION leasehold.enqueue_check(kind text, args jsonb, queue text, priority integer, max_attempts integer, timeout_after interval, unique_key text, on_duplicate text, idempotency_key text, sequence_key text, trace_context text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog'
    SET jit TO 'off'
    AS $$
declare
    name_rule constant text := '1 to 128 of a-z 0-9 . _ -, a letter first';
    got text;
    expected text;
    advice text := 'see sql/README.md, "Enqueue from SQL"';
begin
    case
    when not leasehold.name_well_formed(kind) then
        expected := 'kind to be ' || name_rule;
        got := coalesce('"' || left(kind, 140) || '"', 'null');
        advice := 'for example ''pitchly.sync''';
    when not leasehold.name_well_formed(queue) then
        expected := 'queue to be ' || name_rule;
        got := coalesce('"' || left(queue, 140) || '"', 'null');
        advice := 'leave it out for the queue ''default''';
    when jsonb_typeof(args) is distinct from 'object' then
        expected := 'args to be a JSON object';
        got := coalesce(jsonb_typeof(args), 'null');
        advice := 'wrap it: jsonb_build_object(''value'', ...)';
    when pg_column_size(args) > 1048576 then
        expected := 'args of at most 1 MiB';
        got := pg_column_size(args) || ' bytes';
        advice := 'store the data in a table and put its key into args';
    when priority is null or priority not between -100 and 100 then
        expected := 'priority from -100 (first) to 100 (last)';
        got := coalesce(priority::text, 'null');
    when max_attempts is null or max_attempts not between 1 and 1000 then
        expected := 'max_attempts from 1 to 1000';
        got := coalesce(max_attempts::text, 'null');
    when timeout_after <= interval '0' then
        expected := 'timeout_after to be positive or null';
        got := timeout_after::text;
    when on_duplicate is null or on_duplicate not in ('keep', 'replace', 'reschedule') then
        expected := 'on_duplicate to be keep, replace or reschedule';
        got := coalesce('"' || left(on_duplicate, 140) || '"', 'null');
    when length(unique_key) not between 1 and 500 then
        expected := 'unique_key of 1 to 500 characters';
        got := length(unique_key) || ' characters';
        advice := 'use md5(...) of what makes the job unique';
    when length(idempotency_key) not between 1 and 500 then
        expected := 'idempotency_key of 1 to 500 characters';
        got := length(idempotency_key) || ' characters';
    when length(sequence_key) not between 1 and 500 then
        expected := 'sequence_key of 1 to 500 characters';
        got := length(sequence_key) || ' characters';
    when length(trace_context) > 2000 then
        expected := 'trace_context of at most 2000 characters';
        got := length(trace_context) || ' characters';
    else
        return;
    end case;
    raise exception 'expected %, got %', expected, got using errcode = 'LH002', hint = advice;
end $$;

COMMENT ON FUNCTION leasehold.enqueue_check(kind text, args jsonb, queue text, priority integer, max_attempts integer, timeout_after interval, unique_key text, on_duplicate text, idempotency_key text, sequence_key text, trace_context text) IS 'Raises LH002 with what was expected and what came, if a request is malformed';

CREATE FUNCTION leasehold.enqueue_duplicate(tenant text, kind text, args jsonb, priority integer, run_at timestamp with time zone, max_attempts integer, timeout_seconds real, unique_key text, on_duplicate text, trace_context text) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
#variable_conflict use_column
declare
    found_id bigint;
    due constant timestamptz := coalesce(run_at, clock_timestamp());
    later constant boolean := coalesce(run_at > clock_timestamp(), false);
    changed leasehold.job;
begin
    if on_duplicate = 'keep' then
        select job_id into found_id from leasehold.job
        where tenant_id = tenant and kind = enqueue_duplicate.kind
            and unique_key = enqueue_duplicate.unique_key;
        return found_id;
    end if;
    update leasehold.job
    set args = case when running or on_duplicate = 'reschedule' then args else enqueue_duplicate.args end,
        priority = case when running or on_duplicate = 'reschedule' then priority
            else enqueue_duplicate.priority end,
        max_attempts = case when running or on_duplicate = 'reschedule' then max_attempts
            else enqueue_duplicate.max_attempts end,
        timeout_seconds = case when running or on_duplicate = 'reschedule' then timeout_seconds
            else enqueue_duplicate.timeout_seconds end,
        run_at = case when running then run_at else due end,
        ready_at = case when running then ready_at else due end,
        due_at = case when state in ('ready', 'scheduled') and later then due end,
        place = case when state in ('ready', 'scheduled') and later then null
            when state = 'scheduled' then nextval('leasehold.job_place_seq') else place end,
        state = case when state not in ('ready', 'scheduled') then state
            when later then 'scheduled' else 'ready' end,
        again = case when running then jsonb_strip_nulls(jsonb_build_object(
            'args', case on_duplicate when 'replace' then enqueue_duplicate.args else args end,
            'priority', case on_duplicate when 'replace' then enqueue_duplicate.priority else priority end,
            'max_attempts', case on_duplicate when 'replace' then enqueue_duplicate.max_attempts
                else max_attempts end,
            'timeout_seconds', case on_duplicate when 'replace' then enqueue_duplicate.timeout_seconds
                else timeout_seconds end,
            'trace_context', enqueue_duplicate.trace_context,
            'run_at', due)) end
    from (select state = 'running' as running, job_id as id from leasehold.job
        where tenant_id = tenant and kind = enqueue_duplicate.kind
            and unique_key = enqueue_duplicate.unique_key for update) as old
    where job_id = old.id
    returning job.* into changed;
    if changed.state = 'ready' then
        perform leasehold.wake_job(changed);
    end if;
    return changed.job_id;
end $$;

COMMENT ON FUNCTION leasehold.enqueue_duplicate(tenant text, kind text, args jsonb, priority integer, run_at timestamp with time zone, max_attempts integer, timeout_seconds real, unique_key text, on_duplicate text, trace_context text) IS 'keep: the job stays as it is; reschedule: gets the new run_at; replace: also the new args, priority, max_attempts and timeout. A running job is not touched: the request is remembered and enqueued when the run ends';

CREATE FUNCTION leasehold.enqueue_job(tenant text, kind text, args jsonb, queue text, priority integer, run_at timestamp with time zone, max_attempts integer, timeout_after interval, unique_key text, on_duplicate text, idempotency_key text, sequence_key text, trace_context text, after bigint[], on_failure text, OUT job_id bigint, OUT existing boolean) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET jit TO 'off'
    AS $$
#variable_conflict use_column
declare
    seconds constant real := extract(epoch from timeout_after);
    new_id bigint;
begin
    perform leasehold.enqueue_check(kind, args, queue, priority, max_attempts, timeout_after,
        unique_key, on_duplicate, idempotency_key, sequence_key, trace_context);
    job_id := nextval('leasehold.job_id_seq');
    existing := false;
    if idempotency_key is not null then
        insert into leasehold.job_idempotency (tenant_id, idempotency_key, job_id)
        values (tenant, enqueue_job.idempotency_key, enqueue_job.job_id)
        on conflict do nothing;
        if not found then
            select i.job_id, true into job_id, existing
            from leasehold.job_idempotency as i
            where i.tenant_id = tenant and i.idempotency_key = enqueue_job.idempotency_key;
            return;
        end if;
    end if;
    loop
        insert into leasehold.job (job_id, tenant_id, queue, kind, args, priority, run_at, ready_at,
            max_attempts, timeout_seconds, unique_key, sequence_key, trace_context,
            state, place, park_reason, parked_at)
        values (enqueue_job.job_id, tenant, enqueue_job.queue, enqueue_job.kind, enqueue_job.args,
            enqueue_job.priority, coalesce(enqueue_job.run_at, clock_timestamp()),
            coalesce(enqueue_job.run_at, clock_timestamp()), enqueue_job.max_attempts, seconds,
            enqueue_job.unique_key, enqueue_job.sequence_key, enqueue_job.trace_context,
            case when after is null then 'ready' else 'parked' end,
            case when after is null then nextval('leasehold.job_place_seq') end,
            case when after is not null then 'dependency' end,
            case when after is not null then clock_timestamp() end)
        on conflict (tenant_id, kind, unique_key) where unique_key is not null do nothing
        returning job.job_id into new_id;
        exit when new_id is not null;
        new_id := leasehold.enqueue_duplicate(tenant, kind, args, priority, run_at, max_attempts,
            seconds, unique_key, on_duplicate, trace_context);
        if new_id is not null then
            existing := true;
            update leasehold.job_idempotency as i set job_id = new_id
            where i.tenant_id = tenant and i.idempotency_key = enqueue_job.idempotency_key;
            exit;
        end if;
    end loop;
    job_id := new_id;
    if after is not null and not existing then
        perform leasehold.depend(job_id, tenant, queue, after, on_failure);
    end if;
end $$;

COMMENT ON FUNCTION leasehold.enqueue_job(tenant text, kind text, args jsonb, queue text, priority integer, run_at timestamp with time zone, max_attempts integer, timeout_after interval, unique_key text, on_duplicate text, idempotency_key text, sequence_key text, trace_context text, after bigint[], on_failure text, OUT job_id bigint, OUT existing boolean) IS 'leasehold.enqueue, saying also whether the job was there already';

CREATE FUNCTION leasehold.enqueue_keyed(requests leasehold.job_request[]) RETURNS TABLE(job_id bigint, existing boolean)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET jit TO 'off'
    AS $$
#variable_conflict use_column
declare
    ids bigint[] := array(select nextval('leasehold.job_id_seq') from unnest(requests));
    places constant bigint[] := array(select nextval('leasehold.job_place_seq') from unnest(requests));
    olds boolean[] := array_fill(false, array[cardinality(requests)]);
    made bigint[];
    other record;
    answer record;
begin
    with first as (
        select distinct on (tenant, idempotency_key) tenant, idempotency_key, id
        from unnest(requests, ids) with ordinality as r(tenant, kind, args, queue, priority, run_at,
            max_attempts, timeout_after, unique_key, on_duplicate, idempotency_key, sequence_key,
            trace_context, after, on_failure, id, rank)
        where idempotency_key is not null and after is null
        order by tenant, idempotency_key, rank
    )
    insert into leasehold.job_idempotency (tenant_id, idempotency_key, job_id)
    select tenant, idempotency_key, id from first order by tenant, idempotency_key
    on conflict do nothing;

    with inserted as (
        insert into leasehold.job (job_id, place, tenant_id, kind, args, queue, priority, run_at, ready_at,
            max_attempts, timeout_seconds, unique_key, sequence_key, trace_context)
        select r.id, r.place, r.tenant, r.kind, coalesce(r.args, '{}'), coalesce(r.queue, 'default'),
            coalesce(r.priority, 0), coalesce(r.run_at, clock_timestamp()),
            coalesce(r.run_at, clock_timestamp()), coalesce(r.max_attempts, 20),
            extract(epoch from r.timeout_after), r.unique_key, r.sequence_key, r.trace_context
        from unnest(requests, ids, places) as r(tenant, kind, args, queue, priority, run_at,
                max_attempts, timeout_after, unique_key, on_duplicate, idempotency_key, sequence_key,
                trace_context, after, on_failure, id, place)
            left join leasehold.job_idempotency as i
                on i.tenant_id = r.tenant and i.idempotency_key = r.idempotency_key
        where r.after is null and (i.job_id is null or i.job_id = r.id)
        order by r.tenant, r.kind, r.unique_key, r.place
        on conflict (tenant_id, kind, unique_key) where unique_key is not null do nothing
        returning job_id
    )
    select coalesce(array_agg(job_id), '{}') into made from inserted;

    -- What found its key taken, or needs other jobs, one by one.
    for other in
        select r.*, i.job_id as known_id
        from unnest(requests, ids) with ordinality as r(tenant, kind, args, queue, priority, run_at,
                max_attempts, timeout_after, unique_key, on_duplicate, idempotency_key, sequence_key,
                trace_context, after, on_failure, id, rank)
            left join leasehold.job_idempotency as i
                on i.tenant_id = r.tenant and i.idempotency_key = r.idempotency_key
        where not exists (select from unnest(made) as m(id) where m.id = r.id)
        order by r.rank
    loop
        if other.after is null and other.known_id <> other.id then
            ids[other.rank] := null;
            olds[other.rank] := true;
            continue;
        end if;
        select one.job_id, one.existing into answer
        from leasehold.enqueue_job(other.tenant, other.kind, coalesce(other.args, '{}'),
            coalesce(other.queue, 'default'), coalesce(other.priority, 0), other.run_at,
            coalesce(other.max_attempts, 20), other.timeout_after, other.unique_key,
            coalesce(other.on_duplicate, 'keep'),
            case when other.after is not null then other.idempotency_key end, other.sequence_key,
            other.trace_context, other.after, coalesce(other.on_failure, 'cancel')) as one;
        ids[other.rank] := answer.job_id;
        olds[other.rank] := answer.existing;
        if other.after is null and other.idempotency_key is not null then
            update leasehold.job_idempotency as i set job_id = ids[other.rank]
            where i.tenant_id = other.tenant and i.idempotency_key = other.idempotency_key;
        end if;
    end loop;
    -- An answer by idempotency key is read last: the job that made it may have turned out to be another.
    return query
    select coalesce(r.id, (
            select i.job_id from leasehold.job_idempotency as i
            where i.tenant_id = r.tenant and i.idempotency_key = r.idempotency_key)), r.old
    from unnest(requests, ids, olds) with ordinality as r(tenant, kind, args, queue, priority, run_at,
        max_attempts, timeout_after, unique_key, on_duplicate, idempotency_key, sequence_key,
        trace_context, after, on_failure, id, old, rank)
    order by r.rank;
end $$;

COMMENT ON FUNCTION leasehold.enqueue_keyed(requests leasehold.job_request[]) IS 'leasehold.enqueue_all where keys or other jobs have to be looked at';

CREATE FUNCTION leasehold.enqueue_many(jobs jsonb) RETURNS TABLE(job_id bigint, existing boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
#variable_conflict use_column
declare
    names constant text[] := '{tenant,kind,args,queue,priority,run_at,max_attempts,timeout_after,unique_key,on_duplicate,idempotency_key,sequence_key,trace_context,after,on_failure}';
    bad text;
begin
    if jsonb_typeof(jobs) is distinct from 'array' then
        raise exception 'expected jobs to be a JSON array, got %', coalesce(jsonb_typeof(jobs), 'null')
            using errcode = 'LH002', hint = '[{"tenant": "acme", "kind": "report.build", "args": {}}]';
    end if;
    select jsonb_typeof(body) into bad from jsonb_array_elements(jobs) as job(body)
    where jsonb_typeof(body) <> 'object' limit 1;
    if found then
        raise exception 'expected each job to be a JSON object, got %', bad
            using errcode = 'LH002', hint = '[{"tenant": "acme", "kind": "report.build", "args": {}}]';
    end if;
    select key into bad
    from jsonb_array_elements(jobs) as job(body), jsonb_object_keys(body) as key
    where body - names <> '{}' and key <> all(names)
    limit 1;
    if found then
        raise exception 'expected jobs with the names of the parameters of leasehold.enqueue, got "%"', left(bad, 140)
            using errcode = 'LH002', hint = 'the names are ' || array_to_string(names, ', ');
    end if;
    return query
    select made.job_id, made.existing
    from leasehold.enqueue_all(array(
        select row(r.tenant, r.kind, r.args, r.queue, r.priority, r.run_at, r.max_attempts,
            r.timeout_after, r.unique_key, r.on_duplicate, r.idempotency_key, r.sequence_key,
            r.trace_context,
            case jsonb_typeof(r.after) when 'array'
                then array(select jsonb_array_elements_text(r.after)::bigint) end,
            r.on_failure)::leasehold.job_request
        from rows from (jsonb_to_recordset(jobs) as (tenant text, kind text, args jsonb, queue text,
            priority integer, run_at timestamptz, max_attempts integer, timeout_after interval,
            unique_key text, on_duplicate text, idempotency_key text, sequence_key text,
            trace_context text, after jsonb, on_failure text))
            with ordinality as r(tenant, kind, args, queue, priority, run_at, max_attempts,
                timeout_after, unique_key, on_duplicate, idempotency_key, sequence_key,
                trace_context, after, on_failure, place)
        order by r.place)) as made;
end $$;

COMMENT ON FUNCTION leasehold.enqueue_many(jobs jsonb) IS 'Enqueues many jobs, given as a JSON array of objects with the names of the parameters of leasehold.enqueue; returns one row a job, in order';

CREATE FUNCTION leasehold.error_fingerprint(kind text, label text, error text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog'
    AS $$
    select md5(kind || E'\n' || coalesce(label, '') || E'\n' || regexp_replace(regexp_replace(
        left(coalesce(error, ''), 2000), '"[^"]*"|''[^'']*''', '"', 'g'),
        '[0-9a-fA-F-]*[0-9][0-9a-fA-F-]*', '0', 'g'))
$$;

COMMENT ON FUNCTION leasehold.error_fingerprint(kind text, label text, error text) IS 'The same for errors of one kind of job that differ only in quoted words, numbers and ids';

CREATE TABLE leasehold.credential (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    provider text NOT NULL COLLATE pg_catalog."C",
    state text DEFAULT 'empty'::text NOT NULL,
    connected_by text,
    renewed_by text DEFAULT 'refresh_token'::text NOT NULL,
    organization text,
    scope text,
    generation bigint DEFAULT 0 NOT NULL,
    refresh_token bytea,
    previous_refresh_token bytea,
    previous_generation bigint,
    access_token bytea,
    access_issued_at timestamp with time zone,
    access_expires_at timestamp with time zone,
    access_rejected_at timestamp with time zone,
    refresh_planned_at timestamp with time zone,
    refresh_due_at timestamp with time zone,
    refresh_requested_at timestamp with time zone,
    not_before timestamp with time zone,
    attempt_id uuid,
    attempt_generation bigint,
    attempt_rung text,
    attempt_grant text,
    attempt_worker uuid,
    attempt_started_at timestamp with time zone,
    attempt_deadline timestamp with time zone,
    saved_attempt_id uuid,
    suspect_reason text,
    suspect_at timestamp with time zone,
    suspect_presented_at timestamp with time zone,
    suspect_deadline timestamp with time zone,
    rungs_tried text[] DEFAULT '{}'::text[] NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    last_exchange_at timestamp with time zone,
    last_outcome text,
    last_error_class text,
    needs_authorization_at timestamp with time zone,
    connected_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT credential_active_can_renew CHECK (((state <> 'active'::text) OR ((renewed_by = 'refresh_token'::text) AND (refresh_token IS NOT NULL)) OR ((renewed_by = 'client_credentials'::text) AND (organization IS NOT NULL)))),
    CONSTRAINT credential_generation_counts CHECK ((generation >= 0)),
    CONSTRAINT credential_intent_is_of_this_generation CHECK ((attempt_generation = generation)),
    CONSTRAINT credential_intent_is_whole CHECK ((((attempt_id IS NULL) AND (attempt_generation IS NULL) AND (attempt_rung IS NULL) AND (attempt_grant IS NULL) AND (attempt_worker IS NULL) AND (attempt_started_at IS NULL) AND (attempt_deadline IS NULL)) OR ((attempt_id IS NOT NULL) AND (attempt_generation IS NOT NULL) AND (attempt_rung IS NOT NULL) AND (attempt_grant IS NOT NULL) AND (attempt_worker IS NOT NULL) AND (attempt_started_at IS NOT NULL) AND (attempt_deadline IS NOT NULL)))),
    CONSTRAINT credential_renewal_known CHECK ((renewed_by = ANY (ARRAY['refresh_token'::text, 'client_credentials'::text]))),
    CONSTRAINT credential_state_known CHECK ((state = ANY (ARRAY['empty'::text, 'active'::text, 'needs_authorization'::text]))),
    CONSTRAINT credential_suspect_is_whole CHECK ((((suspect_reason IS NULL) = (suspect_at IS NULL)) AND ((suspect_reason IS NULL) = (suspect_presented_at IS NULL)) AND ((suspect_reason IS NULL) = (suspect_deadline IS NULL)))),
    CONSTRAINT credential_suspect_known CHECK ((suspect_reason = ANY (ARRAY['ambiguous'::text, 'dead'::text]))),
    CONSTRAINT credential_verdict_is_dated CHECK (((state = 'needs_authorization'::text) = (needs_authorization_at IS NOT NULL)))
)
WITH (fillfactor='60', autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='500');

COMMENT ON TABLE leasehold.credential IS 'The one credential of a tenant; tokens only sealed, bound to tenant, column and generation';

COMMENT ON COLUMN leasehold.credential.state IS 'empty: never connected. active: can be renewed. needs_authorization: a person has to connect it again';

COMMENT ON COLUMN leasehold.credential.generation IS 'How often the credential was exchanged or connected; never reset, also not by connecting again';

COMMENT ON COLUMN leasehold.credential.previous_refresh_token IS 'The predecessor as it was sealed in column refresh_token for previous_generation; kept for forensics';

COMMENT ON COLUMN leasehold.credential.access_rejected_at IS 'The API refused the access token before it expired';

COMMENT ON COLUMN leasehold.credential.refresh_planned_at IS 'The random point in the life of the access token at which it is replaced, if somebody needs it';

COMMENT ON COLUMN leasehold.credential.refresh_due_at IS 'When the refresh service looks at it next: a refresh, the next rung of a recovery, or the end of an intent';

COMMENT ON COLUMN leasehold.credential.refresh_requested_at IS 'Somebody used the token after that point, or a worker that may not exchange asked for a new one';

COMMENT ON COLUMN leasehold.credential.not_before IS 'Back-off after an exchange that spent nothing';

COMMENT ON COLUMN leasehold.credential.attempt_id IS 'The open intent: this generation was or is about to be presented; null when nothing is open';

COMMENT ON COLUMN leasehold.credential.attempt_deadline IS 'Until then the owner may be sending or receiving; nobody else acts';

COMMENT ON COLUMN leasehold.credential.saved_attempt_id IS 'The exchange that made this generation: tells its owner that a COMMIT without an answer has worked';

COMMENT ON COLUMN leasehold.credential.suspect_reason IS 'ambiguous: presented, and no usable answer came. dead: the provider refused this generation';

COMMENT ON COLUMN leasehold.credential.rungs_tried IS 'Rungs of the recovery ladder used for this generation, each at most once';

CREATE FUNCTION leasehold.exchange_abandon(c leasehold.credential) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    AS $$
declare
    moment timestamptz := clock_timestamp();
    spent boolean := c.attempt_grant = 'refresh_token';
begin
    insert into leasehold.credential_exchange (
        tenant_id, attempt_id, generation, rung, grant_kind, worker, started_at, ended_at, outcome, error_class)
    values (
        c.tenant_id, c.attempt_id, c.attempt_generation, c.attempt_rung, c.attempt_grant, c.attempt_worker,
        c.attempt_started_at, moment, 'abandoned', 'worker_lost');
    update leasehold.credential
    set attempt_id = null, attempt_generation = null, attempt_rung = null, attempt_grant = null,
        attempt_worker = null, attempt_started_at = null, attempt_deadline = null,
        -- What spends nothing may be tried again, and so may a probe: it may never have been sent.
        rungs_tried = case
            when not spent or c.attempt_rung = 'late_probe' then array_remove(c.rungs_tried, c.attempt_rung)
            else c.rungs_tried end,
        suspect_reason = case when spent then 'ambiguous' else suspect_reason end,
        suspect_at = case when spent then coalesce(suspect_at, moment) else suspect_at end,
        suspect_presented_at = case when spent then c.attempt_started_at else suspect_presented_at end,
        suspect_deadline = case when spent then c.attempt_deadline else suspect_deadline end,
        failures = failures + 1, last_exchange_at = c.attempt_started_at, last_outcome = 'abandoned',
        last_error_class = 'worker_lost', updated_at = moment
    where tenant_id = c.tenant_id;
end
$$;

CREATE FUNCTION leasehold.exchange_apply(c leasehold.credential, attempt uuid, rung text, grant_used text, reply leasehold.exchange_reply, moment timestamp with time zone, log_outcome text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    AS $$
declare
    connects boolean := rung = 'connect';
    revives boolean := c.state <> 'active';
begin
    if connects then
        perform leasehold.exchange_archive(c.tenant_id, c.generation, c.refresh_token, 'reconnected');
    end if;
    update leasehold.credential
    set generation = c.generation + 1,
        state = 'active',
        connected_by = case when connects then grant_used else c.connected_by end,
        connected_at = case when connects then moment else c.connected_at end,
        renewed_by = case when grant_used = 'client_credentials' then 'client_credentials' else 'refresh_token' end,
        refresh_token = reply.refresh_token,
        previous_refresh_token = case
            when connects then null when reply.rotated then c.refresh_token else c.previous_refresh_token end,
        previous_generation = case
            when connects then null when reply.rotated then c.generation else c.previous_generation end,
        access_token = reply.access_token,
        access_issued_at = reply.access_issued_at,
        access_expires_at = reply.access_expires_at,
        access_rejected_at = null,
        refresh_planned_at = reply.refresh_due_at,
        refresh_due_at = reply.refresh_due_at,
        refresh_requested_at = null,
        not_before = null,
        scope = case when connects then reply.scope else coalesce(reply.scope, c.scope) end,
        organization = case when connects then reply.organization else coalesce(reply.organization, c.organization) end,
        attempt_id = null, attempt_generation = null, attempt_rung = null, attempt_grant = null,
        attempt_worker = null, attempt_started_at = null, attempt_deadline = null,
        saved_attempt_id = attempt,
        suspect_reason = null, suspect_at = null, suspect_presented_at = null, suspect_deadline = null,
        rungs_tried = '{}', failures = 0, last_exchange_at = moment, last_outcome = log_outcome,
        last_error_class = null, needs_authorization_at = null, updated_at = moment
    where tenant_id = c.tenant_id;
    if connects or revives then
        insert into leasehold.credential_event (tenant_id, kind, generation, detail)
        values (
            c.tenant_id, case when connects then 'connected' else 'recovered' end, c.generation + 1,
            case when connects then 'by ' || grant_used when log_outcome = 'replayed'
                then 'a successor was found in a spool' else 'by rung ' || rung end);
        perform leasehold.tenant_unpark(c.tenant_id);
    end if;
    if connects or revives or c.refresh_requested_at is not null then
        perform pg_notify('leasehold_credential', 'saved ' || c.tenant_id);
    end if;
end
$$;

CREATE FUNCTION leasehold.exchange_archive(of_tenant text, of_generation bigint, sealed bytea, why text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
begin
    insert into leasehold.credential_archive (tenant_id, generation, refresh_token, reason)
    select of_tenant, of_generation, sealed, why where sealed is not null;
end
$$;

CREATE FUNCTION leasehold.exchange_begin(of_tenant text, provider_name text, attempt uuid, by_worker uuid, rung text, connect_grant text, seen bigint, deadline_ms bigint, lock_timeout_ms bigint) RETURNS leasehold.exchange_ticket
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    AS $$
declare
    c leasehold.credential;
    ticket leasehold.exchange_ticket;
    moment timestamptz;
begin
    perform leasehold.commit_durably();
    perform set_config('lock_timeout', lock_timeout_ms::text, true);
    if rung = 'connect' then
        if not exists (select from leasehold.tenant where tenant_id = of_tenant) then
            ticket.outcome := 'no_tenant';
            return ticket;
        end if;
        insert into leasehold.credential (tenant_id, provider) values (of_tenant, provider_name)
        on conflict (tenant_id) do nothing;
    end if;
    select * into c from leasehold.credential where tenant_id = of_tenant for update;
    if not found or (c.state = 'empty' and rung <> 'connect') then
        ticket.outcome := 'no_credential';
        return ticket;
    end if;
    moment := clock_timestamp();
    ticket.generation := c.generation;
    if c.attempt_id is not null then
        if c.attempt_deadline > moment then
            ticket.outcome := 'exchanging';
            ticket.retry_after_ms := leasehold.milliseconds_until(c.attempt_deadline);
            return ticket;
        end if;
        perform leasehold.exchange_abandon(c);
        select * into c from leasehold.credential where tenant_id = of_tenant;
    end if;
    ticket.outcome := leasehold.exchange_obstacle(c, rung, seen);
    if ticket.outcome is not null then
        ticket.retry_after_ms := leasehold.milliseconds_until(c.not_before);
        return ticket;
    end if;

    ticket.outcome := 'go';
    ticket.renewed_by := c.renewed_by;
    ticket.grant_kind := case rung
        when 'connect' then connect_grant
        when 'refresh' then c.renewed_by
        when 'access_token' then 'access_token'
        when 'client_credentials' then 'client_credentials'
        else 'refresh_token'
    end;
    ticket.refresh_token := c.refresh_token;
    ticket.access_token := c.access_token;
    ticket.organization := c.organization;
    ticket.is_given := rung = 'connect' or (c.access_issued_at is null and c.previous_generation is null);
    ticket.failures := c.failures;
    ticket.started_at := moment;
    ticket.deadline := moment + deadline_ms * interval '1 millisecond';
    update leasehold.credential
    set attempt_id = attempt, attempt_generation = c.generation, attempt_rung = rung,
        attempt_grant = ticket.grant_kind, attempt_worker = by_worker, attempt_started_at = moment,
        attempt_deadline = ticket.deadline,
        rungs_tried = case
            when rung in ('refresh', 'connect') or rung = any (rungs_tried) then rungs_tried
            else rungs_tried || rung end,
        refresh_due_at = case when rung = 'connect' then refresh_due_at else ticket.deadline end,
        updated_at = moment
    where tenant_id = of_tenant;
    return ticket;
end
$$;

CREATE FUNCTION leasehold.exchange_cancel(of_tenant text, attempt uuid) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    AS $$
begin
    update leasehold.credential
    set attempt_id = null, attempt_generation = null, attempt_grant = null, attempt_worker = null,
        attempt_started_at = null, attempt_deadline = null, attempt_rung = null,
        rungs_tried = array_remove(rungs_tried, attempt_rung),
        refresh_due_at = case when attempt_rung = 'connect' then refresh_due_at else clock_timestamp() end,
        updated_at = clock_timestamp()
    where tenant_id = of_tenant and attempt_id = attempt;
    return found;
end
$$;

CREATE FUNCTION leasehold.exchange_fail(of_tenant text, attempt uuid, presented bigint, rung text, grant_used text, by_worker uuid, started timestamp with time zone, token_fingerprint text, client text, failure leasehold.exchange_failure) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    AS $$
declare
    c leasehold.credential;
    moment timestamptz;
    is_first_verdict boolean;
begin
    perform leasehold.commit_durably();
    select * into c from leasehold.credential where tenant_id = of_tenant for update;
    if not found then return false; end if;
    moment := clock_timestamp();
    is_first_verdict := c.suspect_reason is null;
    insert into leasehold.credential_exchange (
        tenant_id, attempt_id, generation, rung, grant_kind, worker, started_at, ended_at, outcome, error_class,
        http_status, fingerprint)
    values (
        of_tenant, attempt, presented, rung, grant_used, by_worker, started, moment, failure.outcome,
        failure.error_class, failure.http_status, token_fingerprint);
    -- A dead generation counts as news about the provider once, not again at every rung.
    if failure.provider_effect is not null and (failure.provider_effect <> 'dead' or is_first_verdict) then
        perform leasehold.provider_failed(
            c.provider, failure.provider_effect, failure.provider_ms, client, failure.error_class);
    end if;
    if c.attempt_id is distinct from attempt then return false; end if;

    update leasehold.credential
    set attempt_id = null, attempt_generation = null, attempt_rung = null, attempt_grant = null,
        attempt_worker = null, attempt_started_at = null, attempt_deadline = null,
        rungs_tried = case when failure.rung_free then array_remove(c.rungs_tried, rung) else c.rungs_tried end,
        suspect_reason = coalesce(failure.suspect, c.suspect_reason),
        suspect_at = case when failure.suspect is null then c.suspect_at else coalesce(c.suspect_at, moment) end,
        suspect_presented_at = case
            when failure.suspect is null then c.suspect_presented_at else c.attempt_started_at end,
        suspect_deadline = case failure.suspect
            when 'ambiguous' then c.attempt_deadline
            when 'dead' then coalesce(c.suspect_deadline, moment)
            else c.suspect_deadline end,
        access_token = coalesce(failure.access_token, c.access_token),
        access_expires_at = case
            when failure.access_token is null then c.access_expires_at else failure.access_expires_at end,
        access_rejected_at = case when failure.access_token is null then c.access_rejected_at end,
        not_before = case
            when failure.back_off_ms > 0 then moment + failure.back_off_ms * interval '1 millisecond' end,
        refresh_due_at = case
            when c.attempt_rung = 'connect' then c.refresh_due_at
            else moment + failure.due_ms * interval '1 millisecond' end,
        failures = c.failures + 1, last_exchange_at = moment, last_outcome = failure.outcome,
        last_error_class = failure.error_class, updated_at = moment
    where tenant_id = of_tenant;
    return true;
end
$$;

CREATE FUNCTION leasehold.exchange_hold(of_tenant text, attempt uuid, presented bigint) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    AS $$
begin
    perform set_config('lock_timeout', '5000', true);
    perform set_config('idle_in_transaction_session_timeout', '0', true);
    -- PostgreSQL 17 and later.
    if current_setting('transaction_timeout', true) is not null then
        perform set_config('transaction_timeout', '0', true);
    end if;
    perform from leasehold.credential
    where tenant_id = of_tenant and attempt_id = attempt and generation = presented
    for update;
    return found;
end
$$;

CREATE FUNCTION leasehold.exchange_obstacle(c leasehold.credential, rung text, seen bigint) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
begin
    return case
        when rung = 'connect' then null
        when c.generation is distinct from seen then 'moved'
        when c.state = 'needs_authorization' then 'needs_authorization'
        when rung = 'refresh' and c.suspect_reason is not null then 'suspect'
        when rung <> 'refresh' and c.suspect_reason is null then 'moved'
        -- A probe without an answer may be repeated; the ladder knows when.
        when rung <> 'late_probe' and rung = any (c.rungs_tried) then 'tried'
        when c.not_before > clock_timestamp() then 'backing_off'
        -- Admitted on the old primary, beginning on the new one.
        when exists (
            select from leasehold.provider p
            where p.provider = c.provider
                and (p.timeline is distinct from leasehold.wal_timeline() or p.hold_until > clock_timestamp()))
            then 'held'
    end;
end
$$;

CREATE FUNCTION leasehold.exchange_prune(keep_seconds double precision, batch integer) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
declare
    dropped bigint;
begin
    delete from leasehold.credential_exchange
    where ctid = any (array(
        select ctid from leasehold.credential_exchange
        where ended_at < clock_timestamp() - keep_seconds * interval '1 second'
        order by ended_at
        limit batch
        for update skip locked));
    get diagnostics dropped = row_count;
    return dropped;
end
$$;

CREATE FUNCTION leasehold.exchange_save(of_tenant text, attempt uuid, presented bigint, witness bytea, rung text, grant_used text, by_worker uuid, started timestamp with time zone, status integer, token_fingerprint text, client text, replayed boolean, reply leasehold.exchange_reply) RETURNS leasehold.exchange_saving
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    AS $$
declare
    c leasehold.credential;
    answer leasehold.exchange_saving;
    moment timestamptz;
    log_outcome text := case when replayed then 'replayed' else 'saved' end;
begin
    perform leasehold.commit_durably();
    if replayed then
        -- The session of a dead worker may hold the lock for as long as TCP believes in it.
        perform set_config('lock_timeout', '5000', true);
    end if;
    select * into c from leasehold.credential where tenant_id = of_tenant for update;
    if not found then
        answer.outcome := 'no_credential';
        return answer;
    end if;
    moment := clock_timestamp();
    answer.generation := c.generation;
    if c.saved_attempt_id = attempt then
        answer.outcome := 'already';
    elsif c.generation < presented then
        answer.outcome := 'behind';
    elsif c.generation > presented then
        answer.outcome := 'superseded';
        log_outcome := 'superseded';
        if not replayed then
            perform leasehold.exchange_archive(of_tenant, presented + 1, reply.refresh_token, 'superseded');
        end if;
    elsif c.attempt_id is distinct from attempt and c.refresh_token is distinct from witness then
        answer.outcome := 'unproven';
        answer.refresh_token := c.refresh_token;
    else
        answer.outcome := 'saved';
    end if;
    if answer.outcome = 'saved' or (answer.outcome = 'superseded' and not replayed) then
        insert into leasehold.credential_exchange (
            tenant_id, attempt_id, generation, rung, grant_kind, worker, started_at, ended_at, outcome,
            http_status, fingerprint)
        values (
            of_tenant, attempt, presented, rung, grant_used, by_worker, started, moment, log_outcome,
            status, token_fingerprint);
    end if;
    if answer.outcome <> 'saved' then return answer; end if;

    perform leasehold.exchange_apply(c, attempt, rung, grant_used, reply, moment, log_outcome);
    answer.generation := presented + 1;
    if not replayed then
        perform leasehold.provider_answered(c.provider, client, started);
    end if;
    return answer;
end
$$;

CREATE FUNCTION leasehold.hash_below(text text, most bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
    select ('x' || substr(md5(text), 1, 15))::bit(60)::bigint % most
$$;

CREATE FUNCTION leasehold.history_prepare(first_day date, days integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    made integer := 0;
    day date;
    parent text;
    part text;
begin
    perform pg_advisory_xact_lock(hashtext('leasehold.history_prepare'));
    for day in select first_day + n from generate_series(0, days - 1) as n loop
        foreach parent in array array['job_history', 'job_attempt'] loop
            part := format('leasehold.%s_%s', parent, to_char(day, 'YYYYMMDD'));
            continue when to_regclass(part) is not null;
            execute format('create table %s (like leasehold.%I including all)', part, parent);
            execute format('alter table leasehold.%I attach partition %s for values from (%L) to (%L)',
                parent, part, day::timestamp at time zone 'UTC',
                (day + 1)::timestamp at time zone 'UTC');
            made := made + 1;
        end loop;
    end loop;
    return made;
end $$;

COMMENT ON FUNCTION leasehold.history_prepare(first_day date, days integer) IS 'Makes the partitions of so many days from first_day (UTC) on that are not there yet; returns how many';

CREATE FUNCTION leasehold.job_arrived() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
declare
    at constant timestamptz := clock_timestamp();
    came record;
begin
    -- One job that came alone and is plainly ready, the common case: one statement without a set.
    insert into leasehold.wake (tenant_id, queue, jobs, first_job_id, place, priority, ring)
    select a.tenant_id, a.queue, 1, a.job_id, a.place, a.priority, true
    from arrived as a, leasehold.tenant
    where (select true from arrived offset 1 limit 1) is null
        and tenant.tenant_id = a.tenant_id and a.state = 'ready' and a.lane_kind = ''
        and a.sequence_key is null and a.run_at <= at
        and leasehold.name_well_formed(a.kind) and leasehold.name_well_formed(a.queue)
        and leasehold.job_well_formed(a.args, a.priority, a.max_attempts, a.timeout_seconds,
            a.unique_key, a.sequence_key, a.trace_context)
        and not exists (select from leasehold.kind where kind.kind = a.kind and kind.apart);
    if found then
        return null;
    end if;

    with part as materialized (
        select tenant_id, queue, kind, lane_kind, w.purpose, sequence_key, count(*) as jobs,
            min(job_id) as first_job_id, min(place) as place, min(priority) as priority,
            bool_or(state = 'ready' and w.purpose is distinct from 'ready') as late,
            bool_and(leasehold.job_well_formed(args, priority, max_attempts, timeout_seconds, unique_key,
                sequence_key, trace_context)) as well_formed
        from arrived cross join lateral (
            select case when state = 'ready' and run_at > at then null
                when state = 'ready' and sequence_key is null then 'ready'
                when state = 'ready' or park_reason = 'sequence' then 'sequence' end as purpose) as w
        group by 1, 2, 3, 4, 5, 6
    ), known as materialized (
        select part.*,
            (select true from leasehold.tenant where tenant.tenant_id = part.tenant_id) is null as stranger,
            (select true from leasehold.kind where kind.kind = part.kind and kind.apart) is true as apart,
            well_formed and leasehold.name_well_formed(kind) and leasehold.name_well_formed(queue) as welcome
        from part
    ), told as (
        insert into leasehold.wake
            (tenant_id, queue, lane_kind, purpose, jobs, first_job_id, place, priority, sequence_key, ring)
        select tenant_id, queue, case when apart then kind else lane_kind end, purpose,
            case purpose when 'ready' then sum(jobs) else 0 end, min(first_job_id),
            case purpose when 'ready' then min(place) else 0 end, min(priority), sequence_key,
            row_number() over (partition by queue) = 1
        from known where purpose is not null
        group by 1, 2, 3, 4, sequence_key
    )
    select bool_or(not welcome) as malformed, min(tenant_id) filter (where stranger) as stranger,
        bool_or(apart and lane_kind = '') as apart, bool_or(late) as late
    into came from known;
    if came.malformed then
        -- The first of them.
        perform leasehold.enqueue_check(a.kind, a.args, a.queue, a.priority, a.max_attempts,
            make_interval(secs => a.timeout_seconds), a.unique_key, 'keep', null, a.sequence_key,
            a.trace_context)
        from arrived as a;
    end if;
    if came.stranger is not null then
        perform leasehold.refuse_unknown_tenant(came.stranger);
    end if;
    if came.apart then
        update leasehold.job
        set lane_kind = job.kind
        from arrived, leasehold.kind
        where arrived.lane_kind = '' and kind.kind = arrived.kind and kind.apart
            and job.job_id = arrived.job_id;
    end if;
    if came.late then
        update leasehold.job
        set state = case when job.run_at > at then 'scheduled' else 'parked' end, place = null,
            due_at = case when job.run_at > at then job.run_at end,
            park_reason = case when job.run_at > at then null else 'sequence' end,
            parked_at = case when job.run_at > at then null else at end
        from arrived
        where arrived.state = 'ready' and (arrived.run_at > at or arrived.sequence_key is not null)
            and job.job_id = arrived.job_id;
    end if;
    return null;
end $$;

COMMENT ON FUNCTION leasehold.job_arrived() IS 'After each insert statement on job: schedules and parks what does not start as ready, one wake per tenant, queue and lane; refuses unknown tenants';

CREATE FUNCTION leasehold.job_cancel(cancelled bigint, reason text DEFAULT 'cancelled by request'::text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
declare
    of_tenant text;
    why constant jsonb := jsonb_build_object('reason', left(reason, 500));
begin
    select job.tenant_id into of_tenant from leasehold.job where job.job_id = cancelled;
    if not found then
        perform from leasehold.job_history where job_history.job_id = cancelled;
        if found then
            return 'ended';
        end if;
        raise exception 'expected the id of a job, got %', cancelled
            using errcode = 'LH004', hint = 'leasehold jobs list';
    end if;
    if leasehold.job_end(cancelled, 'cancelled', 'cancelled', left(reason, 10000)) then
        perform leasehold.action_note('cancel', 'job', tenant => of_tenant, job => cancelled, detail => why);
        return 'cancelled';
    end if;
    perform from leasehold.job where job.job_id = cancelled;
    if not found then
        return 'ended';
    end if;
    insert into leasehold.job_cancel (job_id, reason) values (cancelled, left(reason, 10000))
    on conflict do nothing;
    perform leasehold.action_note('cancel', 'job', tenant => of_tenant, job => cancelled, detail => why);
    return 'requested';
end $$;

COMMENT ON FUNCTION leasehold.job_cancel(cancelled bigint, reason text) IS 'cancelled: it had not started and is gone; requested: it runs, its worker hears of it at the next heartbeat, and however the run ends but by completion, the job does not run again; ended: it had ended';

CREATE FUNCTION leasehold.job_cancel_ring() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
begin
    perform pg_notify('leasehold_cancel', job.claimed_by::text)
    from leasehold.job where job.job_id = new.job_id and job.claimed_by is not null;
    return null;
end $$;

COMMENT ON FUNCTION leasehold.job_cancel_ring() IS 'After a cancel request: notifies leasehold_cancel with the id of the job''s worker';

CREATE FUNCTION leasehold.job_claim(who uuid, queues text[], max_jobs integer, woken boolean DEFAULT false) RETURNS SETOF leasehold.claimed_job
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_material TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
declare
    began constant timestamptz := clock_timestamp();
    quantum constant integer := least(16, ceil(max_jobs / 8.0));
    mem leasehold.claim_cursor;
    looked_at timestamptz;
    wanted integer := max_jobs;
    scopes leasehold.claim_scope[];
    apart boolean := false;
    kinds boolean := false;
    free jsonb := '{}';
    places jsonb;
    letters record;
    passes integer := 0;
    singles bigint := 0;
    arrivals leasehold.arrival[] := '{}';
    direct leasehold.claimed_job[];
    lanes leasehold.open_lane[];
    limits record;
    keys text[];
    passed text[] := '{}';
    holds boolean := false;
    busy leasehold.lane;
    waited boolean := false;
    taken bigint;
begin
    if max_jobs is null or max_jobs not between 1 and 10000 then
        raise exception 'expected max_jobs from 1 to 10000, got %', coalesce(max_jobs::text, 'null')
            using errcode = 'LH002';
    end if;
    if woken then
        return query select * from leasehold.claim_woken(who, queues, max_jobs);
        if found then
            return;
        end if;
    end if;
    perform from leasehold.worker where worker_id = who and lapsed_at is null;
    if not found then
        raise exception 'expected worker % to be registered and alive, but it is not', who
            using errcode = 'LH003', hint = 'register under a new worker id';
    end if;
    mem := leasehold.cursor_load(queues, began);
    looked_at := coalesce(mem.claimed_at, '-infinity');
    if exists (select from leasehold.queue
            where paused_at is not null or max_running is not null or rate_per_second is not null)
        or exists (select from leasehold.kind as k where k.apart) then
        select * into scopes, apart, free from leasehold.claim_scopes(queues);
        places := free;
    else
        scopes := array(select row(q, '', false, false)::leasehold.claim_scope from unnest(queues) as q);
    end if;

    if leasehold.claim_due(mem.due_from, 1000) < 1000 then
        mem.due_from := began - interval '2 seconds';
    end if;
    update leasehold.lane
    set state = 'open', look_at = null, since = began, vt = greatest(vt, mem.floor),
        blocked_seconds = blocked_seconds + date_part('epoch', began - since)
    where ctid = any(array(
        select ctid from leasehold.lane where look_at <= began limit 100 for update skip locked));
    holds := found;
    -- Letters first: lanes are made in one statement, in one order for everybody. All of them, but of a
    -- great many (the workers were away while a million jobs came) about as many as this claim can serve,
    -- and no fewer than some hundred, so that what stands behind them is reached.
    loop
        passes := passes + 1;
        select * into letters
        from leasehold.claim_letters(queues, least(2000, greatest(max_jobs, 400)), mem);
        mem := letters.mem;
        arrivals := arrivals || letters.arrivals;
        select singles + count(*) filter (where a.jobs = 1 and a.lane_kind = ''),
            kinds or coalesce(bool_or(a.lane_kind <> ''), false)
        into singles, kinds
        from unnest(letters.arrivals) as a;
        perform leasehold.claim_sequences(letters.sequences)
        where letters.sequences is not null;
        perform leasehold.claim_dependents(letters.dependents)
        where letters.dependents is not null;
        -- Once more for what these two have let go; what they could not decide waits for the next claim.
        exit when letters.complete
            and (passes > 1 or letters.sequences is null and letters.dependents is null);
        exit when not letters.complete
            and (singles >= wanted or cardinality(arrivals) >= 20000
                or clock_timestamp() > began + interval '100 milliseconds');
    end loop;
    if kinds then
        arrivals := leasehold.arrivals_sort(arrivals);
    end if;
    if arrivals <> '{}' then
        if passes > 1 then
            arrivals := leasehold.arrivals_merge(arrivals);
        end if;
        direct := leasehold.claim_direct(who, arrivals, scopes, apart, wanted, mem);
        return query select * from unnest(direct);
        wanted := wanted - coalesce(cardinality(direct), 0);
        -- Whoever is served past a line of others is charged for it, so that it cannot go on so.
        mem.contended := cardinality(direct) > 0 and (
            cardinality(direct) < cardinality(arrivals)
            or exists (select from leasehold.lane where lane.queue = any(queues)
                and lane.lane_kind = '' and lane.state = 'open' and lane.vt >= mem.earliest_mark));
        if mem.contended or cardinality(direct) is distinct from cardinality(arrivals) then
            holds := leasehold.lanes_tell(arrivals,
                array(select job_id from unnest(direct)), queues, mem) or holds;
        end if;
    end if;

    mem.contended := false;
    while wanted > 0 loop
        lanes := leasehold.lanes_lock(scopes, queues, mem.earliest_mark, passed, wanted, quantum);
        if lanes is null then
            -- Every open lane is in other hands: wait for one rather than go home empty. Only while
            -- this claim holds no lane.
            exit when holds or waited or mem.contended;
            -- One and no other: going on to the next would be waiting with a lock in hand.
            select l.* into busy
            from unnest(scopes) as s cross join lateral (
                select lane.* from leasehold.lane
                where lane.queue = s.queue and lane.lane_kind = s.lane_kind and lane.state = 'open'
                    and lane.vt >= mem.earliest_mark
                order by lane.vt limit 1) as l
            order by l.vt limit 1;
            exit when not found;
            -- In a queue of its own: of many that wait for a row, each is woken at every new version of
            -- it, only to wait again.
            perform pg_advisory_xact_lock(hashtext('leasehold.lane'),
                hashtext(leasehold.lane_key(busy.tenant_id, busy.queue, busy.lane_kind)));
            perform from leasehold.lane
            where lane.tenant_id = busy.tenant_id and lane.queue = busy.queue
                and lane.lane_kind = busy.lane_kind for update;
            waited := true;
            continue;
        end if;
        mem.contended := true;
        mem.floor := greatest(mem.floor, (lanes[1]).vt);
        mem.floor_at := began;
        -- A session that knew an older floor (its predecessor was killed, the machine is slow) may have
        -- opened lanes below where this one looks. Once seen they stay in sight until they have caught up.
        mem.mark := case when mem.mark > (lanes[1]).vt then (lanes[1]).vt else mem.mark end;
        mem.earlier_mark := case when mem.earlier_mark > (lanes[1]).vt then (lanes[1]).vt else mem.earlier_mark end;
        taken := 0;
        limits := null;
        if exists (select from unnest(lanes) as l where l.bounded) then
            -- Places and tokens are given to what may be taken only.
            perform leasehold.lanes_sort(lanes) where apart;
            select * into limits from leasehold.lanes_limit(lanes, free);
            lanes := limits.lanes;
            free := limits.free;
            scopes := array(select s from unnest(scopes) as s
                where coalesce((free ->> ('queue:' || s.queue))::integer, 1) > 0
                    and coalesce((free ->> ('kind:' || s.lane_kind))::integer, 1) > 0);
        end if;
        return query select * from leasehold.lanes_take(who, lanes, apart, looked_at);
        get diagnostics taken = row_count;
        wanted := wanted - taken;
        if apart and taken < (select sum(l.take) from unnest(lanes) as l)
            and leasehold.lanes_sort(lanes) > 0 and clock_timestamp() < began + interval '250 milliseconds'
        then
            continue;
        end if;
        if taken = 0 then
            -- Empty lanes are closed now. What is still open stands behind jobs that others hold.
            keys := array(
                select leasehold.lane_key(l.tenant_id, l.queue, l.lane_kind) from unnest(lanes) as l);
            lanes := array(
                select l from unnest(leasehold.lanes_lock(
                    scopes, queues, mem.earliest_mark, passed, wanted, quantum)) as l
                where leasehold.lane_key(l.tenant_id, l.queue, l.lane_kind) = any(keys)
                    and not l.bounded);
            passed := passed || keys;
            if lanes <> '{}' then
                return query select * from leasehold.lanes_take_past(who, lanes, apart, looked_at);
                get diagnostics taken = row_count;
                wanted := wanted - taken;
            end if;
            exit when clock_timestamp() > began + interval '250 milliseconds';
        end if;
    end loop;
    if places is not null then
        perform leasehold.bucket_spend(split_part(key, ':', 1), substr(key, strpos(key, ':') + 1),
            (places ->> key)::integer - (free ->> key)::integer)
        from jsonb_object_keys(places) as key
        where places -> key <> free -> key;
    end if;
    perform leasehold.cursor_save(queues, began, mem);
end $$;

COMMENT ON FUNCTION leasehold.job_claim(who uuid, queues text[], max_jobs integer, woken boolean) IS 'Claims up to max_jobs jobs of these queues for a registered worker: tenants without a backlog first, then lanes by virtual time. woken: a notification has just ended this worker''s sleep, and another claim will follow at once: what came last may be all that is looked for. Error LH003: the worker is unknown or has lapsed';

CREATE FUNCTION leasehold.job_discard(discarded bigint, reason text DEFAULT 'discarded by request'::text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
declare
    of_tenant text;
begin
    select job.tenant_id into of_tenant from leasehold.job where job.job_id = discarded;
    if leasehold.job_end(discarded, 'discarded', 'discarded', left(reason, 10000)) then
        perform leasehold.action_note('discard', 'job', tenant => of_tenant, job => discarded,
            detail => jsonb_build_object('reason', left(reason, 500)));
        return 'discarded';
    end if;
    return leasehold.job_left_alone(discarded);
end $$;

COMMENT ON FUNCTION leasehold.job_discard(discarded bigint, reason text) IS 'discarded: it waited and has ended, as a failure; running: left alone, job_cancel stops it; ended: it had ended. Jobs that wait for it do as after any failure';

CREATE FUNCTION leasehold.job_end(ending bigint, outcome text, label text, error text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
declare
    ended_at constant timestamptz := clock_timestamp();
    gone leasehold.job;
begin
    delete from leasehold.job where job.job_id = ending and job.claimed_by is null
    returning job.* into gone;
    if not found then
        return false;
    end if;
    if to_regclass('leasehold.job_history_' || to_char(ended_at at time zone 'UTC', 'YYYYMMDD')) is null then
        perform leasehold.history_prepare((ended_at at time zone 'UTC')::date, 3);
    end if;
    insert into leasehold.job_history (job_id, ended_at, created_at, run_at, first_claimed_at,
        claimed_at, run, waited_turn, waited_limit, waited_worker, waited_parked, timeout_seconds,
        priority, attempt, max_attempts, kills, tenant_id, queue, kind, outcome, args, unique_key,
        sequence_key, trace_context, last_error_label, last_error, progress)
    values (gone.job_id, ended_at, gone.created_at, gone.run_at, gone.first_claimed_at,
        gone.claimed_at, gone.run, gone.waited_turn, gone.waited_limit, gone.waited_worker,
        gone.waited_parked, gone.timeout_seconds, gone.priority, gone.attempt, gone.max_attempts,
        gone.kills, gone.tenant_id, gone.queue, gone.kind, outcome, gone.args, gone.unique_key,
        gone.sequence_key, gone.trace_context, label, error, gone.progress);
    delete from leasehold.job_dependency where job_dependency.job_id = gone.job_id;
    delete from leasehold.job_cancel where job_cancel.job_id = gone.job_id;
    insert into leasehold.wake (tenant_id, queue, lane_kind, purpose, first_job_id, sequence_key, ring)
    select gone.tenant_id, gone.queue, gone.lane_kind, 'sequence', 0, gone.sequence_key, true
    where gone.sequence_key is not null
    union all
    select waiting.tenant_id, waiting.queue, '', 'dependency', waiting.job_id, null, true
    from leasehold.job_dependency as d join leasehold.job as waiting using (job_id)
    where d.needs_job_id = gone.job_id;
    return true;
end $$;

COMMENT ON FUNCTION leasehold.job_end(ending bigint, outcome text, label text, error text) IS 'Ends a job that is not running; false if it is running or gone';

CREATE FUNCTION leasehold.job_left_alone(asked bigint) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
begin
    if exists (select from leasehold.job where job.job_id = asked) then
        return 'running';
    elsif exists (select from leasehold.job_history where job_history.job_id = asked) then
        return 'ended';
    end if;
    raise exception 'expected the id of a job, got %', asked
        using errcode = 'LH004', hint = 'leasehold jobs list';
end $$;

COMMENT ON FUNCTION leasehold.job_left_alone(asked bigint) IS 'Why a job that does not wait was left alone: running or ended. Error LH004: there is no such job';

CREATE FUNCTION leasehold.job_release(released bigint) RETURNS leasehold.job
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
declare
    now_ready leasehold.job;
begin
    update leasehold.job
    set state = s.state, due_at = case s.state when 'scheduled' then job.run_at end,
        park_reason = case s.state when 'parked' then 'sequence' end,
        place = case s.state when 'ready' then nextval('leasehold.job_place_seq') end,
        ready_at = greatest(job.run_at, clock_timestamp()),
        waited_parked = waited_parked + date_part('epoch', clock_timestamp() - parked_at),
        parked_at = case s.state when 'parked' then clock_timestamp() end
    from (
        select case when j.run_at > clock_timestamp() then 'scheduled'
            when j.sequence_key is not null and not j.sequence_live then 'parked'
            else 'ready' end as state
        from leasehold.job as j where j.job_id = released) as s
    where job.job_id = released and job.state = 'parked'
    returning job.* into now_ready;
    if now_ready.state = 'ready' then
        perform leasehold.wake_job(now_ready);
    elsif now_ready.park_reason = 'sequence' then
        insert into leasehold.wake (tenant_id, queue, lane_kind, purpose, sequence_key, ring)
        values (now_ready.tenant_id, now_ready.queue, now_ready.lane_kind, 'sequence',
            now_ready.sequence_key, true);
    end if;
    return now_ready;
end $$;

COMMENT ON FUNCTION leasehold.job_release(released bigint) IS 'Unparks one job';

CREATE FUNCTION leasehold.job_reschedule(rescheduled bigint, at timestamp with time zone) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
declare
    changed leasehold.job;
begin
    if at is null then
        raise exception 'expected the time at which job % is to run, got none', rescheduled using errcode = 'LH002';
    end if;
    -- One that is parked keeps waiting for what it waits for, and for its time after that.
    update leasehold.job
    set run_at = at, ready_at = case when state = 'parked' then ready_at else at end,
        due_at = case when state = 'parked' then due_at else at end,
        place = case when state = 'parked' then place end,
        state = case when state = 'parked' then state else 'scheduled' end
    where job.job_id = rescheduled and claimed_by is null
    returning job.* into changed;
    if found then
        perform leasehold.action_note('reschedule', 'job', tenant => changed.tenant_id, job => rescheduled,
            detail => jsonb_build_object('run_at', at));
        return changed.state;
    end if;
    return leasehold.job_left_alone(rescheduled);
end $$;

COMMENT ON FUNCTION leasehold.job_reschedule(rescheduled bigint, at timestamp with time zone) IS 'Gives a waiting job another time. scheduled: it waits for it; parked: it waits for it when it is released; running, ended: left alone';

CREATE FUNCTION leasehold.job_retry(retried bigint) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
declare
    ended leasehold.job_history;
    live leasehold.job;
begin
    select job.* into live from leasehold.job where job.job_id = retried;
    if found then
        if live.state = 'scheduled' then
            update leasehold.job
            set state = 'ready', due_at = null, run_at = clock_timestamp(), ready_at = clock_timestamp(),
                place = nextval('leasehold.job_place_seq')
            where job.job_id = retried and state = 'scheduled'
                and (sequence_key is null or sequence_live)
            returning job.* into live;
            if found then
                perform leasehold.wake_job(live);
                perform leasehold.action_note('retry', 'job', tenant => live.tenant_id, job => retried);
                return 'ready';
            end if;
        elsif live.park_reason = 'authorization' then
            live := leasehold.job_release(retried);
            perform leasehold.action_note('retry', 'job', tenant => live.tenant_id, job => retried);
        end if;
        return live.state;
    end if;
    delete from leasehold.job_history where ctid = (
        select ctid from leasehold.job_history as h where h.job_id = retried
        order by h.ended_at desc limit 1)
        and job_history.job_id = retried
    returning job_history.* into ended;
    if not found then
        raise exception 'expected the id of a job, got %', retried
            using errcode = 'LH004', hint = 'leasehold jobs list';
    end if;
    insert into leasehold.job (job_id, run, tenant_id, queue, kind, args, priority, max_attempts,
        timeout_seconds, unique_key, sequence_key, trace_context, created_at, last_error_label,
        last_error)
    values (ended.job_id, ended.run, ended.tenant_id, ended.queue, ended.kind, ended.args,
        ended.priority, ended.max_attempts, ended.timeout_seconds, ended.unique_key,
        ended.sequence_key, ended.trace_context, ended.created_at, ended.last_error_label,
        ended.last_error);
    perform leasehold.action_note('retry', 'job', tenant => ended.tenant_id, job => retried);
    return 'ready';
exception when unique_violation then
    raise exception 'expected no live job with the unique key of job %, but there is one', retried
        using errcode = 'LH005', hint = 'cancel that one first, or leave it to do the work';
end $$;

COMMENT ON FUNCTION leasehold.job_retry(retried bigint) IS 'Runs a job again: one that ended starts anew under its id with no attempt counted; one that waits for its time or its tenant becomes ready';

CREATE FUNCTION leasehold.job_settle(job_ids bigint[], runs bigint[], outcomes text[], delays double precision[] DEFAULT NULL::double precision[], labels text[] DEFAULT NULL::text[], errors text[] DEFAULT NULL::text[], ran double precision[] DEFAULT NULL::double precision[]) RETURNS TABLE(job_id bigint, run bigint, fate text)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_material TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
#variable_conflict use_column
declare
    ended_at constant timestamptz := clock_timestamp();
    depended constant boolean := exists (select from leasehold.job_dependency);
    cancelling constant boolean := exists (select from leasehold.job_cancel);
    bad text;
    done integer;
    open integer := coalesce(cardinality(job_ids), 0);
begin
    select o into bad from unnest(outcomes) as o
    where o is null or o not in
        ('complete', 'retry', 'snooze', 'park', 'discard', 'cancel', 'hand_back', 'kill') limit 1;
    if found then
        raise exception 'expected an outcome of complete, retry, snooze, park, discard, cancel or hand_back, got %',
            coalesce('"' || left(bad, 140) || '"', 'null') using errcode = 'LH002';
    end if;
    if to_regclass('leasehold.job_history_' || to_char(ended_at at time zone 'UTC', 'YYYYMMDD')) is null then
        perform leasehold.history_prepare((ended_at at time zone 'UTC')::date, 3);
    end if;
    if 'park' = any(outcomes) then
        perform leasehold.settle_park_guard(job_ids);
    end if;
    -- A row that another session changed meanwhile (progress, a cancel request) is missed by its old
    -- ctid; the next round finds it, unless the run is over.
    loop
        return query with chosen as materialized (
            select s.*, j.at, j.claimed_by as worker_id, j.limited as was_limited,
                case
                when s.outcome = 'complete' then 'completed'
                when s.outcome = 'discard' then 'discarded'
                when s.outcome = 'cancel' or cancelling and exists (
                    select from leasehold.job_cancel where job_cancel.job_id = s.job_id) then 'cancelled'
                when s.outcome in ('retry', 'kill') and j.attempt >= j.max_attempts
                    or s.outcome = 'kill' and j.kills >= 2 then 'discarded'
                when s.outcome = 'park' and not exists (
                    select from leasehold.tenant_hold
                    where tenant_hold.tenant_id = j.tenant_id
                        and tenant_hold.released_at > j.claimed_at) then 'parked'
                when s.outcome in ('park', 'hand_back') or s.delay <= 0
                    or s.outcome = 'kill' and j.kills = 0 then 'ready'
                else 'scheduled' end as fate,
                ended_at + make_interval(secs => least(31536000, greatest(0, coalesce(s.delay,
                    case s.outcome when 'retry' then leasehold.retry_delay(j.kind, j.attempt)
                        when 'kill' then leasehold.retry_delay(j.kind, j.kills + 1)
                        else 60 end)))) as due
            from unnest(job_ids, runs, outcomes, delays, labels, errors, ran)
                    as s(job_id, run, outcome, delay, label, error, ran)
                cross join lateral (
                    select job.ctid as at, job.tenant_id, job.kind, job.claimed_at, job.claimed_by,
                        job.attempt, job.max_attempts, job.kills, job.limited
                    from leasehold.job
                    where job.job_id = s.job_id and job.run = s.run and job.claimed_by is not null
                    limit 1) as j
            order by s.job_id
        ), gone as (
            delete from leasehold.job using chosen
            where job.ctid = chosen.at and chosen.fate in ('completed', 'discarded', 'cancelled')
            returning job.*, chosen.fate, chosen.outcome, chosen.label, chosen.error,
                coalesce(chosen.ran, date_part('epoch', ended_at - job.claimed_at)) as ran
        ), recorded as (
            insert into leasehold.job_history (job_id, ended_at, created_at, run_at,
                first_claimed_at, claimed_at, run, worker_id, run_seconds, waited_turn, waited_limit,
                waited_worker, waited_parked, timeout_seconds, priority, attempt, max_attempts, kills,
                tenant_id, queue, kind, outcome, args, unique_key, sequence_key, trace_context,
                last_error_label, last_error, progress)
            select job_id, ended_at, created_at, run_at, first_claimed_at, claimed_at, run,
                claimed_by, ran, waited_turn, waited_limit, waited_worker, waited_parked,
                timeout_seconds, priority, attempt, max_attempts,
                kills + (outcome = 'kill')::integer, tenant_id, queue, kind, fate, args, unique_key,
                sequence_key, trace_context,
                case fate when 'completed' then null else coalesce(label, last_error_label) end,
                case fate when 'completed' then null else coalesce(left(error, 10000), last_error) end,
                progress
            from gone
        ), kept as (
            update leasehold.job
            set state = chosen.fate, claimed_by = null, limited = false,
                run_at = case chosen.fate when 'scheduled' then chosen.due else run_at end,
                due_at = case chosen.fate when 'scheduled' then chosen.due end,
                ready_at = case chosen.fate when 'ready' then ended_at else ready_at end,
                place = case chosen.fate when 'ready' then nextval('leasehold.job_place_seq') end,
                park_reason = case chosen.fate when 'parked' then 'authorization' end,
                parked_at = case chosen.fate when 'parked' then ended_at end,
                attempt = case when chosen.outcome in ('retry', 'kill') then attempt
                    else greatest(0, attempt - 1) end,
                kills = kills + (chosen.outcome = 'kill')::integer,
                last_error_label = coalesce(chosen.label, last_error_label),
                last_error = coalesce(left(chosen.error, 10000), last_error)
            from chosen
            where job.ctid = chosen.at and chosen.fate in ('scheduled', 'ready', 'parked')
            returning job.*, chosen.worker_id, chosen.was_limited, chosen.fate, chosen.outcome, chosen.label, chosen.error,
                coalesce(chosen.ran, date_part('epoch', ended_at - job.claimed_at)) as ran
        ), failed as (
            insert into leasehold.job_attempt (job_id, ended_at, attempt, run, started_at, worker_id,
                tenant_id, queue, kind, outcome, error_label, error, fingerprint)
            select job_id, ended_at, attempt, run, claimed_at, worker_id, tenant_id, queue, kind,
                outcome, label, left(error, 10000), leasehold.error_fingerprint(kind, label, error)
            from (
                select job_id, attempt, run, claimed_at, claimed_by as worker_id, tenant_id, queue,
                    kind, outcome, label, error
                from gone where outcome in ('retry', 'discard', 'kill')
                union all
                select job_id, attempt, run, claimed_at, worker_id, tenant_id, queue,
                    kind, outcome, label, error
                from kept where outcome in ('retry', 'discard', 'kill')
            ) as f
        ), lettered as (
            insert into leasehold.wake (tenant_id, queue, lane_kind, purpose, ran_seconds,
                charged_seconds, settled, ring)
            select u.tenant_id, l.queue, l.lane_kind, case when u.limited then 'look' else 'charge' end,
                case when l.own then u.charged + u.difference else 0 end,
                case when l.own then u.charged else 0 end, case when l.own then u.settled else 0 end,
                u.limited
            from (
                -- A difference below two milliseconds is not worth a letter and must not be lost: it
                -- is sent as two milliseconds by one settle of so many as it goes into them. Which
                -- one: multiples of the golden ratio are spread evenly, whichever jobs a lane settles.
                select tenant_id, queue, lane_kind, charged, settled, limited,
                    case when abs(ran - charged) >= 0.002 or limited then ran - charged
                        when (drawn * 0.6180339887498949) % 1 < abs(ran - charged) / 0.002
                            then 0.002 * sign(ran - charged) end as difference
                from (
                    select tenant_id, queue, lane_kind, sum(greatest(ran, 0.001)) as ran,
                        sum(charged)::double precision as charged, count(*) as settled,
                        bool_or(limited) as limited, min(job_id + run)::numeric as drawn
                    from (
                        select job_id, run, tenant_id, queue, lane_kind, ran, charged, limited from gone
                        union all
                        select job_id, run, tenant_id, queue, lane_kind, ran, charged, was_limited from kept
                    ) as run
                    group by tenant_id, queue, lane_kind
                ) as run
            ) as u
                cross join lateral (
                    select lane.queue, lane.lane_kind,
                        (lane.queue, lane.lane_kind) = (u.queue, u.lane_kind) as own
                    from leasehold.lane
                    where lane.tenant_id = u.tenant_id
                        and (u.limited or lane.queue = u.queue and lane.lane_kind = u.lane_kind)
                    union select u.queue, u.lane_kind, true where u.limited) as l
            where u.difference is not null
        ), sequenced as (
            insert into leasehold.wake (tenant_id, queue, lane_kind, purpose, sequence_key, ring)
            select tenant_id, queue, lane_kind, 'sequence', sequence_key, true
            from gone where sequence_key is not null
        ), woken as (
            insert into leasehold.wake
                (tenant_id, queue, lane_kind, jobs, first_job_id, place, priority, ring)
            select tenant_id, queue, lane_kind, count(*), min(job_id), min(place), min(priority),
                row_number() over (partition by queue) = 1
            from kept where place is not null
            group by tenant_id, queue, lane_kind
        ), freed as (
            insert into leasehold.wake (tenant_id, queue, purpose, first_job_id, ring)
            select d.tenant_id, d.queue, 'dependency', d.job_id, true
            from gone cross join lateral (
                select job.tenant_id, job.queue, job.job_id
                from leasehold.job_dependency join leasehold.job using (job_id)
                where job_dependency.needs_job_id = gone.job_id) as d
            where depended
        ), answered as (
            delete from leasehold.job_cancel
            where cancelling and job_cancel.job_id = any(array(select gone.job_id from gone))
        ), repeated as (
            insert into leasehold.job (tenant_id, queue, kind, args, unique_key, sequence_key,
                priority, max_attempts, timeout_seconds, trace_context, run_at, ready_at)
            select tenant_id, queue, kind, again -> 'args', unique_key, sequence_key,
                (again ->> 'priority')::smallint, (again ->> 'max_attempts')::smallint,
                (again ->> 'timeout_seconds')::real, again ->> 'trace_context',
                (again ->> 'run_at')::timestamptz,
                greatest((again ->> 'run_at')::timestamptz, ended_at)
            from gone where again is not null
        )
        select job_id, run, fate from gone union all select job_id, run, fate from kept;
        get diagnostics done = row_count;
        open := open - done;
        exit when open <= 0;
        -- A round that found nothing ends it only if no run of the batch is current any more: all of
        -- them may have been changed meanwhile.
        exit when done = 0 and not exists (
            select from unnest(job_ids, runs) as s(job_id, run)
                cross join lateral (
                    select from leasehold.job
                    where job.job_id = s.job_id and job.run = s.run and job.claimed_by is not null
                    limit 1) as current);
    end loop;
end $$;

COMMENT ON FUNCTION leasehold.job_settle(job_ids bigint[], runs bigint[], outcomes text[], delays double precision[], labels text[], errors text[], ran double precision[]) IS 'Ends runs. Outcomes: complete; retry (counted, after delay or with back-off); snooze (not counted, after delay); park (not counted, until the tenant is unparked); discard; cancel; hand_back (not counted, at once); kill (the worker died: counted, the third discards). Returns the runs that were settled and what became of their jobs; a run that is missing was not the current one';

CREATE FUNCTION leasehold.job_well_formed(args jsonb, priority integer, max_attempts integer, timeout_seconds double precision, unique_key text, sequence_key text, trace_context text) RETURNS boolean
    LANGUAGE sql STABLE
    RETURN (COALESCE(((jsonb_typeof(args) = 'object'::text) AND (pg_column_size(args) <= 1048576) AND ((priority >= '-100'::integer) AND (priority <= 100)) AND ((max_attempts >= 1) AND (max_attempts <= 1000))), false) AND COALESCE((timeout_seconds > (0)::double precision), true) AND COALESCE(((length(unique_key) >= 1) AND (length(unique_key) <= 500)), true) AND COALESCE(((length(sequence_key) >= 1) AND (length(sequence_key) <= 500)), true) AND COALESCE((length(trace_context) <= 2000), true));

COMMENT ON FUNCTION leasehold.job_well_formed(args jsonb, priority integer, max_attempts integer, timeout_seconds double precision, unique_key text, sequence_key text, trace_context text) IS 'Whether a job may be enqueued like this, its names apart; leasehold.enqueue_check says what is wrong with one that may not';

CREATE FUNCTION leasehold.jobs_steer(verb text, tenant text DEFAULT NULL::text, queue text DEFAULT NULL::text, kind text DEFAULT NULL::text, state text DEFAULT NULL::text, label text DEFAULT NULL::text, everything boolean DEFAULT false, before bigint DEFAULT NULL::bigint, most integer DEFAULT NULL::integer) RETURNS leasehold.job_batch
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET jit TO 'off'
    AS $_$
declare
    bound constant integer := 5000;
    ended constant boolean := case when state is null then verb = 'retry'
        else state in ('completed', 'discarded', 'cancelled') end;
    wanted constant text := coalesce(state, case when verb = 'retry' then 'discarded' end);
    -- A retry takes two subtransactions, and with over 64 of them in one transaction every other session
    -- has to look further for each row that it meets.
    size constant integer := coalesce(most, case verb when 'retry' then 30 else 500 end);
    batch leasehold.job_batch;
    found_ids bigint[];
    lowest bigint;
    one bigint;
    answer text;
begin
    if verb is null or verb not in ('retry', 'cancel', 'discard', 'count') then
        raise exception 'expected the verb retry, cancel, discard or count, got %', coalesce(quote_literal(verb), 'none')
            using errcode = 'LH002';
    elsif state is not null and state not in ('scheduled', 'ready', 'running', 'parked', 'completed', 'discarded', 'cancelled') then
        raise exception 'expected a state of jobs, got %', quote_literal(left(state, 40)) using errcode = 'LH002';
    elsif verb = 'retry' and state in ('ready', 'running') or verb in ('cancel', 'discard') and ended then
        raise exception 'expected a state that % can change, got %', verb, state
            using errcode = 'LH002', hint = 'jobs that ended can be run again, those that wait or run be cancelled';
    elsif coalesce(tenant, queue, kind, label) is null and not coalesce(everything, false) then
        raise exception 'expected a tenant, queue, kind or error, got none'
            using errcode = 'LH002', hint = 'to mean every job, say so: --all';
    elsif size not between 1 and 1000 then
        raise exception 'expected 1 to 1000 jobs a batch, got %', size using errcode = 'LH002';
    end if;
    -- A tenant's ended jobs have an index of their own; live ones are walked by their ids.
    execute format($q$
        with looked as materialized (
            select job_id, tenant_id, queue, kind, %1$I as state, last_error_label from leasehold.%2$I
            where job_id < $1 %3$s order by job_id desc limit %4$s
        ), matching as materialized (
            select job_id from looked
            where ($2 is null or tenant_id = $2) and ($3 is null or queue = $3) and ($4 is null or kind = $4)
                and ($5 is null or state = $5) and ($6 is null or last_error_label = $6)
            order by job_id desc limit $7
        )
        select (select count(*) from looked), (select count(*) from matching),
            array(select job_id from matching order by job_id desc),
            case when (select count(*) from matching) = $7 then (select min(job_id) from matching)
                when (select count(*) from looked) = %4$s then (select min(job_id) from looked) end
        $q$, case when ended then 'outcome' else 'state' end, case when ended then 'job_history' else 'job' end,
        case when ended and tenant is not null then format('and tenant_id = %L', tenant) end, bound)
    into batch.looked, batch.matched, found_ids, lowest
    using coalesce(before, 9223372036854775807), tenant, queue, kind, wanted, label, size;
    batch.goes_on := lowest;
    batch.done := 0;
    batch.refused := 0;
    if verb = 'count' then
        return batch;
    end if;
    perform set_config('leasehold.many', 'on', true);
    foreach one in array found_ids loop
        if verb = 'retry' then
            begin
                answer := leasehold.job_retry(one);
            exception
                -- It is gone meanwhile, or its unique key is taken.
                when sqlstate 'LH004' or sqlstate 'LH005' then answer := 'refused';
            end;
        elsif verb = 'cancel' then
            answer := leasehold.job_cancel(one);
        else
            answer := leasehold.job_discard(one);
        end if;
        if verb = 'retry' and answer = 'ready'
            or verb <> 'retry' and answer in ('cancelled', 'requested', 'discarded') then
            batch.done := batch.done + 1;
        else
            batch.refused := batch.refused + 1;
        end if;
    end loop;
    perform set_config('leasehold.many', '', true);
    if batch.done > 0 then
        perform leasehold.action_note(verb, 'jobs', tenant => tenant, count => batch.done,
            detail => jsonb_build_object('queue', queue, 'kind', kind, 'state', wanted, 'error', label));
    end if;
    return batch;
end
$_$;

COMMENT ON FUNCTION leasehold.jobs_steer(verb text, tenant text, queue text, kind text, state text, label text, everything boolean, before bigint, most integer) IS 'One batch of retry, cancel, discard or count over the jobs that a filter lets through, newest first. Retry means discarded jobs unless a state is given; everything must be true where nothing else narrows. Repeat with before => goes_on until that is null. most: 30 of a retry, else 500';

CREATE FUNCTION leasehold.kind_changed() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
begin
    if tg_op = 'INSERT' and new.apart or tg_op = 'UPDATE' and new.apart is distinct from old.apart then
        -- Before any job is locked: claims that have just opened a lane of the kind end first, so that the
        -- move sees what is in it (leasehold.arrivals_sort).
        perform pg_advisory_xact_lock(hashtext('leasehold.kind'), hashtext(new.kind));
        perform leasehold.kind_move(new.kind);
    end if;
    if new.max_running is not null then
        perform leasehold.limit_begin('kind', new.kind);
    end if;
    -- Also those that will sleep only when this commits.
    perform pg_notify('leasehold_wake', queue)
    from (select distinct unnest(queues) as queue from leasehold.worker where lapsed_at is null) as served;
    return null;
end $$;

CREATE FUNCTION leasehold.kind_move(moved_kind text) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET jit TO 'off'
    SET lock_timeout TO '200ms'
    AS $$
declare
    total bigint;
    target constant text := coalesce(
        (select kind.kind from leasehold.kind where kind.kind = moved_kind and kind.apart), '');
begin
    loop
        begin
            -- First those that others may be waiting for, before the long look at all.
            perform from leasehold.job
            where job_id in (select id from leasehold.lease cross join unnest(job_ids) as l(id))
                and claimed_by is not null and job.kind = moved_kind and job.lane_kind <> target
            for update;
            with moved as (
                update leasehold.job
                set lane_kind = target,
                    place = case when place is null or claimed_by is not null then place
                        else nextval('leasehold.job_place_seq') end
                where job.kind = moved_kind and job.lane_kind <> target
                returning tenant_id, queue, job_id, place, priority, state
            ), told as (
                insert into leasehold.wake
                    (tenant_id, queue, lane_kind, jobs, first_job_id, place, priority, ring)
                select tenant_id, queue, target, count(*), min(job_id), min(place), min(priority), true
                from moved where state = 'ready' group by tenant_id, queue
            )
            select count(*) into total from moved;
            return total;
        exception when lock_not_available then
            null;
        end;
    end loop;
end $$;

CREATE FUNCTION leasehold.kind_pause(kind text) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog'
    AS $$
    insert into leasehold.kind as k (kind, paused_at) values (kind_pause.kind, clock_timestamp())
    on conflict on constraint kind_pkey do update set paused_at = coalesce(k.paused_at, excluded.paused_at)
$$;

COMMENT ON FUNCTION leasehold.kind_pause(kind text) IS 'Jobs of the kind wait, in lanes of their own, until kind_resume';

CREATE FUNCTION leasehold.kind_resume(kind text) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog'
    AS $$
    update leasehold.kind as k set paused_at = null
    where k.kind = kind_resume.kind and paused_at is not null
$$;

CREATE FUNCTION leasehold.lane_key(tenant_id text, queue text, lane_kind text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$ select tenant_id || ' ' || queue || ' ' || lane_kind $$;

CREATE FUNCTION leasehold.lane_places(lane leasehold.open_lane, promised integer, OUT places integer, OUT rated boolean, OUT reason text, OUT look_at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    SET jit TO 'off'
    AS $$
declare
    checked_at constant timestamptz := clock_timestamp();
    owner leasehold.tenant;
    tokens double precision;
begin
    places := 0;
    select tenant.* into owner from leasehold.tenant where tenant.tenant_id = lane.tenant_id;
    rated := owner.rate_per_second is not null;
    if owner.state <> 'active' then
        -- Not while somebody is changing the tenant: a resume that this claim cannot see yet would
        -- not see the closed lane either.
        perform from leasehold.tenant
        where tenant.tenant_id = lane.tenant_id and state <> 'active' for share skip locked;
        if found then
            reason := 'paused';
        end if;
        return;
    end if;
    if (rated or owner.max_running is not null) and not pg_try_advisory_xact_lock(
            hashtext('leasehold.limit.tenant'), hashtext(lane.tenant_id)) then
        return;
    end if;
    places := lane.take;
    if owner.max_running is not null then
        places := greatest(0, least(places, owner.max_running - promised - (
            select count(*) from leasehold.job where job.tenant_id = lane.tenant_id and limited)));
        if places = 0 then
            if promised > 0 then
                return;
            end if;
            reason := 'full';
            look_at := checked_at + interval '5 seconds';
            return;
        end if;
    end if;
    if rated then
        tokens := leasehold.bucket_tokens(
            'tenant', lane.tenant_id, owner.rate_per_second, owner.rate_burst);
        if tokens < 1 then
            reason := 'throttled';
            look_at := checked_at + make_interval(secs => (1 - tokens) / owner.rate_per_second);
            return;
        end if;
        places := least(places, floor(tokens));
    end if;
end $$;

CREATE FUNCTION leasehold.lanes_limit(INOUT lanes leasehold.open_lane[], INOUT free jsonb, OUT closed integer) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    SET jit TO 'off'
    AS $$
declare
    kept leasehold.open_lane[] := '{}';
    lane leasehold.open_lane;
    key text;
    may record;
    promised jsonb := '{}';
begin
    closed := 0;
    foreach lane in array lanes loop
        if lane.bounded then
            select * into may from leasehold.lane_places(
                lane, coalesce((promised ->> lane.tenant_id)::integer, 0));
            if may.reason is not null then
                update leasehold.lane as l
                set state = may.reason, since = clock_timestamp(), look_at = may.look_at
                where l.ctid = lane.at;
                closed := closed + 1;
                continue;
            end if;
            foreach key in array array['queue:' || lane.queue, 'kind:' || lane.lane_kind] loop
                may.places := least(may.places, (free ->> key)::integer);
            end loop;
            -- No more than the lane has, so that every place and token is used or kept.
            select count(*) into may.places from (
                select from leasehold.job
                where job.queue = lane.queue and job.tenant_id = lane.tenant_id
                    and job.lane_kind = lane.lane_kind and job.place is not null and job.state = 'ready'
                    and (job.priority, job.place)
                        >= (least(lane.low_priority, lane.urgent_priority), least(lane.low_place, lane.urgent_place))
                limit may.places) as waiting;
            lane.take := least(lane.take, may.places);
            promised := promised || jsonb_build_object(
                lane.tenant_id, coalesce((promised ->> lane.tenant_id)::integer, 0) + lane.take);
            foreach key in array array['queue:' || lane.queue, 'kind:' || lane.lane_kind] loop
                if free ? key then
                    free := jsonb_set(free, array[key], to_jsonb((free ->> key)::integer - lane.take));
                end if;
            end loop;
            if may.rated then
                perform leasehold.bucket_spend('tenant', lane.tenant_id, lane.take);
            end if;
        end if;
        kept := kept || lane;
    end loop;
    lanes := kept;
end $$;

COMMENT ON FUNCTION leasehold.lanes_limit(INOUT lanes leasehold.open_lane[], INOUT free jsonb, OUT closed integer) IS 'Cuts what bounded lanes give; lanes of tenants that are paused, full or throttled are closed and left out';

CREATE FUNCTION leasehold.lanes_lock(scopes leasehold.claim_scope[], queues text[], scan_from double precision, passed text[], wanted integer, quantum integer) RETURNS leasehold.open_lane[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_material TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
declare
    lane_count constant integer := greatest(1, ceil(wanted::double precision / quantum));
    lanes leasehold.open_lane[];
begin
    with held as materialized (
        select s.bounded, s.counted, l.*
        from unnest(scopes) as s cross join lateral (
            select lane.ctid as at, lane.* from leasehold.lane
            where lane.queue = s.queue and lane.lane_kind = s.lane_kind and lane.state = 'open'
                and lane.vt >= scan_from
                and (passed = '{}'
                    or leasehold.lane_key(lane.tenant_id, lane.queue, lane.lane_kind) <> all(passed))
            order by lane.vt limit lane_count for update skip locked) as l
    ), first as (
        select h.*, t.weight * own.weight / all_own.weight as weight, t.bounded as tenant_bounded,
            h.counted or t.max_running is not null as limited
        from held as h
            cross join lateral (
                select tenant.weight, tenant.max_running,
                    tenant.state <> 'active' or tenant.max_running is not null
                        or tenant.rate_per_second is not null as bounded
                from leasehold.tenant where tenant.tenant_id = h.tenant_id limit 1) as t
            cross join lateral (select coalesce((
                select queue.weight from leasehold.queue
                where queue.queue = h.queue limit 1), 1) as weight) as own
            cross join lateral (
                -- By the primary key: the index of open lanes, which a condition on the state would offer
                -- too, holds those of all tenants, and under a held snapshot all that they ever were.
                select sum(coalesce((
                    select queue.weight from leasehold.queue
                    where queue.queue = lane.queue limit 1), 1)) filter (where lane.state = 'open') as weight
                from leasehold.lane
                where lane.tenant_id = h.tenant_id and lane.queue = any(queues)
            ) as all_own
    ), filled as (
        -- The level to which the lanes rise together if they get all that is wanted, the lowest
        -- first: what each lacks to that level is its part.
        select f.*, weight / job_seconds as speed,
            (wanted + sum(vt * weight / job_seconds) over lowest) / sum(weight / job_seconds) over lowest as level
        from first as f
        window lowest as (order by vt, tenant_id, queue, lane_kind)
    ), shared as (
        select f.*, ceil((min(level) over () - vt) * speed - 1e-6) as share from filled as f
    ), cut as (
        select s.*, least(share, wanted - coalesce(sum(greatest(0, share)) over (order by vt, tenant_id, queue,
            lane_kind rows between unbounded preceding and 1 preceding), 0)) as take
        from shared as s
    )
    select array_agg(row(at, tenant_id, queue, lane_kind, vt, job_seconds, blocked_seconds,
            low_priority, low_place, urgent_priority, urgent_place, weight, take,
            bounded or tenant_bounded, limited)::leasehold.open_lane order by vt)
    into lanes
    from cut where take > 0;
    return lanes;
end $$;

COMMENT ON FUNCTION leasehold.lanes_lock(scopes leasehold.claim_scope[], queues text[], scan_from double precision, passed text[], wanted integer, quantum integer) IS 'Locks open lanes in order of virtual time, skipping those that other sessions hold';

CREATE FUNCTION leasehold.lanes_sort(lanes leasehold.open_lane[]) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_material TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
declare
    total bigint;
begin
    with astray as materialized (
        select w.at
        from unnest(lanes) as l cross join lateral (
            select job.ctid as at, job.kind from leasehold.job
            where job.queue = l.queue and job.tenant_id = l.tenant_id
                and job.lane_kind = l.lane_kind and job.place is not null and job.state = 'ready'
                and (job.priority, job.place) >= (least(l.low_priority, l.urgent_priority),
                    case when l.urgent_priority < l.low_priority then l.urgent_place else l.low_place end)
            order by job.priority, job.place limit l.take + 100) as w
        where l.lane_kind = ''
            and w.kind = any(array(select kind.kind from leasehold.kind where kind.apart))
    ), held as materialized (
        select job.ctid as at from astray join leasehold.job on job.ctid = astray.at
        where job.state = 'ready'
        for update of job skip locked
    ), moved as (
        update leasehold.job
        set lane_kind = job.kind, place = nextval('leasehold.job_place_seq')
        from held
        where job.ctid = held.at
        returning tenant_id, queue, lane_kind, job_id, place, priority
    ), told as (
        insert into leasehold.wake (tenant_id, queue, lane_kind, jobs, first_job_id, place, priority, ring)
        select tenant_id, queue, lane_kind, count(*), min(job_id), min(place), min(priority), true
        from moved group by tenant_id, queue, lane_kind
    )
    select count(*) into total from moved;
    return total;
end $$;

COMMENT ON FUNCTION leasehold.lanes_sort(lanes leasehold.open_lane[]) IS 'Moves jobs of kinds that are apart from the head of ordinary lanes into lanes of their kind; returns how many';

CREATE FUNCTION leasehold.lanes_take(who uuid, lanes leasehold.open_lane[], apart boolean, looked_at timestamp with time zone) RETURNS SETOF leasehold.claimed_job
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_material TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
declare
    took_at constant timestamptz := clock_timestamp();
begin
    return query
    with cand as materialized (
        select l.at as lane_at, l.take, l.job_seconds, l.blocked_seconds, l.limited, c.*
        from unnest(lanes) as l cross join lateral (
            select w.at, w.priority, w.place, row_number() over (order by w.priority, w.place) as rank,
                apart and l.lane_kind = ''
                    and w.kind = any(array(select kind.kind from leasehold.kind where kind.apart)) as astray
            from (
                (select job.ctid as at, job.priority, job.place, job.kind from leasehold.job
                where job.queue = l.queue and job.tenant_id = l.tenant_id
                    and job.lane_kind = l.lane_kind and job.place is not null and job.state = 'ready'
                    and (job.priority, job.place) >= (l.low_priority, l.low_place)
                order by job.priority, job.place limit l.take + 1)
                union all
                (select job.ctid, job.priority, job.place, job.kind from leasehold.job
                where l.urgent_place is not null
                    and job.queue = l.queue and job.tenant_id = l.tenant_id
                    and job.lane_kind = l.lane_kind and job.place is not null and job.state = 'ready'
                    and (job.priority, job.place) >= (l.urgent_priority, l.urgent_place)
                    and job.priority < l.low_priority
                order by job.priority, job.place limit l.take + 1)
            ) as w
            limit l.take + 1) as c
    ), held as materialized (
        select cand.lane_at, cand.rank, cand.job_seconds, cand.limited, job.ctid as job_at,
            least(cand.blocked_seconds, waited) as blocked_seconds,
            least(alone, greatest(0, waited - cand.blocked_seconds)) as alone_seconds,
            greatest(0, waited - cand.blocked_seconds - alone) as turn_seconds
        from cand join leasehold.job on job.ctid = cand.at
            cross join lateral (select
                date_part('epoch', took_at - ready_at) as waited,
                date_part('epoch', took_at - greatest(ready_at, looked_at)) as alone) as w
        where cand.rank <= cand.take and not cand.astray and job.state = 'ready'
        for update of job skip locked
    ), moved as (
        update leasehold.job
        set state = 'running', run = run + 1, attempt = attempt + 1, claimed_by = who,
            claimed_at = took_at, first_claimed_at = coalesce(first_claimed_at, took_at),
            charged = held.job_seconds, limited = held.limited,
            waited_limit = waited_limit + held.blocked_seconds,
            waited_worker = waited_worker + held.alone_seconds,
            waited_turn = waited_turn + held.turn_seconds
        from held
        where job.ctid = held.job_at
        returning held.lane_at, held.rank, job_id, run, tenant_id, queue, kind, args, attempt,
            max_attempts, priority, created_at, timeout_seconds, progress, trace_context,
            (waited_turn + waited_limit + waited_worker + waited_parked)::double precision as waited
    ), leased as (
        insert into leasehold.lease (worker_id, claimed_at, job_ids)
        select who, took_at, array_agg(job_id) from moved having count(*) > 0
    ), tally as (
        select lane_at, count(*) filter (where took) as taken,
            count(*) filter (where rank <= take) > count(*) filter (where took) as passed_over,
            max(priority) filter (where rank > take) as next_priority,
            max(place) filter (where rank > take) as next_place
        from (
            select lane_at, rank, take, priority, place, false as took from cand
            union all
            select lane_at, null, null, null, null, true from moved
        ) as each
        group by lane_at
    ), told as (
        update leasehold.lane
        set vt = lane.vt + n.taken * lane.job_seconds / n.weight,
            state = case when n.next_place is null then 'idle' else state end,
            since = case when n.next_place is null then took_at else since end,
            low_priority = case when n.next_priority >= lane.low_priority then n.next_priority
                else lane.low_priority end,
            low_place = case when n.next_priority >= lane.low_priority then n.next_place
                else lane.low_place end,
            urgent_priority = case when n.next_priority < lane.low_priority then n.next_priority end,
            urgent_place = case when n.next_priority < lane.low_priority then n.next_place end
        from (
            select l.at, l.weight, coalesce(t.taken, 0) as taken,
                coalesce(p.priority, t.next_priority) as next_priority,
                coalesce(p.place, t.next_place) as next_place
            from unnest(lanes) as l left join tally as t on t.lane_at = l.at
                left join lateral (
                    select c.priority, c.place from cand as c
                    where t.passed_over and c.lane_at = l.at and not exists (
                        select from moved where moved.lane_at = c.lane_at and moved.rank = c.rank)
                    order by c.rank limit 1) as p on true
        ) as n
        where lane.ctid = n.at
    )
    select job_id, run, tenant_id, queue, kind, args, attempt, max_attempts, priority, created_at,
        took_at, waited, timeout_seconds, progress, trace_context
    from moved;
end $$;

COMMENT ON FUNCTION leasehold.lanes_take(who uuid, lanes leasehold.open_lane[], apart boolean, looked_at timestamp with time zone) IS 'Claims the jobs of locked lanes; jobs picked by nobody else, in order of priority and place';

CREATE FUNCTION leasehold.lanes_take_past(who uuid, lanes leasehold.open_lane[], apart boolean, looked_at timestamp with time zone) RETURNS SETOF leasehold.claimed_job
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_material TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
declare
    took_at constant timestamptz := clock_timestamp();
begin
    return query
    with held as materialized (
        select l.at as lane_at, l.job_seconds, l.weight, l.limited, c.at as job_at
        from unnest(lanes) as l cross join lateral (
            select job.ctid as at from leasehold.job
            where job.queue = l.queue and job.tenant_id = l.tenant_id
                and job.lane_kind = l.lane_kind and job.place is not null and job.state = 'ready'
                and (not apart or l.lane_kind <> ''
                    or job.kind <> all(array(select kind.kind from leasehold.kind where kind.apart)))
                and (job.priority, job.place) >= (least(l.low_priority, l.urgent_priority),
                    case when l.urgent_priority < l.low_priority then l.urgent_place else l.low_place end)
            order by job.priority, job.place limit l.take for update skip locked) as c
    ), moved as (
        update leasehold.job
        set state = 'running', run = run + 1, attempt = attempt + 1, claimed_by = who,
            claimed_at = took_at, first_claimed_at = coalesce(first_claimed_at, took_at),
            charged = held.job_seconds, limited = held.limited,
            waited_turn = waited_turn
                + date_part('epoch', greatest(ready_at, looked_at) - ready_at),
            waited_worker = waited_worker
                + date_part('epoch', took_at - greatest(ready_at, looked_at))
        from held
        where job.ctid = held.job_at
        returning held.lane_at, held.weight, held.job_seconds, job_id, run, tenant_id, queue, kind,
            args, attempt, max_attempts, priority, created_at, timeout_seconds, progress,
            trace_context,
            (waited_turn + waited_limit + waited_worker + waited_parked)::double precision as waited
    ), leased as (
        insert into leasehold.lease (worker_id, claimed_at, job_ids)
        select who, took_at, array_agg(job_id) from moved having count(*) > 0
    ), told as (
        update leasehold.lane set vt = vt + n.cost
        from (
            select lane_at, sum(job_seconds / weight) as cost from moved group by lane_at) as n
        where lane.ctid = n.lane_at
    )
    select job_id, run, tenant_id, queue, kind, args, attempt, max_attempts, priority, created_at,
        took_at, waited, timeout_seconds, progress, trace_context
    from moved;
end $$;

COMMENT ON FUNCTION leasehold.lanes_take_past(who uuid, lanes leasehold.open_lane[], apart boolean, looked_at timestamp with time zone) IS 'Claims jobs of locked lanes behind those that other sessions hold';

CREATE FUNCTION leasehold.lanes_tell(arrivals leasehold.arrival[], served bigint[], queues text[], mem leasehold.claim_cursor) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_material TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
declare
    told_at constant timestamptz := clock_timestamp();
    floor constant double precision := coalesce(mem.floor, 0);
    held tid[];
    returned bigint;
begin
    select array_agg((
        select lane.ctid from leasehold.lane
        where lane.tenant_id = a.tenant_id and lane.queue = a.queue and lane.lane_kind = a.lane_kind
        limit 1 for update skip locked) order by a.rank)
    into held
    from unnest(arrivals) with ordinality as a(tenant_id, queue, lane_kind, jobs, first_job_id,
        priority, place, ran_seconds, charged_seconds, settled, look, rank);

    update leasehold.lane
    -- A lane that was charged too much gets it back, even if that takes it below the floor of now: not
    -- below where claims begin to look, though. What comes back from elsewhere starts at the floor.
    set vt = greatest(vt + coalesce((a.ran_seconds - a.charged_seconds) / nullif(a.weight, 0), 0),
            case when state <> 'open' then floor else least(vt, coalesce(mem.earlier_mark, floor)) end),
        job_seconds = case when a.settled = 0 then job_seconds else greatest(0.001, job_seconds
            + (a.ran_seconds / a.settled - job_seconds) * (1 - 0.9 ^ least(a.settled, 100))) end,
        blocked_seconds = case
            when state = 'idle' and a.jobs > 0 then 0
            when a.look and state in ('full', 'throttled', 'paused')
                then blocked_seconds + extract(epoch from told_at - since)
            else blocked_seconds end,
        since = case when state = 'idle' and a.jobs > 0
            or a.look and state in ('full', 'throttled', 'paused') then told_at else since end,
        look_at = case when a.look then null else look_at end,
        low_priority = case when state = 'idle' and a.jobs > 0 then a.priority else low_priority end,
        low_place = case when a.jobs = 0 or state <> 'idle' and a.priority > low_priority
            then low_place
            when state = 'idle' then a.place else least(low_place, a.place) end,
        urgent_priority = case when state = 'idle' or a.jobs = 0 or a.priority >= low_priority
            then urgent_priority else least(urgent_priority, a.priority) end,
        urgent_place = case when state = 'idle' or a.jobs = 0 or a.priority >= low_priority
            then urgent_place
            when urgent_priority < a.priority then urgent_place
            when urgent_priority > a.priority then a.place
            else least(urgent_place, a.place) end,
        state = case when state = 'idle' and a.jobs > 0
            or a.look and state in ('full', 'throttled', 'paused') then 'open' else state end
    from (
        select a.*, case when a.ran_seconds <> a.charged_seconds then (
                select tenant.weight from leasehold.tenant where tenant.tenant_id = a.tenant_id limit 1)
            * coalesce((select queue.weight from leasehold.queue where queue.queue = a.queue limit 1), 1)
            / (select sum(coalesce((
                    select queue.weight from leasehold.queue where queue.queue = s.queue limit 1), 1))
                from leasehold.lane as s
                where s.tenant_id = a.tenant_id and s.queue = any(queues)
                    and (s.state = 'open' or s.ctid = a.at)) else 0 end as weight
        from unnest(arrivals, held) as a(tenant_id, queue, lane_kind, jobs, first_job_id, priority,
                place, ran_seconds, charged_seconds, settled, look, at)
        where a.at is not null
    ) as a
    where lane.ctid = a.at;

    with missed as materialized (
        select a.*, a.first_job_id in (select unnest(served)) as direct,
            (select true from leasehold.lane where lane.tenant_id = a.tenant_id
                and lane.queue = a.queue and lane.lane_kind = a.lane_kind limit 1) as has_lane,
            (select max(sibling.vt) from leasehold.lane as sibling
                where sibling.tenant_id = a.tenant_id and sibling.queue = any(queues)) as own
        from unnest(arrivals, held) as a(tenant_id, queue, lane_kind, jobs, first_job_id, priority,
            place, ran_seconds, charged_seconds, settled, look, at)
        where a.at is null
    ), made as (
        -- In key order: two sessions that make the same lanes wait for each other in one direction.
        -- The fraction spreads lanes that begin together, so that no scan stands before a heap of
        -- dead entries of one virtual time.
        insert into leasehold.lane (tenant_id, queue, lane_kind, vt, low_priority, low_place, state)
        select tenant_id, queue, lane_kind,
            greatest(floor, own) + place % 1000000 / 1e9 + case when direct then 0.001 else 0 end,
            priority, place, case when direct then 'idle' else 'open' end
        from missed
        where has_lane is null and jobs > 0 and (mem.contended or not direct)
        order by tenant_id, queue, lane_kind
        on conflict do nothing
        returning tenant_id, queue, lane_kind
    )
    insert into leasehold.wake (tenant_id, queue, lane_kind, purpose, jobs, first_job_id, place,
        priority, ran_seconds, charged_seconds, settled, ring)
    select tenant_id, queue, lane_kind,
        case when look then 'look' when jobs > 0 then 'ready' else 'charge' end, jobs,
        coalesce(first_job_id, 0), coalesce(place, 0), coalesce(priority, 0),
        ran_seconds, charged_seconds, settled, jobs > 0 or look
    from missed
    where not coalesce(direct, false) and (has_lane or jobs > 0)
        and ((tenant_id, queue, lane_kind) in (select * from made)) is not true;
    get diagnostics returned = row_count;
    return cardinality(array_remove(held, null)) > 0 or returned < cardinality(arrivals);
end $$;

COMMENT ON FUNCTION leasehold.lanes_tell(arrivals leasehold.arrival[], served bigint[], queues text[], mem leasehold.claim_cursor) IS 'Opens, makes, charges lanes after letters; served: ids of jobs that were claimed directly. True if this session may hold lanes now';

CREATE FUNCTION leasehold.limit_begin(scope text, name text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    SET lock_timeout TO '200ms'
    AS $$
begin
    loop
        begin
            update leasehold.job set limited = true
            where job_id in (select id from leasehold.lease cross join unnest(job_ids) as l(id))
                and claimed_by is not null and not limited
                and case scope when 'tenant' then tenant_id when 'queue' then queue else kind end = name;
            return;
        exception when lock_not_available then
            null;
        end;
    end loop;
end $$;

CREATE FUNCTION leasehold.limit_lock(scope text, name text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET jit TO 'off'
    AS $$
begin
    perform pg_advisory_xact_lock(hashtext('leasehold.limit.' || scope), hashtext(name));
end $$;

CREATE FUNCTION leasehold.local_instant(local timestamp without time zone, zone text) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    SET search_path TO 'pg_catalog'
    SET jit TO 'off'
    AS $$
declare
    naive constant timestamptz := local at time zone 'UTC';
    offset_before constant interval := leasehold.zone_offset(naive - interval '1 day', zone);
    offset_after constant interval := leasehold.zone_offset(naive + interval '1 day', zone);
    early timestamptz := naive - offset_before;
    late timestamptz := naive - offset_after;
    middle timestamptz;
begin
    if early at time zone zone = local then
        return early;
    elsif late at time zone zone = local then
        return late;
    end if;
    -- In a gap: the instant at which the clock jumped, between the two readings of the local time.
    early := least(naive - offset_before, naive - offset_after);
    late := greatest(naive - offset_before, naive - offset_after);
    while late - early > interval '1 second' loop
        middle := date_trunc('second', early + (late - early) / 2);
        if leasehold.zone_offset(middle, zone) = offset_after then
            late := middle;
        else
            early := middle;
        end if;
    end loop;
    return late;
end $$;

COMMENT ON FUNCTION leasehold.local_instant(local timestamp without time zone, zone text) IS 'The instant of a local time: the first of two, the first after the gap if there is none';

CREATE FUNCTION leasehold.milliseconds_until(moment timestamp with time zone) RETURNS bigint
    LANGUAGE sql
    RETURN CASE WHEN (moment IS NOT NULL) THEN (GREATEST((0)::numeric, ceil((EXTRACT(epoch FROM (moment - clock_timestamp())) * (1000)::numeric))))::bigint ELSE NULL::bigint END;

CREATE FUNCTION leasehold.mirror_changes(p_tenant_id text, p_table_id text, p_after bigint, p_limit integer DEFAULT 1000) RETURNS TABLE("position" bigint, record_id text, operation text, changed_at timestamp with time zone, fields jsonb, labels jsonb)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'leasehold', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    target mirror_table;
begin
    select t.* into target from mirror_table t where t.tenant_id = p_tenant_id and t.table_id = p_table_id;
    if not found then
        raise exception 'no mirrored table % of tenant %', p_table_id, p_tenant_id using errcode = 'no_data_found';
    end if;
    if p_after + 1 < target.first_position then
        raise exception 'the changes after position % are kept from % on only', p_after, target.first_position
            using errcode = 'invalid_parameter_value',
                hint = 'in one repeatable read transaction, read last_position of leasehold.mirror_table and all of '
                    'the table''s leasehold.mirror_record; go on from that position';
    end if;
    return query
    select c.position, c.record_id, c.operation, c.changed_at, m.fields, m.labels
    from mirror_change c
    left join mirror_record m
        on m.tenant_id = c.tenant_id and m.table_id = c.table_id and m.record_id = c.record_id
    where c.tenant_id = p_tenant_id and c.table_id = p_table_id and c.position > p_after
    order by c.position
    limit p_limit;
end
$$;

COMMENT ON FUNCTION leasehold.mirror_changes(p_tenant_id text, p_table_id text, p_after bigint, p_limit integer) IS 'Follows a mirror: pass the last position you have applied; 0 is the beginning';

CREATE FUNCTION leasehold.mirror_column_type(type text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE regexp_replace(lower(type), '[^a-z]'::text, ''::text, 'g'::text) WHEN 'text'::text THEN 'text'::text WHEN 'string'::text THEN 'text'::text WHEN 'singlelinetext'::text THEN 'text'::text WHEN 'multilinetext'::text THEN 'text'::text WHEN 'longtext'::text THEN 'text'::text WHEN 'dropdown'::text THEN 'text'::text WHEN 'enum'::text THEN 'text'::text WHEN 'select'::text THEN 'text'::text WHEN 'attachment'::text THEN 'text'::text WHEN 'file'::text THEN 'text'::text WHEN 'reference'::text THEN 'text'::text WHEN 'number'::text THEN 'numeric'::text WHEN 'currency'::text THEN 'numeric'::text WHEN 'boolean'::text THEN 'boolean'::text WHEN 'yesno'::text THEN 'boolean'::text WHEN 'date'::text THEN 'date'::text WHEN 'createdat'::text THEN 'timestamptz'::text WHEN 'updatedat'::text THEN 'timestamptz'::text WHEN 'datetime'::text THEN 'timestamptz'::text WHEN 'dropdownmultiple'::text THEN 'text[]'::text WHEN 'enummultiple'::text THEN 'text[]'::text WHEN 'multiselect'::text THEN 'text[]'::text WHEN 'referencemultiple'::text THEN 'text[]'::text ELSE 'jsonb'::text END;

COMMENT ON FUNCTION leasehold.mirror_column_type(type text) IS 'Column type of a field type: lookup, formula, rollup and what nobody knows are jsonb';

CREATE FUNCTION leasehold.mirror_field_put(p_tenant_id text, p_table_id text, p_fields jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'leasehold', 'pg_temp'
    SET jit TO 'off'
    AS $_$
declare
    changes jsonb;
begin
    perform 1 from mirror_table t
    where t.tenant_id = p_tenant_id and t.table_id = p_table_id
    for no key update;
    with shown as (
        select distinct on (field ->> 'id') field ->> 'id' as id, field ->> 'name' as name, field ->> 'type' as type,
            place::integer as place
        from jsonb_array_elements(p_fields) with ordinality as element (field, place)
        order by field ->> 'id', place
    ), known as (
        select f.field_id, f.name, f.type, f.gone_at from mirror_field f
        where f.tenant_id = p_tenant_id and f.table_id = p_table_id
    ), put as (
        insert into mirror_field as target (tenant_id, table_id, field_id, name, type, place)
        select p_tenant_id, p_table_id, shown.id, shown.name, shown.type, shown.place from shown
        on conflict (tenant_id, table_id, field_id) do update
            set name = excluded.name, type = excluded.type, place = excluded.place, gone_at = null,
                previous_type = case when target.type <> excluded.type then target.type else target.previous_type end,
                type_changed_at = case
                    when target.type <> excluded.type then clock_timestamp() else target.type_changed_at
                end,
                updated_at = clock_timestamp()
            where (target.name, target.type, target.place, target.gone_at)
                is distinct from (excluded.name, excluded.type, excluded.place, null::timestamptz)
    ), gone as (
        update mirror_field as target
        set gone_at = clock_timestamp(), updated_at = clock_timestamp()
        where target.tenant_id = p_tenant_id and target.table_id = p_table_id and target.gone_at is null
            and not exists (select from shown where shown.id = target.field_id)
    ), change as (
        select coalesce(shown.id, known.field_id) as field_id, coalesce(shown.name, known.name) as name, what.change,
            case what.change when 'renamed' then known.name when 'retyped' then known.type end as before,
            case what.change when 'renamed' then shown.name when 'retyped' then shown.type end as after
        from shown
        full join known on known.field_id = shown.id
        cross join lateral (
            values
                ('added', known.field_id is null),
                ('returned', shown.id is not null and known.gone_at is not null),
                ('renamed', shown.name <> known.name),
                ('retyped', shown.type <> known.type),
                ('removed', shown.id is null and known.gone_at is null)
        ) as what (change, applies)
        where what.applies
    )
    select coalesce(jsonb_agg(jsonb_strip_nulls(to_jsonb(c)) order by c.field_id, c.change), '[]')
    into changes
    from change as c;

    if jsonb_path_exists(changes, '$[*] ? (@.change != "renamed")') then
        update mirror_table t set high_mark = null
        where t.tenant_id = p_tenant_id and t.table_id = p_table_id;
        perform sync_abandon(p_tenant_id, r.sync_id, 'the fields changed')
        from sync_run r
        where r.tenant_id = p_tenant_id and r.table_id = p_table_id and r.state = 'reading'
            and (r.pages > 0 or r.mode = 'incremental');
    end if;
    return changes;
end
$_$;

COMMENT ON FUNCTION leasehold.mirror_field_put(p_tenant_id text, p_table_id text, p_fields jsonb) IS 'Returns what changed: added, renamed, retyped, removed, returned';

CREATE FUNCTION leasehold.mirror_merge(p_tenant_id text, p_sync_id bigint, p_job_id bigint, p_job_run bigint, p_deleted_share real, p_deleted_floor bigint, p_overlap interval, p_accepts_short boolean) RETURNS TABLE(outcome text, inserted bigint, updated bigint, deleted bigint, unchanged bigint, record_count bigint)
    LANGUAGE plpgsql
    SET search_path TO 'leasehold', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    SET work_mem TO '64MB'
    AS $$
declare
    run sync_run;
    target mirror_table;
    staged bigint;
    records bigint;
    repeated bigint;
    is_short boolean;
    suspicious boolean;
    moment timestamptz := clock_timestamp();
begin
    select r.* into run from sync_run r
    where r.tenant_id = p_tenant_id and r.sync_id = p_sync_id
        and r.job_id = p_job_id and r.job_run = p_job_run and r.state = 'reading'
    for update;
    if not found then
        outcome := 'lost';
        return next;
        return;
    end if;
    select t.* into target from mirror_table t
    where t.tenant_id = p_tenant_id and t.table_id = run.table_id
    for no key update;

    select coalesce(sum(copies), 0), count(*), count(*) filter (where copies > 1)
    into staged, records, repeated
    from (select count(*) as copies from mirror_stage s where s.sync_id = p_sync_id group by s.record_id) as record;
    if staged <> run.rows then
        outcome := 'stage_lost';
        return next;
        return;
    end if;
    is_short := coalesce(records < run.expected_rows, false);
    if not p_accepts_short
        and (is_short or (run.mode = 'full' and records = 0 and target.record_count > 0)) then
        outcome := 'short';
        record_count := records;
        return next;
        return;
    end if;
    if repeated > 0 then
        delete from mirror_stage s
        using (
            select ctid as row_id, row_number() over (partition by record_id order by page desc, ctid desc) as age
            from mirror_stage where sync_id = p_sync_id
        ) as copy
        where s.ctid = copy.row_id and s.sync_id = p_sync_id and copy.age > 1;
    end if;

    with compared as materialized (
        select coalesce(s.record_id, m.record_id) as record_id,
            case
                when m.record_id is null then 'insert'
                when s.record_id is null then 'delete'
                else 'update'
            end as operation
        from (
            select record_id, content_hash from mirror_stage where sync_id = p_sync_id
        ) as s
        full join (
            select record_id, content_hash from mirror_record
            where tenant_id = p_tenant_id and table_id = run.table_id
        ) as m on m.record_id = s.record_id
        where m.content_hash is distinct from s.content_hash
            and (s.record_id is not null or run.mode = 'full')
    ), counted as materialized (
        select count(*) filter (where operation = 'insert') as inserted,
            count(*) filter (where operation = 'update') as updated,
            count(*) filter (where operation = 'delete') as deleted
        from compared
    ), verdict as materialized (
        select c.deleted >= p_deleted_floor and c.deleted > p_deleted_share * target.record_count
            and not target.deletion_confirmed as suspicious
        from counted as c
    ), insertion as (
        insert into mirror_record (tenant_id, table_id, record_id, content_hash, fields, labels, changed_at)
        select p_tenant_id, run.table_id, s.record_id, s.content_hash, s.fields::jsonb, s.labels::jsonb, moment
        from compared as c
        join mirror_stage as s on s.sync_id = p_sync_id and s.record_id = c.record_id
        where c.operation = 'insert' and not (select v.suspicious from verdict as v)
    ), changing as (
        update mirror_record as m
        set content_hash = s.content_hash, fields = s.fields::jsonb, labels = s.labels::jsonb, changed_at = moment
        from compared as c
        join mirror_stage as s on s.sync_id = p_sync_id and s.record_id = c.record_id
        where m.tenant_id = p_tenant_id and m.table_id = run.table_id and m.record_id = c.record_id
            and c.operation = 'update' and not (select v.suspicious from verdict as v)
    ), deletion as (
        delete from mirror_record as m
        using compared as c
        where m.tenant_id = p_tenant_id and m.table_id = run.table_id and m.record_id = c.record_id
            and c.operation = 'delete' and not (select v.suspicious from verdict as v)
    ), noting as (
        insert into mirror_change (tenant_id, table_id, position, record_id, operation, changed_at)
        select p_tenant_id, run.table_id, target.last_position + row_number() over (), c.record_id, c.operation, moment
        from compared as c
        where not (select v.suspicious from verdict as v)
    )
    select c.inserted, c.updated, c.deleted, v.suspicious
    into inserted, updated, deleted, suspicious
    from counted as c, verdict as v;
    unchanged := records - inserted - updated;
    record_count := target.record_count;

    if suspicious then
        outcome := 'suspicious';
        update sync_run r
        set state = 'suspicious', finished_at = moment,
            reason = format('would delete %s of %s records', mirror_merge.deleted, target.record_count)
        where r.tenant_id = p_tenant_id and r.sync_id = p_sync_id;
    else
        outcome := 'merged';
        record_count := target.record_count + inserted - deleted;
        update mirror_table t
        set last_position = t.last_position + mirror_merge.inserted + mirror_merge.updated + mirror_merge.deleted,
            record_count = mirror_merge.record_count,
            deletion_confirmed = false, synced_at = moment,
            full_synced_at = case when run.mode = 'full' then run.started_at else t.full_synced_at end,
            high_mark = case
                when is_short and run.mode = 'full' then null
                when run.mode = 'incremental' and (is_short or records = 0) then t.high_mark
                else least(run.started_at, run.source_time) - p_overlap
            end,
            updated_at = moment
        where t.tenant_id = p_tenant_id and t.table_id = run.table_id;
        update sync_run r
        set state = 'merged', finished_at = moment, inserted = mirror_merge.inserted, updated = mirror_merge.updated,
            deleted = mirror_merge.deleted, unchanged = mirror_merge.unchanged
        where r.tenant_id = p_tenant_id and r.sync_id = p_sync_id;
    end if;
    return next;
end
$$;

COMMENT ON FUNCTION leasehold.mirror_merge(p_tenant_id text, p_sync_id bigint, p_job_id bigint, p_job_run bigint, p_deleted_share real, p_deleted_floor bigint, p_overlap interval, p_accepts_short boolean) IS 'outcome: merged, suspicious (nothing changed), short (nothing changed: record_count is what came, less than the API counts or nothing at all; start over), stage_lost (start over), lost (the caller no longer holds the run)';

CREATE FUNCTION leasehold.mirror_names(p_ids text[], p_names text[], p_reserved text[]) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    taken jsonb := (select coalesce(jsonb_object_agg(r, true), '{}') from unnest(p_reserved) as r);
    result text[] := '{}';
    plain text;
    chosen text;
    mark text;
    digits integer;
begin
    for place in 1 .. coalesce(cardinality(p_ids), 0) loop
        plain := case when p_names[place] ~ '[^[:space:]]' then p_names[place] else 'unnamed' end;
        chosen := plain;
        digits := 6;
        while octet_length(chosen) > 63 or taken ? chosen loop
            mark := '~' || left(encode(sha256(convert_to(p_ids[place], 'UTF8')), 'hex'), digits);
            -- Two ids never have the same 54 digits, so this ends.
            chosen := leasehold.clip(plain, 63 - octet_length(mark)) || mark;
            digits := digits + 6;
        end loop;
        taken := taken || jsonb_build_object(chosen, true);
        result := result || chosen;
    end loop;
    return result;
end
$$;

COMMENT ON FUNCTION leasehold.mirror_names(p_ids text[], p_names text[], p_reserved text[]) IS 'One identifier of at most 63 bytes per id, all different';

CREATE FUNCTION leasehold.mirror_prune(p_keep_changes interval, p_keep_runs interval, p_abandon_after interval, p_batch integer) RETURNS TABLE(changes bigint, runs bigint, staged bigint, abandoned bigint)
    LANGUAGE plpgsql
    SET search_path TO 'leasehold', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    target record;
    removed bigint;
begin
    update sync_run r
    set state = 'abandoned', reason = 'no job went on with it', finished_at = clock_timestamp()
    where r.state = 'reading' and r.advanced_at < clock_timestamp() - p_abandon_after
        and not exists (select 1 from job j where j.job_id = r.job_id);
    get diagnostics abandoned = row_count;

    delete from mirror_stage s
    where s.ctid = any(array(
        select stage.ctid from mirror_stage stage
        where not exists (
            select 1 from sync_run r
            where r.tenant_id = stage.tenant_id and r.sync_id = stage.sync_id and r.state = 'reading')
        limit p_batch));
    get diagnostics staged = row_count;

    delete from sync_run r
    where (r.tenant_id, r.sync_id) in (
        select old.tenant_id, old.sync_id from sync_run old
        where old.finished_at < clock_timestamp() - p_keep_runs
            and exists (
                select 1 from sync_run newer
                where newer.tenant_id = old.tenant_id and newer.table_id = old.table_id
                    and newer.sync_id > old.sync_id)
        limit p_batch);
    get diagnostics runs = row_count;

    changes := 0;
    for target in
        select t.tenant_id, t.table_id, t.first_position from mirror_table t
        join mirror_change c
            on c.tenant_id = t.tenant_id and c.table_id = t.table_id and c.position = t.first_position
        where c.changed_at < clock_timestamp() - p_keep_changes
    loop
        -- Positions rise with time, so what is old enough is a beginning without gaps.
        delete from mirror_change c
        where c.tenant_id = target.tenant_id and c.table_id = target.table_id
            and c.position < target.first_position + p_batch - changes
            and c.changed_at < clock_timestamp() - p_keep_changes;
        get diagnostics removed = row_count;
        update mirror_table t set first_position = t.first_position + removed
        where t.tenant_id = target.tenant_id and t.table_id = target.table_id;
        changes := changes + removed;
        exit when changes >= p_batch;
    end loop;
    return next;
end
$$;

COMMENT ON FUNCTION leasehold.mirror_prune(p_keep_changes interval, p_keep_runs interval, p_abandon_after interval, p_batch integer) IS 'Call it until every number is below p_batch';

CREATE FUNCTION leasehold.mirror_schema(p_tenant_id text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN (length(p_tenant_id) <= 56) THEN ('mirror_'::text || p_tenant_id) ELSE ((('mirror_'::text || "left"(p_tenant_id, 23)) || '~'::text) || "left"(encode(sha256(convert_to(p_tenant_id, 'UTF8'::name)), 'hex'::text), 32)) END;

COMMENT ON FUNCTION leasehold.mirror_schema(p_tenant_id text) IS 'The schema with a tenant''s views; two tenants never share one';

CREATE FUNCTION leasehold.mirror_view_columns(p_tenant_id text, p_table_id text) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    with field as (
        select f.field_id, f.type, f.place, named.name
        from (
            select array_agg(field_id order by created_at, place, field_id) as ids,
                array_agg(name order by created_at, place, field_id) as names
            from leasehold.mirror_field
            where tenant_id = p_tenant_id and table_id = p_table_id and gone_at is null
        ) as aged
        cross join lateral unnest(
            aged.ids,
            leasehold.mirror_names(aged.ids, aged.names, array['_record_id', '_raw', '_labels', '_changed_at'])
        ) as named (field_id, name)
        join leasehold.mirror_field as f
            on f.tenant_id = p_tenant_id and f.table_id = p_table_id and f.field_id = named.field_id
        order by f.place, f.field_id
        limit 1600
    )
    select coalesce(
        jsonb_agg(
            jsonb_build_object('field', field_id, 'name', name, 'type', leasehold.mirror_column_type(type))
            order by place, field_id
        ), '[]')
    from field
$$;

COMMENT ON FUNCTION leasehold.mirror_view_columns(p_tenant_id text, p_table_id text) IS 'What leasehold.mirror_view.columns should be';

CREATE FUNCTION leasehold.mirror_view_extends(p_columns jsonb, p_old jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select not exists (
        select from jsonb_array_elements(p_old) with ordinality as old (value, place)
        where (p_columns -> (place - 1)::integer) - 'field' is distinct from value - 'field'
    )
$$;

COMMENT ON FUNCTION leasehold.mirror_view_extends(p_columns jsonb, p_old jsonb) IS 'Then PostgreSQL replaces a view in place';

CREATE FUNCTION leasehold.mirror_view_put(p_tenant_id text, p_table_id text, p_name text, p_columns jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    schema_name constant text := leasehold.mirror_schema(p_tenant_id);
    role_name constant text := leasehold.tenant_dashboard_role_name(p_tenant_id);
    query constant text := leasehold.mirror_view_query(p_tenant_id, p_table_id, p_columns);
    target constant text := format('%I.%I', schema_name, p_name);
    old leasehold.mirror_view;
    shown_name text;
    holder text;
    spare text;
begin
    -- Two tables may have swapped their names: who holds this one gives it up until its own turn.
    select v.table_id into holder from leasehold.mirror_view as v
    where v.tenant_id = p_tenant_id and v.view_name = p_name and v.table_id <> p_table_id;
    if found and to_regclass(target) is not null then
        spare := leasehold.clip(p_name, 48) || '~moved~' || left(encode(sha256(convert_to(holder, 'UTF8')), 'hex'), 6);
        execute format('alter view %s rename to %I', target, spare);
        update leasehold.mirror_view as v
        set view_name = spare, state = 'waiting', problem = 'another table took its name'
        where v.tenant_id = p_tenant_id and v.table_id = holder;
    end if;
    select v.* into old from leasehold.mirror_view as v
    where v.tenant_id = p_tenant_id and v.table_id = p_table_id;
    select t.name into shown_name from leasehold.mirror_table as t
    where t.tenant_id = p_tenant_id and t.table_id = p_table_id;
    if to_regnamespace(quote_ident(schema_name)) is null then
        execute format('create schema %I', schema_name);
        if to_regrole(quote_ident(role_name)) is not null then
            execute format('grant usage on schema %I to %I', schema_name, role_name);
        end if;
    end if;
    if old.view_name is not null and to_regclass(format('%I.%I', schema_name, old.view_name)) is not null then
        if old.view_name <> p_name then
            execute format('alter view %I.%I rename to %I', schema_name, old.view_name, p_name);
        end if;
        if not leasehold.mirror_view_extends(p_columns, old.columns) then
            execute format('drop view %s', target);
        end if;
    end if;
    execute format('create or replace view %s with (security_barrier = true) as %s', target, query);
    execute format('comment on view %s is %L', target,
        format('Table %s (%s) of tenant %s, as mirrored', shown_name, p_table_id, p_tenant_id));
    if to_regrole(quote_ident(role_name)) is not null then
        execute format('grant select on %s to %I', target, role_name);
    end if;
end
$$;

COMMENT ON FUNCTION leasehold.mirror_view_put(p_tenant_id text, p_table_id text, p_name text, p_columns jsonb) IS 'One step of leasehold.mirror_view_refresh';

CREATE FUNCTION leasehold.mirror_view_query(p_tenant_id text, p_table_id text, p_columns jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select format(
        'select record_id as _record_id, fields as _raw, labels as _labels, changed_at as _changed_at%s '
            'from leasehold.mirror_record where tenant_id = %L and table_id = %L',
        string_agg(
            format(
                ', leasehold.%I(fields -> %L) as %I',
                'cell_' || case c.type when 'text[]' then 'texts' else c.type end, c.field, c.name),
            '' order by place),
        p_tenant_id, p_table_id)
    from jsonb_array_elements(p_columns) with ordinality as element (value, place)
    cross join lateral jsonb_to_record(value) as c (field text, name text, type text)
$$;

COMMENT ON FUNCTION leasehold.mirror_view_query(p_tenant_id text, p_table_id text, p_columns jsonb) IS 'The query of a view with these columns';

CREATE FUNCTION leasehold.mirror_view_refresh(p_tenant_id text, p_table_id text DEFAULT NULL::text) RETURNS TABLE(table_id text, view_name text, outcome text, problem text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '10s'
    SET jit TO 'off'
    AS $$
#variable_conflict use_column
declare
    item record;
    moment timestamptz := clock_timestamp();
    found_problem text;
    found_state text;
begin
    -- One refresh of a tenant at a time: the names of its views depend on each other.
    begin
        perform pg_advisory_xact_lock(hashtext('leasehold.mirror_view'), hashtext(p_tenant_id));
    exception
        when lock_not_available then
            update leasehold.mirror_view as v
            set state = 'waiting', problem = 'another refresh of the tenant takes long', checked_at = moment
            where v.tenant_id = p_tenant_id and v.table_id = p_table_id;
            return query select p_table_id, null::text, 'waiting', 'another refresh of the tenant takes long';
            return;
    end;
    for item in
        select wanted.table_id, wanted.name, wanted.columns, v.view_name as old_name, v.state,
            v.columns as old_columns
        from (
            select named.table_id, named.name,
                case when p_table_id is null or named.table_id = p_table_id or v.view_name is distinct from named.name
                    then leasehold.mirror_view_columns(p_tenant_id, named.table_id) else v.columns end as columns
            from (
                select array_agg(t.table_id order by t.created_at, t.table_id) as ids,
                    array_agg(t.name order by t.created_at, t.table_id) as names
                from leasehold.mirror_table as t where t.tenant_id = p_tenant_id
            ) as aged
            cross join lateral unnest(aged.ids, leasehold.mirror_names(aged.ids, aged.names, '{}'))
                as named (table_id, name)
            left join leasehold.mirror_view as v on v.tenant_id = p_tenant_id and v.table_id = named.table_id
        ) as wanted
        left join leasehold.mirror_view as v on v.tenant_id = p_tenant_id and v.table_id = wanted.table_id
        where wanted.columns <> '[]'
            and (p_table_id is null or wanted.table_id = p_table_id
                or (v.view_name is not null and v.view_name <> wanted.name))
        -- A name must be free before another view takes it.
        order by v.view_name is not null and v.view_name <> wanted.name desc, wanted.table_id
    loop
        table_id := item.table_id;
        view_name := item.name;
        problem := null;
        if item.state = 'current' and item.old_name = item.name and item.old_columns = item.columns
            and to_regclass(format('%I.%I', leasehold.mirror_schema(p_tenant_id), item.name)) is not null
        then
            outcome := 'unchanged';
            return next;
            continue;
        end if;
        begin
            perform set_config('lock_timeout', '250ms', true);
            perform leasehold.mirror_view_put(p_tenant_id, item.table_id, item.name, item.columns);
            found_state := 'current';
            found_problem := null;
        exception
            when lock_not_available or deadlock_detected then
                found_state := 'waiting';
                found_problem := 'a reader holds the view';
            when dependent_objects_still_exist then
                found_state := 'failed';
                get stacked diagnostics found_problem = pg_exception_detail;
            when others then
                found_state := 'failed';
                found_problem := sqlerrm;
        end;
        outcome := case found_state when 'current' then case when item.old_name is null then 'created' else 'changed' end
            else found_state end;
        problem := found_problem;
        insert into leasehold.mirror_view as v
            (tenant_id, table_id, schema_name, view_name, columns, state, problem, changed_at, checked_at)
        values (p_tenant_id, item.table_id, leasehold.mirror_schema(p_tenant_id),
            case found_state when 'current' then item.name end,
            case found_state when 'current' then item.columns else '[]' end, found_state, found_problem,
            case found_state when 'current' then moment end, moment)
        on conflict (tenant_id, table_id) do update
            set state = excluded.state, problem = excluded.problem, checked_at = excluded.checked_at,
                view_name = coalesce(excluded.view_name, v.view_name),
                columns = case excluded.state when 'current' then excluded.columns else v.columns end,
                changed_at = coalesce(excluded.changed_at, v.changed_at);
        return next;
    end loop;
end
$$;

COMMENT ON FUNCTION leasehold.mirror_view_refresh(p_tenant_id text, p_table_id text) IS 'outcome: unchanged, created, changed, waiting (a reader holds it) or failed (see problem)';

CREATE FUNCTION leasehold.mirror_view_retry(p_limit integer DEFAULT 10) RETURNS bigint
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select count(*) from (
        select v.tenant_id, v.table_id from leasehold.mirror_view as v
        where v.state = 'waiting' or (v.state = 'failed' and v.checked_at < clock_timestamp() - interval '10 minutes')
        order by v.checked_at
        limit p_limit
    ) as behind
    cross join lateral leasehold.mirror_view_refresh(behind.tenant_id, behind.table_id) as refreshed
    where refreshed.outcome in ('created', 'changed', 'unchanged')
$$;

COMMENT ON FUNCTION leasehold.mirror_view_retry(p_limit integer) IS 'Returns how many are in step now; for the workers'' maintenance';

CREATE FUNCTION leasehold.name_well_formed(name text) RETURNS boolean
    LANGUAGE sql STABLE
    RETURN COALESCE(((name ~ '^[a-z][a-z0-9._-]*$'::text) AND (length(name) <= 128)), false);

COMMENT ON FUNCTION leasehold.name_well_formed(name text) IS 'Whether a queue or a kind may have this name';

CREATE FUNCTION leasehold.provider_admit(provider_name text, wanted integer, client text) RETURNS leasehold.admission
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    p leasehold.provider;
    answer leasehold.admission;
    moment timestamptz;
    line text := leasehold.wal_timeline();
begin
    perform set_config('synchronous_commit', 'off', true);
    select * into p from leasehold.provider where provider = provider_name for update;
    if not found then
        raise exception 'provider "%" is not registered', provider_name
            using hint = 'start a worker with the refresh role once';
    end if;
    moment := clock_timestamp();
    if p.timeline is distinct from line then
        update leasehold.provider set timeline = line, hold_until = moment + p.failover_hold
        where provider = provider_name;
        p.hold_until := moment + p.failover_hold;
    end if;
    answer := leasehold.provider_weigh(p, wanted, client, moment);
    if answer.granted < 1 then return answer; end if;
    update leasehold.provider
    set bucket = least(burst, bucket
            + greatest(0, extract(epoch from moment - bucket_at)) * exchanges_per_second) - answer.granted,
        bucket_at = moment,
        probing = probing or answer.reason = 'probe',
        probe_at = case
            when answer.reason <> 'probe' then probe_at
            when stop_reason is not null and stop_client = client then moment + stop_probe_every
            else moment + breaker_cooldown end
    where provider = provider_name;
    return answer;
end
$$;

CREATE FUNCTION leasehold.provider_answered(provider_name text, client text, started timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
begin
    -- The usual case changes nothing and must not take the row's lock.
    if not exists (
        select from leasehold.provider
        where provider = provider_name and (unanswered > 0 or breaker = 'open' or stop_reason is not null))
    then
        return;
    end if;
    update leasehold.provider
    set unanswered = 0, updated_at = clock_timestamp()
    where provider = provider_name and breaker = 'closed' and unanswered > 0;
    update leasehold.provider
    set breaker = 'closed', breaker_reason = null, breaker_opened_at = null, breaker_cooldown = null,
        probe_at = null, probing = false, unanswered = 0, dead = 0, dead_since = null,
        updated_at = clock_timestamp()
    where provider = provider_name and breaker = 'open' and breaker_opened_at < started;
    update leasehold.provider
    set stop_reason = null, stop_client = null, stopped_at = null, updated_at = clock_timestamp()
    where provider = provider_name and stop_client = client and stopped_at < started;
end
$$;

CREATE FUNCTION leasehold.provider_failed(provider_name text, effect text, milliseconds bigint, client text, why text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    p leasehold.provider;
    moment timestamptz := clock_timestamp();
    opens text;
begin
    select * into strict p from leasehold.provider where provider = provider_name for update;
    if effect = 'blocked' then
        p.blocked_until := greatest(p.blocked_until, moment + milliseconds * interval '1 millisecond');
    elsif effect = 'stopped' then
        p.stop_reason := why;
        p.stop_client := client;
        p.stopped_at := coalesce(p.stopped_at, moment);
        p.probe_at := moment + p.stop_probe_every;
    elsif effect = 'unanswered' then
        p.unanswered := p.unanswered + 1;
        if p.unanswered >= p.unanswered_limit then opens := 'no usable answers'; end if;
    elsif effect = 'dead' then
        if p.dead_since is null or p.dead_since < moment - p.dead_window then
            p.dead := 0;
            p.dead_since := moment;
        end if;
        p.dead := p.dead + 1;
        if p.dead >= p.dead_limit then opens := 'many refresh tokens refused at once'; end if;
    end if;
    -- Exchanges that were out when the breaker opened also fail: only a probe's failure counts then.
    if p.breaker = 'open' and p.probing and effect in ('unanswered', 'dead') then
        p.breaker_cooldown := least(p.cooldown_longest, p.breaker_cooldown * 2);
        p.probe_at := moment + p.breaker_cooldown;
        p.probing := false;
    elsif p.breaker = 'closed' and opens is not null then
        p.breaker := 'open';
        p.breaker_reason := opens;
        p.breaker_opened_at := moment;
        p.breaker_cooldown := p.cooldown_first;
        p.probe_at := moment + p.breaker_cooldown;
        p.probing := false;
    end if;
    update leasehold.provider
    set blocked_until = p.blocked_until, stop_reason = p.stop_reason, stop_client = p.stop_client,
        stopped_at = p.stopped_at, probe_at = p.probe_at, probing = p.probing, unanswered = p.unanswered, dead = p.dead,
        dead_since = p.dead_since, breaker = p.breaker, breaker_reason = p.breaker_reason,
        breaker_opened_at = p.breaker_opened_at, breaker_cooldown = p.breaker_cooldown, updated_at = moment
    where provider = provider_name;
end
$$;

CREATE FUNCTION leasehold.provider_register(provider_name text, rate double precision, burst_size integer, hold_ms bigint) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
    insert into leasehold.provider as p (
        provider, exchanges_per_second, burst, bucket, failover_hold, timeline)
    values (
        provider_name, rate, burst_size, burst_size, hold_ms * interval '1 millisecond', leasehold.wal_timeline())
    on conflict (provider) do update
        set exchanges_per_second = excluded.exchanges_per_second, burst = excluded.burst,
            failover_hold = excluded.failover_hold, updated_at = clock_timestamp()
        where (p.exchanges_per_second, p.burst, p.failover_hold)
            is distinct from (excluded.exchanges_per_second, excluded.burst, excluded.failover_hold);
$$;

CREATE FUNCTION leasehold.provider_return(provider_name text, unused integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
begin
    perform set_config('synchronous_commit', 'off', true);
    update leasehold.provider set bucket = least(burst, bucket + unused) where provider = provider_name;
end
$$;

CREATE TABLE leasehold.provider (
    provider text NOT NULL COLLATE pg_catalog."C",
    exchanges_per_second double precision DEFAULT 20 NOT NULL,
    burst integer DEFAULT 20 NOT NULL,
    bucket double precision DEFAULT 20 NOT NULL,
    bucket_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    blocked_until timestamp with time zone,
    breaker text DEFAULT 'closed'::text NOT NULL,
    breaker_reason text,
    breaker_opened_at timestamp with time zone,
    breaker_cooldown interval,
    probe_at timestamp with time zone,
    probing boolean DEFAULT false NOT NULL,
    unanswered integer DEFAULT 0 NOT NULL,
    dead integer DEFAULT 0 NOT NULL,
    dead_since timestamp with time zone,
    stop_reason text,
    stop_client text,
    stopped_at timestamp with time zone,
    timeline text,
    hold_until timestamp with time zone,
    unanswered_limit integer DEFAULT 8 NOT NULL,
    dead_limit integer DEFAULT 5 NOT NULL,
    dead_window interval DEFAULT '00:01:00'::interval NOT NULL,
    cooldown_first interval DEFAULT '00:00:30'::interval NOT NULL,
    cooldown_longest interval DEFAULT '00:15:00'::interval NOT NULL,
    stop_probe_every interval DEFAULT '00:10:00'::interval NOT NULL,
    failover_hold interval DEFAULT '00:02:15'::interval NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT provider_breaker_known CHECK ((breaker = ANY (ARRAY['closed'::text, 'open'::text]))),
    CONSTRAINT provider_burst_positive CHECK ((burst > 0)),
    CONSTRAINT provider_name_shape CHECK ((provider ~ '^[a-z][a-z0-9._-]{0,63}$'::text)),
    CONSTRAINT provider_open_breaker_has_reason CHECK (((breaker = 'closed'::text) OR ((breaker_reason IS NOT NULL) AND (breaker_cooldown IS NOT NULL)))),
    CONSTRAINT provider_rate_positive CHECK ((exchanges_per_second > (0)::double precision)),
    CONSTRAINT provider_stop_has_client CHECK (((stop_reason IS NULL) = (stop_client IS NULL)))
)
WITH (fillfactor='50');

COMMENT ON TABLE leasehold.provider IS 'What all workers share about one token endpoint: the budget of exchanges, the breaker, a stop';

COMMENT ON COLUMN leasehold.provider.bucket IS 'Exchanges that may start now; refilled on use from bucket_at';

COMMENT ON COLUMN leasehold.provider.blocked_until IS 'Retry-After of a 429: no exchange before';

COMMENT ON COLUMN leasehold.provider.breaker IS 'open: one probe at a time, and no credential is given up';

COMMENT ON COLUMN leasehold.provider.probe_at IS 'When an open breaker or a stop lets the next probe through';

COMMENT ON COLUMN leasehold.provider.probing IS 'A probe is out: its failure, and no other, doubles the cooldown';

COMMENT ON COLUMN leasehold.provider.unanswered IS 'Ambiguous exchanges in a row; unanswered_limit of them open the breaker';

COMMENT ON COLUMN leasehold.provider.dead IS 'Generations called dead since dead_since; dead_limit of them within dead_window are an incident at the provider';

COMMENT ON COLUMN leasehold.provider.stop_client IS 'Check value of the client whose configuration was refused; workers with another configuration go on';

COMMENT ON COLUMN leasehold.provider.timeline IS 'WAL timeline last seen: a new one means that commits may be lost, so spools are replayed before anything is presented';

COMMENT ON COLUMN leasehold.provider.hold_until IS 'End of the time in which workers replay their spools after a failover';

COMMENT ON COLUMN leasehold.provider.failover_hold IS 'Longer than an exchange can be out and be worked on, because a failover may have lost its intent';

CREATE FUNCTION leasehold.provider_weigh(p leasehold.provider, wanted integer, client text, moment timestamp with time zone) RETURNS leasehold.admission
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    answer leasehold.admission := (0, 'open', 0);
    gate timestamptz;
    tokens double precision;
begin
    if p.hold_until > moment then
        answer.reason := 'failover';
        gate := p.hold_until;
    elsif p.stop_reason is not null and p.stop_client = client then
        answer.reason := 'stopped';
        gate := p.probe_at;
    elsif p.blocked_until > moment then
        answer.reason := 'blocked';
        gate := p.blocked_until;
    elsif p.breaker = 'open' then
        answer.reason := 'breaker';
        gate := p.probe_at;
    end if;
    if gate > moment then
        answer.retry_after_ms := ceil(extract(epoch from gate - moment) * 1000);
        return answer;
    end if;

    tokens := least(p.burst, p.bucket
        + greatest(0, extract(epoch from moment - p.bucket_at)) * p.exchanges_per_second);
    answer.granted := greatest(0, least(wanted, floor(tokens)::integer));
    if answer.granted < 1 then
        answer.reason := 'bucket';
        answer.retry_after_ms := greatest(1, ceil((1 - tokens) / p.exchanges_per_second * 1000));
    elsif answer.reason in ('stopped', 'breaker') then
        answer.granted := 1;
        answer.reason := 'probe';
    elsif answer.granted < wanted then
        answer.retry_after_ms := ceil(
            (least(wanted - answer.granted, greatest(1, p.burst / 2)) - (tokens - answer.granted))
            / p.exchanges_per_second * 1000);
    end if;
    return answer;
end
$$;

CREATE FUNCTION leasehold.prune(keep_history interval DEFAULT '14 days'::interval, keep_idempotency interval DEFAULT '7 days'::interval) RETURNS TABLE(what text, removed bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '200ms'
    SET jit TO 'off'
    AS $$
declare
    part record;
    dropped bigint := 0;
    count_removed bigint;
begin
    for part in
        select c.oid::regclass as name, p.relname as parent
        from pg_inherits as i join pg_class as c on c.oid = i.inhrelid
            join pg_class as p on p.oid = i.inhparent
        where p.oid in ('leasehold.job_history'::regclass, 'leasehold.job_attempt'::regclass)
            and to_date(right(c.relname, 8), 'YYYYMMDD')
                < ((clock_timestamp() - keep_history) at time zone 'UTC')::date
        order by c.relname
    loop
        begin
            execute format('drop table %s', part.name);
            dropped := dropped + 1;
        exception when lock_not_available then
            -- Somebody reads it; the next prune gets it.
        end;
    end loop;
    what := 'partitions';
    removed := dropped;
    return next;
    perform leasehold.history_prepare((clock_timestamp() at time zone 'UTC')::date, 3);

    delete from leasehold.job_idempotency where ctid = any(array(
        select ctid from leasehold.job_idempotency
        where created_at < clock_timestamp() - keep_idempotency limit 20000));
    get diagnostics count_removed = row_count;
    what := 'idempotency keys';
    removed := count_removed;
    return next;

    delete from leasehold.worker
    where lapsed_at < clock_timestamp() - interval '1 day'
        and not exists (select from leasehold.lease where lease.worker_id = worker.worker_id);
    get diagnostics count_removed = row_count;
    what := 'workers';
    removed := count_removed;
    return next;

    delete from leasehold.action where action_id = any(array(
        select old.action_id from (
            select action.action_id, done_at from leasehold.action order by action.action_id limit 20000) as old
        where old.done_at < clock_timestamp() - interval '1 year'));
    get diagnostics count_removed = row_count;
    what := 'actions';
    removed := count_removed;
    return next;
end $$;

COMMENT ON FUNCTION leasehold.prune(keep_history interval, keep_idempotency interval) IS 'Drops whole days of history, forgets old idempotency keys and dead workers, makes the partitions of the next days';

CREATE FUNCTION leasehold.push(tenant text, "table" text, record text, changes jsonb, idempotency_key text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
begin
    if record is null then
        perform leasehold.push_refuse('the id of a record', 'null', 'for a row that is found by its values: leasehold.push_upsert');
    end if;
    return leasehold.push_write(tenant, "table", record, null, changes, idempotency_key);
end
$$;

COMMENT ON FUNCTION leasehold.push(tenant text, "table" text, record text, changes jsonb, idempotency_key text) IS 'Sets cells of a record at Pitchly, in the background. Returns the push''s id; the first one''s for a key that was used before';

CREATE FUNCTION leasehold.push_cancel(p_tenant_id text, p_push_id bigint) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    found_state text;
begin
    update leasehold.push as p set state = 'cancelled', ended_at = clock_timestamp()
    where p.tenant_id = p_tenant_id and p.push_id = p_push_id and p.state = 'waiting';
    select p.state into found_state from leasehold.push as p
    where p.tenant_id = p_tenant_id and p.push_id = p_push_id;
    if not found then
        raise exception 'expected the id of a push of tenant %, got %', p_tenant_id, p_push_id
            using errcode = 'LH004', hint = 'leasehold push list --tenant ' || p_tenant_id;
    end if;
    return found_state;
end
$$;

COMMENT ON FUNCTION leasehold.push_cancel(p_tenant_id text, p_push_id bigint) IS 'Returns the state of the push: cancelled, or what it ended as before; one that is being sent may still arrive and is done then';

CREATE FUNCTION leasehold.push_check(tenant text, "table" text, record text, match_fields text[], changes jsonb, idempotency_key text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    shape constant text := 'changes to be {"<field id>": {"val": ...}, ...} with at least one field';
    bad text;
begin
    if not exists (select from leasehold.tenant as t where t.tenant_id = push_check.tenant) then
        perform leasehold.refuse_unknown_tenant(tenant);
    end if;
    if not exists (
        select from leasehold.mirror_table as t
        where t.tenant_id = push_check.tenant and t.table_id = push_check."table")
    then
        raise exception 'no mirrored table % of tenant %', "table", tenant
            using errcode = 'no_data_found', hint = 'leasehold sync run --tenant ' || tenant;
    end if;
    if record is not null and octet_length(record) not between 1 and 500 then
        perform leasehold.push_refuse('record to have 1 to 500 bytes', octet_length(record) || ' bytes', null);
    end if;
    if coalesce(length(idempotency_key), 0) not between 1 and 500 then
        perform leasehold.push_refuse('idempotency_key of 1 to 500 characters',
            coalesce(length(idempotency_key) || ' characters', 'null'),
            'use the id of the event that the change comes from');
    end if;
    if jsonb_typeof(changes) is distinct from 'object' or changes = '{}' then
        perform leasehold.push_refuse(shape, coalesce(nullif(jsonb_typeof(changes), 'object'), 'no field'), null);
    end if;
    if pg_column_size(changes) > 1048576 then
        perform leasehold.push_refuse('changes of at most 1 MiB', pg_column_size(changes) || ' bytes', null);
    end if;
    select key into bad from jsonb_each(changes) where jsonb_typeof(value) <> 'object' or not value ? 'val' limit 1;
    if found then
        perform leasehold.push_refuse(shape, format('field "%s" with %s', left(bad, 140),
                case jsonb_typeof(changes -> bad) when 'object' then 'an object without val'
                    else 'the JSON type ' || jsonb_typeof(changes -> bad) end),
            format('wrap the value: {%s: {"val": ...}}', to_json(left(bad, 140))));
    end if;
    select key into bad from jsonb_object_keys(changes) as key
    where not exists (
        select from leasehold.mirror_field as f
        where f.tenant_id = push_check.tenant and f.table_id = push_check."table" and f.field_id = key
            and f.gone_at is null)
    limit 1;
    if found then
        perform leasehold.push_refuse(format('field ids of table %s', "table"), '"' || left(bad, 140) || '"',
            format('select field_id, name from leasehold.mirror_field where tenant_id = %L and table_id = %L', tenant, "table"));
    end if;
    select field into bad from unnest(match_fields) as field where not changes ? field limit 1;
    if found then
        perform leasehold.push_refuse('every match field to be among the changes', '"' || left(bad, 140) || '" is not', null);
    end if;
    select field into bad from unnest(match_fields) as field
    where changes -> field -> 'val' in ('null', '""', '[]') limit 1;
    if found then
        perform leasehold.push_refuse('every match field to have a value', '"' || left(bad, 140) || '" without one', null);
    end if;
end
$$;

COMMENT ON FUNCTION leasehold.push_check(tenant text, "table" text, record text, match_fields text[], changes jsonb, idempotency_key text) IS 'Raises LH001, LH002 or no_data_found, if a request is malformed';

CREATE FUNCTION leasehold.push_due(p_tenant_id text, p_table_id text) RETURNS double precision
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    -- greatest(0, null) would be 0, and the job would look for ever.
    select case when count(*) > 0
        then greatest(0, extract(epoch from min(first.due_at) - clock_timestamp()))::double precision
    end
    from (
        select distinct on (p.order_key) p.due_at from leasehold.push as p
        where p.tenant_id = p_tenant_id and p.table_id = p_table_id and p.state = 'waiting'
        order by p.order_key, p.push_id
    ) as first
$$;

COMMENT ON FUNCTION leasehold.push_due(p_tenant_id text, p_table_id text) IS 'How long the job of a table may sleep';

CREATE FUNCTION leasehold.push_prune(p_keep interval, p_batch integer) RETURNS bigint
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    with gone as (
        delete from leasehold.push as p
        where (p.tenant_id, p.push_id) in (
            select old.tenant_id, old.push_id from leasehold.push as old
            where old.ended_at < clock_timestamp() - p_keep
            order by old.ended_at
            limit p_batch)
        returning 1
    )
    select count(*) from gone
$$;

COMMENT ON FUNCTION leasehold.push_prune(p_keep interval, p_batch integer) IS 'Call it until it returns less than p_batch';

CREATE FUNCTION leasehold.push_refuse(expected text, got text, advice text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
begin
    -- A hint that is null would be an error of its own.
    if advice is null then
        raise exception 'expected %, got %', expected, got using errcode = 'LH002';
    end if;
    raise exception 'expected %, got %', expected, got using errcode = 'LH002', hint = advice;
end
$$;

COMMENT ON FUNCTION leasehold.push_refuse(expected text, got text, advice text) IS 'Raises LH002; never returns';

CREATE FUNCTION leasehold.push_request(p_tenant_id text, p_table_id text) RETURNS bigint
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select leasehold.enqueue(
        tenant => p_tenant_id, kind => 'pitchly.push', args => jsonb_build_object('table', p_table_id),
        max_attempts => 1000, unique_key => p_table_id, on_duplicate => 'reschedule')
$$;

COMMENT ON FUNCTION leasehold.push_request(p_tenant_id text, p_table_id text) IS 'The job that sends a table''s pushes; one at a time, so that nothing overtakes. While it runs, the request is remembered';

CREATE FUNCTION leasehold.push_retry(p_tenant_id text, p_push_id bigint) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    target leasehold.push;
    later bigint;
begin
    select p.* into target from leasehold.push as p
    where p.tenant_id = p_tenant_id and p.push_id = p_push_id for update;
    if not found then
        raise exception 'expected the id of a push of tenant %, got %', p_tenant_id, p_push_id
            using errcode = 'LH004', hint = 'leasehold push list --tenant ' || p_tenant_id;
    end if;
    if target.state = 'done' then
        return 'done';
    end if;
    select max(p.push_id) into later from leasehold.push as p
    where p.tenant_id = p_tenant_id and p.table_id = target.table_id and p.order_key = target.order_key
        and p.push_id > p_push_id and p.state = 'done';
    if later is not null then
        raise exception 'push % came after push % for the same record and is done', later, p_push_id
            using errcode = 'LH002', hint = 'write the change anew with leasehold.push, if it is still wanted';
    end if;
    update leasehold.push as p
    set state = 'waiting', ended_at = null, due_at = clock_timestamp(), attempts = 0
    where p.tenant_id = p_tenant_id and p.push_id = p_push_id;
    perform leasehold.push_request(p_tenant_id, target.table_id);
    return 'waiting';
end
$$;

COMMENT ON FUNCTION leasehold.push_retry(p_tenant_id text, p_push_id bigint) IS 'Returns the state of the push: waiting, or done if Pitchly has it already';

CREATE FUNCTION leasehold.push_settle(p_tenant_id text, p_push_ids bigint[], p_outcome text, p_error_class text, p_error text, p_record_id text DEFAULT NULL::text) RETURNS bigint
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    with settled as (
        update leasehold.push as p
        set state = case p_outcome when 'again' then 'waiting' else p_outcome end,
            attempts = least(p.attempts + 1, 32000),
            attempted_at = clock_timestamp(),
            ended_at = case p_outcome when 'again' then null else clock_timestamp() end,
            due_at = case p_outcome
                when 'again' then clock_timestamp()
                    + least(3600, 2 * 2.0 ^ least(p.attempts, 20)) * (1 + random() / 2) * interval '1 second'
                else p.due_at
            end,
            error_class = p_error_class,
            error = left(p_error, 2000),
            record_id = coalesce(p.record_id, p_record_id)
        where p.tenant_id = p_tenant_id and p.push_id = any (p_push_ids)
            and (p.state = 'waiting' or (p.state = 'cancelled' and p_outcome = 'done'))
        returning 1
    )
    select count(*) from settled
$$;

COMMENT ON FUNCTION leasehold.push_settle(p_tenant_id text, p_push_ids bigint[], p_outcome text, p_error_class text, p_error text, p_record_id text) IS 'outcome: done, failed or again; returns how many were settled';

CREATE FUNCTION leasehold.push_take(p_tenant_id text, p_table_id text, p_limit integer) RETURNS TABLE(push_id bigint, record_id text, match_fields text[], changes jsonb, attempts smallint)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_sort TO 'off'
    SET jit TO 'off'
    AS $$
    with head as materialized (
        select p.push_id, p.record_id, p.match_fields, p.changes, p.attempts from leasehold.push as p
        where p.tenant_id = p_tenant_id and p.table_id = p_table_id and p.state = 'waiting'
            and p.due_at <= clock_timestamp()
            and p.push_id = (
                select earliest.push_id from leasehold.push as earliest
                where earliest.tenant_id = p_tenant_id and earliest.table_id = p_table_id
                    and earliest.order_key = p.order_key and earliest.state = 'waiting'
                order by earliest.order_key, earliest.push_id
                limit 1)
        order by p.attempts, p.push_id
        limit p_limit
    )
    select h.push_id, h.record_id, h.match_fields, h.changes, h.attempts from head as h
    where h.attempts = (select min(attempts) from head)
    order by h.push_id
    limit greatest(1, p_limit >> (select least(min(attempts), 30) from head))
$$;

COMMENT ON FUNCTION leasehold.push_take(p_tenant_id text, p_table_id text, p_limit integer) IS 'Takes nothing away: a push is waiting until leasehold.push_settle';

CREATE FUNCTION leasehold.push_upsert(tenant text, "table" text, match_fields text[], changes jsonb, idempotency_key text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
begin
    if coalesce(cardinality(match_fields), 0) = 0 then
        perform leasehold.push_refuse('at least one match field', 'none', 'name the fields whose values tell which row it is');
    end if;
    return leasehold.push_write(tenant, "table", null, match_fields, changes, idempotency_key);
end
$$;

COMMENT ON FUNCTION leasehold.push_upsert(tenant text, "table" text, match_fields text[], changes jsonb, idempotency_key text) IS 'Sets cells of the row whose match fields have these values, or inserts it; only the v2 API can (otherwise the push fails)';

CREATE FUNCTION leasehold.push_write(p_tenant_id text, p_table_id text, p_record_id text, p_match_fields text[], p_changes jsonb, p_key text) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    key_values jsonb;
    result bigint;
    known leasehold.push;
begin
    perform leasehold.push_check(p_tenant_id, p_table_id, p_record_id, p_match_fields, p_changes, p_key);
    if p_match_fields is not null then
        p_match_fields := array(select distinct field from unnest(p_match_fields) as field order by field);
        key_values := (select jsonb_object_agg(field, p_changes -> field) from unnest(p_match_fields) as field);
    end if;
    insert into leasehold.push (tenant_id, table_id, record_id, match_fields, order_key, changes, idempotency_key)
    values (p_tenant_id, p_table_id, p_record_id, p_match_fields,
        coalesce('record ' || p_record_id, 'match ' || encode(sha256(convert_to(key_values::text, 'UTF8')), 'hex')),
        p_changes, p_key)
    on conflict (tenant_id, idempotency_key) do nothing
    returning push_id into result;
    if result is null then
        select p.* into known from leasehold.push as p
        where p.tenant_id = p_tenant_id and p.idempotency_key = p_key;
        if (known.table_id, known.match_fields, known.changes) is distinct from (p_table_id, p_match_fields, p_changes)
            or (p_record_id is not null and known.record_id is distinct from p_record_id)
        then
            perform leasehold.push_refuse('a new idempotency_key for another change',
                format('%L, which made push %s', left(p_key, 140), known.push_id),
                format('leasehold push show --tenant %s %s', p_tenant_id, known.push_id));
        end if;
        return known.push_id;
    end if;
    perform leasehold.push_request(p_tenant_id, p_table_id);
    return result;
end
$$;

COMMENT ON FUNCTION leasehold.push_write(p_tenant_id text, p_table_id text, p_record_id text, p_match_fields text[], p_changes jsonb, p_key text) IS 'leasehold.push and leasehold.push_upsert in one';

CREATE FUNCTION leasehold.queue_changed() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET jit TO 'off'
    AS $$
begin
    if new.max_running is not null then
        perform leasehold.limit_begin('queue', new.queue);
    end if;
    perform pg_notify('leasehold_wake', new.queue);
    return null;
end $$;

CREATE FUNCTION leasehold.queue_pause(queue text) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog'
    AS $$
    insert into leasehold.queue as q (queue, paused_at) values (queue_pause.queue, clock_timestamp())
    on conflict on constraint queue_pkey do update set paused_at = coalesce(q.paused_at, excluded.paused_at)
$$;

COMMENT ON FUNCTION leasehold.queue_pause(queue text) IS 'Enqueuing into the queue goes on; nothing of it is claimed until queue_resume';

CREATE FUNCTION leasehold.queue_resume(queue text) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog'
    AS $$
    update leasehold.queue as q set paused_at = null
    where q.queue = queue_resume.queue and paused_at is not null
$$;

CREATE FUNCTION leasehold.reconcile(settled_for interval DEFAULT '00:00:30'::interval) RETURNS TABLE(finding text, found_count bigint)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET jit TO 'off'
    AS $$
declare
    before constant timestamptz := clock_timestamp() - settled_for;
    stale record;
begin
    finding := 'ready jobs that no lane serves';
    with recursive heads as (
        (select queue, tenant_id, lane_kind from leasehold.job
        where place is not null order by tenant_id, queue, lane_kind limit 1)
        union all
        select next.* from heads cross join lateral (
            select job.queue, job.tenant_id, job.lane_kind from leasehold.job
            where job.place is not null
                and (job.tenant_id, job.queue, job.lane_kind) > (heads.tenant_id, heads.queue, heads.lane_kind)
            order by job.tenant_id, job.queue, job.lane_kind limit 1) as next
    ), behind as (
        select h.*, first.priority, first.place, first.job_id
        from heads as h
            left join lateral (
                select lane.state, lane.low_priority, lane.low_place, lane.urgent_priority,
                    lane.urgent_place
                from leasehold.lane
                where lane.tenant_id = h.tenant_id and lane.queue = h.queue
                    and lane.lane_kind = h.lane_kind limit 1) as l on true
            cross join lateral (
                select job.priority, job.place, job.job_id from leasehold.job
                where job.queue = h.queue and job.tenant_id = h.tenant_id
                    and job.lane_kind = h.lane_kind and job.place is not null
                    and job.state = 'ready' and job.ready_at < before
                order by job.priority, job.place limit 1) as first
        where (l.state is null or l.state = 'idle'
                or (first.priority, first.place) < (l.low_priority, l.low_place)
                    and (l.urgent_place is null
                        or (first.priority, first.place) < (l.urgent_priority, l.urgent_place)))
    ), stranded as (
        -- Without those that a letter names. Not an anti-join: that could become one scan of the letters a lane.
        select tenant_id, queue, lane_kind, min(priority) as priority, min(place) as place, min(job_id) as job_id
        from (
            select tenant_id, queue, lane_kind, priority, place, job_id, false as named from behind
            union all
            select w.tenant_id, w.queue, w.lane_kind, null, null, null, true
            from (select distinct queue from behind) as q
                join leasehold.wake as w on w.queue = q.queue and w.purpose = 'ready'
        ) as lane
        group by tenant_id, queue, lane_kind
        having not bool_or(named)
    ), told as (
        insert into leasehold.wake
            (tenant_id, queue, lane_kind, jobs, first_job_id, place, priority, ring)
        select tenant_id, queue, lane_kind, 2, job_id, place, priority, true from stranded
    )
    select count(*) into found_count from stranded;
    return next;

    finding := 'jobs in the lane of another kind';
    select coalesce(sum(leasehold.kind_move(k.kind)), 0) into found_count
    from leasehold.kind as k where k.apart;
    -- Lanes of kinds that need none any more are looked at by nobody. In them lie jobs that were enqueued
    -- at that very moment.
    for stale in
        with recursive kinds as (
            (select queue, lane_kind from leasehold.lane where state = 'open' order by queue, lane_kind limit 1)
            union all
            select next.* from kinds cross join lateral (
                select lane.queue, lane.lane_kind from leasehold.lane
                where state = 'open' and (lane.queue, lane.lane_kind) > (kinds.queue, kinds.lane_kind)
                order by lane.queue, lane.lane_kind limit 1) as next
        )
        select kinds.queue, kinds.lane_kind from kinds
        where lane_kind <> '' and not exists (
            select from leasehold.kind where kind.kind = kinds.lane_kind and kind.apart)
    loop
        found_count := found_count + leasehold.kind_move(stale.lane_kind);
        delete from leasehold.lane where ctid = any(array(
            select lane.ctid from leasehold.lane
            where lane.state = 'open' and lane.queue = stale.queue and lane.lane_kind = stale.lane_kind
                and not exists (select from leasehold.kind where kind.kind = stale.lane_kind and kind.apart)
            for update skip locked));
    end loop;
    return next;

    finding := 'parked jobs of tenants that are not held';
    select count(leasehold.job_release(j.job_id)) into found_count
    from (
        select job.job_id from leasehold.job
        where job.park_reason = 'authorization' and job.parked_at < before
            and exists (select from leasehold.tenant_hold as h
                where h.tenant_id = job.tenant_id and h.released_at > job.parked_at)
        limit 1000 for update skip locked) as j;
    return next;

    finding := 'cancel requests of jobs that do not run';
    select count(*) filter (where leasehold.job_end(c.job_id, 'cancelled', 'cancelled', c.reason))
    into found_count
    from leasehold.job_cancel as c where c.requested_at < before
        and exists (select from leasehold.job where job.job_id = c.job_id and claimed_by is null);
    delete from leasehold.job_cancel as c where c.requested_at < before
        and not exists (select from leasehold.job where job.job_id = c.job_id);
    return next;
end $$;

COMMENT ON FUNCTION leasehold.reconcile(settled_for interval) IS 'Repairs lanes, letters and parked jobs that disagree with the jobs, and says how many it found; expected is 0 each';

CREATE FUNCTION leasehold.refuse_unknown_tenant(tenant text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET jit TO 'off'
    AS $$
begin
    raise exception 'expected a known tenant, got "%"', left(tenant, 140)
        using errcode = 'LH001',
            hint = format('leasehold tenants add %s', left(tenant, 140));
end $$;

COMMENT ON FUNCTION leasehold.refuse_unknown_tenant(tenant text) IS 'Raises LH001 (unknown tenant); never returns';

CREATE FUNCTION leasehold.retry_delay(kind text, attempt integer) RETURNS double precision
    LANGUAGE sql
    SET search_path TO 'pg_catalog'
    AS $$
    select random() * least(coalesce(max(k.retry_cap_seconds), 3600),
        coalesce(max(k.retry_base_seconds), 2) * 2 ^ least(attempt - 1, 40))
    from leasehold.kind as k where k.kind = retry_delay.kind
$$;

COMMENT ON FUNCTION leasehold.retry_delay(kind text, attempt integer) IS 'Seconds to wait after a failed attempt: uniform from 0 to base * 2^(attempt - 1), at most the cap (full jitter)';

CREATE FUNCTION leasehold.roles_apply() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $_$
declare
    everyone text[] := array['leasehold_worker', 'leasehold_vault', 'leasehold_server', 'leasehold_enqueuer',
        'leasehold_dashboard'];
    secret_tables constant text[] := array['credential', 'credential_archive', 'credential_exchange',
        'credential_event', 'sealing_key', 'provider'];
    server_tables constant text[] := array['api_key', 'api_session', 'connect_attempt'];
    serving constant text[] := array['connect_take', 'api_prune'];
    status_tables constant text[] := array['schema_migration', 'credential_status', 'sync_progress', 'action'];
    enqueuing constant text[] := array['enqueue', 'enqueue_many', 'job_cancel', 'push', 'push_upsert'];
    owning constant text[] := array['roles_apply', 'tenant_dashboard_role', 'tenant_dashboard_grant', 'mirror_view_put'];
    vaulting constant text := '^(credential|exchange|provider|sealing)_|^(commit_durably|wal_timeline)$';
    role_name text;
    relation record;
    routine record;
    able text[];
begin
    foreach role_name in array array_prepend('leasehold_owner', everyone) loop
        if to_regrole(role_name) is null then
            begin
                execute format('create role %I nologin', role_name);
            exception
                when insufficient_privilege then
                    raise notice 'role % is missing and may not be made by this user', role_name;
                when duplicate_object or unique_violation then
                    null;
            end;
        end if;
    end loop;
    everyone := array(select r from unnest(everyone) as r where to_regrole(r) is not null);

    foreach role_name in array everyone loop
        if role_name <> 'leasehold_dashboard' then
            execute format('grant usage on schema leasehold to %I', role_name);
        end if;
        if role_name in ('leasehold_dashboard', 'leasehold_worker')
            and to_regnamespace('leasehold_dashboard') is not null
        then
            execute format('grant usage on schema leasehold_dashboard to %I', role_name);
            execute format('grant select on all tables in schema leasehold_dashboard to %I', role_name);
        end if;
        if role_name = 'leasehold_worker' then
            grant usage on all sequences in schema leasehold to leasehold_worker;
        end if;
    end loop;

    for relation in
        select c.oid::regclass as name, c.relname::text as short from pg_class as c
        where c.relnamespace = 'leasehold'::regnamespace and c.relkind in ('r', 'p', 'v')
            and not c.relispartition
    loop
        if 'leasehold_worker' = any (everyone) and relation.short <> all (secret_tables || server_tables) then
            execute format('grant %s on %s to leasehold_worker',
                case when relation.short = any (status_tables) then 'select'
                    else 'select, insert, update, delete' end, relation.name);
        end if;
        if 'leasehold_server' = any (everyone) and relation.short = any (server_tables) then
            execute format('grant select, insert, update, delete on %s to leasehold_server', relation.name);
        end if;
        if 'leasehold_vault' = any (everyone) then
            if relation.short = any (secret_tables) then
                execute format('grant select, insert, update, delete on %s to leasehold_vault', relation.name);
            elsif relation.short in ('tenant', 'schema_migration', 'credential_status') then
                execute format('grant select on %s to leasehold_vault', relation.name);
            end if;
        end if;
    end loop;

    for routine in
        select p.oid::regprocedure as name, p.proname::text as short from pg_proc as p
        where p.pronamespace = 'leasehold'::regnamespace
            -- An immutable function sees nothing but its arguments: views call some for whoever reads them.
            and p.provolatile <> 'i'
    loop
        able := case
            when routine.short = any (owning) then '{}'
            when routine.short = any (serving) then array['leasehold_server']
            when routine.short ~ '^dashboard_' then array['leasehold_dashboard', 'leasehold_worker']
            when routine.short = any (enqueuing) then array['leasehold_worker', 'leasehold_vault', 'leasehold_enqueuer']
            when routine.short in ('credential_read', 'credential_request') or routine.short !~ vaulting
                then array['leasehold_worker', 'leasehold_vault']
            else array['leasehold_vault'] end;
        execute format('revoke all on function %s from public', routine.name);
        foreach role_name in array able loop
            continue when role_name <> all (everyone);
            execute format('grant execute on function %s to %I', routine.name, role_name);
        end loop;
    end loop;
end
$_$;

COMMENT ON FUNCTION leasehold.roles_apply() IS 'Makes the roles that are missing, as far as this user may, and grants each of them its rights; may be repeated';

CREATE FUNCTION leasehold.schedule_add(name text, kind text, every interval DEFAULT NULL::interval, cron text DEFAULT NULL::text, tenant text DEFAULT NULL::text, time_zone text DEFAULT 'UTC'::text, args jsonb DEFAULT '{}'::jsonb, queue text DEFAULT 'default'::text, priority integer DEFAULT 0, max_attempts integer DEFAULT 20, timeout_after interval DEFAULT NULL::interval, starts_at timestamp with time zone DEFAULT NULL::timestamp with time zone, members text DEFAULT NULL::text, missed text DEFAULT 'once'::text, missed_most integer DEFAULT 10, grace interval DEFAULT '00:05:00'::interval, jitter interval DEFAULT '00:00:00'::interval, overlap boolean DEFAULT NULL::boolean, slot_arg text DEFAULT NULL::text, replace boolean DEFAULT false) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
#variable_conflict use_column
declare
    made leasehold.schedule := leasehold.schedule_row(name, kind, every, cron, tenant, time_zone, args,
        queue, priority, max_attempts, timeout_after, starts_at, members, missed, missed_most, grace,
        jitter, overlap, slot_arg);
    old leasehold.schedule;
    id bigint;
begin
    -- Excludes leasehold.schedule_member_back, so that whoever joins meanwhile is not overlooked.
    perform pg_advisory_xact_lock(hashtext('leasehold.schedule'));
    select s.* into old from leasehold.schedule as s where s.name = made.name for update;
    if found and not replace then
        raise exception 'expected a new name, got "%", which is a schedule already', made.name
            using errcode = 'LH002', hint = 'replace => true changes it; leasehold schedules show ' || made.name;
    end if;
    if found then
        made.starts_at := coalesce(starts_at, old.starts_at);
    end if;
    insert into leasehold.schedule as s (name, tenant_id, members, kind, queue, args, priority,
        max_attempts, timeout_seconds, slot_arg, every_seconds, starts_at, cron, time_zone, missed,
        missed_most, grace_seconds, jitter_seconds, overlap)
    values (made.name, made.tenant_id, made.members, made.kind, made.queue, made.args, made.priority,
        made.max_attempts, made.timeout_seconds, made.slot_arg, made.every_seconds, made.starts_at,
        made.cron, made.time_zone, made.missed, made.missed_most, made.grace_seconds,
        made.jitter_seconds, made.overlap)
    on conflict (name) do update set (tenant_id, members, kind, queue, args, priority, max_attempts,
        timeout_seconds, slot_arg, every_seconds, starts_at, cron, time_zone, missed, missed_most,
        grace_seconds, jitter_seconds, overlap, updated_at)
        = (excluded.tenant_id, excluded.members, excluded.kind, excluded.queue, excluded.args,
        excluded.priority, excluded.max_attempts, excluded.timeout_seconds, excluded.slot_arg,
        excluded.every_seconds, excluded.starts_at, excluded.cron, excluded.time_zone, excluded.missed,
        excluded.missed_most, excluded.grace_seconds, excluded.jitter_seconds, excluded.overlap,
        clock_timestamp())
    returning s.schedule_id into id;
    if old.tenant_id is distinct from made.tenant_id then
        delete from leasehold.schedule_turn as t
        where t.schedule_id = id and made.tenant_id is not null and t.tenant_id <> made.tenant_id;
    end if;
    if (old.tenant_id, old.every_seconds, old.starts_at, old.masks, old.time_zone, old.jitter_seconds)
        is distinct from (made.tenant_id, made.every_seconds, made.starts_at, made.masks, made.time_zone,
            made.jitter_seconds) then
        update leasehold.schedule_turn as t set slot_at = null, fire_at = null
        where t.schedule_id = id and t.slot_at is not null;
    end if;
    perform leasehold.schedule_enrol(only_schedule => id);
    return id;
end $$;

COMMENT ON FUNCTION leasehold.schedule_add(name text, kind text, every interval, cron text, tenant text, time_zone text, args jsonb, queue text, priority integer, max_attempts integer, timeout_after interval, starts_at timestamp with time zone, members text, missed text, missed_most integer, grace interval, jitter interval, overlap boolean, slot_arg text, replace boolean) IS 'Adds a schedule, or with replace changes the one of that name; the same call again changes nothing. Returns its id. Errors: LH001 unknown tenant, LH002 malformed';

CREATE TABLE leasehold.schedule (
    schedule_id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    tenant_id text COLLATE pg_catalog."C",
    members text DEFAULT 'connected'::text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    queue text DEFAULT 'default'::text NOT NULL COLLATE pg_catalog."C",
    args jsonb DEFAULT '{}'::jsonb NOT NULL,
    priority smallint DEFAULT 0 NOT NULL,
    max_attempts smallint DEFAULT 20 NOT NULL,
    timeout_seconds real,
    slot_arg text,
    every_seconds integer,
    starts_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    cron text,
    time_zone text DEFAULT 'UTC'::text NOT NULL,
    missed text DEFAULT 'once'::text NOT NULL COLLATE pg_catalog."C",
    missed_most integer DEFAULT 10 NOT NULL,
    grace_seconds integer DEFAULT 300 NOT NULL,
    jitter_seconds integer DEFAULT 0 NOT NULL,
    overlap boolean DEFAULT false NOT NULL,
    paused_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    masks bigint[] GENERATED ALWAYS AS (leasehold.cron_parse(cron)) STORED,
    CONSTRAINT schedule_all_overlap CHECK (((missed <> 'all'::text) OR overlap)),
    CONSTRAINT schedule_args_object CHECK ((jsonb_typeof(args) = 'object'::text)),
    CONSTRAINT schedule_args_size CHECK ((pg_column_size(args) <= 1000000)),
    CONSTRAINT schedule_grace_range CHECK (((grace_seconds >= 1) AND (grace_seconds <= 86400))),
    CONSTRAINT schedule_has_one_rhythm CHECK (((every_seconds IS NULL) <> (cron IS NULL))),
    CONSTRAINT schedule_interval_range CHECK (((every_seconds >= 1) AND (every_seconds <= 31622400))),
    CONSTRAINT schedule_jitter_below_interval CHECK ((jitter_seconds < every_seconds)),
    CONSTRAINT schedule_jitter_range CHECK (((jitter_seconds >= 0) AND (jitter_seconds <= 86400))),
    CONSTRAINT schedule_kind_shape CHECK ((kind ~ '^[a-z][a-z0-9._-]{0,127}$'::text)),
    CONSTRAINT schedule_max_attempts_range CHECK (((max_attempts >= 1) AND (max_attempts <= 1000))),
    CONSTRAINT schedule_members_known CHECK ((members = ANY (ARRAY['active'::text, 'connected'::text]))),
    CONSTRAINT schedule_missed_known CHECK ((missed = ANY (ARRAY['skip'::text, 'once'::text, 'all'::text]))),
    CONSTRAINT schedule_missed_most_range CHECK (((missed_most >= 1) AND (missed_most <= 1000))),
    CONSTRAINT schedule_name_shape CHECK ((name ~ '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$'::text)),
    CONSTRAINT schedule_priority_range CHECK (((priority >= '-100'::integer) AND (priority <= 100))),
    CONSTRAINT schedule_queue_shape CHECK ((queue ~ '^[a-z][a-z0-9._-]{0,127}$'::text)),
    CONSTRAINT schedule_slot_arg_length CHECK (((length(slot_arg) >= 1) AND (length(slot_arg) <= 100))),
    CONSTRAINT schedule_timeout_positive CHECK ((timeout_seconds > (0)::double precision))
);

COMMENT ON TABLE leasehold.schedule IS 'What enqueues itself, at a rhythm';

COMMENT ON COLUMN leasehold.schedule.tenant_id IS 'Null: a template, with a turn for every member; an interval is spread over the members by a hash of the tenant';

COMMENT ON COLUMN leasehold.schedule.members IS 'active: tenants that are not paused; connected: of those, the ones whose credential is active and whose jobs are not parked';

COMMENT ON COLUMN leasehold.schedule.slot_arg IS 'Name of the member of args that gets the slot''s time, ISO 8601 in UTC; null: none';

COMMENT ON COLUMN leasehold.schedule.starts_at IS 'Intervals are counted from here; no slot is earlier. Kept when a schedule is replaced, so that its slots stay where they were';

COMMENT ON COLUMN leasehold.schedule.missed IS 'When several slots are due at once, or one is due for longer than the grace, because nobody fired: skip fires the last one if it is within the grace, once fires the last one, all fires the last missed_most of them';

COMMENT ON COLUMN leasehold.schedule.jitter_seconds IS 'Each firing is put off by up to this, by a hash of tenant and slot: the same whoever computes it';

COMMENT ON COLUMN leasehold.schedule.overlap IS 'False: a slot whose tenant still has a live job of this schedule enqueues nothing';

COMMENT ON COLUMN leasehold.schedule.paused_at IS 'Slots of a pause are dropped, not missed';

COMMENT ON COLUMN leasehold.schedule.masks IS 'The expression, read by leasehold.cron_parse';

CREATE FUNCTION leasehold.schedule_decide(schedule leasehold.schedule, tenant text, slot_at timestamp with time zone, moment timestamp with time zone, OUT slots timestamp with time zone[], OUT last_slot_at timestamp with time zone, OUT next_slot_at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    slot timestamptz;
begin
    last_slot_at := greatest(leasehold.schedule_slot_until(schedule, tenant, moment), slot_at);
    while last_slot_at > slot_at and leasehold.schedule_fire_at(schedule, tenant, last_slot_at) > moment loop
        -- It is due by the clock and still put off by its jitter.
        last_slot_at := greatest(slot_at,
            leasehold.schedule_slot_until(schedule, tenant, last_slot_at - interval '1 microsecond'));
    end loop;
    next_slot_at := leasehold.schedule_slot_after(schedule, tenant, last_slot_at);
    slots := array[last_slot_at];
    if schedule.missed = 'skip' and moment
        > leasehold.schedule_fire_at(schedule, tenant, last_slot_at) + make_interval(secs => schedule.grace_seconds) then
        slots := '{}';
    elsif schedule.missed = 'all' then
        slot := last_slot_at;
        while cardinality(slots) < schedule.missed_most and slot > slot_at loop
            slot := greatest(slot_at,
                leasehold.schedule_slot_until(schedule, tenant, slot - interval '1 microsecond'));
            slots := slot || slots;
        end loop;
    end if;
end $$;

COMMENT ON FUNCTION leasehold.schedule_decide(schedule leasehold.schedule, tenant text, slot_at timestamp with time zone, moment timestamp with time zone, OUT slots timestamp with time zone[], OUT last_slot_at timestamp with time zone, OUT next_slot_at timestamp with time zone) IS 'What a schedule''s policy makes of the slots from slot_at to moment';

CREATE FUNCTION leasehold.schedule_enrol(only_schedule bigint DEFAULT NULL::bigint, only_tenant text DEFAULT NULL::text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    -- As arrays, so that one plan is good for one schedule and for one tenant.
    ids constant bigint[] := array(
        select s.schedule_id from leasehold.schedule as s
        where s.schedule_id = coalesce(only_schedule, s.schedule_id)
            and (only_tenant is null or s.tenant_id is null or s.tenant_id = only_tenant));
    tenants constant text[] := case when only_tenant is null then array(select t.tenant_id from leasehold.tenant as t)
        else array[only_tenant] end;
    enrolled bigint;
begin
    insert into leasehold.schedule_turn as t (tenant_id, schedule_id, slot_at, fire_at)
    select m.tenant_id, s.schedule_id, next.slot_at, leasehold.schedule_fire_at(s, m.tenant_id, next.slot_at)
    from leasehold.schedule as s
        cross join lateral unnest(case when s.tenant_id is null then tenants else array[s.tenant_id] end)
            as m (tenant_id)
        cross join lateral (
            select leasehold.schedule_slot_after(s, m.tenant_id, clock_timestamp()) as slot_at offset 0) as next
    where s.schedule_id = any (ids) and leasehold.schedule_serves(s, m.tenant_id)
    on conflict (tenant_id, schedule_id) do update set (slot_at, fire_at) = (
        select next.slot_at, leasehold.schedule_fire_at(s, t.tenant_id, next.slot_at)
        from leasehold.schedule as s cross join lateral (
            select leasehold.schedule_slot_after(s, t.tenant_id, greatest(clock_timestamp(), t.last_slot_at))
                as slot_at offset 0) as next
        where s.schedule_id = t.schedule_id)
        where t.slot_at is null;
    get diagnostics enrolled = row_count;
    return enrolled;
end $$;

COMMENT ON FUNCTION leasehold.schedule_enrol(only_schedule bigint, only_tenant text) IS 'Makes the turns that are missing and ends rests that are over, of all or of one schedule or tenant; returns how many';

CREATE FUNCTION leasehold.schedule_fire(most integer DEFAULT 500, look_back interval DEFAULT NULL::interval, moment timestamp with time zone DEFAULT clock_timestamp(), OUT jobs integer, OUT turns integer, OUT more boolean, OUT next_at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET jit TO 'off'
    AS $$
declare
    tenants text[];
    ids bigint[];
    due timestamptz[];
begin
    select array_agg(t.tenant_id), array_agg(t.schedule_id), array_agg(t.slot_at)
    into tenants, ids, due
    from (
        select t.tenant_id, t.schedule_id, t.slot_at from leasehold.schedule_turn as t
        where t.fire_at > coalesce(moment - look_back, '-infinity') and t.fire_at <= moment
        order by t.fire_at limit most for update skip locked) as t;
    turns := coalesce(cardinality(tenants), 0);
    jobs := 0;
    begin
        if turns > 0 then
            jobs := leasehold.schedule_fire_turns(tenants, ids, due, moment);
        end if;
    exception when others then
        -- One of them cannot be fired, and must not keep the others from it: one by one.
        for place in 1..turns loop
            begin
                jobs := jobs + leasehold.schedule_fire_turns(
                    array[tenants[place]], array[ids[place]], array[due[place]], moment);
            exception when others then
                update leasehold.schedule_turn as t
                set fire_at = moment + interval '1 minute', last_outcome = 'failed', last_error = left(sqlerrm, 1000),
                    last_at = clock_timestamp()
                where t.tenant_id = tenants[place] and t.schedule_id = ids[place];
            end;
        end loop;
    end;
    more := turns = most;
    select t.fire_at into next_at from leasehold.schedule_turn as t
    where t.fire_at > moment order by t.fire_at limit 1;
end $$;

COMMENT ON FUNCTION leasehold.schedule_fire(most integer, look_back interval, moment timestamp with time zone, OUT jobs integer, OUT turns integer, OUT more boolean, OUT next_at timestamp with time zone) IS 'Enqueues the jobs of due turns and moves the turns on, at most so many. more: call again; next_at: when the next turn is due. look_back: how long ago the turns it looks for came due, so that the index entries of those long fired are stepped over; null: any. moment: the present, for tests. A turn that fails, for example because its time zone is no longer known to the server, is tried again in a minute and says why';

CREATE FUNCTION leasehold.schedule_fire_at(schedule leasehold.schedule, tenant text, slot timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    select case when schedule.jitter_seconds = 0 then slot else slot + make_interval(secs =>
        leasehold.hash_below(concat_ws(' ', schedule.name, tenant, extract(epoch from slot)),
            schedule.jitter_seconds * 1000::bigint + 1) / 1000.0) end
$$;

COMMENT ON FUNCTION leasehold.schedule_fire_at(schedule leasehold.schedule, tenant text, slot timestamp with time zone) IS 'When a slot is fired: the slot and its jitter';

CREATE FUNCTION leasehold.schedule_fire_turns(tenants text[], ids bigint[], due timestamp with time zone[], moment timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET jit TO 'off'
    AS $$
declare
    jobs integer;
begin
    with turn as materialized (
        select u.tenant_id, s as schedule, leasehold.schedule_serves(s, u.tenant_id) as serves, d.*
        from unnest(tenants, ids, due) as u (tenant_id, schedule_id, slot_at)
            join leasehold.schedule as s using (schedule_id)
            cross join lateral leasehold.schedule_decide(s, u.tenant_id, u.slot_at, moment) as d
    ), planned as materialized (
        select turn.tenant_id, turn.schedule, d.slot, nextval('leasehold.job_id_seq') as job_id
        from turn cross join lateral unnest(turn.slots) as d (slot)
        where turn.serves
    ), made as (
        insert into leasehold.job (job_id, tenant_id, kind, queue, args, priority, max_attempts,
            timeout_seconds, unique_key, run_at, ready_at)
        select p.job_id, p.tenant_id, (p.schedule).kind, (p.schedule).queue,
            (p.schedule).args || case when (p.schedule).slot_arg is null then '{}'
                else jsonb_build_object((p.schedule).slot_arg,
                    to_char(p.slot at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) end,
            (p.schedule).priority, (p.schedule).max_attempts, (p.schedule).timeout_seconds,
            case when not (p.schedule).overlap then 'schedule ' || (p.schedule).name end,
            p.slot, clock_timestamp()
        from planned as p order by p.job_id
        on conflict (tenant_id, kind, unique_key) where unique_key is not null do nothing
        returning job.job_id
    ), last_made as materialized (
        select p.tenant_id, (p.schedule).schedule_id, max(p.job_id) as job_id
        from planned as p join made using (job_id) group by 1, 2
    ), moved as (
        update leasehold.schedule_turn as t
        set slot_at = case when turn.serves then turn.next_slot_at end,
            fire_at = case when turn.serves
                then leasehold.schedule_fire_at(turn.schedule, t.tenant_id, turn.next_slot_at) end,
            last_slot_at = case when turn.serves then turn.last_slot_at else t.last_slot_at end,
            last_at = case when turn.serves then clock_timestamp() else t.last_at end,
            last_outcome = case when not turn.serves then t.last_outcome
                when turn.slots = '{}' then 'missed'
                when m.job_id is null then 'overlapped' else 'enqueued' end,
            last_job_id = coalesce(m.job_id, t.last_job_id), last_error = null
        from turn left join last_made as m
            on m.tenant_id = turn.tenant_id and m.schedule_id = (turn.schedule).schedule_id
        where t.tenant_id = turn.tenant_id and t.schedule_id = (turn.schedule).schedule_id
    )
    select count(*) into jobs from made;
    return jobs;
end $$;

COMMENT ON FUNCTION leasehold.schedule_fire_turns(tenants text[], ids bigint[], due timestamp with time zone[], moment timestamp with time zone) IS 'Fires turns that the caller has locked; returns how many jobs that enqueued';

CREATE FUNCTION leasehold.schedule_first(schedule leasehold.schedule, tenant text) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    select schedule.starts_at + case when schedule.tenant_id is null then make_interval(secs =>
        leasehold.hash_below(schedule.name || ' ' || tenant, schedule.every_seconds * 1000::bigint) / 1000.0)
        else interval '0' end
$$;

COMMENT ON FUNCTION leasehold.schedule_first(schedule leasehold.schedule, tenant text) IS 'The first slot of an interval: of a template, a time within one interval by a hash of the tenant';

CREATE FUNCTION leasehold.schedule_known(named text) RETURNS leasehold.schedule
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    found_schedule leasehold.schedule;
begin
    select s.* into found_schedule from leasehold.schedule as s where s.name = named;
    if not found then
        raise exception 'expected the name of a schedule, got %', coalesce('"' || left(named, 140) || '"', 'null')
            using errcode = 'LH006', hint = 'leasehold schedules list';
    end if;
    return found_schedule;
end $$;

COMMENT ON FUNCTION leasehold.schedule_known(named text) IS 'The schedule of that name; raises LH006';

CREATE FUNCTION leasehold.schedule_member_back() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
begin
    perform pg_advisory_xact_lock_shared(hashtext('leasehold.schedule'));
    if exists (select from leasehold.schedule) then
        perform leasehold.schedule_enrol(only_tenant => new.tenant_id);
    end if;
    return null;
end $$;

COMMENT ON FUNCTION leasehold.schedule_member_back() IS 'After what may make a tenant a member of schedules';

CREATE FUNCTION leasehold.schedule_pause(named text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
begin
    perform leasehold.schedule_known(named);
    update leasehold.schedule as s set paused_at = clock_timestamp()
    where s.name = named and s.paused_at is null;
end $$;

COMMENT ON FUNCTION leasehold.schedule_pause(named text) IS 'Nothing is fired until schedule_resume; jobs that were enqueued run. Raises LH006';

CREATE FUNCTION leasehold.schedule_preview(schedule leasehold.schedule, tenant text, after timestamp with time zone DEFAULT clock_timestamp(), most integer DEFAULT 10) RETURNS TABLE(slot_at timestamp with time zone, local_time timestamp without time zone, zone_offset interval, fire_at timestamp with time zone)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
begin
    slot_at := after;
    for place in 1..most loop
        slot_at := leasehold.schedule_slot_after(schedule, tenant, slot_at);
        exit when slot_at is null;
        local_time := slot_at at time zone schedule.time_zone;
        zone_offset := leasehold.zone_offset(slot_at, schedule.time_zone);
        fire_at := leasehold.schedule_fire_at(schedule, tenant, slot_at);
        return next;
    end loop;
end $$;

COMMENT ON FUNCTION leasehold.schedule_preview(schedule leasehold.schedule, tenant text, after timestamp with time zone, most integer) IS 'The next slots, of a stored schedule (leasehold.schedule_known) or of one to be (leasehold.schedule_row)';

CREATE FUNCTION leasehold.schedule_remove(named text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
begin
    perform leasehold.schedule_known(named);
    delete from leasehold.schedule as s where s.name = named;
end $$;

COMMENT ON FUNCTION leasehold.schedule_remove(named text) IS 'Jobs that were enqueued stay. Raises LH006';

CREATE FUNCTION leasehold.schedule_resume(named text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    known leasehold.schedule := leasehold.schedule_known(named);
begin
    update leasehold.schedule as s set paused_at = null
    where s.schedule_id = known.schedule_id and s.paused_at is not null;
    if not found then
        return;
    end if;
    -- Slots of the pause that nobody came to look at.
    update leasehold.schedule_turn as t set slot_at = null, fire_at = null
    where t.schedule_id = known.schedule_id and t.fire_at <= clock_timestamp();
    perform leasehold.schedule_enrol(only_schedule => known.schedule_id);
end $$;

COMMENT ON FUNCTION leasehold.schedule_resume(named text) IS 'Goes on with the next slots; those of the pause are dropped. Raises LH006';

CREATE FUNCTION leasehold.schedule_row(name text, kind text DEFAULT 'preview'::text, every interval DEFAULT NULL::interval, cron text DEFAULT NULL::text, tenant text DEFAULT NULL::text, time_zone text DEFAULT 'UTC'::text, args jsonb DEFAULT '{}'::jsonb, queue text DEFAULT 'default'::text, priority integer DEFAULT 0, max_attempts integer DEFAULT 20, timeout_after interval DEFAULT NULL::interval, starts_at timestamp with time zone DEFAULT NULL::timestamp with time zone, members text DEFAULT NULL::text, missed text DEFAULT 'once'::text, missed_most integer DEFAULT 10, grace interval DEFAULT '00:05:00'::interval, jitter interval DEFAULT '00:00:00'::interval, overlap boolean DEFAULT NULL::boolean, slot_arg text DEFAULT NULL::text) RETURNS leasehold.schedule
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $_$
declare
    made leasehold.schedule;
    expected text;
    got text;
    advice text := 'see sql/README.md, "Schedules"';
begin
    perform leasehold.enqueue_check(kind, args, queue, priority, max_attempts, timeout_after,
        null, 'keep', null, null, null);
    case
    when name is null or name !~ '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$' then
        expected := 'a name of 1 to 128 of A-Z a-z 0-9 . _ : -, a letter or digit first';
        got := coalesce('"' || left(name, 140) || '"', 'null');
    when (every is null) = (cron is null) then
        expected := 'either every, for elapsed time, or cron, for times of the clock';
        got := case when every is null then 'neither' else 'both' end;
        advice := 'every => ''15 minutes'' or cron => ''0 3 * * *''';
    when extract(year from every) <> 0 or extract(month from every) <> 0 then
        expected := 'every in days, hours, minutes and seconds, since months differ in length';
        got := every::text;
        advice := 'cron => ''0 0 1 * *'' is the first of every month';
    when every not between interval '1 second' and interval '366 days'
        or extract(epoch from every) % 1 <> 0 then
        expected := 'every to be whole seconds, from 1 second to 366 days';
        got := every::text;
    when coalesce(members, 'active') not in ('active', 'connected') then
        expected := 'members to be active or connected';
        got := '"' || left(members, 40) || '"';
    when missed is null or missed not in ('skip', 'once', 'all') then
        expected := 'missed to be skip, once or all';
        got := coalesce('"' || left(missed, 40) || '"', 'null');
    when missed_most is null or missed_most not between 1 and 1000 then
        expected := 'missed_most from 1 to 1000';
        got := coalesce(missed_most::text, 'null');
    when grace is null or grace not between interval '1 second' and interval '1 day' then
        expected := 'grace from 1 second to 1 day';
        got := coalesce(grace::text, 'null');
    when jitter is null or jitter not between interval '0' and interval '1 day' or jitter >= every then
        expected := 'jitter from 0 to 1 day' || case when every is null then '' else ', less than every' end;
        got := coalesce(jitter::text, 'null');
    when missed = 'all' and not overlap then
        expected := 'overlap to be allowed if all missed slots are fired, since they are fired together';
        got := 'overlap => false';
        advice := 'missed => ''once'', or leave overlap out';
    when length(slot_arg) not between 1 and 100 then
        expected := 'slot_arg of 1 to 100 characters';
        got := length(slot_arg) || ' characters';
    when tenant is not null and not exists (select from leasehold.tenant as t where t.tenant_id = tenant) then
        perform leasehold.refuse_unknown_tenant(tenant);
    else
        made.name := name;
        made.tenant_id := tenant;
        made.members := coalesce(members, case when tenant is null then 'connected' else 'active' end);
        made.kind := kind;
        made.queue := queue;
        made.args := args;
        made.priority := priority;
        made.max_attempts := max_attempts;
        made.timeout_seconds := extract(epoch from timeout_after);
        made.slot_arg := slot_arg;
        made.every_seconds := extract(epoch from every);
        made.starts_at := coalesce(starts_at, clock_timestamp());
        made.cron := cron;
        made.masks := leasehold.cron_parse(cron);
        made.time_zone := leasehold.schedule_zone(time_zone);
        made.missed := missed;
        made.missed_most := missed_most;
        made.grace_seconds := extract(epoch from grace);
        made.jitter_seconds := extract(epoch from jitter);
        made.overlap := coalesce(overlap, missed = 'all');
        if leasehold.schedule_slot_after(made, coalesce(tenant, ''), clock_timestamp()) is not null then
            return made;
        end if;
        expected := 'a cron expression that some day fits';
        got := '"' || left(cron, 100) || '", which none does in twelve years';
    end case;
    raise exception 'expected %, got %', expected, got using errcode = 'LH002', hint = advice;
end $_$;

COMMENT ON FUNCTION leasehold.schedule_row(name text, kind text, every interval, cron text, tenant text, time_zone text, args jsonb, queue text, priority integer, max_attempts integer, timeout_after interval, starts_at timestamp with time zone, members text, missed text, missed_most integer, grace interval, jitter interval, overlap boolean, slot_arg text) IS 'A checked schedule that is not stored: for leasehold.schedule_preview; raises LH001 and LH002';

CREATE FUNCTION leasehold.schedule_serves(schedule leasehold.schedule, tenant text) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select schedule.paused_at is null
        and exists (
            select from leasehold.tenant as t where t.tenant_id = tenant and t.state = 'active')
        and (schedule.members = 'active' or leasehold.tenant_connected(tenant))
$$;

COMMENT ON FUNCTION leasehold.schedule_serves(schedule leasehold.schedule, tenant text) IS 'Whether a schedule fires for a tenant now';

CREATE FUNCTION leasehold.schedule_slot_after(schedule leasehold.schedule, tenant text, after timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog'
    SET jit TO 'off'
    AS $$
declare
    first timestamptz;
begin
    if schedule.cron is not null then
        return leasehold.cron_next(schedule.masks, schedule.time_zone,
            greatest(after, schedule.starts_at - interval '1 microsecond'));
    end if;
    first := leasehold.schedule_first(schedule, tenant);
    return first + make_interval(secs => schedule.every_seconds
        * greatest(floor(extract(epoch from after - first) / schedule.every_seconds) + 1, 0)::double precision);
end $$;

COMMENT ON FUNCTION leasehold.schedule_slot_after(schedule leasehold.schedule, tenant text, after timestamp with time zone) IS 'A tenant''s first slot after an instant; null: there is none';

CREATE FUNCTION leasehold.schedule_slot_until(schedule leasehold.schedule, tenant text, until timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog'
    SET jit TO 'off'
    AS $$
declare
    slot timestamptz;
begin
    if schedule.cron is not null then
        slot := leasehold.cron_latest(schedule.masks, schedule.time_zone, until);
        return case when slot >= schedule.starts_at then slot end;
    end if;
    slot := leasehold.schedule_first(schedule, tenant);
    return case when slot <= until then slot + make_interval(secs => schedule.every_seconds
        * floor(extract(epoch from until - slot) / schedule.every_seconds)::double precision) end;
end $$;

COMMENT ON FUNCTION leasehold.schedule_slot_until(schedule leasehold.schedule, tenant text, until timestamp with time zone) IS 'A tenant''s last slot up to an instant; null: there is none';

CREATE FUNCTION leasehold.schedule_zone(spelled text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    known text;
begin
    select z.name into known from pg_timezone_names as z
    where lower(z.name) = lower(spelled) and z.name !~ '^(posix|right)/' limit 1;
    if found then
        return known;
    end if;
    raise exception 'expected an IANA time zone, got %', coalesce('"' || left(spelled, 100) || '"', 'null')
        using errcode = 'LH002', hint = coalesce('did you mean ' || (
            select string_agg(like_it.name, ', ') from (
                select z.name from pg_timezone_names as z
                where z.name ilike '%/' || regexp_replace(spelled, '[^A-Za-z]+', '_', 'g') || '%'
                    and z.name !~ '^(posix|right)/'
                order by z.name limit 3) as like_it), 'for example Europe/Berlin');
end $$;

COMMENT ON FUNCTION leasehold.schedule_zone(spelled text) IS 'The name as the time zone database spells it; raises LH002. Abbreviations like EST and offsets like UTC+2 are none';

CREATE FUNCTION leasehold.sealing_key_of(sealed bytea) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    RETURN convert_from(substr(sealed, 3, get_byte(sealed, 1)), 'UTF8'::name);

COMMENT ON FUNCTION leasehold.sealing_key_of(sealed bytea) IS 'The id of the key a cell is sealed with: byte 0 version, byte 1 its length, then the id';

CREATE FUNCTION leasehold.settle_park_guard(job_ids bigint[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
declare
    tenants text[];
begin
    select array_agg(distinct job.tenant_id) into tenants
    from leasehold.job where job_id = any(job_ids);
    insert into leasehold.tenant_hold (tenant_id)
    select t from unnest(tenants) as t order by t
    on conflict do nothing;
    perform from leasehold.tenant_hold
    where tenant_id = any(tenants) order by tenant_id for share;
end $$;

COMMENT ON FUNCTION leasehold.settle_park_guard(job_ids bigint[]) IS 'Before settles that park: orders them against tenant_unpark';

CREATE FUNCTION leasehold.sync_abandon(p_tenant_id text, p_sync_id bigint, p_reason text) RETURNS void
    LANGUAGE sql
    SET search_path TO 'leasehold', 'pg_temp'
    AS $$
    delete from mirror_stage where sync_id = p_sync_id;
    update sync_run set state = 'abandoned', reason = p_reason, finished_at = clock_timestamp()
    where tenant_id = p_tenant_id and sync_id = p_sync_id and state = 'reading';
$$;

COMMENT ON FUNCTION leasehold.sync_abandon(p_tenant_id text, p_sync_id bigint, p_reason text) IS 'Gives a run up with what it has read; its claim, if there is one, finds it lost';

CREATE FUNCTION leasehold.sync_confirm(p_tenant_id text, p_table_id text) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'leasehold', 'pg_temp'
    SET jit TO 'off'
    AS $$
begin
    update mirror_table t set deletion_confirmed = true, updated_at = clock_timestamp()
    where t.tenant_id = p_tenant_id and t.table_id = p_table_id;
    return sync_request(p_tenant_id, p_table_id);
end
$$;

COMMENT ON FUNCTION leasehold.sync_confirm(p_tenant_id text, p_table_id text) IS 'The answer to a suspicious run, after somebody has looked at Pitchly';

CREATE FUNCTION leasehold.sync_open(p_tenant_id text, p_table_id text, p_job_id bigint, p_job_run bigint, p_dialect text, p_allows_incremental boolean, p_full_every interval, p_field_changes jsonb, p_source_time timestamp with time zone) RETURNS TABLE(outcome text, sync_id bigint, mode text, since timestamp with time zone, page_cursor text, pages integer, rows bigint, owner_job_id bigint)
    LANGUAGE plpgsql
    SET search_path TO 'leasehold', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    target mirror_table;
    run sync_run;
    staged bigint;
begin
    select t.* into target from mirror_table t
    where t.tenant_id = p_tenant_id and t.table_id = p_table_id
    for no key update;
    if not found then
        raise exception 'no mirrored table % of tenant %', p_table_id, p_tenant_id
            using errcode = 'no_data_found', hint = 'enqueue a pitchly.sync for the tenant first';
    end if;
    select r.* into run from sync_run r
    where r.tenant_id = p_tenant_id and r.table_id = p_table_id and r.state = 'reading'
    for update;

    outcome := case
        when run.sync_id is null then 'new'
        when run.job_id = p_job_id and run.job_run > p_job_run then 'lost'
        when run.job_id <> p_job_id
            and exists (select 1 from job j where j.job_id = run.job_id and j.state = 'running') then 'busy'
        when run.dialect <> p_dialect or (run.mode = 'incremental' and not p_allows_incremental) then 'new'
        else 'resumed'
    end;
    if outcome in ('lost', 'busy') then
        sync_id := run.sync_id;
        owner_job_id := run.job_id;
        return next;
        return;
    end if;

    if outcome = 'new' then
        perform sync_abandon(p_tenant_id, run.sync_id, 'a run of another kind was asked for');
        insert into sync_run (tenant_id, table_id, job_id, job_run, dialect, mode, since, source_time)
        select p_tenant_id, p_table_id, p_job_id, p_job_run, p_dialect,
            case when incremental then 'incremental' else 'full' end,
            case when incremental then target.high_mark end, p_source_time
        from (
            select p_allows_incremental and target.high_mark is not null
                and target.full_synced_at > clock_timestamp() - p_full_every as incremental
        ) as choice
        returning * into run;
    else
        update sync_run r
        set job_id = p_job_id, job_run = p_job_run, takeovers = r.takeovers + 1
        where r.tenant_id = p_tenant_id and r.sync_id = run.sync_id;
        select count(*) into staged from mirror_stage s where s.sync_id = run.sync_id;
        if staged <> run.rows then
            outcome := 'restarted';
            perform sync_restart(p_tenant_id, run.sync_id, p_job_id, p_job_run);
            run.cursor := null;
            run.pages := 0;
            run.rows := 0;
        end if;
    end if;
    update sync_run r set field_changes = r.field_changes || p_field_changes
    where r.tenant_id = p_tenant_id and r.sync_id = run.sync_id and p_field_changes <> '[]';

    sync_id := run.sync_id;
    mode := run.mode;
    since := run.since;
    page_cursor := run.cursor;
    pages := run.pages;
    rows := run.rows;
    owner_job_id := p_job_id;
    return next;
end
$$;

COMMENT ON FUNCTION leasehold.sync_open(p_tenant_id text, p_table_id text, p_job_id bigint, p_job_run bigint, p_dialect text, p_allows_incremental boolean, p_full_every interval, p_field_changes jsonb, p_source_time timestamp with time zone) IS 'outcome: new, resumed, restarted (staged rows were lost), busy (owner_job_id is running it), lost (a later claim of this job has it)';

CREATE FUNCTION leasehold.sync_request(p_tenant_id text, p_table_id text, p_queue text DEFAULT 'default'::text) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'leasehold', 'pg_temp'
    SET jit TO 'off'
    AS $$
begin
    if not exists (select from mirror_table t where t.tenant_id = p_tenant_id and t.table_id = p_table_id) then
        raise exception 'no mirrored table % of tenant %', p_table_id, p_tenant_id
            using errcode = 'no_data_found', hint = 'leasehold enqueue ' || p_tenant_id || ' pitchly.sync';
    end if;
    return enqueue(
        tenant => p_tenant_id, kind => 'pitchly.sync_table', args => jsonb_build_object('table', p_table_id),
        queue => p_queue, unique_key => p_table_id, on_duplicate => 'reschedule');
end
$$;

COMMENT ON FUNCTION leasehold.sync_request(p_tenant_id text, p_table_id text, p_queue text) IS 'Returns the job''s id; the same as before if one is waiting or running';

CREATE FUNCTION leasehold.sync_restart(p_tenant_id text, p_sync_id bigint, p_job_id bigint, p_job_run bigint) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'leasehold', 'pg_temp'
    SET jit TO 'off'
    AS $$
begin
    update sync_run r
    set cursor = null, pages = 0, rows = 0, repairs = 0, restarts = r.restarts + 1, advanced_at = clock_timestamp()
    where r.tenant_id = p_tenant_id and r.sync_id = p_sync_id
        and r.job_id = p_job_id and r.job_run = p_job_run and r.state = 'reading';
    if not found then
        return false;
    end if;
    delete from mirror_stage s where s.sync_id = p_sync_id;
    return true;
end
$$;

COMMENT ON FUNCTION leasehold.sync_restart(p_tenant_id text, p_sync_id bigint, p_job_id bigint, p_job_run bigint) IS 'Forgets the pages of a run, so that it reads the table from the beginning';

CREATE FUNCTION leasehold.tenant_changed() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
begin
    if new.max_running is not null then
        perform leasehold.limit_begin('tenant', new.tenant_id);
    end if;
    insert into leasehold.wake (tenant_id, queue, lane_kind, purpose, ring)
    select lane.tenant_id, lane.queue, lane.lane_kind, 'look', true
    from leasehold.lane where lane.tenant_id = new.tenant_id;
    return null;
end $$;

CREATE FUNCTION leasehold.tenant_connected(tenant text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select exists (
            select from leasehold.credential as c where c.tenant_id = tenant and c.state = 'active')
        and not exists (
            select from leasehold.tenant_hold as h
            where h.tenant_id = tenant and h.held_at is not null and h.released_at is null)
$$;

COMMENT ON FUNCTION leasehold.tenant_connected(tenant text) IS 'Whether a tenant''s credential is active and its jobs are not parked';

CREATE FUNCTION leasehold.tenant_dashboard_grant(p_tenant_id text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    schema_name constant text := leasehold.mirror_schema(p_tenant_id);
    role_name constant text := leasehold.tenant_dashboard_role_name(p_tenant_id);
    view_name text;
begin
    if to_regnamespace(quote_ident(schema_name)) is null then
        execute format('create schema %I', schema_name);
    end if;
    execute format('grant usage on schema %I to %I', schema_name, role_name);
    for view_name in
        select v.view_name from leasehold.mirror_view as v
        where v.tenant_id = p_tenant_id and v.view_name is not null
    loop
        execute format('grant select on %I.%I to %I', schema_name, view_name, role_name);
    end loop;
end
$$;

COMMENT ON FUNCTION leasehold.tenant_dashboard_grant(p_tenant_id text) IS 'One step of leasehold.tenant_dashboard_role';

CREATE FUNCTION leasehold.tenant_dashboard_role(p_tenant_id text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    role_name constant text := leasehold.tenant_dashboard_role_name(p_tenant_id);
begin
    if not exists (select from leasehold.tenant as t where t.tenant_id = p_tenant_id) then
        perform leasehold.refuse_unknown_tenant(p_tenant_id);
    end if;
    if to_regrole(quote_ident(role_name)) is null then
        begin
            execute format('create role %I nologin', role_name);
        exception
            when duplicate_object or unique_violation then
                null;
            when insufficient_privilege then
                raise exception 'expected the right to create the role %, got none', quote_ident(role_name)
                    using errcode = 'insufficient_privilege',
                        hint = format('call leasehold.tenant_dashboard_role(%L) as a user with CREATEROLE', p_tenant_id);
        end;
    end if;
    perform leasehold.tenant_dashboard_grant(p_tenant_id);
    return role_name;
end
$$;

COMMENT ON FUNCTION leasehold.tenant_dashboard_role(p_tenant_id text) IS 'Returns the role''s name, unquoted: grant it to a login with quote_ident';

CREATE FUNCTION leasehold.tenant_dashboard_role_name(p_tenant_id text) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN (octet_length((p_tenant_id || (current_database())::text)) <= 52) THEN ((('leasehold:'::text || p_tenant_id) || '@'::text) || (current_database())::text) ELSE ((('leasehold:'::text || "left"(p_tenant_id, 20)) || '#'::text) || "left"(encode(sha256(convert_to(((p_tenant_id || '@'::text) || (current_database())::text), 'UTF8'::name)), 'hex'::text), 32)) END;

COMMENT ON FUNCTION leasehold.tenant_dashboard_role_name(p_tenant_id text) IS 'The role that may read a tenant''s views';

CREATE FUNCTION leasehold.tenant_park(tenant text, reason text, kinds text DEFAULT '%'::text) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
declare
    parked bigint;
begin
    insert into leasehold.tenant_hold (tenant_id, reason, held_at)
    values (tenant, left(tenant_park.reason, 1000), clock_timestamp())
    on conflict (tenant_id) do update
    set reason = excluded.reason, held_at = excluded.held_at, released_at = null;
    update leasehold.job
    set state = 'parked', park_reason = 'authorization', parked_at = clock_timestamp(),
        place = null, due_at = null
    where ctid = any(array(
        select ctid from leasehold.job
        where job.tenant_id = tenant and job.place is not null and job.state = 'ready' and job.kind like kinds
        for update skip locked)
        || array(
        select ctid from leasehold.job
        where job.tenant_id = tenant and job.due_at is not null and job.kind like kinds
        for update skip locked));
    get diagnostics parked = row_count;
    return parked;
end $$;

COMMENT ON FUNCTION leasehold.tenant_park(tenant text, reason text, kinds text) IS 'Parks the waiting jobs of a tenant, for example because its access must be authorized again; no attempt is counted. kinds: a LIKE pattern. Running jobs park themselves when they need what is missing';

CREATE FUNCTION leasehold.tenant_unpark(tenant text) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
declare
    released bigint;
begin
    insert into leasehold.tenant_hold (tenant_id, released_at)
    values (tenant, clock_timestamp())
    on conflict (tenant_id) do update set reason = null, released_at = excluded.released_at;
    select count(leasehold.job_release(j.job_id)) into released
    from (
        select job.job_id from leasehold.job
        where job.tenant_id = tenant and job.park_reason = 'authorization'
        order by job.job_id for update skip locked) as j;
    return released;
end $$;

COMMENT ON FUNCTION leasehold.tenant_unpark(tenant text) IS 'Lets the parked jobs of a tenant go on, without an attempt counted; returns how many';

CREATE FUNCTION leasehold.wake_job(job leasehold.job) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog'
    AS $$
    insert into leasehold.wake (tenant_id, queue, lane_kind, jobs, first_job_id, place, priority, ring)
    values (job.tenant_id, job.queue, job.lane_kind, 1, job.job_id, job.place, job.priority, true)
$$;

COMMENT ON FUNCTION leasehold.wake_job(job leasehold.job) IS 'Says that one job became ready';

CREATE FUNCTION leasehold.wake_ring() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    ringing constant boolean := pg_try_advisory_xact_lock_shared(hashtext('leasehold.ring'), pg_backend_pid());
begin
    -- At any other isolation this sees no worker that fell asleep since the transaction began.
    if current_setting('transaction_isolation') <> 'read committed' or exists (
        select from leasehold.worker
        where sleeping_until > clock_timestamp() and new.queue = any(queues)) then
        perform pg_notify('leasehold_wake', new.queue);
    end if;
    return null;
end $$;

COMMENT ON FUNCTION leasehold.wake_ring() IS 'Notifies leasehold_wake with the queue as payload, only if a worker sleeps: NOTIFY takes a lock that all committing sessions share';

CREATE FUNCTION leasehold.wake_ringing() RETURNS text[]
    LANGUAGE sql
    SET search_path TO 'pg_catalog'
    AS $$
    select array(
        select held.virtualtransaction from pg_locks as held
        where held.locktype = 'advisory' and held.objsubid = 2
            and held.classid = hashtext('leasehold.ring')::oid and held.pid is distinct from pg_backend_pid()
            and held.database = (select oid from pg_database where datname = current_database()))
$$;

COMMENT ON FUNCTION leasehold.wake_ringing() IS 'Transactions that have looked for sleeping workers and have not ended';

CREATE FUNCTION leasehold.wal_timeline() RETURNS text
    LANGUAGE sql
    RETURN "left"(pg_walfile_name(pg_current_wal_insert_lsn()), 8);

CREATE FUNCTION leasehold.worker_heartbeat(who uuid, oldest_running timestamp with time zone DEFAULT NULL::timestamp with time zone, OUT alive boolean, OUT cancel_job_ids bigint[], OUT cancel_runs bigint[]) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
begin
    update leasehold.worker set heartbeat_at = clock_timestamp()
    where worker_id = who and lapsed_at is null;
    alive := found;
    cancel_job_ids := '{}';
    cancel_runs := '{}';
    if not alive then
        return;
    end if;
    if oldest_running is not null then
        delete from leasehold.lease where worker_id = who and claimed_at < oldest_running;
    else
        delete from leasehold.lease
        where worker_id = who and claimed_at < clock_timestamp() - interval '1 second'
            and not exists (
                select from unnest(job_ids) as l(id) cross join lateral (
                    select from leasehold.job
                    where job.job_id = l.id and job.claimed_by = who limit 1) as j);
    end if;
    select coalesce(array_agg(c.job_id order by c.job_id), '{}'),
        coalesce(array_agg(j.run order by c.job_id), '{}')
    into cancel_job_ids, cancel_runs
    from leasehold.job_cancel as c cross join lateral (
        select job.run from leasehold.job
        where job.job_id = c.job_id and job.claimed_by = who limit 1) as j;
end $$;

COMMENT ON FUNCTION leasehold.worker_heartbeat(who uuid, oldest_running timestamp with time zone, OUT alive boolean, OUT cancel_job_ids bigint[], OUT cancel_runs bigint[]) IS 'alive false: the worker has lapsed, others may run its jobs, and it must stop them. cancel_job_ids: its running jobs that somebody asked to cancel; asked again at every heartbeat until they end';

CREATE FUNCTION leasehold.worker_jobs(who uuid, OUT job_ids bigint[], OUT runs bigint[]) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
begin
    select array_agg(j.job_id), array_agg(j.run) into job_ids, runs
    from (
        select distinct l.id from leasehold.lease cross join unnest(lease.job_ids) as l(id)
        where lease.worker_id = who) as l
        cross join lateral (
            select job.job_id, job.run from leasehold.job
            where job.job_id = l.id and job.claimed_by = who limit 1) as j;
end $$;

COMMENT ON FUNCTION leasehold.worker_jobs(who uuid, OUT job_ids bigint[], OUT runs bigint[]) IS 'What a worker runs, found by its leases';

CREATE FUNCTION leasehold.worker_outlook(OUT next_due timestamp with time zone, OUT in_flight boolean) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET jit TO 'off'
    AS $$
declare
    ringing text[] := leasehold.wake_ringing();
    looks integer := 0;
begin
    while ringing <> '{}' and looks < 50 loop
        perform pg_sleep(0.002);
        ringing := array(
            select r.one from unnest(leasehold.wake_ringing()) as r(one) where r.one = any(ringing));
        looks := looks + 1;
    end loop;
    in_flight := ringing <> '{}';
    next_due := least(
        (select due_at from leasehold.job where due_at is not null order by due_at limit 1),
        (select look_at from leasehold.lane where look_at is not null order by look_at limit 1));
end $$;

COMMENT ON FUNCTION leasehold.worker_outlook(OUT next_due timestamp with time zone, OUT in_flight boolean) IS 'When the next job is due or lane opens, and whether a sleeper may miss a notification';

CREATE FUNCTION leasehold.worker_register(who uuid, name text, host text, process_id integer, version text, queues text[], kinds text[], concurrency integer, lapse_seconds double precision) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET jit TO 'off'
    AS $_$
declare
    bad text;
begin
    select q into bad from unnest(queues) as q
    where q is null or q !~ '^[a-z][a-z0-9._-]{0,127}$' limit 1;
    if found then
        raise exception 'expected queues of 1 to 128 of a-z 0-9 . _ -, a letter first, got %',
            coalesce('"' || left(bad, 140) || '"', 'null') using errcode = 'LH002';
    end if;
    insert into leasehold.worker (worker_id, name, host, process_id, version, queues, kinds,
        concurrency, lapse_seconds)
    values (who, name, host, worker_register.process_id, worker_register.version,
        worker_register.queues, coalesce(worker_register.kinds, '{}'), worker_register.concurrency,
        worker_register.lapse_seconds);
end $_$;

COMMENT ON FUNCTION leasehold.worker_register(who uuid, name text, host text, process_id integer, version text, queues text[], kinds text[], concurrency integer, lapse_seconds double precision) IS 'Adds one life of a worker process. Without a heartbeat for lapse_seconds its jobs are given to others';

CREATE FUNCTION leasehold.worker_rescue() RETURNS TABLE(worker_id uuid, job_id bigint, run bigint, fate text)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
#variable_conflict use_column
declare
    dead leasehold.worker;
    gone uuid;
    held record;
begin
    update leasehold.worker set lapsed_at = clock_timestamp(), sleeping_until = null
    where ctid = any(array(
        select ctid from leasehold.worker as w
        where w.lapsed_at is null
            and w.heartbeat_at < clock_timestamp() - make_interval(secs => w.lapse_seconds)
        for update skip locked));
    for dead in
        select w.* from leasehold.worker as w
        where w.lapsed_at is not null and (
            select true from leasehold.lease where lease.worker_id = w.worker_id limit 1)
        order by w.worker_id for update skip locked
    loop
        select * into held from leasehold.worker_jobs(dead.worker_id);
        if held.job_ids is not null then
            return query select dead.worker_id, s.job_id, s.run, s.fate
            from leasehold.job_settle(held.job_ids, held.runs,
                array_fill('kill'::text, array[cardinality(held.job_ids)]),
                labels => array_fill('worker_died'::text, array[cardinality(held.job_ids)]),
                errors => array_fill(format('worker %s (%s on %s) stopped giving signs of life',
                    dead.worker_id, dead.name, dead.host), array[cardinality(held.job_ids)])) as s;
        end if;
        delete from leasehold.lease where lease.worker_id = dead.worker_id
            and lease.claimed_at < clock_timestamp() - interval '1 minute';
    end loop;
    -- A claim that nobody waited for any more may commit after its worker has signed off: nobody runs
    -- what it took, so no attempt is counted.
    for gone in
        select distinct l.worker_id from leasehold.lease as l
        where (select true from leasehold.worker as w where w.worker_id = l.worker_id limit 1) is null
    loop
        select * into held from leasehold.worker_jobs(gone);
        if held.job_ids is not null then
            return query select gone, s.job_id, s.run, s.fate
            from leasehold.job_settle(held.job_ids, held.runs,
                array_fill('hand_back'::text, array[cardinality(held.job_ids)])) as s;
        end if;
        delete from leasehold.lease where lease.worker_id = gone
            and lease.claimed_at < clock_timestamp() - interval '1 minute';
    end loop;
end $$;

COMMENT ON FUNCTION leasehold.worker_rescue() IS 'Declares workers without a heartbeat lapsed and gives their jobs to others, and hands back what a worker that has signed off still counts for. It goes by the worker''s sign of life, never by how long a job runs, and is fenced by the run like every settle';

CREATE FUNCTION leasehold.worker_sleep(who uuid, seconds double precision) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog'
    AS $$
    update leasehold.worker set sleeping_until = clock_timestamp() + make_interval(secs => seconds)
    where worker_id = who and lapsed_at is null
$$;

COMMENT ON FUNCTION leasehold.worker_sleep(who uuid, seconds double precision) IS 'From its commit on, an enqueue for the worker''s queues notifies leasehold_wake. The worker then calls worker_outlook and claims once more before it sleeps';

CREATE FUNCTION leasehold.worker_stop(who uuid) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog'
    AS $$
    update leasehold.worker set stopping_at = coalesce(stopping_at, clock_timestamp()), sleeping_until = null
    where worker_id = who
$$;

COMMENT ON FUNCTION leasehold.worker_stop(who uuid) IS 'Notes that the worker claims no more and finishes what it runs';

CREATE FUNCTION leasehold.worker_unregister(who uuid) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
declare
    held record;
    handed_back bigint := 0;
begin
    select * into held from leasehold.worker_jobs(who);
    if held.job_ids is not null then
        select count(*) into handed_back
        from leasehold.job_settle(held.job_ids, held.runs,
            array_fill('hand_back'::text, array[cardinality(held.job_ids)]));
    end if;
    delete from leasehold.lease where worker_id = who;
    delete from leasehold.worker where worker_id = who and lapsed_at is null;
    return handed_back;
end $$;

COMMENT ON FUNCTION leasehold.worker_unregister(who uuid) IS 'The worker goes: what it still runs goes back at once without counting the attempt; returns how many jobs';

CREATE FUNCTION leasehold.worker_wake(who uuid) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog'
    AS $$
    update leasehold.worker set sleeping_until = null
    where worker_id = who and sleeping_until is not null
$$;

CREATE FUNCTION leasehold.zone_offset(at timestamp with time zone, zone text) RETURNS interval
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    AS $$
    select (at at time zone zone) - (at at time zone 'UTC')
$$;

COMMENT ON FUNCTION leasehold.zone_offset(at timestamp with time zone, zone text) IS 'What a zone''s clock is ahead of UTC at an instant';

CREATE TABLE leasehold.action (
    action_id bigint NOT NULL,
    done_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    actor text NOT NULL,
    via text NOT NULL,
    login text DEFAULT SESSION_USER NOT NULL,
    verb text NOT NULL,
    object text NOT NULL,
    name text COLLATE pg_catalog."C",
    tenant_id text COLLATE pg_catalog."C",
    job_id bigint,
    count bigint DEFAULT 1 NOT NULL,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT action_actor_length CHECK (((length(actor) >= 1) AND (length(actor) <= 200))),
    CONSTRAINT action_count_positive CHECK ((count > 0)),
    CONSTRAINT action_detail_object CHECK ((jsonb_typeof(detail) = 'object'::text)),
    CONSTRAINT action_object_known CHECK ((object = ANY (ARRAY['job'::text, 'jobs'::text, 'tenant'::text, 'queue'::text, 'kind'::text, 'schedule'::text, 'api_key'::text]))),
    CONSTRAINT action_verb_known CHECK ((verb = ANY (ARRAY['add'::text, 'change'::text, 'remove'::text, 'pause'::text, 'resume'::text, 'revoke'::text, 'retry'::text, 'cancel'::text, 'discard'::text, 'reschedule'::text]))),
    CONSTRAINT action_via_known CHECK ((via = ANY (ARRAY['page'::text, 'api'::text, 'command'::text, 'sql'::text])))
);

COMMENT ON TABLE leasehold.action IS 'One thing that somebody did by hand; kept for a year by leasehold.prune';

COMMENT ON COLUMN leasehold.action.actor IS 'Who, as the program names them; of via sql the login itself';

COMMENT ON COLUMN leasehold.action.login IS 'The database''s login, which nobody can pretend to be';

COMMENT ON COLUMN leasehold.action.name IS 'Of the queue, kind, schedule or key';

COMMENT ON COLUMN leasehold.action.tenant_id IS 'Whose; no foreign key, because the line stays when the tenant goes';

COMMENT ON COLUMN leasehold.action.count IS 'How many it struck; of many jobs all batches within a minute';

COMMENT ON COLUMN leasehold.action.detail IS 'What changed, each as [before, after], or a reason, or the filter of many jobs';

ALTER TABLE leasehold.action ALTER COLUMN action_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME leasehold.action_action_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE leasehold.api_key (
    api_key_id text NOT NULL,
    name text NOT NULL,
    secret_hash bytea NOT NULL,
    scopes text[] NOT NULL,
    tenant_id text COLLATE pg_catalog."C",
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    last_used_at timestamp with time zone,
    CONSTRAINT api_key_admin_unbound CHECK (((tenant_id IS NULL) OR (NOT ('admin'::text = ANY (scopes))))),
    CONSTRAINT api_key_id_shape CHECK ((api_key_id ~ '^[a-z0-9]{12}$'::text)),
    CONSTRAINT api_key_name_length CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT api_key_scopes_known CHECK (((cardinality(scopes) > 0) AND (scopes <@ ARRAY['jobs:read'::text, 'jobs:write'::text, 'tenants:read'::text, 'tenants:write'::text, 'tokens:read'::text, 'tokens:write'::text, 'admin'::text]))),
    CONSTRAINT api_key_secret_hash_length CHECK ((length(secret_hash) = 32))
);

COMMENT ON TABLE leasehold.api_key IS 'One key of the HTTP interface';

COMMENT ON COLUMN leasehold.api_key.api_key_id IS 'Shown in lists and logs; no part of the secret';

COMMENT ON COLUMN leasehold.api_key.secret_hash IS 'SHA-256 of the whole key; the key itself is shown once, when it is made';

COMMENT ON COLUMN leasehold.api_key.scopes IS 'What the key may do; admin may do everything';

COMMENT ON COLUMN leasehold.api_key.tenant_id IS 'The only tenant the key may see; null is all';

COMMENT ON COLUMN leasehold.api_key.expires_at IS 'Refused from then on; null is never';

COMMENT ON COLUMN leasehold.api_key.revoked_at IS 'Refused since then; kept for the list';

COMMENT ON COLUMN leasehold.api_key.last_used_at IS 'To the minute, so that a busy key costs no update a request';

CREATE TABLE leasehold.api_session (
    session_hash bytea NOT NULL,
    api_key_id text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT api_session_hash_length CHECK ((length(session_hash) = 32))
);

COMMENT ON TABLE leasehold.api_session IS 'One browser that logged in to the page with an API key';

COMMENT ON COLUMN leasehold.api_session.session_hash IS 'SHA-256 of the cookie';

CREATE TABLE leasehold.bucket (
    scope text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    tokens double precision NOT NULL,
    filled_at timestamp with time zone NOT NULL,
    CONSTRAINT bucket_scope_known CHECK ((scope = ANY (ARRAY['tenant'::text, 'queue'::text, 'kind'::text])))
)
WITH (fillfactor='50');

COMMENT ON TABLE leasehold.bucket IS 'Token buckets of tenants, queues and kinds with a rate limit; locked only by claims';

CREATE TABLE leasehold.connect_attempt (
    attempt_hash bytea NOT NULL,
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    browser_hash bytea,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT connect_attempt_browser_length CHECK ((length(browser_hash) = 32)),
    CONSTRAINT connect_attempt_hash_length CHECK ((length(attempt_hash) = 32))
);

COMMENT ON TABLE leasehold.connect_attempt IS 'One login at the provider that is under way, or a link to begin one';

COMMENT ON COLUMN leasehold.connect_attempt.attempt_hash IS 'SHA-256 of the state parameter, or of the ticket in a link';

COMMENT ON COLUMN leasehold.connect_attempt.browser_hash IS 'SHA-256 of the cookie of the browser that began; null for a link, which any browser may open';

COMMENT ON COLUMN leasehold.connect_attempt.used_at IS 'Each is good for one use';

CREATE TABLE leasehold.credential_archive (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    archive_id bigint NOT NULL,
    generation bigint NOT NULL,
    refresh_token bytea NOT NULL,
    reason text NOT NULL,
    archived_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT credential_archive_reason_known CHECK ((reason = ANY (ARRAY['reconnected'::text, 'superseded'::text])))
);

COMMENT ON TABLE leasehold.credential_archive IS 'Refresh tokens that left their credential without being exchanged, sealed as column refresh_token of their generation';

ALTER TABLE leasehold.credential_archive ALTER COLUMN archive_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME leasehold.credential_archive_archive_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE leasehold.credential_event (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    event_id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    kind text NOT NULL,
    generation bigint NOT NULL,
    detail text DEFAULT ''::text NOT NULL,
    CONSTRAINT credential_event_known CHECK ((kind = ANY (ARRAY['connected'::text, 'needs_authorization'::text, 'recovered'::text])))
);

COMMENT ON TABLE leasehold.credential_event IS 'What a person may want to know of a credential: connected, lost, recovered';

ALTER TABLE leasehold.credential_event ALTER COLUMN event_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME leasehold.credential_event_event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE leasehold.credential_exchange (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    exchange_id bigint NOT NULL,
    attempt_id uuid NOT NULL,
    generation bigint NOT NULL,
    rung text NOT NULL,
    grant_kind text NOT NULL,
    worker uuid NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    outcome text NOT NULL,
    error_class text,
    http_status integer,
    fingerprint text,
    CONSTRAINT credential_exchange_outcome_known CHECK ((outcome = ANY (ARRAY['saved'::text, 'replayed'::text, 'superseded'::text, 'not_sent'::text, 'throttled'::text, 'misconfigured'::text, 'refused'::text, 'dead'::text, 'ambiguous'::text, 'abandoned'::text])))
);

COMMENT ON TABLE leasehold.credential_exchange IS 'Append-only log of exchanges; holds no token';

COMMENT ON COLUMN leasehold.credential_exchange.fingerprint IS 'First 8 bytes of an HMAC of the presented token, after the id of its key: two equal ones are one token';

ALTER TABLE leasehold.credential_exchange ALTER COLUMN exchange_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME leasehold.credential_exchange_exchange_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW leasehold.credential_status AS
 SELECT credential.tenant_id,
    credential.provider,
    credential.state,
    credential.connected_by,
    credential.renewed_by,
    credential.organization,
    credential.scope,
    credential.generation,
    credential.access_issued_at,
    credential.access_expires_at,
    (credential.access_rejected_at IS NOT NULL) AS access_rejected,
    credential.refresh_due_at,
    credential.refresh_requested_at,
    credential.not_before,
    (credential.attempt_id IS NOT NULL) AS exchanging,
    credential.attempt_rung,
    credential.attempt_started_at,
    credential.attempt_deadline,
    credential.suspect_reason,
    credential.suspect_at,
    credential.rungs_tried,
    credential.failures,
    credential.last_exchange_at,
    credential.last_outcome,
    credential.last_error_class,
    credential.needs_authorization_at,
    credential.connected_at,
    credential.updated_at
   FROM leasehold.credential;

COMMENT ON VIEW leasehold.credential_status IS 'Everything of a credential that is not a token, sealed or otherwise';

CREATE TABLE leasehold.job_attempt (
    job_id bigint NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    attempt smallint NOT NULL,
    run bigint NOT NULL,
    started_at timestamp with time zone,
    worker_id uuid,
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    queue text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    outcome text NOT NULL COLLATE pg_catalog."C",
    error_label text,
    error text,
    fingerprint text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT attempt_outcome_known CHECK ((outcome = ANY (ARRAY['retry'::text, 'discard'::text, 'kill'::text])))
)
PARTITION BY RANGE (ended_at);

COMMENT ON TABLE leasehold.job_attempt IS 'Attempts that failed, partitioned and dropped like job_history';

COMMENT ON COLUMN leasehold.job_attempt.fingerprint IS 'Same for errors that differ only in numbers, ids and quoted words: leasehold.error_fingerprint';

CREATE TABLE leasehold.job_cancel (
    job_id bigint NOT NULL,
    reason text NOT NULL,
    requested_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

COMMENT ON TABLE leasehold.job_cancel IS 'Cancel requests for running jobs. Not a column of job: the transaction that asks may stay open and must not hold up the settle';

CREATE TABLE leasehold.job_dependency (
    job_id bigint NOT NULL,
    needs_job_id bigint NOT NULL,
    on_failure text DEFAULT 'cancel'::text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT dependency_not_self CHECK ((job_id <> needs_job_id)),
    CONSTRAINT dependency_policy_known CHECK ((on_failure = ANY (ARRAY['cancel'::text, 'run'::text])))
);

COMMENT ON TABLE leasehold.job_dependency IS 'Job job_id stays parked until needs_job_id has ended; the row goes when it has';

COMMENT ON COLUMN leasehold.job_dependency.on_failure IS 'If the needed job is discarded or cancelled: cancel ends this job too, run lets it start all the same';

CREATE TABLE leasehold.job_idempotency (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    idempotency_key text NOT NULL COLLATE pg_catalog."C",
    job_id bigint NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT idempotency_key_length CHECK (((length(idempotency_key) >= 1) AND (length(idempotency_key) <= 500)))
);

COMMENT ON TABLE leasehold.job_idempotency IS 'Which job an idempotency key made, for as long as prune keeps it (default 7 days), also after the job ended';

CREATE TABLE leasehold.kind (
    kind text NOT NULL COLLATE pg_catalog."C",
    paused_at timestamp with time zone,
    max_running integer,
    rate_per_second real,
    rate_burst integer,
    retry_base_seconds real DEFAULT 2 NOT NULL,
    retry_cap_seconds real DEFAULT 3600 NOT NULL,
    apart boolean GENERATED ALWAYS AS (((paused_at IS NOT NULL) OR (max_running IS NOT NULL) OR (rate_per_second IS NOT NULL))) STORED NOT NULL,
    CONSTRAINT kind_burst_positive CHECK ((rate_burst > 0)),
    CONSTRAINT kind_max_running_positive CHECK ((max_running > 0)),
    CONSTRAINT kind_rate_positive CHECK ((rate_per_second > (0)::double precision)),
    CONSTRAINT kind_retry_base_range CHECK (((retry_base_seconds >= (0.001)::double precision) AND (retry_base_seconds <= (86400)::double precision))),
    CONSTRAINT kind_retry_cap_range CHECK (((retry_cap_seconds >= (0.001)::double precision) AND (retry_cap_seconds <= (604800)::double precision))),
    CONSTRAINT kind_shape CHECK ((kind ~ '^[a-z][a-z0-9._-]{0,127}$'::text))
);

COMMENT ON TABLE leasehold.kind IS 'Settings of a job kind; a kind without a row has none and works';

COMMENT ON COLUMN leasehold.kind.apart IS 'True: jobs of this kind wait in lanes of their own (lane_kind), so that a limit of the kind cannot stand before other jobs of the tenant';

CREATE TABLE leasehold.lane (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    queue text NOT NULL COLLATE pg_catalog."C",
    lane_kind text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    vt double precision NOT NULL,
    low_place bigint NOT NULL,
    urgent_place bigint,
    look_at timestamp with time zone,
    since timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    blocked_seconds real DEFAULT 0 NOT NULL,
    job_seconds real DEFAULT 0.001 NOT NULL,
    low_priority smallint NOT NULL,
    urgent_priority smallint,
    state text DEFAULT 'open'::text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT lane_state_known CHECK ((state = ANY (ARRAY['open'::text, 'full'::text, 'throttled'::text, 'paused'::text, 'idle'::text])))
)
WITH (fillfactor='60', autovacuum_vacuum_scale_factor='0.05', autovacuum_vacuum_threshold='500', autovacuum_vacuum_cost_delay='0');

COMMENT ON TABLE leasehold.lane IS 'One tenant in one queue, while it has a backlog; a tenant whose jobs are claimed as they come has none';

COMMENT ON COLUMN leasehold.lane.vt IS 'Virtual time: seconds of running time received, divided by the weight; the lowest open lane is served first';

COMMENT ON COLUMN leasehold.lane.look_at IS 'When a lane that is not open is looked at again, if no event comes before';

COMMENT ON COLUMN leasehold.lane.since IS 'When the lane got its state';

COMMENT ON COLUMN leasehold.lane.blocked_seconds IS 'Time spent full, throttled or paused since the backlog began';

COMMENT ON COLUMN leasehold.lane.job_seconds IS 'Running mean of the run time of its jobs: what a claim charges in advance';

COMMENT ON COLUMN leasehold.lane.low_priority IS 'With low_place the low mark: no ready job of the lane is before it in (priority, place), but for urgent ones';

COMMENT ON COLUMN leasehold.lane.urgent_priority IS 'With urgent_place the low mark of jobs with a priority below low_priority that came later; null: there are none';

COMMENT ON COLUMN leasehold.lane.state IS 'open: may be served; full: the tenant is at its limit of running jobs; throttled: at its rate limit; paused: the tenant is paused; idle: nothing waits, vt is remembered until the others have caught up';

CREATE TABLE leasehold.lane_floor (
    queue text NOT NULL COLLATE pg_catalog."C",
    floor double precision NOT NULL,
    noted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
)
WITH (fillfactor='50');

COMMENT ON TABLE leasehold.lane_floor IS 'About the lowest virtual time of the open lanes of a queue, noted at most once a second; sessions that claim keep their own and read this one only after a pause';

CREATE TABLE leasehold.lease (
    worker_id uuid NOT NULL,
    claimed_at timestamp with time zone NOT NULL,
    job_ids bigint[] NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.05', autovacuum_vacuum_threshold='1000', autovacuum_vacuum_cost_delay='0');

COMMENT ON TABLE leasehold.lease IS 'One row a claim: which jobs a worker took. How the jobs of a dead worker are found without an index that every claim would write; rows go with the heartbeat when their jobs have ended';

CREATE TABLE leasehold.mirror_change (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    table_id text NOT NULL COLLATE pg_catalog."C",
    "position" bigint NOT NULL,
    record_id text NOT NULL COLLATE pg_catalog."C",
    operation text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT mirror_change_operation_known CHECK ((operation = ANY (ARRAY['insert'::text, 'update'::text, 'delete'::text])))
);

COMMENT ON TABLE leasehold.mirror_change IS 'Outbox: what changed in a mirror, in order; read it with leasehold.mirror_changes';

CREATE TABLE leasehold.mirror_field (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    table_id text NOT NULL COLLATE pg_catalog."C",
    field_id text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL,
    type text NOT NULL,
    place integer NOT NULL,
    previous_type text,
    type_changed_at timestamp with time zone,
    gone_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

COMMENT ON TABLE leasehold.mirror_field IS 'The fields of the mirrored tables, those that are gone included';

COMMENT ON COLUMN leasehold.mirror_field.place IS 'From 1, in the order of the API';

COMMENT ON COLUMN leasehold.mirror_field.gone_at IS 'When the field was first missing; null while it is there';

CREATE TABLE leasehold.mirror_record (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    table_id text NOT NULL COLLATE pg_catalog."C",
    record_id text NOT NULL COLLATE pg_catalog."C",
    content_hash bytea NOT NULL,
    fields jsonb NOT NULL,
    labels jsonb,
    changed_at timestamp with time zone NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');

COMMENT ON TABLE leasehold.mirror_record IS 'The records of the mirrored tables';

COMMENT ON COLUMN leasehold.mirror_record.content_hash IS 'First 16 bytes of SHA-256 over the content as it was read';

COMMENT ON COLUMN leasehold.mirror_record.fields IS 'From field id to the value as the API gave it: {"fld...": {"val": ...}}';

COMMENT ON COLUMN leasehold.mirror_record.labels IS 'From field id to the text shown to people, where it is not the value''s own val; null where it never is';

CREATE UNLOGGED TABLE leasehold.mirror_stage (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    sync_id bigint NOT NULL,
    page integer NOT NULL,
    record_id text NOT NULL COLLATE pg_catalog."C",
    content_hash bytea NOT NULL,
    fields text NOT NULL,
    labels text
)
WITH (autovacuum_vacuum_scale_factor='0.02', toast.autovacuum_vacuum_scale_factor='0.02');

COMMENT ON TABLE leasehold.mirror_stage IS 'Records read by unfinished runs; a record may stand on several pages, the later counts';

CREATE TABLE leasehold.mirror_table (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    table_id text NOT NULL COLLATE pg_catalog."C",
    workspace_id text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL,
    state text DEFAULT 'live'::text NOT NULL,
    record_count bigint DEFAULT 0 NOT NULL,
    first_position bigint DEFAULT 1 NOT NULL,
    last_position bigint DEFAULT 0 NOT NULL,
    deletion_confirmed boolean DEFAULT false NOT NULL,
    synced_at timestamp with time zone,
    full_synced_at timestamp with time zone,
    high_mark timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT mirror_table_id_length CHECK (((octet_length(table_id) >= 1) AND (octet_length(table_id) <= 500))),
    CONSTRAINT mirror_table_positions_ordered CHECK (((first_position >= 1) AND (first_position <= (last_position + 1)))),
    CONSTRAINT mirror_table_state_known CHECK ((state = ANY (ARRAY['live'::text, 'gone'::text])))
);

COMMENT ON TABLE leasehold.mirror_table IS 'One table of Pitchly that is mirrored';

COMMENT ON COLUMN leasehold.mirror_table.state IS 'gone: the API no longer shows it; its mirror is kept as it was';

COMMENT ON COLUMN leasehold.mirror_table.first_position IS 'The oldest change that is still kept';

COMMENT ON COLUMN leasehold.mirror_table.last_position IS 'The newest change; taken under this row''s lock, so positions have no gaps and become visible in order';

COMMENT ON COLUMN leasehold.mirror_table.deletion_confirmed IS 'The next sync may delete any share of the records, once';

COMMENT ON COLUMN leasehold.mirror_table.high_mark IS 'Changes that Pitchly dates before it are in the mirror: where an incremental run begins; null asks for a full run';

CREATE TABLE leasehold.mirror_view (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    table_id text NOT NULL COLLATE pg_catalog."C",
    schema_name text,
    view_name text,
    columns jsonb DEFAULT '[]'::jsonb NOT NULL,
    state text NOT NULL,
    problem text,
    changed_at timestamp with time zone,
    checked_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT mirror_view_columns_array CHECK ((jsonb_typeof(columns) = 'array'::text)),
    CONSTRAINT mirror_view_problem_told CHECK (((state = 'current'::text) = (problem IS NULL))),
    CONSTRAINT mirror_view_state_known CHECK ((state = ANY (ARRAY['current'::text, 'waiting'::text, 'failed'::text])))
);

COMMENT ON TABLE leasehold.mirror_view IS 'The typed views as they are in the database';

COMMENT ON COLUMN leasehold.mirror_view.view_name IS 'Null until the view could be made';

COMMENT ON COLUMN leasehold.mirror_view.columns IS 'One {"field", "name", "type"} per field, in the order of the view';

COMMENT ON COLUMN leasehold.mirror_view.state IS 'waiting: a reader held the view, so it is as it was and will be tried again; failed: it cannot be changed, see problem';

CREATE TABLE leasehold.push (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    push_id bigint NOT NULL,
    table_id text NOT NULL COLLATE pg_catalog."C",
    record_id text COLLATE pg_catalog."C",
    match_fields text[] COLLATE pg_catalog."C",
    order_key text NOT NULL COLLATE pg_catalog."C",
    changes jsonb NOT NULL,
    idempotency_key text NOT NULL COLLATE pg_catalog."C",
    state text DEFAULT 'waiting'::text NOT NULL COLLATE pg_catalog."C",
    attempts smallint DEFAULT 0 NOT NULL,
    due_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    error_class text,
    error text,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    attempted_at timestamp with time zone,
    ended_at timestamp with time zone,
    CONSTRAINT push_changes_object CHECK ((jsonb_typeof(changes) = 'object'::text)),
    CONSTRAINT push_changes_size CHECK ((pg_column_size(changes) <= 1048576)),
    CONSTRAINT push_ended CHECK (((state = 'waiting'::text) = (ended_at IS NULL))),
    CONSTRAINT push_idempotency_key_length CHECK (((length(idempotency_key) >= 1) AND (length(idempotency_key) <= 500))),
    CONSTRAINT push_match_fields_named CHECK (((cardinality(match_fields) >= 1) AND (cardinality(match_fields) <= 100))),
    CONSTRAINT push_names_its_record CHECK (((record_id IS NOT NULL) OR (match_fields IS NOT NULL))),
    CONSTRAINT push_record_length CHECK (((octet_length(record_id) >= 1) AND (octet_length(record_id) <= 500))),
    CONSTRAINT push_state_known CHECK ((state = ANY (ARRAY['waiting'::text, 'done'::text, 'failed'::text, 'cancelled'::text])))
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.05');

COMMENT ON TABLE leasehold.push IS 'Outbox of changes for Pitchly; write to it with leasehold.push and leasehold.push_upsert';

COMMENT ON COLUMN leasehold.push.record_id IS 'Null for an upsert, until its row is known';

COMMENT ON COLUMN leasehold.push.match_fields IS 'An upsert: the fields by whose values the row is found';

COMMENT ON COLUMN leasehold.push.order_key IS 'Pushes with the same key are sent one after another';

COMMENT ON COLUMN leasehold.push.changes IS 'From field id to the new value: {"fld...": {"val": ...}}; {"val": null} empties a cell';

COMMENT ON COLUMN leasehold.push.state IS 'waiting: to be sent, again if it was tried; failed: refused for good, see error; cancelled: by request';

COMMENT ON COLUMN leasehold.push.due_at IS 'Not to be sent before: rises with every failed attempt';

COMMENT ON COLUMN leasehold.push.error_class IS 'Of the last attempt, without variable part: pitchly_forbidden; null after a good one';

ALTER TABLE leasehold.push ALTER COLUMN push_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME leasehold.push_push_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE leasehold.queue (
    queue text NOT NULL COLLATE pg_catalog."C",
    paused_at timestamp with time zone,
    weight real DEFAULT 1 NOT NULL,
    max_running integer,
    rate_per_second real,
    rate_burst integer,
    CONSTRAINT queue_burst_positive CHECK ((rate_burst > 0)),
    CONSTRAINT queue_max_running_positive CHECK ((max_running > 0)),
    CONSTRAINT queue_rate_positive CHECK ((rate_per_second > (0)::double precision)),
    CONSTRAINT queue_shape CHECK ((queue ~ '^[a-z][a-z0-9._-]{0,127}$'::text)),
    CONSTRAINT queue_weight_range CHECK (((weight >= (0.01)::double precision) AND (weight <= (1000)::double precision)))
);

COMMENT ON TABLE leasehold.queue IS 'Settings of a queue; a queue without a row has none and works';

COMMENT ON COLUMN leasehold.queue.paused_at IS 'Set: enqueuing goes on, nothing of the queue is claimed';

COMMENT ON COLUMN leasehold.queue.weight IS 'Share of a worker that serves several queues; default 1';

COMMENT ON COLUMN leasehold.queue.max_running IS 'Most jobs of the queue running at once, over all workers; null is no limit';

ALTER TABLE leasehold.schedule ALTER COLUMN schedule_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME leasehold.schedule_schedule_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE leasehold.schedule_turn (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    schedule_id bigint NOT NULL,
    slot_at timestamp with time zone,
    fire_at timestamp with time zone,
    last_slot_at timestamp with time zone,
    last_outcome text COLLATE pg_catalog."C",
    last_error text,
    last_at timestamp with time zone,
    last_job_id bigint,
    CONSTRAINT turn_outcome_known CHECK ((last_outcome = ANY (ARRAY['enqueued'::text, 'overlapped'::text, 'missed'::text, 'failed'::text]))),
    CONSTRAINT turn_rests_or_waits CHECK (((slot_at IS NULL) = (fire_at IS NULL))),
    CONSTRAINT turn_slot_once CHECK ((slot_at > last_slot_at))
)
WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0.05', autovacuum_vacuum_threshold='1000', autovacuum_vacuum_cost_delay='0');

COMMENT ON TABLE leasehold.schedule_turn IS 'A tenant''s turn in a schedule';

COMMENT ON COLUMN leasehold.schedule_turn.slot_at IS 'The next slot; null while the turn rests because its schedule or tenant does. What ends the rest sets it anew';

COMMENT ON COLUMN leasehold.schedule_turn.fire_at IS 'slot_at and the jitter';

COMMENT ON COLUMN leasehold.schedule_turn.last_slot_at IS 'The last slot that was decided; the next one is later, whatever happens';

COMMENT ON COLUMN leasehold.schedule_turn.last_outcome IS 'enqueued: a job; overlapped: the job of an earlier slot was still live; missed: dropped by the policy; failed: it is tried again, see last_error';

CREATE VIEW leasehold.schedule_status AS
 SELECT s.name,
    s.schedule_id,
    s.tenant_id,
    s.members,
    s.kind,
    s.queue,
        CASE
            WHEN (s.cron IS NULL) THEN ('every '::text || make_interval(secs => (s.every_seconds)::double precision))
            ELSE s.cron
        END AS rhythm,
    s.time_zone,
    s.missed,
    s.overlap,
    s.jitter_seconds,
    s.paused_at,
    s.created_at,
    ( SELECT count(*) AS count
           FROM leasehold.schedule_turn t
          WHERE ((t.schedule_id = s.schedule_id) AND (t.fire_at IS NOT NULL))) AS waiting,
    ( SELECT count(*) AS count
           FROM leasehold.schedule_turn t
          WHERE ((t.schedule_id = s.schedule_id) AND (t.fire_at IS NULL))) AS resting,
    ( SELECT count(*) AS count
           FROM leasehold.schedule_turn t
          WHERE ((t.schedule_id = s.schedule_id) AND (t.fire_at < clock_timestamp()))) AS due,
    ( SELECT count(*) AS count
           FROM leasehold.schedule_turn t
          WHERE ((t.schedule_id = s.schedule_id) AND (t.last_outcome = 'failed'::text))) AS failed,
    ( SELECT min(t.fire_at) AS min
           FROM leasehold.schedule_turn t
          WHERE (t.schedule_id = s.schedule_id)) AS next_at,
    ( SELECT max(t.last_at) AS max
           FROM leasehold.schedule_turn t
          WHERE (t.schedule_id = s.schedule_id)) AS last_at,
        CASE
            WHEN (s.tenant_id IS NOT NULL) THEN ( SELECT t.last_outcome
               FROM leasehold.schedule_turn t
              WHERE ((t.schedule_id = s.schedule_id) AND (t.tenant_id = s.tenant_id)))
            ELSE NULL::text
        END AS last_outcome,
        CASE
            WHEN (s.tenant_id IS NOT NULL) THEN ( SELECT t.last_job_id
               FROM leasehold.schedule_turn t
              WHERE ((t.schedule_id = s.schedule_id) AND (t.tenant_id = s.tenant_id)))
            ELSE NULL::bigint
        END AS last_job_id
   FROM leasehold.schedule s;

COMMENT ON VIEW leasehold.schedule_status IS 'Schedules and their turns; reads every turn, which for 100 000 tenants takes a second';

COMMENT ON COLUMN leasehold.schedule_status.due IS 'Turns that should have fired; above zero for more than a moment, no worker fires';

COMMENT ON COLUMN leasehold.schedule_status.failed IS 'Turns that could not be fired; schedule_turn.last_error says why';

CREATE TABLE leasehold.schema_migration (
    version integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE leasehold.sealing_key (
    key_id text NOT NULL COLLATE pg_catalog."C",
    check_value text NOT NULL,
    first_seen_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    last_sealed_at timestamp with time zone,
    retired_at timestamp with time zone,
    CONSTRAINT sealing_key_id_shape CHECK ((key_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$'::text))
);

COMMENT ON TABLE leasehold.sealing_key IS 'Keys that workers have met, without material';

COMMENT ON COLUMN leasehold.sealing_key.check_value IS 'HMAC of a fixed text: refuses a worker that holds other material under the same id';

COMMENT ON COLUMN leasehold.sealing_key.last_sealed_at IS 'Last time, to the hour, that a worker sealed with it: its spool entries live for 24 hours more';

CREATE TABLE leasehold.sync_run (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    sync_id bigint NOT NULL,
    table_id text NOT NULL COLLATE pg_catalog."C",
    job_id bigint NOT NULL,
    job_run bigint NOT NULL,
    state text DEFAULT 'reading'::text NOT NULL,
    mode text NOT NULL,
    dialect text NOT NULL,
    since timestamp with time zone,
    cursor text,
    pages integer DEFAULT 0 NOT NULL,
    rows bigint DEFAULT 0 NOT NULL,
    expected_rows bigint,
    repairs bigint DEFAULT 0 NOT NULL,
    takeovers integer DEFAULT 0 NOT NULL,
    restarts integer DEFAULT 0 NOT NULL,
    inserted bigint,
    updated bigint,
    deleted bigint,
    unchanged bigint,
    field_changes jsonb DEFAULT '[]'::jsonb NOT NULL,
    reason text,
    source_time timestamp with time zone,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    advanced_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    finished_at timestamp with time zone,
    CONSTRAINT sync_run_counted CHECK (((state <> 'merged'::text) OR (inserted IS NOT NULL))),
    CONSTRAINT sync_run_field_changes_array CHECK ((jsonb_typeof(field_changes) = 'array'::text)),
    CONSTRAINT sync_run_finished CHECK (((state = 'reading'::text) = (finished_at IS NULL))),
    CONSTRAINT sync_run_mode_known CHECK ((mode = ANY (ARRAY['full'::text, 'incremental'::text]))),
    CONSTRAINT sync_run_state_known CHECK ((state = ANY (ARRAY['reading'::text, 'merged'::text, 'suspicious'::text, 'abandoned'::text])))
)
WITH (fillfactor='70');

COMMENT ON TABLE leasehold.sync_run IS 'One reading of one table, over as many jobs and workers as it takes';

COMMENT ON COLUMN leasehold.sync_run.job_id IS 'With job_run the fence: only this claim of this job may go on with the run';

COMMENT ON COLUMN leasehold.sync_run.state IS 'suspicious: nothing was changed, because too many records would have been deleted; abandoned: given up for a new run';

COMMENT ON COLUMN leasehold.sync_run.since IS 'Incremental: only records that changed after it were read';

COMMENT ON COLUMN leasehold.sync_run.cursor IS 'Checkpoint: the next page begins here; null is the first page';

COMMENT ON COLUMN leasehold.sync_run.rows IS 'Checkpoint: records in mirror_stage';

COMMENT ON COLUMN leasehold.sync_run.expected_rows IS 'As the API counts; null if it does not';

COMMENT ON COLUMN leasehold.sync_run.repairs IS 'Characters that PostgreSQL cannot store (NUL, half surrogates), replaced by U+FFFD';

COMMENT ON COLUMN leasehold.sync_run.takeovers IS 'How often another claim went on with the run';

COMMENT ON COLUMN leasehold.sync_run.restarts IS 'How often it began again at the first page: an expired cursor, a crash of the server';

COMMENT ON COLUMN leasehold.sync_run.source_time IS 'Pitchly''s clock when the run began; null if the API did not say';

CREATE VIEW leasehold.sync_progress AS
 SELECT run.tenant_id,
    run.table_id,
    target.name AS table_name,
    run.sync_id,
    run.mode,
    run.job_id,
    run.pages,
    run.rows,
    run.expected_rows,
        CASE
            WHEN (run.expected_rows > 0) THEN (LEAST((1)::numeric, ((run.rows)::numeric / (run.expected_rows)::numeric)))::real
            ELSE NULL::real
        END AS share,
    run.takeovers,
    run.restarts,
    run.started_at,
    run.advanced_at
   FROM (leasehold.sync_run run
     JOIN leasehold.mirror_table target USING (tenant_id, table_id))
  WHERE (run.state = 'reading'::text);

COMMENT ON VIEW leasehold.sync_progress IS 'The runs under way; share is an estimate from the API''s own count';

ALTER TABLE leasehold.sync_run ALTER COLUMN sync_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME leasehold.sync_run_sync_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
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

CREATE TABLE leasehold.tenant_hold (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    reason text,
    held_at timestamp with time zone,
    released_at timestamp with time zone
);

COMMENT ON TABLE leasehold.tenant_hold IS 'Tenants whose jobs are or were parked as a whole; released_at sends a job that parks itself too late back to ready';

CREATE TABLE leasehold.worker (
    worker_id uuid NOT NULL,
    name text NOT NULL,
    host text NOT NULL,
    process_id integer,
    version text,
    queues text[] NOT NULL COLLATE pg_catalog."C",
    kinds text[] NOT NULL COLLATE pg_catalog."C",
    concurrency integer NOT NULL,
    lapse_seconds real NOT NULL,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    heartbeat_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    sleeping_until timestamp with time zone,
    stopping_at timestamp with time zone,
    lapsed_at timestamp with time zone,
    CONSTRAINT worker_concurrency_positive CHECK ((concurrency > 0)),
    CONSTRAINT worker_has_queue CHECK (((cardinality(queues) >= 1) AND (cardinality(queues) <= 100))),
    CONSTRAINT worker_host_length CHECK ((length(host) <= 300)),
    CONSTRAINT worker_lapse_range CHECK (((lapse_seconds >= (1)::double precision) AND (lapse_seconds <= (86400)::double precision))),
    CONSTRAINT worker_name_length CHECK ((length(name) <= 200))
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='200', autovacuum_vacuum_cost_delay='0');

COMMENT ON TABLE leasehold.worker IS 'One row per life of a worker process';

COMMENT ON COLUMN leasehold.worker.lapse_seconds IS 'Without a heartbeat for so long, the worker has lapsed and its jobs are rescued';

COMMENT ON COLUMN leasehold.worker.sleeping_until IS 'In the future: an enqueue for one of its queues notifies leasehold_wake';

COMMENT ON COLUMN leasehold.worker.lapsed_at IS 'Set once, never cleared: the process must register under a new id';

CREATE VIEW leasehold_dashboard.action_log AS
 SELECT action.action_id,
    action.done_at,
    action.actor,
    action.via,
    action.login,
    action.verb,
    action.object,
    action.name,
    action.tenant_id,
    action.job_id,
    action.count,
    action.detail
   FROM leasehold.action;

COMMENT ON VIEW leasehold_dashboard.action_log IS 'Who did what by hand. Read it with order by action_id desc and a limit, or with tenant_id = or job_id =';

COMMENT ON COLUMN leasehold_dashboard.action_log.action_id IS 'Rises with time';

COMMENT ON COLUMN leasehold_dashboard.action_log.done_at IS 'When';

COMMENT ON COLUMN leasehold_dashboard.action_log.actor IS 'Who, as the program names them: the key of the API or the page, the user and machine of a command, a login';

COMMENT ON COLUMN leasehold_dashboard.action_log.via IS 'page, api, command or sql';

COMMENT ON COLUMN leasehold_dashboard.action_log.login IS 'The database''s login, which nobody can pretend to be';

COMMENT ON COLUMN leasehold_dashboard.action_log.verb IS 'add, change, remove, pause, resume, revoke; of jobs retry, cancel, discard, reschedule';

COMMENT ON COLUMN leasehold_dashboard.action_log.object IS 'job, jobs (many by a filter), tenant, queue, kind, schedule, api_key';

COMMENT ON COLUMN leasehold_dashboard.action_log.name IS 'Of the queue, kind, schedule or key';

COMMENT ON COLUMN leasehold_dashboard.action_log.tenant_id IS 'Whose';

COMMENT ON COLUMN leasehold_dashboard.action_log.job_id IS 'Of one job';

COMMENT ON COLUMN leasehold_dashboard.action_log.count IS 'How many it struck';

COMMENT ON COLUMN leasehold_dashboard.action_log.detail IS 'What changed, each as [before, after]; a reason; the filter of many jobs';

CREATE VIEW leasehold_dashboard.exchange_log AS
 SELECT credential_exchange.exchange_id,
    credential_exchange.tenant_id,
    credential_exchange.generation,
    credential_exchange.rung,
    credential_exchange.grant_kind,
    credential_exchange.worker AS worker_id,
    credential_exchange.started_at,
    credential_exchange.ended_at,
    date_part('epoch'::text, (credential_exchange.ended_at - credential_exchange.started_at)) AS took_seconds,
    credential_exchange.outcome,
    credential_exchange.error_class,
    credential_exchange.http_status,
    credential_exchange.fingerprint
   FROM leasehold.credential_exchange;

COMMENT ON VIEW leasehold_dashboard.exchange_log IS 'Every exchange and what it came to. Read it with order by ended_at desc and a limit, or with tenant_id =';

COMMENT ON COLUMN leasehold_dashboard.exchange_log.exchange_id IS 'Rises with time';

COMMENT ON COLUMN leasehold_dashboard.exchange_log.tenant_id IS 'The tenant';

COMMENT ON COLUMN leasehold_dashboard.exchange_log.generation IS 'Which generation was presented';

COMMENT ON COLUMN leasehold_dashboard.exchange_log.rung IS 'refresh, or the step of the recovery';

COMMENT ON COLUMN leasehold_dashboard.exchange_log.grant_kind IS 'grant_type of the request';

COMMENT ON COLUMN leasehold_dashboard.exchange_log.worker_id IS 'Who presented it';

COMMENT ON COLUMN leasehold_dashboard.exchange_log.started_at IS 'When it was about to be presented';

COMMENT ON COLUMN leasehold_dashboard.exchange_log.ended_at IS 'When the outcome was known';

COMMENT ON COLUMN leasehold_dashboard.exchange_log.took_seconds IS 'Seconds between the two';

COMMENT ON COLUMN leasehold_dashboard.exchange_log.outcome IS 'saved; replayed: from the spool; superseded: a person had connected meanwhile; not_sent; throttled; misconfigured; refused; dead; ambiguous: no usable answer; abandoned: its owner was gone';

COMMENT ON COLUMN leasehold_dashboard.exchange_log.error_class IS 'The error, if it failed';

COMMENT ON COLUMN leasehold_dashboard.exchange_log.http_status IS 'Status of the answer, if one came';

COMMENT ON COLUMN leasehold_dashboard.exchange_log.fingerprint IS 'Keyed hash of the presented token: two equal ones are one token presented twice';

CREATE VIEW leasehold_dashboard.job_errors AS
 SELECT e.fingerprint,
    a.kind,
    a.error_label,
    "left"(a.error, 2000) AS error,
    e.attempts,
    e.attempts_is_minimum,
    e.jobs,
    e.tenants,
    e.first_at,
    e.last_at,
    e.last_job_id,
    a.tenant_id AS last_tenant_id
   FROM (leasehold.dashboard_errors((statement_timestamp() - '24:00:00'::interval)) e(fingerprint, attempts, attempts_is_minimum, jobs, tenants, first_at, last_at, last_job_id)
     LEFT JOIN LATERAL ( SELECT r.kind,
            r.error_label,
            r.error,
            r.tenant_id
           FROM leasehold.job_attempt r
          WHERE ((r.job_id = e.last_job_id) AND (r.ended_at = e.last_at))
          ORDER BY r.run DESC
         LIMIT 1) a ON (true));

COMMENT ON VIEW leasehold_dashboard.job_errors IS 'Failed attempts of the last 24 hours, one row for errors of a kind that differ only in numbers, ids and quoted words; at most 200 rows. Read it whole';

COMMENT ON COLUMN leasehold_dashboard.job_errors.fingerprint IS 'Names the group: leasehold.error_fingerprint';

COMMENT ON COLUMN leasehold_dashboard.job_errors.kind IS 'Kind of the jobs';

COMMENT ON COLUMN leasehold_dashboard.job_errors.error_label IS 'Short name of the error';

COMMENT ON COLUMN leasehold_dashboard.job_errors.error IS 'The newest one, its first 2000 characters';

COMMENT ON COLUMN leasehold_dashboard.job_errors.attempts IS 'How many; counting stops at 10 000 over all groups, at 100 a group at the least';

COMMENT ON COLUMN leasehold_dashboard.job_errors.attempts_is_minimum IS 'True: there are more; jobs, tenants and first_at then speak of the newest ones';

COMMENT ON COLUMN leasehold_dashboard.job_errors.jobs IS 'Jobs among these attempts';

COMMENT ON COLUMN leasehold_dashboard.job_errors.tenants IS 'Tenants among these attempts';

COMMENT ON COLUMN leasehold_dashboard.job_errors.first_at IS 'The first of these attempts';

COMMENT ON COLUMN leasehold_dashboard.job_errors.last_at IS 'The newest attempt';

COMMENT ON COLUMN leasehold_dashboard.job_errors.last_job_id IS 'Its job';

COMMENT ON COLUMN leasehold_dashboard.job_errors.last_tenant_id IS 'Its tenant';

CREATE VIEW leasehold_dashboard.job_of_tenant AS
 SELECT j.job_id,
    t.tenant_id,
    j.queue,
    j.kind,
    j.state,
    j.park_reason,
    j.priority,
    j.attempt,
    j.max_attempts,
    j.run,
    j.created_at,
    j.run_at,
    j.claimed_at,
    j.ended_at,
    j.worker_id,
    j.run_seconds,
    j.wait_turn_seconds,
    j.wait_limit_seconds,
    j.wait_worker_seconds,
    j.wait_parked_seconds,
    j.unique_key,
    j.sequence_key,
    j.last_error_label,
    j.last_error
   FROM (leasehold.tenant t
     CROSS JOIN LATERAL leasehold.dashboard_tenant_jobs(t.tenant_id) j(job_id, tenant_id, queue, kind, state, park_reason, priority, attempt, max_attempts, run, created_at, run_at, claimed_at, ended_at, worker_id, run_seconds, wait_turn_seconds, wait_limit_seconds, wait_worker_seconds, wait_parked_seconds, unique_key, sequence_key, last_error_label, last_error));

COMMENT ON VIEW leasehold_dashboard.job_of_tenant IS 'Of a tenant: of each queue the running and the next 200 in line, the 200 due next, 200 parked ones and the 200 newest that ended. Read it with tenant_id =';

COMMENT ON COLUMN leasehold_dashboard.job_of_tenant.job_id IS 'Rises with the time of enqueuing';

COMMENT ON COLUMN leasehold_dashboard.job_of_tenant.tenant_id IS 'The tenant';

COMMENT ON COLUMN leasehold_dashboard.job_of_tenant.queue IS 'The queue';

COMMENT ON COLUMN leasehold_dashboard.job_of_tenant.kind IS 'What is to be done';

COMMENT ON COLUMN leasehold_dashboard.job_of_tenant.state IS 'scheduled, ready, running, parked; completed, discarded, cancelled';

COMMENT ON COLUMN leasehold_dashboard.job_of_tenant.park_reason IS 'What a parked job waits for: authorization, sequence or dependency';

COMMENT ON COLUMN leasehold_dashboard.job_of_tenant.priority IS 'Lower runs first among the jobs of one tenant in one queue';

COMMENT ON COLUMN leasehold_dashboard.job_of_tenant.attempt IS 'Attempts that count so far';

COMMENT ON COLUMN leasehold_dashboard.job_of_tenant.max_attempts IS 'The attempt whose failure discards the job';

COMMENT ON COLUMN leasehold_dashboard.job_of_tenant.run IS 'Claims so far';

COMMENT ON COLUMN leasehold_dashboard.job_of_tenant.created_at IS 'When it was enqueued';

COMMENT ON COLUMN leasehold_dashboard.job_of_tenant.run_at IS 'Not before';

COMMENT ON COLUMN leasehold_dashboard.job_of_tenant.claimed_at IS 'Start of the last run';

COMMENT ON COLUMN leasehold_dashboard.job_of_tenant.ended_at IS 'When it completed or was discarded or cancelled';

COMMENT ON COLUMN leasehold_dashboard.job_of_tenant.worker_id IS 'Who runs it, or ran it last';

COMMENT ON COLUMN leasehold_dashboard.job_of_tenant.run_seconds IS 'Run time of the last run of a job that ended';

COMMENT ON COLUMN leasehold_dashboard.job_of_tenant.wait_turn_seconds IS 'Time ready while workers took other jobs';

COMMENT ON COLUMN leasehold_dashboard.job_of_tenant.wait_limit_seconds IS 'Time ready while its lane was at a limit, throttled or paused';

COMMENT ON COLUMN leasehold_dashboard.job_of_tenant.wait_worker_seconds IS 'Time ready while no worker asked for work';

COMMENT ON COLUMN leasehold_dashboard.job_of_tenant.wait_parked_seconds IS 'Time parked';

COMMENT ON COLUMN leasehold_dashboard.job_of_tenant.unique_key IS 'Only one live job of the tenant and kind has it';

COMMENT ON COLUMN leasehold_dashboard.job_of_tenant.sequence_key IS 'Jobs of the tenant with it run one after another';

COMMENT ON COLUMN leasehold_dashboard.job_of_tenant.last_error_label IS 'Short name of the last error';

COMMENT ON COLUMN leasehold_dashboard.job_of_tenant.last_error IS 'Its first 500 characters';

CREATE VIEW leasehold_dashboard.job_parked AS
 SELECT job.job_id,
    job.tenant_id,
    job.queue,
    job.kind,
    job.state,
    job.park_reason,
    job.priority,
    job.attempt,
    job.max_attempts,
    job.run,
    job.created_at,
    job.run_at,
    job.claimed_at,
    NULL::timestamp with time zone AS ended_at,
    job.claimed_by AS worker_id,
    NULL::real AS run_seconds,
    job.waited_turn AS wait_turn_seconds,
    job.waited_limit AS wait_limit_seconds,
    job.waited_worker AS wait_worker_seconds,
    job.waited_parked AS wait_parked_seconds,
    job.unique_key,
    job.sequence_key,
    job.last_error_label,
    "left"(job.last_error, 500) AS last_error
   FROM leasehold.job
  WHERE (job.park_reason IS NOT NULL);

COMMENT ON VIEW leasehold_dashboard.job_parked IS 'Jobs that wait for an authorization, their sequence or another job. Read it with order by tenant_id, job_id and a limit, or with tenant_id =';

COMMENT ON COLUMN leasehold_dashboard.job_parked.job_id IS 'Rises with the time of enqueuing';

COMMENT ON COLUMN leasehold_dashboard.job_parked.tenant_id IS 'The tenant';

COMMENT ON COLUMN leasehold_dashboard.job_parked.queue IS 'The queue';

COMMENT ON COLUMN leasehold_dashboard.job_parked.kind IS 'What is to be done';

COMMENT ON COLUMN leasehold_dashboard.job_parked.state IS 'scheduled, ready, running, parked; completed, discarded, cancelled';

COMMENT ON COLUMN leasehold_dashboard.job_parked.park_reason IS 'What a parked job waits for: authorization, sequence or dependency';

COMMENT ON COLUMN leasehold_dashboard.job_parked.priority IS 'Lower runs first among the jobs of one tenant in one queue';

COMMENT ON COLUMN leasehold_dashboard.job_parked.attempt IS 'Attempts that count so far';

COMMENT ON COLUMN leasehold_dashboard.job_parked.max_attempts IS 'The attempt whose failure discards the job';

COMMENT ON COLUMN leasehold_dashboard.job_parked.run IS 'Claims so far';

COMMENT ON COLUMN leasehold_dashboard.job_parked.created_at IS 'When it was enqueued';

COMMENT ON COLUMN leasehold_dashboard.job_parked.run_at IS 'Not before';

COMMENT ON COLUMN leasehold_dashboard.job_parked.claimed_at IS 'Start of the last run';

COMMENT ON COLUMN leasehold_dashboard.job_parked.ended_at IS 'When it completed or was discarded or cancelled';

COMMENT ON COLUMN leasehold_dashboard.job_parked.worker_id IS 'Who runs it, or ran it last';

COMMENT ON COLUMN leasehold_dashboard.job_parked.run_seconds IS 'Run time of the last run of a job that ended';

COMMENT ON COLUMN leasehold_dashboard.job_parked.wait_turn_seconds IS 'Time ready while workers took other jobs';

COMMENT ON COLUMN leasehold_dashboard.job_parked.wait_limit_seconds IS 'Time ready while its lane was at a limit, throttled or paused';

COMMENT ON COLUMN leasehold_dashboard.job_parked.wait_worker_seconds IS 'Time ready while no worker asked for work';

COMMENT ON COLUMN leasehold_dashboard.job_parked.wait_parked_seconds IS 'Time parked';

COMMENT ON COLUMN leasehold_dashboard.job_parked.unique_key IS 'Only one live job of the tenant and kind has it';

COMMENT ON COLUMN leasehold_dashboard.job_parked.sequence_key IS 'Jobs of the tenant with it run one after another';

COMMENT ON COLUMN leasehold_dashboard.job_parked.last_error_label IS 'Short name of the last error';

COMMENT ON COLUMN leasehold_dashboard.job_parked.last_error IS 'Its first 500 characters';

CREATE VIEW leasehold_dashboard.job_running AS
 SELECT j.job_id,
    j.tenant_id,
    j.queue,
    j.kind,
    j.state,
    j.park_reason,
    j.priority,
    j.attempt,
    j.max_attempts,
    j.run,
    j.created_at,
    j.run_at,
    j.claimed_at,
    NULL::timestamp with time zone AS ended_at,
    j.claimed_by AS worker_id,
    NULL::real AS run_seconds,
    j.waited_turn AS wait_turn_seconds,
    j.waited_limit AS wait_limit_seconds,
    j.waited_worker AS wait_worker_seconds,
    j.waited_parked AS wait_parked_seconds,
    j.unique_key,
    j.sequence_key,
    j.last_error_label,
    "left"(j.last_error, 500) AS last_error
   FROM (leasehold.dashboard_running() r(worker_id, job_id, claimed_at, whole)
     CROSS JOIN LATERAL ( SELECT job.job_id,
            job.created_at,
            job.run_at,
            job.ready_at,
            job.claimed_at,
            job.first_claimed_at,
            job.due_at,
            job.parked_at,
            job.run,
            job.place,
            job.claimed_by,
            job.charged,
            job.timeout_seconds,
            job.waited_turn,
            job.waited_limit,
            job.waited_worker,
            job.waited_parked,
            job.priority,
            job.attempt,
            job.max_attempts,
            job.kills,
            job.limited,
            job.sequence_live,
            job.tenant_id,
            job.queue,
            job.kind,
            job.lane_kind,
            job.state,
            job.args,
            job.unique_key,
            job.sequence_key,
            job.park_reason,
            job.trace_context,
            job.last_error_label,
            job.last_error,
            job.progress,
            job.again
           FROM leasehold.job
          WHERE ((job.job_id = r.job_id) AND (job.state = 'running'::text))
         LIMIT 1) j);

COMMENT ON VIEW leasehold_dashboard.job_running IS 'Jobs that a worker has claimed, at most 2000 of them. Read it whole';

COMMENT ON COLUMN leasehold_dashboard.job_running.job_id IS 'Rises with the time of enqueuing';

COMMENT ON COLUMN leasehold_dashboard.job_running.tenant_id IS 'The tenant';

COMMENT ON COLUMN leasehold_dashboard.job_running.queue IS 'The queue';

COMMENT ON COLUMN leasehold_dashboard.job_running.kind IS 'What is to be done';

COMMENT ON COLUMN leasehold_dashboard.job_running.state IS 'scheduled, ready, running, parked; completed, discarded, cancelled';

COMMENT ON COLUMN leasehold_dashboard.job_running.park_reason IS 'What a parked job waits for: authorization, sequence or dependency';

COMMENT ON COLUMN leasehold_dashboard.job_running.priority IS 'Lower runs first among the jobs of one tenant in one queue';

COMMENT ON COLUMN leasehold_dashboard.job_running.attempt IS 'Attempts that count so far';

COMMENT ON COLUMN leasehold_dashboard.job_running.max_attempts IS 'The attempt whose failure discards the job';

COMMENT ON COLUMN leasehold_dashboard.job_running.run IS 'Claims so far';

COMMENT ON COLUMN leasehold_dashboard.job_running.created_at IS 'When it was enqueued';

COMMENT ON COLUMN leasehold_dashboard.job_running.run_at IS 'Not before';

COMMENT ON COLUMN leasehold_dashboard.job_running.claimed_at IS 'Start of the last run';

COMMENT ON COLUMN leasehold_dashboard.job_running.ended_at IS 'When it completed or was discarded or cancelled';

COMMENT ON COLUMN leasehold_dashboard.job_running.worker_id IS 'Who runs it, or ran it last';

COMMENT ON COLUMN leasehold_dashboard.job_running.run_seconds IS 'Run time of the last run of a job that ended';

COMMENT ON COLUMN leasehold_dashboard.job_running.wait_turn_seconds IS 'Time ready while workers took other jobs';

COMMENT ON COLUMN leasehold_dashboard.job_running.wait_limit_seconds IS 'Time ready while its lane was at a limit, throttled or paused';

COMMENT ON COLUMN leasehold_dashboard.job_running.wait_worker_seconds IS 'Time ready while no worker asked for work';

COMMENT ON COLUMN leasehold_dashboard.job_running.wait_parked_seconds IS 'Time parked';

COMMENT ON COLUMN leasehold_dashboard.job_running.unique_key IS 'Only one live job of the tenant and kind has it';

COMMENT ON COLUMN leasehold_dashboard.job_running.sequence_key IS 'Jobs of the tenant with it run one after another';

COMMENT ON COLUMN leasehold_dashboard.job_running.last_error_label IS 'Short name of the last error';

COMMENT ON COLUMN leasehold_dashboard.job_running.last_error IS 'Its first 500 characters';

CREATE VIEW leasehold_dashboard.job_scheduled AS
 SELECT job.job_id,
    job.tenant_id,
    job.queue,
    job.kind,
    job.state,
    job.park_reason,
    job.priority,
    job.attempt,
    job.max_attempts,
    job.run,
    job.created_at,
    job.due_at AS run_at,
    job.claimed_at,
    NULL::timestamp with time zone AS ended_at,
    job.claimed_by AS worker_id,
    NULL::real AS run_seconds,
    job.waited_turn AS wait_turn_seconds,
    job.waited_limit AS wait_limit_seconds,
    job.waited_worker AS wait_worker_seconds,
    job.waited_parked AS wait_parked_seconds,
    job.unique_key,
    job.sequence_key,
    job.last_error_label,
    "left"(job.last_error, 500) AS last_error
   FROM leasehold.job
  WHERE (job.due_at IS NOT NULL);

COMMENT ON VIEW leasehold_dashboard.job_scheduled IS 'Jobs that wait for their time. Read it with order by run_at and a limit';

COMMENT ON COLUMN leasehold_dashboard.job_scheduled.job_id IS 'Rises with the time of enqueuing';

COMMENT ON COLUMN leasehold_dashboard.job_scheduled.tenant_id IS 'The tenant';

COMMENT ON COLUMN leasehold_dashboard.job_scheduled.queue IS 'The queue';

COMMENT ON COLUMN leasehold_dashboard.job_scheduled.kind IS 'What is to be done';

COMMENT ON COLUMN leasehold_dashboard.job_scheduled.state IS 'scheduled, ready, running, parked; completed, discarded, cancelled';

COMMENT ON COLUMN leasehold_dashboard.job_scheduled.park_reason IS 'What a parked job waits for: authorization, sequence or dependency';

COMMENT ON COLUMN leasehold_dashboard.job_scheduled.priority IS 'Lower runs first among the jobs of one tenant in one queue';

COMMENT ON COLUMN leasehold_dashboard.job_scheduled.attempt IS 'Attempts that count so far';

COMMENT ON COLUMN leasehold_dashboard.job_scheduled.max_attempts IS 'The attempt whose failure discards the job';

COMMENT ON COLUMN leasehold_dashboard.job_scheduled.run IS 'Claims so far';

COMMENT ON COLUMN leasehold_dashboard.job_scheduled.created_at IS 'When it was enqueued';

COMMENT ON COLUMN leasehold_dashboard.job_scheduled.run_at IS 'Not before';

COMMENT ON COLUMN leasehold_dashboard.job_scheduled.claimed_at IS 'Start of the last run';

COMMENT ON COLUMN leasehold_dashboard.job_scheduled.ended_at IS 'When it completed or was discarded or cancelled';

COMMENT ON COLUMN leasehold_dashboard.job_scheduled.worker_id IS 'Who runs it, or ran it last';

COMMENT ON COLUMN leasehold_dashboard.job_scheduled.run_seconds IS 'Run time of the last run of a job that ended';

COMMENT ON COLUMN leasehold_dashboard.job_scheduled.wait_turn_seconds IS 'Time ready while workers took other jobs';

COMMENT ON COLUMN leasehold_dashboard.job_scheduled.wait_limit_seconds IS 'Time ready while its lane was at a limit, throttled or paused';

COMMENT ON COLUMN leasehold_dashboard.job_scheduled.wait_worker_seconds IS 'Time ready while no worker asked for work';

COMMENT ON COLUMN leasehold_dashboard.job_scheduled.wait_parked_seconds IS 'Time parked';

COMMENT ON COLUMN leasehold_dashboard.job_scheduled.unique_key IS 'Only one live job of the tenant and kind has it';

COMMENT ON COLUMN leasehold_dashboard.job_scheduled.sequence_key IS 'Jobs of the tenant with it run one after another';

COMMENT ON COLUMN leasehold_dashboard.job_scheduled.last_error_label IS 'Short name of the last error';

COMMENT ON COLUMN leasehold_dashboard.job_scheduled.last_error IS 'Its first 500 characters';

CREATE VIEW leasehold_dashboard.lane_backlog AS
 SELECT l.tenant_id,
    l.queue,
    NULLIF(l.lane_kind, ''::text) AS kind,
    l.state,
    l.since,
    date_part('epoch'::text, (statement_timestamp() - l.since)) AS state_seconds,
    l.look_at AS opens_at,
    l.vt AS virtual_time,
    GREATEST((0)::double precision, (l.vt - f.floor)) AS ahead_seconds,
    l.job_seconds,
    w.waiting,
    (w.waiting = 200) AS waiting_is_minimum,
    w.oldest_ready_at,
    date_part('epoch'::text, (statement_timestamp() - w.oldest_ready_at)) AS oldest_ready_seconds
   FROM ((leasehold.lane l
     LEFT JOIN LATERAL ( SELECT lane_floor.floor
           FROM leasehold.lane_floor
          WHERE (lane_floor.queue = l.queue)
         LIMIT 1) f ON (true))
     LEFT JOIN LATERAL ( SELECT count(*) AS waiting,
            min(j.ready_at) AS oldest_ready_at
           FROM ( SELECT job.ready_at
                   FROM leasehold.job
                  WHERE ((job.tenant_id = l.tenant_id) AND (job.queue = l.queue) AND (job.lane_kind = l.lane_kind) AND (job.place IS NOT NULL) AND (job.state = 'ready'::text))
                  ORDER BY job.priority, job.place
                 LIMIT 200) j) w ON (true))
  WHERE (l.state <> 'idle'::text);

COMMENT ON VIEW leasehold_dashboard.lane_backlog IS 'One row for each tenant in each queue with a backlog: why it waits and how far it is from its turn. Up to 200 jobs are read a row: read it with tenant_id = or with a limit';

COMMENT ON COLUMN leasehold_dashboard.lane_backlog.tenant_id IS 'The tenant';

COMMENT ON COLUMN leasehold_dashboard.lane_backlog.queue IS 'The queue';

COMMENT ON COLUMN leasehold_dashboard.lane_backlog.kind IS 'The kind, if its jobs wait apart because it has a limit of its own; null: all other kinds';

COMMENT ON COLUMN leasehold_dashboard.lane_backlog.state IS 'open: waits for its turn; full: the tenant is at its limit of running jobs; throttled: at its rate limit; paused: the tenant is paused';

COMMENT ON COLUMN leasehold_dashboard.lane_backlog.since IS 'When the lane got its state';

COMMENT ON COLUMN leasehold_dashboard.lane_backlog.state_seconds IS 'Age of since in seconds';

COMMENT ON COLUMN leasehold_dashboard.lane_backlog.opens_at IS 'When a closed lane is looked at again, if no event comes before';

COMMENT ON COLUMN leasehold_dashboard.lane_backlog.virtual_time IS 'Seconds of running time received, divided by the weight; the lowest open lane is served first';

COMMENT ON COLUMN leasehold_dashboard.lane_backlog.ahead_seconds IS 'virtual_time above that of the lane served next: 0 is its turn';

COMMENT ON COLUMN leasehold_dashboard.lane_backlog.job_seconds IS 'Running mean of the run time of its jobs';

COMMENT ON COLUMN leasehold_dashboard.lane_backlog.waiting IS 'Jobs that wait in the lane, counted up to 200';

COMMENT ON COLUMN leasehold_dashboard.lane_backlog.waiting_is_minimum IS 'True: there may be more than waiting says';

COMMENT ON COLUMN leasehold_dashboard.lane_backlog.oldest_ready_at IS 'When the job that waits longest, among those counted, became ready';

COMMENT ON COLUMN leasehold_dashboard.lane_backlog.oldest_ready_seconds IS 'Age of oldest_ready_at in seconds';

CREATE VIEW leasehold_dashboard.provider_health AS
 SELECT provider.provider,
    provider.exchanges_per_second,
    provider.burst,
    provider.breaker,
    provider.breaker_reason,
    provider.breaker_opened_at,
    provider.blocked_until,
    provider.stop_reason,
    provider.stopped_at,
    provider.probe_at,
    provider.hold_until,
    provider.unanswered,
    provider.dead,
        CASE
            WHEN (provider.hold_until > statement_timestamp()) THEN 'failover'::text
            WHEN (provider.stop_reason IS NOT NULL) THEN 'stopped'::text
            WHEN (provider.blocked_until > statement_timestamp()) THEN 'blocked'::text
            WHEN (provider.breaker = 'open'::text) THEN 'breaker'::text
            ELSE 'open'::text
        END AS state
   FROM leasehold.provider;

COMMENT ON VIEW leasehold_dashboard.provider_health IS 'One row a token endpoint: whether exchanges may start, and why not. Read it whole';

COMMENT ON COLUMN leasehold_dashboard.provider_health.provider IS 'Name of the endpoint';

COMMENT ON COLUMN leasehold_dashboard.provider_health.exchanges_per_second IS 'Budget of all workers together';

COMMENT ON COLUMN leasehold_dashboard.provider_health.burst IS 'Exchanges that may start at once after a quiet time';

COMMENT ON COLUMN leasehold_dashboard.provider_health.breaker IS 'open: one probe at a time, and no credential is given up; closed: all is well';

COMMENT ON COLUMN leasehold_dashboard.provider_health.breaker_reason IS 'Why it opened';

COMMENT ON COLUMN leasehold_dashboard.provider_health.breaker_opened_at IS 'When it opened';

COMMENT ON COLUMN leasehold_dashboard.provider_health.blocked_until IS 'The endpoint asked to wait (429, Retry-After) until then';

COMMENT ON COLUMN leasehold_dashboard.provider_health.stop_reason IS 'The endpoint refuses the client''s configuration with this error; null: it does not';

COMMENT ON COLUMN leasehold_dashboard.provider_health.stopped_at IS 'Since when';

COMMENT ON COLUMN leasehold_dashboard.provider_health.probe_at IS 'When the next probe may go out';

COMMENT ON COLUMN leasehold_dashboard.provider_health.hold_until IS 'After a failover of the database: spools are replayed and nothing is presented until then';

COMMENT ON COLUMN leasehold_dashboard.provider_health.unanswered IS 'Exchanges in a row without a usable answer';

COMMENT ON COLUMN leasehold_dashboard.provider_health.dead IS 'Refresh tokens refused in the present window';

COMMENT ON COLUMN leasehold_dashboard.provider_health.state IS 'open: exchanges may start; blocked, breaker, stopped, failover say why not';

CREATE VIEW leasehold_dashboard.queue_health AS
 WITH tail AS MATERIALIZED (
         SELECT dashboard_tail.queue,
            (sum(dashboard_tail.counts_for) FILTER (WHERE (dashboard_tail.outcome = 'completed'::text)) / (300)::double precision) AS completed_per_second,
            (sum(dashboard_tail.counts_for) FILTER (WHERE (dashboard_tail.outcome = 'discarded'::text)) / (300)::double precision) AS discarded_per_second
           FROM leasehold.dashboard_tail('job_history'::text, (statement_timestamp() - '00:05:00'::interval), 60) dashboard_tail(tenant_id, queue, outcome, ended_at, run_seconds, waited_turn, waited_limit, waited_worker, waited_parked, counts_for)
          GROUP BY dashboard_tail.queue
        )
 SELECT c.queue,
    s.paused_at,
    COALESCE(s.weight, (1)::real) AS weight,
    s.max_running,
    s.rate_per_second,
    c.ready,
    c.running,
    c.scheduled,
    c.parked,
    c.estimated,
    c.oldest_ready_at,
    date_part('epoch'::text, (statement_timestamp() - c.oldest_ready_at)) AS oldest_ready_seconds,
    c.tenants_waiting,
    workers.serving AS workers,
    workers.places AS worker_places,
    COALESCE(tail.completed_per_second, (0)::double precision) AS completed_per_second,
    COALESCE(tail.discarded_per_second, (0)::double precision) AS discarded_per_second
   FROM (((leasehold.dashboard_queue_counts() c(queue, ready, running, scheduled, parked, oldest_ready_at, tenants_waiting, estimated)
     LEFT JOIN leasehold.queue s ON ((s.queue = c.queue)))
     LEFT JOIN tail ON ((tail.queue = c.queue)))
     CROSS JOIN LATERAL ( SELECT count(*) AS serving,
            COALESCE(sum(worker.concurrency), (0)::bigint) AS places
           FROM leasehold.worker
          WHERE ((c.queue = ANY (worker.queues)) AND (worker.lapsed_at IS NULL) AND (worker.stopping_at IS NULL))) workers);

COMMENT ON VIEW leasehold_dashboard.queue_health IS 'One row a queue: what waits and runs, since when, who serves it, how fast. Read it whole; about 15 ms with 1 000 000 live jobs';

COMMENT ON COLUMN leasehold_dashboard.queue_health.queue IS 'Name of the queue';

COMMENT ON COLUMN leasehold_dashboard.queue_health.paused_at IS 'Since when nothing of the queue is claimed; null: not paused';

COMMENT ON COLUMN leasehold_dashboard.queue_health.weight IS 'Share of a worker that serves several queues';

COMMENT ON COLUMN leasehold_dashboard.queue_health.max_running IS 'Most jobs running at once over all workers; null: no limit';

COMMENT ON COLUMN leasehold_dashboard.queue_health.rate_per_second IS 'Most jobs started per second; null: no limit';

COMMENT ON COLUMN leasehold_dashboard.queue_health.ready IS 'Jobs that wait for their turn';

COMMENT ON COLUMN leasehold_dashboard.queue_health.running IS 'Jobs that a worker has claimed';

COMMENT ON COLUMN leasehold_dashboard.queue_health.scheduled IS 'Jobs that wait for their time';

COMMENT ON COLUMN leasehold_dashboard.queue_health.parked IS 'Jobs that wait for an authorization, their sequence or another job';

COMMENT ON COLUMN leasehold_dashboard.queue_health.estimated IS 'Names of the counts ready, running, scheduled, parked that are estimates from 200 pages, off by one part in the root of the pages they were met on: those of which all queues together have more than 1000. Empty: all are exact';

COMMENT ON COLUMN leasehold_dashboard.queue_health.oldest_ready_at IS 'When the job that waits longest became ready; if ready is an estimate, among the 1000 oldest live jobs and the sample';

COMMENT ON COLUMN leasehold_dashboard.queue_health.oldest_ready_seconds IS 'Age of oldest_ready_at in seconds';

COMMENT ON COLUMN leasehold_dashboard.queue_health.tenants_waiting IS 'Open lanes of the queue; counted up to 1000';

COMMENT ON COLUMN leasehold_dashboard.queue_health.workers IS 'Workers that are alive, not stopping, and serve the queue';

COMMENT ON COLUMN leasehold_dashboard.queue_health.worker_places IS 'Jobs that these workers can run at once';

COMMENT ON COLUMN leasehold_dashboard.queue_health.completed_per_second IS 'Completed jobs per second over 5 minutes, from at most 60 pages of the history';

COMMENT ON COLUMN leasehold_dashboard.queue_health.discarded_per_second IS 'Jobs per second over 5 minutes that ended without success, from at most 60 pages of the history';

CREATE VIEW leasehold_dashboard.worker_health AS
 SELECT w.worker_id,
    w.name,
    w.host,
    w.process_id,
    w.version,
    w.queues,
    w.kinds,
    w.concurrency,
        CASE
            WHEN (w.lapsed_at IS NOT NULL) THEN 'lapsed'::text
            WHEN (w.stopping_at IS NOT NULL) THEN 'stopping'::text
            WHEN (w.heartbeat_at < (statement_timestamp() - make_interval(secs => (w.lapse_seconds)::double precision))) THEN 'silent'::text
            WHEN (w.sleeping_until > statement_timestamp()) THEN 'sleeping'::text
            ELSE 'working'::text
        END AS state,
    COALESCE(r.running, (0)::bigint) AS running,
    COALESCE((NOT r.whole), false) AS running_is_minimum,
    r.oldest_claimed_at,
    w.started_at,
    w.heartbeat_at,
    date_part('epoch'::text, (statement_timestamp() - w.heartbeat_at)) AS heartbeat_seconds,
    w.lapse_seconds,
    w.stopping_at,
    w.lapsed_at
   FROM (leasehold.worker w
     LEFT JOIN ( SELECT dashboard_running.worker_id,
            count(*) AS running,
            min(dashboard_running.claimed_at) AS oldest_claimed_at,
            bool_and(dashboard_running.whole) AS whole
           FROM leasehold.dashboard_running() dashboard_running(worker_id, job_id, claimed_at, whole)
          GROUP BY dashboard_running.worker_id) r ON ((r.worker_id = w.worker_id)));

COMMENT ON VIEW leasehold_dashboard.worker_health IS 'One row a life of a worker process; lapsed ones stay a day. Read it whole';

COMMENT ON COLUMN leasehold_dashboard.worker_health.worker_id IS 'Names this life of the process';

COMMENT ON COLUMN leasehold_dashboard.worker_health.name IS 'Name that the worker gave itself';

COMMENT ON COLUMN leasehold_dashboard.worker_health.host IS 'Machine';

COMMENT ON COLUMN leasehold_dashboard.worker_health.process_id IS 'Process on that machine';

COMMENT ON COLUMN leasehold_dashboard.worker_health.version IS 'Version of the program';

COMMENT ON COLUMN leasehold_dashboard.worker_health.queues IS 'Queues it serves';

COMMENT ON COLUMN leasehold_dashboard.worker_health.kinds IS 'Kinds it can run';

COMMENT ON COLUMN leasehold_dashboard.worker_health.concurrency IS 'Jobs it runs at once';

COMMENT ON COLUMN leasehold_dashboard.worker_health.state IS 'working; sleeping: nothing to do; stopping: finishes what it runs; silent: no sign of life, its jobs are rescued next; lapsed: they were';

COMMENT ON COLUMN leasehold_dashboard.worker_health.running IS 'Jobs that it runs';

COMMENT ON COLUMN leasehold_dashboard.worker_health.running_is_minimum IS 'True: over 2000 jobs are leased, not all of them were looked at';

COMMENT ON COLUMN leasehold_dashboard.worker_health.oldest_claimed_at IS 'Start of the run that has been going on longest';

COMMENT ON COLUMN leasehold_dashboard.worker_health.started_at IS 'When it registered';

COMMENT ON COLUMN leasehold_dashboard.worker_health.heartbeat_at IS 'Last sign of life';

COMMENT ON COLUMN leasehold_dashboard.worker_health.heartbeat_seconds IS 'Age of it in seconds';

COMMENT ON COLUMN leasehold_dashboard.worker_health.lapse_seconds IS 'Silence after which its jobs are given to others';

COMMENT ON COLUMN leasehold_dashboard.worker_health.stopping_at IS 'When it began to stop';

COMMENT ON COLUMN leasehold_dashboard.worker_health.lapsed_at IS 'When others took its jobs';

CREATE VIEW leasehold_dashboard.overview AS
 SELECT leasehold.dashboard_rows('leasehold.tenant'::regclass) AS tenants,
    q.ready,
    q.running,
    q.scheduled,
    q.parked,
    q.estimated,
    q.oldest_ready_at,
    date_part('epoch'::text, (statement_timestamp() - q.oldest_ready_at)) AS oldest_ready_seconds,
    q.completed_per_second,
    q.discarded_per_second,
    w.alive AS workers,
    w.places AS worker_places,
    w.silent AS workers_silent,
    lost.found AS tokens_needing_authorization,
    troubled.found AS tokens_troubled,
    p.closed AS providers_closed,
    statement_timestamp() AS at
   FROM ((((( SELECT (COALESCE(sum(queue_health.ready), (0)::numeric))::bigint AS ready,
            (COALESCE(sum(queue_health.running), (0)::numeric))::bigint AS running,
            (COALESCE(sum(queue_health.scheduled), (0)::numeric))::bigint AS scheduled,
            (COALESCE(sum(queue_health.parked), (0)::numeric))::bigint AS parked,
            min(queue_health.oldest_ready_at) AS oldest_ready_at,
            COALESCE(sum(queue_health.completed_per_second), (0)::double precision) AS completed_per_second,
            COALESCE(sum(queue_health.discarded_per_second), (0)::double precision) AS discarded_per_second,
            COALESCE(max(queue_health.estimated), '{}'::text[]) AS estimated
           FROM leasehold_dashboard.queue_health) q
     CROSS JOIN ( SELECT count(*) FILTER (WHERE (worker_health.state = ANY (ARRAY['working'::text, 'sleeping'::text]))) AS alive,
            count(*) FILTER (WHERE (worker_health.state = 'silent'::text)) AS silent,
            COALESCE(sum(worker_health.concurrency) FILTER (WHERE (worker_health.state = ANY (ARRAY['working'::text, 'sleeping'::text]))), (0)::bigint) AS places
           FROM leasehold_dashboard.worker_health) w)
     CROSS JOIN ( SELECT count(*) AS found
           FROM ( SELECT
                   FROM leasehold.credential
                  WHERE (credential.state = 'needs_authorization'::text)
                 LIMIT 1000) c) lost)
     CROSS JOIN ( SELECT count(*) AS found
           FROM ( SELECT
                   FROM leasehold.credential
                  WHERE ((credential.failures > 0) OR (credential.suspect_reason IS NOT NULL))
                 LIMIT 1000) c) troubled)
     CROSS JOIN ( SELECT count(*) AS closed
           FROM leasehold_dashboard.provider_health
          WHERE (provider_health.state <> 'open'::text)) p);

COMMENT ON VIEW leasehold_dashboard.overview IS 'The whole service on one line. About 20 ms with 1 000 000 live jobs';

COMMENT ON COLUMN leasehold_dashboard.overview.tenants IS 'Tenants; an estimate once the table has more than 4 MB';

COMMENT ON COLUMN leasehold_dashboard.overview.ready IS 'Jobs that wait for their turn';

COMMENT ON COLUMN leasehold_dashboard.overview.running IS 'Jobs that a worker has claimed';

COMMENT ON COLUMN leasehold_dashboard.overview.scheduled IS 'Jobs that wait for their time';

COMMENT ON COLUMN leasehold_dashboard.overview.parked IS 'Jobs that wait for an authorization, their sequence or another job';

COMMENT ON COLUMN leasehold_dashboard.overview.estimated IS 'Which of the four counts are estimates: see queue_health';

COMMENT ON COLUMN leasehold_dashboard.overview.oldest_ready_at IS 'When the job that waits longest became ready: see queue_health';

COMMENT ON COLUMN leasehold_dashboard.overview.oldest_ready_seconds IS 'Age of it in seconds';

COMMENT ON COLUMN leasehold_dashboard.overview.completed_per_second IS 'Completed jobs per second over 5 minutes';

COMMENT ON COLUMN leasehold_dashboard.overview.discarded_per_second IS 'Discarded jobs per second over 5 minutes';

COMMENT ON COLUMN leasehold_dashboard.overview.workers IS 'Workers that are alive';

COMMENT ON COLUMN leasehold_dashboard.overview.worker_places IS 'Jobs that they can run at once';

COMMENT ON COLUMN leasehold_dashboard.overview.workers_silent IS 'Workers that give no sign of life and are not yet rescued';

COMMENT ON COLUMN leasehold_dashboard.overview.tokens_needing_authorization IS 'Credentials that wait for a person, counted up to 1000';

COMMENT ON COLUMN leasehold_dashboard.overview.tokens_troubled IS 'Credentials that failed last or are under recovery, counted up to 1000';

COMMENT ON COLUMN leasehold_dashboard.overview.providers_closed IS 'Token endpoints at which no exchange may start';

COMMENT ON COLUMN leasehold_dashboard.overview.at IS 'When this was read';

CREATE VIEW leasehold_dashboard.schedule_status AS
 SELECT v.schedule_id,
    v.name,
    v.tenant_id,
    v.members,
    v.kind,
    v.queue,
    s.every_seconds,
    s.cron,
    v.time_zone,
    v.missed,
    v.jitter_seconds,
    v.paused_at,
    v.waiting,
    v.resting,
    v.due,
    v.failed,
    v.next_at,
    date_part('epoch'::text, (v.next_at - statement_timestamp())) AS next_seconds,
    v.last_at,
    v.last_outcome,
    v.last_job_id,
    ((v.paused_at IS NULL) AND (v.next_at < (statement_timestamp() - '00:01:00'::interval))) AS is_late,
    v.created_at
   FROM (leasehold.schedule_status v
     JOIN leasehold.schedule s USING (schedule_id));

COMMENT ON VIEW leasehold_dashboard.schedule_status IS 'One row a schedule; a template has a turn for each of its tenants. Reads every turn: about a second for 100 000 tenants';

COMMENT ON COLUMN leasehold_dashboard.schedule_status.schedule_id IS 'Number of the schedule';

COMMENT ON COLUMN leasehold_dashboard.schedule_status.name IS 'Its name';

COMMENT ON COLUMN leasehold_dashboard.schedule_status.tenant_id IS 'The tenant; null: a template for every member';

COMMENT ON COLUMN leasehold_dashboard.schedule_status.members IS 'active: tenants that are not paused; connected: of those, the ones with an active credential and no parked jobs';

COMMENT ON COLUMN leasehold_dashboard.schedule_status.kind IS 'Kind of the jobs it enqueues';

COMMENT ON COLUMN leasehold_dashboard.schedule_status.queue IS 'Their queue';

COMMENT ON COLUMN leasehold_dashboard.schedule_status.every_seconds IS 'Interval; null: cron decides';

COMMENT ON COLUMN leasehold_dashboard.schedule_status.cron IS 'Five fields; null: every_seconds decides';

COMMENT ON COLUMN leasehold_dashboard.schedule_status.time_zone IS 'Zone in which cron is read';

COMMENT ON COLUMN leasehold_dashboard.schedule_status.missed IS 'What becomes of slots that passed unfired: skip, once or all';

COMMENT ON COLUMN leasehold_dashboard.schedule_status.jitter_seconds IS 'Each firing is put off by up to so many seconds';

COMMENT ON COLUMN leasehold_dashboard.schedule_status.paused_at IS 'Since when it does not fire; null: it does';

COMMENT ON COLUMN leasehold_dashboard.schedule_status.waiting IS 'Turns that wait for their next slot';

COMMENT ON COLUMN leasehold_dashboard.schedule_status.resting IS 'Turns that rest, because their tenant is paused, parked or not connected';

COMMENT ON COLUMN leasehold_dashboard.schedule_status.due IS 'Turns that are due and not fired yet';

COMMENT ON COLUMN leasehold_dashboard.schedule_status.failed IS 'Turns that could not be fired; schedule_turn.last_error says why';

COMMENT ON COLUMN leasehold_dashboard.schedule_status.next_at IS 'Next firing';

COMMENT ON COLUMN leasehold_dashboard.schedule_status.next_seconds IS 'Seconds until then; negative: overdue';

COMMENT ON COLUMN leasehold_dashboard.schedule_status.last_at IS 'Last firing';

COMMENT ON COLUMN leasehold_dashboard.schedule_status.last_outcome IS 'What that came to: enqueued, overlapped, missed or failed; null for a template';

COMMENT ON COLUMN leasehold_dashboard.schedule_status.last_job_id IS 'Job of the last firing; null for a template';

COMMENT ON COLUMN leasehold_dashboard.schedule_status.is_late IS 'True: due for over a minute, so no worker fires it';

COMMENT ON COLUMN leasehold_dashboard.schedule_status.created_at IS 'When it was made';

CREATE VIEW leasehold_dashboard.sync_runs AS
 SELECT r.sync_id,
    r.tenant_id,
    r.table_id,
    m.name AS table_name,
    r.state,
    r.mode,
    r.job_id,
    r.pages,
    r.rows,
    r.expected_rows,
    r.inserted,
    r.updated,
    r.deleted,
    r.unchanged,
    r.takeovers,
    r.restarts,
    r.reason,
    r.started_at,
    r.advanced_at,
    r.finished_at,
    date_part('epoch'::text, (COALESCE(r.finished_at, statement_timestamp()) - r.started_at)) AS took_seconds
   FROM (leasehold.sync_run r
     LEFT JOIN LATERAL ( SELECT target.name
           FROM leasehold.mirror_table target
          WHERE ((target.tenant_id = r.tenant_id) AND (target.table_id = r.table_id))
         LIMIT 1) m ON (true));

COMMENT ON VIEW leasehold_dashboard.sync_runs IS 'Every reading of a table. Read it with order by finished_at desc and a limit, or with tenant_id = and order by sync_id desc; those under way: sync_status with reading_sync_id is not null';

COMMENT ON COLUMN leasehold_dashboard.sync_runs.sync_id IS 'Rises with time';

COMMENT ON COLUMN leasehold_dashboard.sync_runs.tenant_id IS 'The tenant';

COMMENT ON COLUMN leasehold_dashboard.sync_runs.table_id IS 'The table';

COMMENT ON COLUMN leasehold_dashboard.sync_runs.table_name IS 'Its name';

COMMENT ON COLUMN leasehold_dashboard.sync_runs.state IS 'reading, merged, suspicious or abandoned: see sync_status.last_state';

COMMENT ON COLUMN leasehold_dashboard.sync_runs.mode IS 'full or incremental';

COMMENT ON COLUMN leasehold_dashboard.sync_runs.job_id IS 'The job that read it last';

COMMENT ON COLUMN leasehold_dashboard.sync_runs.pages IS 'Pages read';

COMMENT ON COLUMN leasehold_dashboard.sync_runs.rows IS 'Records read';

COMMENT ON COLUMN leasehold_dashboard.sync_runs.expected_rows IS 'As the API counts; null if it does not';

COMMENT ON COLUMN leasehold_dashboard.sync_runs.inserted IS 'Records that were new';

COMMENT ON COLUMN leasehold_dashboard.sync_runs.updated IS 'Records that had changed';

COMMENT ON COLUMN leasehold_dashboard.sync_runs.deleted IS 'Records that were gone';

COMMENT ON COLUMN leasehold_dashboard.sync_runs.unchanged IS 'Records that were as before';

COMMENT ON COLUMN leasehold_dashboard.sync_runs.takeovers IS 'How often another worker went on with it';

COMMENT ON COLUMN leasehold_dashboard.sync_runs.restarts IS 'How often it began again at the first page';

COMMENT ON COLUMN leasehold_dashboard.sync_runs.reason IS 'Why, unless it merged';

COMMENT ON COLUMN leasehold_dashboard.sync_runs.started_at IS 'When it began';

COMMENT ON COLUMN leasehold_dashboard.sync_runs.advanced_at IS 'When its last page came';

COMMENT ON COLUMN leasehold_dashboard.sync_runs.finished_at IS 'When it ended; null: it has not';

COMMENT ON COLUMN leasehold_dashboard.sync_runs.took_seconds IS 'Seconds from its beginning to its end, or to now';

CREATE VIEW leasehold_dashboard.sync_status AS
 SELECT m.tenant_id,
    m.table_id,
    m.workspace_id,
    m.name,
    m.state,
    m.record_count,
    m.synced_at,
    date_part('epoch'::text, (statement_timestamp() - m.synced_at)) AS synced_seconds,
    m.full_synced_at,
    m.last_position,
    m.deletion_confirmed,
    r.sync_id AS reading_sync_id,
    r.mode AS reading_mode,
    r.pages AS reading_pages,
    r.rows AS reading_rows,
    r.expected_rows AS reading_expected_rows,
        CASE
            WHEN (r.expected_rows > 0) THEN LEAST((1)::double precision, ((r.rows)::double precision / (r.expected_rows)::double precision))
            ELSE NULL::double precision
        END AS reading_share,
    r.advanced_at AS reading_advanced_at,
    l.sync_id AS last_sync_id,
    l.state AS last_state,
    l.reason AS last_reason,
    l.finished_at AS last_finished_at
   FROM ((leasehold.mirror_table m
     LEFT JOIN LATERAL ( SELECT run.tenant_id,
            run.sync_id,
            run.table_id,
            run.job_id,
            run.job_run,
            run.state,
            run.mode,
            run.dialect,
            run.since,
            run.cursor,
            run.pages,
            run.rows,
            run.expected_rows,
            run.repairs,
            run.takeovers,
            run.restarts,
            run.inserted,
            run.updated,
            run.deleted,
            run.unchanged,
            run.field_changes,
            run.reason,
            run.source_time,
            run.started_at,
            run.advanced_at,
            run.finished_at
           FROM leasehold.sync_run run
          WHERE ((run.tenant_id = m.tenant_id) AND (run.table_id = m.table_id) AND (run.state = 'reading'::text))
         LIMIT 1) r ON (true))
     LEFT JOIN LATERAL ( SELECT run.sync_id,
            run.state,
            run.reason,
            run.finished_at
           FROM leasehold.sync_run run
          WHERE ((run.tenant_id = m.tenant_id) AND (run.table_id = m.table_id) AND (run.state <> 'reading'::text))
          ORDER BY run.sync_id DESC
         LIMIT 1) l ON (true));

COMMENT ON VIEW leasehold_dashboard.sync_status IS 'One row a mirrored table: how fresh it is, the run under way and the last one. Read it with tenant_id =, or order by tenant_id, table_id and a limit';

COMMENT ON COLUMN leasehold_dashboard.sync_status.tenant_id IS 'The tenant';

COMMENT ON COLUMN leasehold_dashboard.sync_status.table_id IS 'The table at Pitchly';

COMMENT ON COLUMN leasehold_dashboard.sync_status.workspace_id IS 'Its workspace there';

COMMENT ON COLUMN leasehold_dashboard.sync_status.name IS 'Its name there';

COMMENT ON COLUMN leasehold_dashboard.sync_status.state IS 'live; gone: the API no longer shows it, the mirror is kept';

COMMENT ON COLUMN leasehold_dashboard.sync_status.record_count IS 'Records in the mirror';

COMMENT ON COLUMN leasehold_dashboard.sync_status.synced_at IS 'When the mirror was last made equal';

COMMENT ON COLUMN leasehold_dashboard.sync_status.synced_seconds IS 'Age of synced_at in seconds';

COMMENT ON COLUMN leasehold_dashboard.sync_status.full_synced_at IS 'When the whole table was last read';

COMMENT ON COLUMN leasehold_dashboard.sync_status.last_position IS 'Number of the newest change in mirror_change';

COMMENT ON COLUMN leasehold_dashboard.sync_status.deletion_confirmed IS 'True: the next sync may delete any share of the records, once';

COMMENT ON COLUMN leasehold_dashboard.sync_status.reading_sync_id IS 'The run under way; null: none, and so the other reading_ columns';

COMMENT ON COLUMN leasehold_dashboard.sync_status.reading_mode IS 'full or incremental';

COMMENT ON COLUMN leasehold_dashboard.sync_status.reading_pages IS 'Pages read so far';

COMMENT ON COLUMN leasehold_dashboard.sync_status.reading_rows IS 'Records read so far';

COMMENT ON COLUMN leasehold_dashboard.sync_status.reading_expected_rows IS 'As the API counts; null if it does not';

COMMENT ON COLUMN leasehold_dashboard.sync_status.reading_share IS 'The part read so far, 0 to 1';

COMMENT ON COLUMN leasehold_dashboard.sync_status.reading_advanced_at IS 'When the last page came';

COMMENT ON COLUMN leasehold_dashboard.sync_status.last_sync_id IS 'The last run that ended';

COMMENT ON COLUMN leasehold_dashboard.sync_status.last_state IS 'merged; suspicious: nothing was changed because too many records would have been deleted; abandoned: given up for a new run';

COMMENT ON COLUMN leasehold_dashboard.sync_status.last_reason IS 'Why, unless it merged';

COMMENT ON COLUMN leasehold_dashboard.sync_status.last_finished_at IS 'When it ended';

CREATE VIEW leasehold_dashboard.tenant_health AS
 SELECT t.tenant_id,
    t.name,
    t.state,
    ((h.held_at IS NOT NULL) AND (h.released_at IS NULL)) AS is_held,
    h.reason AS held_reason,
    t.weight,
    t.max_running,
    t.rate_per_second,
    g.waiting,
    g.waiting_is_minimum,
    g.running,
    ((t.max_running IS NOT NULL) AND (g.running >= t.max_running)) AS is_at_cap,
    g.parked,
    g.next_run_at,
    g.oldest_ready_at,
    date_part('epoch'::text, (statement_timestamp() - g.oldest_ready_at)) AS oldest_ready_seconds,
        CASE
            WHEN (l.run_seconds_per_second > (0)::double precision) THEN LEAST((1)::double precision, ((COALESCE(g.run_seconds, (0)::double precision) / GREATEST((1)::double precision, date_part('epoch'::text, (statement_timestamp() - g.ended_since)))) / l.run_seconds_per_second))
            ELSE NULL::double precision
        END AS share_received,
        CASE
            WHEN (g.waiting > 0) THEN (t.weight / GREATEST((t.weight)::double precision, l.weights_waiting))
            ELSE NULL::double precision
        END AS share_due,
    g.ended AS ended_runs,
    g.wait_turn_seconds,
    g.wait_limit_seconds,
    g.wait_worker_seconds,
    g.wait_parked_seconds,
    c.state AS token_state,
    c.suspect_reason AS token_suspect,
    c.access_expires_at AS token_expires_at,
    c.generation AS token_generation,
    t.created_at
   FROM ((((leasehold.tenant t
     CROSS JOIN leasehold.dashboard_load() l(run_seconds_per_second, weights_waiting))
     CROSS JOIN LATERAL leasehold.dashboard_tenant(t.tenant_id) g(waiting, waiting_is_minimum, running, oldest_ready_at, next_run_at, parked, ended, ended_since, run_seconds, wait_turn_seconds, wait_limit_seconds, wait_worker_seconds, wait_parked_seconds))
     LEFT JOIN leasehold.tenant_hold h ON ((h.tenant_id = t.tenant_id)))
     LEFT JOIN leasehold.credential c ON ((c.tenant_id = t.tenant_id)));

COMMENT ON VIEW leasehold_dashboard.tenant_health IS 'One row a tenant: what it waits for, what it got of what is due to it. Each row costs some probes: read it with tenant_id =, or order by tenant_id and a limit. Who waits most: tenant_pressure';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.tenant_id IS 'The tenant';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.name IS 'Its name for people';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.state IS 'active, or paused: nothing of it is claimed';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.is_held IS 'True: its jobs are parked as a whole';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.held_reason IS 'Why they are or were parked';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.weight IS 'Share of the workers relative to other tenants';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.max_running IS 'Most jobs running at once; null: no limit';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.rate_per_second IS 'Most jobs started per second; null: no limit';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.waiting IS 'Jobs that wait for their turn, counted until 50 of its jobs are met';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.waiting_is_minimum IS 'True: there may be more';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.running IS 'Its jobs that run; where waiting_is_minimum, those among the jobs met, and up to 200 that a limit counts';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.is_at_cap IS 'True: it runs as many as max_running allows; not seen where that is over 200 and waiting_is_minimum';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.parked IS 'Jobs that wait for an authorization, their sequence or another job; counted up to 50';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.next_run_at IS 'When its next scheduled job is due';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.oldest_ready_at IS 'When the job that waits longest, among those counted, became ready';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.oldest_ready_seconds IS 'Age of oldest_ready_at in seconds';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.share_received IS 'Its part, 0 to 1, of all running time of the last 5 minutes; from its last 50 runs and an estimate of the whole. Null: nothing ended';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.share_due IS 'Its weight among the tenants that have a backlog now, 0 to 1. Null: it has none, so nothing is due. Below it and waiting: see lane_backlog for the cause';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.ended_runs IS 'Jobs that ended in the last 5 minutes, counted up to 50: the four means are over these';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.wait_turn_seconds IS 'Mean wait while workers took other jobs: not its turn';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.wait_limit_seconds IS 'Mean wait while at its own cap, throttled or paused';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.wait_worker_seconds IS 'Mean wait while no worker asked for work';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.wait_parked_seconds IS 'Mean time parked: its token was not ready, or a sequence or dependency';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.token_state IS 'empty, active or needs_authorization; null: it has no credential';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.token_suspect IS 'ambiguous or dead: under recovery; null: healthy';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.token_expires_at IS 'When its access token expires';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.token_generation IS 'How often its credential was exchanged or connected';

COMMENT ON COLUMN leasehold_dashboard.tenant_health.created_at IS 'When it was added';

CREATE VIEW leasehold_dashboard.tenant_pressure AS
 WITH met AS MATERIALIZED (
         SELECT dashboard_jobs.tenant_id,
            sum(dashboard_jobs.counts_for) AS ready,
            min(dashboard_jobs.ready_at) AS oldest_ready_at,
            leasehold.dashboard_at_least(count(DISTINCT dashboard_jobs.page), max(dashboard_jobs.counts_for)) AS at_least
           FROM leasehold.dashboard_jobs() dashboard_jobs(tenant_id, queue, state, claimed_by, ready_at, counts_for, page)
          WHERE (dashboard_jobs.state = 'ready'::text)
          GROUP BY dashboard_jobs.tenant_id
        ), top AS (
        ( SELECT met.tenant_id,
            met.ready,
            met.oldest_ready_at,
            met.at_least
           FROM met
          ORDER BY met.ready DESC
         LIMIT 25)
        UNION
        ( SELECT met.tenant_id,
            met.ready,
            met.oldest_ready_at,
            met.at_least
           FROM met
          ORDER BY met.oldest_ready_at
         LIMIT 25)
        )
 SELECT w.tenant_id,
    t.name,
    w.ready,
    g.waiting_is_minimum AS is_estimate,
    w.oldest_ready_at,
    date_part('epoch'::text, (statement_timestamp() - w.oldest_ready_at)) AS oldest_ready_seconds,
    t.state,
    t.weight,
    t.max_running,
    l.states AS lane_states
   FROM ((((top
     CROSS JOIN LATERAL leasehold.dashboard_tenant_line(top.tenant_id,
        CASE
            WHEN (top.at_least > (100)::double precision) THEN 20
            ELSE 100
        END) g(waiting, waiting_is_minimum, running, oldest_ready_at))
     CROSS JOIN LATERAL ( SELECT top.tenant_id,
            LEAST(top.oldest_ready_at, g.oldest_ready_at) AS oldest_ready_at,
                CASE
                    WHEN g.waiting_is_minimum THEN GREATEST(g.waiting, (round((top.ready)::numeric))::bigint)
                    ELSE g.waiting
                END AS ready) w)
     LEFT JOIN leasehold.tenant t ON ((t.tenant_id = top.tenant_id)))
     LEFT JOIN LATERAL ( SELECT array_agg(DISTINCT lane.state) AS states
           FROM leasehold.lane
          WHERE (lane.tenant_id = top.tenant_id)) l ON (true));

COMMENT ON VIEW leasehold_dashboard.tenant_pressure IS 'The 25 tenants with the most ready jobs and the 25 that wait longest, as far as a sample of 200 pages of live jobs shows. Read it whole';

COMMENT ON COLUMN leasehold_dashboard.tenant_pressure.tenant_id IS 'The tenant';

COMMENT ON COLUMN leasehold_dashboard.tenant_pressure.name IS 'Its name for people';

COMMENT ON COLUMN leasehold_dashboard.tenant_pressure.ready IS 'Jobs that wait for their turn';

COMMENT ON COLUMN leasehold_dashboard.tenant_pressure.is_estimate IS 'True: 100 or more of its jobs wait or run, so ready is scaled up from the sample and off by one part in the root of the pages that it was met on; false: counted';

COMMENT ON COLUMN leasehold_dashboard.tenant_pressure.oldest_ready_at IS 'When the job that waits longest, among those met, became ready';

COMMENT ON COLUMN leasehold_dashboard.tenant_pressure.oldest_ready_seconds IS 'Age of oldest_ready_at in seconds';

COMMENT ON COLUMN leasehold_dashboard.tenant_pressure.state IS 'active or paused';

COMMENT ON COLUMN leasehold_dashboard.tenant_pressure.weight IS 'Share of the workers relative to other tenants';

COMMENT ON COLUMN leasehold_dashboard.tenant_pressure.max_running IS 'Most jobs running at once; null: no limit';

COMMENT ON COLUMN leasehold_dashboard.tenant_pressure.lane_states IS 'States of its lanes: open waits for its turn; full, throttled, paused say why it must wait';

CREATE VIEW leasehold_dashboard.throughput_by_minute AS
 WITH tail AS MATERIALIZED (
         SELECT date_trunc('minute'::text, dashboard_tail.ended_at) AS minute,
            dashboard_tail.queue,
            dashboard_tail.outcome,
            dashboard_tail.run_seconds,
            dashboard_tail.waited_turn,
            dashboard_tail.waited_limit,
            dashboard_tail.waited_worker,
            dashboard_tail.waited_parked,
            dashboard_tail.counts_for
           FROM leasehold.dashboard_tail('job_history'::text, (statement_timestamp() - '01:00:00'::interval)) dashboard_tail(tenant_id, queue, outcome, ended_at, run_seconds, waited_turn, waited_limit, waited_worker, waited_parked, counts_for)
        UNION ALL
         SELECT date_trunc('minute'::text, dashboard_tail.ended_at) AS date_trunc,
            dashboard_tail.queue,
            'failed'::text,
            NULL::real,
            NULL::real,
            NULL::real,
            NULL::real,
            NULL::real,
            dashboard_tail.counts_for
           FROM leasehold.dashboard_tail('job_attempt'::text, (statement_timestamp() - '01:00:00'::interval), 60) dashboard_tail(tenant_id, queue, outcome, ended_at, run_seconds, waited_turn, waited_limit, waited_worker, waited_parked, counts_for)
        )
 SELECT tail.minute,
    tail.queue,
    round((COALESCE(sum(tail.counts_for) FILTER (WHERE (tail.outcome = 'completed'::text)), (0)::double precision))::numeric) AS completed,
    round((COALESCE(sum(tail.counts_for) FILTER (WHERE (tail.outcome = 'discarded'::text)), (0)::double precision))::numeric) AS discarded,
    round((COALESCE(sum(tail.counts_for) FILTER (WHERE (tail.outcome = 'cancelled'::text)), (0)::double precision))::numeric) AS cancelled,
    round((COALESCE(sum(tail.counts_for) FILTER (WHERE (tail.outcome = 'failed'::text)), (0)::double precision))::numeric) AS failed_attempts,
    avg(tail.run_seconds) AS mean_run_seconds,
    avg((((tail.waited_turn + tail.waited_limit) + tail.waited_worker) + tail.waited_parked)) AS mean_wait_seconds,
    avg(tail.waited_turn) AS mean_wait_turn_seconds,
    avg(tail.waited_limit) AS mean_wait_limit_seconds,
    avg(tail.waited_worker) AS mean_wait_worker_seconds,
    avg(tail.waited_parked) AS mean_wait_parked_seconds,
    (max(tail.counts_for) > (1)::double precision) AS is_estimate
   FROM tail
  GROUP BY tail.minute, tail.queue;

COMMENT ON VIEW leasehold_dashboard.throughput_by_minute IS 'What ended in each minute of the last hour, by queue, with the causes of waiting. Read it whole; about 10 ms';

COMMENT ON COLUMN leasehold_dashboard.throughput_by_minute.minute IS 'Start of the minute; the first one is not whole, nor is the last';

COMMENT ON COLUMN leasehold_dashboard.throughput_by_minute.queue IS 'The queue; a minute in which nothing ended has no row';

COMMENT ON COLUMN leasehold_dashboard.throughput_by_minute.completed IS 'Jobs that completed';

COMMENT ON COLUMN leasehold_dashboard.throughput_by_minute.discarded IS 'Jobs that were given up';

COMMENT ON COLUMN leasehold_dashboard.throughput_by_minute.cancelled IS 'Jobs that were cancelled';

COMMENT ON COLUMN leasehold_dashboard.throughput_by_minute.failed_attempts IS 'Attempts that failed, whatever became of the job';

COMMENT ON COLUMN leasehold_dashboard.throughput_by_minute.mean_run_seconds IS 'Mean run time of the last run of the jobs that ended';

COMMENT ON COLUMN leasehold_dashboard.throughput_by_minute.mean_wait_seconds IS 'Mean of all the time that a job waited to run';

COMMENT ON COLUMN leasehold_dashboard.throughput_by_minute.mean_wait_turn_seconds IS 'Of it, while workers took other jobs';

COMMENT ON COLUMN leasehold_dashboard.throughput_by_minute.mean_wait_limit_seconds IS 'Of it, while its tenant was at a limit, throttled or paused';

COMMENT ON COLUMN leasehold_dashboard.throughput_by_minute.mean_wait_worker_seconds IS 'Of it, while no worker asked for work';

COMMENT ON COLUMN leasehold_dashboard.throughput_by_minute.mean_wait_parked_seconds IS 'Of it, while parked: until the tenant authorized, its sequence came or another job ended';

COMMENT ON COLUMN leasehold_dashboard.throughput_by_minute.is_estimate IS 'True: the hour has more than 120 pages of history, so these are scaled up from every n-th page';

CREATE VIEW leasehold_dashboard.token_health AS
 SELECT credential.tenant_id,
    credential.provider,
    credential.state,
    credential.connected_by,
    credential.renewed_by,
    credential.organization,
    credential.scope,
    credential.generation,
    credential.access_issued_at,
    credential.access_expires_at,
    date_part('epoch'::text, (credential.access_expires_at - statement_timestamp())) AS expires_seconds,
    (credential.access_rejected_at IS NOT NULL) AS access_rejected,
    credential.refresh_due_at,
    date_part('epoch'::text, (credential.refresh_due_at - statement_timestamp())) AS refresh_due_seconds,
    (credential.attempt_id IS NOT NULL) AS is_exchanging,
    credential.attempt_started_at,
    credential.suspect_reason,
    credential.suspect_at,
    credential.rungs_tried,
    credential.failures,
    credential.not_before,
    credential.last_exchange_at,
    credential.last_outcome,
    credential.last_error_class,
    credential.needs_authorization_at,
    credential.connected_at
   FROM leasehold.credential;

COMMENT ON VIEW leasehold_dashboard.token_health IS 'One row a credential, without any token. Read it with tenant_id =, with order by tenant_id and a limit, or with state = ''needs_authorization'' or failures > 0, which have an index';

COMMENT ON COLUMN leasehold_dashboard.token_health.tenant_id IS 'The tenant';

COMMENT ON COLUMN leasehold_dashboard.token_health.provider IS 'Whose token endpoint';

COMMENT ON COLUMN leasehold_dashboard.token_health.state IS 'empty: never connected; active: can be renewed; needs_authorization: a person has to connect it again';

COMMENT ON COLUMN leasehold_dashboard.token_health.connected_by IS 'Who connected it';

COMMENT ON COLUMN leasehold_dashboard.token_health.renewed_by IS 'refresh_token or client_credentials';

COMMENT ON COLUMN leasehold_dashboard.token_health.organization IS 'The organisation at the provider';

COMMENT ON COLUMN leasehold_dashboard.token_health.scope IS 'What it may read';

COMMENT ON COLUMN leasehold_dashboard.token_health.generation IS 'How often it was exchanged or connected; never falls';

COMMENT ON COLUMN leasehold_dashboard.token_health.access_issued_at IS 'When the access token came';

COMMENT ON COLUMN leasehold_dashboard.token_health.access_expires_at IS 'When it expires';

COMMENT ON COLUMN leasehold_dashboard.token_health.expires_seconds IS 'Seconds until then; negative: expired';

COMMENT ON COLUMN leasehold_dashboard.token_health.access_rejected IS 'True: the API refused it before it expired';

COMMENT ON COLUMN leasehold_dashboard.token_health.refresh_due_at IS 'When the refresh service looks at it next';

COMMENT ON COLUMN leasehold_dashboard.token_health.refresh_due_seconds IS 'Seconds until then; negative: overdue';

COMMENT ON COLUMN leasehold_dashboard.token_health.is_exchanging IS 'True: an exchange is open';

COMMENT ON COLUMN leasehold_dashboard.token_health.attempt_started_at IS 'When it began';

COMMENT ON COLUMN leasehold_dashboard.token_health.suspect_reason IS 'ambiguous: presented, and no usable answer came; dead: refused; null: healthy';

COMMENT ON COLUMN leasehold_dashboard.token_health.suspect_at IS 'Since when';

COMMENT ON COLUMN leasehold_dashboard.token_health.rungs_tried IS 'Steps of the recovery that were taken for this generation';

COMMENT ON COLUMN leasehold_dashboard.token_health.failures IS 'Exchanges in a row that failed';

COMMENT ON COLUMN leasehold_dashboard.token_health.not_before IS 'Back-off: no exchange before';

COMMENT ON COLUMN leasehold_dashboard.token_health.last_exchange_at IS 'Last exchange';

COMMENT ON COLUMN leasehold_dashboard.token_health.last_outcome IS 'What it came to: see exchange_log.outcome';

COMMENT ON COLUMN leasehold_dashboard.token_health.last_error_class IS 'Its error, if it failed';

COMMENT ON COLUMN leasehold_dashboard.token_health.needs_authorization_at IS 'Since when a person is needed';

COMMENT ON COLUMN leasehold_dashboard.token_health.connected_at IS 'When it was last connected';

ALTER TABLE ONLY leasehold.action
    ADD CONSTRAINT action_pkey PRIMARY KEY (action_id);

ALTER TABLE ONLY leasehold.api_key
    ADD CONSTRAINT api_key_pkey PRIMARY KEY (api_key_id);

ALTER TABLE ONLY leasehold.api_session
    ADD CONSTRAINT api_session_pkey PRIMARY KEY (session_hash);

ALTER TABLE ONLY leasehold.bucket
    ADD CONSTRAINT bucket_pkey PRIMARY KEY (scope, name);

ALTER TABLE ONLY leasehold.connect_attempt
    ADD CONSTRAINT connect_attempt_pkey PRIMARY KEY (attempt_hash);

ALTER TABLE ONLY leasehold.credential_archive
    ADD CONSTRAINT credential_archive_pkey PRIMARY KEY (tenant_id, archive_id);

ALTER TABLE ONLY leasehold.credential_event
    ADD CONSTRAINT credential_event_pkey PRIMARY KEY (tenant_id, event_id);

ALTER TABLE ONLY leasehold.credential_exchange
    ADD CONSTRAINT credential_exchange_pkey PRIMARY KEY (tenant_id, exchange_id);

ALTER TABLE ONLY leasehold.credential
    ADD CONSTRAINT credential_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY leasehold.job_attempt
    ADD CONSTRAINT job_attempt_pkey PRIMARY KEY (job_id, ended_at, run);

ALTER TABLE ONLY leasehold.job_cancel
    ADD CONSTRAINT job_cancel_pkey PRIMARY KEY (job_id);

ALTER TABLE ONLY leasehold.job_dependency
    ADD CONSTRAINT job_dependency_pkey PRIMARY KEY (needs_job_id, job_id);

ALTER TABLE ONLY leasehold.job_history
    ADD CONSTRAINT job_history_pkey PRIMARY KEY (job_id, ended_at);

ALTER TABLE ONLY leasehold.job_idempotency
    ADD CONSTRAINT job_idempotency_pkey PRIMARY KEY (tenant_id, idempotency_key);

ALTER TABLE ONLY leasehold.job
    ADD CONSTRAINT job_pkey PRIMARY KEY (job_id);

ALTER TABLE ONLY leasehold.kind
    ADD CONSTRAINT kind_pkey PRIMARY KEY (kind);

ALTER TABLE ONLY leasehold.lane_floor
    ADD CONSTRAINT lane_floor_pkey PRIMARY KEY (queue);

ALTER TABLE ONLY leasehold.lane
    ADD CONSTRAINT lane_pkey PRIMARY KEY (tenant_id, queue, lane_kind);

ALTER TABLE ONLY leasehold.mirror_change
    ADD CONSTRAINT mirror_change_pkey PRIMARY KEY (tenant_id, table_id, "position");

ALTER TABLE ONLY leasehold.mirror_field
    ADD CONSTRAINT mirror_field_pkey PRIMARY KEY (tenant_id, table_id, field_id);

ALTER TABLE ONLY leasehold.mirror_record
    ADD CONSTRAINT mirror_record_pkey PRIMARY KEY (tenant_id, table_id, record_id);

ALTER TABLE ONLY leasehold.mirror_table
    ADD CONSTRAINT mirror_table_pkey PRIMARY KEY (tenant_id, table_id);

ALTER TABLE ONLY leasehold.mirror_view
    ADD CONSTRAINT mirror_view_pkey PRIMARY KEY (tenant_id, table_id);

ALTER TABLE ONLY leasehold.provider
    ADD CONSTRAINT provider_pkey PRIMARY KEY (provider);

ALTER TABLE ONLY leasehold.push
    ADD CONSTRAINT push_pkey PRIMARY KEY (tenant_id, push_id);

ALTER TABLE ONLY leasehold.push
    ADD CONSTRAINT push_tenant_id_idempotency_key_key UNIQUE (tenant_id, idempotency_key);

ALTER TABLE ONLY leasehold.queue
    ADD CONSTRAINT queue_pkey PRIMARY KEY (queue);

ALTER TABLE ONLY leasehold.schedule
    ADD CONSTRAINT schedule_name_key UNIQUE (name);

ALTER TABLE ONLY leasehold.schedule
    ADD CONSTRAINT schedule_pkey PRIMARY KEY (schedule_id);

ALTER TABLE ONLY leasehold.schedule_turn
    ADD CONSTRAINT schedule_turn_pkey PRIMARY KEY (tenant_id, schedule_id);

ALTER TABLE ONLY leasehold.schema_migration
    ADD CONSTRAINT schema_migration_pkey PRIMARY KEY (version);

ALTER TABLE ONLY leasehold.sealing_key
    ADD CONSTRAINT sealing_key_pkey PRIMARY KEY (key_id);

ALTER TABLE ONLY leasehold.sync_run
    ADD CONSTRAINT sync_run_pkey PRIMARY KEY (tenant_id, sync_id);

ALTER TABLE ONLY leasehold.tenant_hold
    ADD CONSTRAINT tenant_hold_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY leasehold.tenant
    ADD CONSTRAINT tenant_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY leasehold.worker
    ADD CONSTRAINT worker_pkey PRIMARY KEY (worker_id);

CREATE INDEX action_job ON leasehold.action USING btree (job_id, action_id) WHERE (job_id IS NOT NULL);

CREATE INDEX action_tenant ON leasehold.action USING btree (tenant_id, action_id) WHERE (tenant_id IS NOT NULL);

CREATE UNIQUE INDEX api_key_secret ON leasehold.api_key USING btree (secret_hash);

CREATE INDEX api_key_tenant ON leasehold.api_key USING btree (tenant_id) WHERE (tenant_id IS NOT NULL);

CREATE INDEX api_session_expiry ON leasehold.api_session USING btree (expires_at);

CREATE INDEX api_session_key ON leasehold.api_session USING btree (api_key_id);

CREATE INDEX connect_attempt_expiry ON leasehold.connect_attempt USING btree (expires_at);

CREATE INDEX connect_attempt_tenant ON leasehold.connect_attempt USING btree (tenant_id);

CREATE INDEX credential_due ON leasehold.credential USING btree (provider, refresh_due_at) WHERE (state = 'active'::text);

CREATE INDEX credential_exchange_ended ON leasehold.credential_exchange USING btree (ended_at);

CREATE INDEX credential_lost ON leasehold.credential USING btree (needs_authorization_at) WHERE (state = 'needs_authorization'::text);

CREATE INDEX credential_troubled ON leasehold.credential USING btree (tenant_id) WHERE ((failures > 0) OR (suspect_reason IS NOT NULL));

CREATE INDEX job_attempt_fingerprint ON ONLY leasehold.job_attempt USING btree (fingerprint, ended_at);

CREATE INDEX job_dependency_waiting ON leasehold.job_dependency USING btree (job_id);

CREATE INDEX job_due ON leasehold.job USING btree (due_at, job_id) WHERE (due_at IS NOT NULL);

CREATE INDEX job_due_tenant ON leasehold.job USING btree (tenant_id, due_at) WHERE (due_at IS NOT NULL);

CREATE INDEX job_history_tenant ON ONLY leasehold.job_history USING btree (tenant_id, job_id);

CREATE INDEX job_idempotency_age ON leasehold.job_idempotency USING brin (created_at);

CREATE INDEX job_lane ON leasehold.job USING btree (tenant_id, queue, lane_kind, priority, place) WHERE (place IS NOT NULL);

CREATE INDEX job_limited ON leasehold.job USING btree (tenant_id, job_id) WHERE limited;

CREATE INDEX job_parked ON leasehold.job USING btree (tenant_id, job_id) WHERE (park_reason IS NOT NULL);

CREATE INDEX job_sequence_live ON leasehold.job USING btree (tenant_id, sequence_key) WHERE sequence_live;

CREATE INDEX job_sequence_next ON leasehold.job USING btree (tenant_id, sequence_key, job_id) WHERE (park_reason = 'sequence'::text);

CREATE UNIQUE INDEX job_unique ON leasehold.job USING btree (tenant_id, kind, unique_key) WHERE (unique_key IS NOT NULL);

CREATE INDEX lane_idle ON leasehold.lane USING btree (queue, vt) WHERE (state = 'idle'::text);

CREATE INDEX lane_look ON leasehold.lane USING btree (look_at) WHERE (look_at IS NOT NULL);

CREATE INDEX lane_order ON leasehold.lane USING btree (queue, lane_kind, vt) WHERE (state = 'open'::text);

CREATE INDEX lease_worker ON leasehold.lease USING btree (worker_id, claimed_at);

CREATE INDEX mirror_stage_sync ON leasehold.mirror_stage USING btree (sync_id);

CREATE INDEX mirror_view_behind ON leasehold.mirror_view USING btree (checked_at) WHERE (state <> 'current'::text);

CREATE INDEX push_ended ON leasehold.push USING btree (ended_at) WHERE (ended_at IS NOT NULL);

CREATE INDEX push_record ON leasehold.push USING btree (tenant_id, table_id, order_key, push_id);

CREATE INDEX push_waiting ON leasehold.push USING btree (tenant_id, table_id, attempts, push_id) WHERE (state = 'waiting'::text);

CREATE INDEX push_waiting_record ON leasehold.push USING btree (tenant_id, table_id, order_key, push_id) WHERE (state = 'waiting'::text);

CREATE INDEX schedule_template ON leasehold.schedule USING btree (schedule_id) WHERE ((tenant_id IS NULL) AND (paused_at IS NULL));

CREATE INDEX schedule_tenant ON leasehold.schedule USING btree (tenant_id);

CREATE INDEX sync_run_finished ON leasehold.sync_run USING btree (finished_at);

CREATE UNIQUE INDEX sync_run_reading ON leasehold.sync_run USING btree (tenant_id, table_id) WHERE (state = 'reading'::text);

CREATE INDEX sync_run_table ON leasehold.sync_run USING btree (tenant_id, table_id, sync_id);

CREATE INDEX turn_due ON leasehold.schedule_turn USING btree (fire_at) WHERE (fire_at IS NOT NULL);

CREATE INDEX turn_schedule ON leasehold.schedule_turn USING btree (schedule_id, fire_at);

CREATE INDEX wake_order ON leasehold.wake USING btree (queue, xid, wake_id);

CREATE TRIGGER api_key_action AFTER INSERT OR DELETE OR UPDATE OF revoked_at ON leasehold.api_key FOR EACH ROW EXECUTE FUNCTION leasehold.action_of_row('api_key', 'api_key_id');

CREATE TRIGGER job_arrived AFTER INSERT ON leasehold.job REFERENCING NEW TABLE AS arrived FOR EACH STATEMENT EXECUTE FUNCTION leasehold.job_arrived();

CREATE TRIGGER job_cancel_ring AFTER INSERT ON leasehold.job_cancel FOR EACH ROW EXECUTE FUNCTION leasehold.job_cancel_ring();

CREATE TRIGGER kind_action AFTER INSERT OR DELETE OR UPDATE ON leasehold.kind FOR EACH ROW EXECUTE FUNCTION leasehold.action_of_row('kind', 'kind');

CREATE TRIGGER kind_changed AFTER INSERT OR UPDATE ON leasehold.kind FOR EACH ROW EXECUTE FUNCTION leasehold.kind_changed();

CREATE TRIGGER queue_action AFTER INSERT OR DELETE OR UPDATE ON leasehold.queue FOR EACH ROW EXECUTE FUNCTION leasehold.action_of_row('queue', 'queue');

CREATE TRIGGER queue_changed AFTER INSERT OR UPDATE ON leasehold.queue FOR EACH ROW EXECUTE FUNCTION leasehold.queue_changed();

CREATE TRIGGER schedule_action AFTER INSERT OR DELETE OR UPDATE ON leasehold.schedule FOR EACH ROW EXECUTE FUNCTION leasehold.action_of_row('schedule', 'name');

CREATE TRIGGER schedule_tenant_added AFTER INSERT ON leasehold.tenant FOR EACH ROW EXECUTE FUNCTION leasehold.schedule_member_back();

CREATE TRIGGER schedule_tenant_connected AFTER INSERT ON leasehold.credential FOR EACH ROW WHEN ((new.state = 'active'::text)) EXECUTE FUNCTION leasehold.schedule_member_back();

CREATE TRIGGER schedule_tenant_reconnected AFTER UPDATE OF state ON leasehold.credential FOR EACH ROW WHEN (((old.state <> new.state) AND (new.state = 'active'::text))) EXECUTE FUNCTION leasehold.schedule_member_back();

CREATE TRIGGER schedule_tenant_resumed AFTER UPDATE OF state ON leasehold.tenant FOR EACH ROW WHEN (((old.state <> new.state) AND (new.state = 'active'::text))) EXECUTE FUNCTION leasehold.schedule_member_back();

CREATE TRIGGER schedule_tenant_unparked AFTER INSERT OR UPDATE OF released_at ON leasehold.tenant_hold FOR EACH ROW WHEN ((new.released_at IS NOT NULL)) EXECUTE FUNCTION leasehold.schedule_member_back();

CREATE TRIGGER tenant_action AFTER UPDATE OF name, state, weight, max_running, rate_per_second, rate_burst, settings ON leasehold.tenant FOR EACH ROW WHEN ((((((((old.name IS DISTINCT FROM new.name) OR (old.state IS DISTINCT FROM new.state)) OR (old.weight IS DISTINCT FROM new.weight)) OR (old.max_running IS DISTINCT FROM new.max_running)) OR (old.rate_per_second IS DISTINCT FROM new.rate_per_second)) OR (old.rate_burst IS DISTINCT FROM new.rate_burst)) OR (old.settings IS DISTINCT FROM new.settings))) EXECUTE FUNCTION leasehold.action_of_row('tenant', 'tenant_id');

CREATE TRIGGER tenant_added AFTER INSERT ON leasehold.tenant REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION leasehold.action_of_tenants();

CREATE TRIGGER tenant_changed AFTER UPDATE ON leasehold.tenant FOR EACH ROW WHEN ((((((old.state IS DISTINCT FROM new.state) OR (old.weight IS DISTINCT FROM new.weight)) OR (old.max_running IS DISTINCT FROM new.max_running)) OR (old.rate_per_second IS DISTINCT FROM new.rate_per_second)) OR (old.rate_burst IS DISTINCT FROM new.rate_burst))) EXECUTE FUNCTION leasehold.tenant_changed();

CREATE TRIGGER tenant_removed AFTER DELETE ON leasehold.tenant REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION leasehold.action_of_tenants();

CREATE CONSTRAINT TRIGGER wake_ring AFTER INSERT ON leasehold.wake DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (new.ring) EXECUTE FUNCTION leasehold.wake_ring();

ALTER TABLE ONLY leasehold.api_key
    ADD CONSTRAINT api_key_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES leasehold.tenant(tenant_id) ON DELETE CASCADE;

ALTER TABLE ONLY leasehold.api_session
    ADD CONSTRAINT api_session_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES leasehold.api_key(api_key_id) ON DELETE CASCADE;

ALTER TABLE ONLY leasehold.connect_attempt
    ADD CONSTRAINT connect_attempt_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES leasehold.tenant(tenant_id) ON DELETE CASCADE;

ALTER TABLE ONLY leasehold.credential
    ADD CONSTRAINT credential_provider_fkey FOREIGN KEY (provider) REFERENCES leasehold.provider(provider);

ALTER TABLE ONLY leasehold.credential
    ADD CONSTRAINT credential_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES leasehold.tenant(tenant_id);

ALTER TABLE ONLY leasehold.mirror_field
    ADD CONSTRAINT mirror_field_tenant_id_table_id_fkey FOREIGN KEY (tenant_id, table_id) REFERENCES leasehold.mirror_table(tenant_id, table_id);

ALTER TABLE ONLY leasehold.mirror_table
    ADD CONSTRAINT mirror_table_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES leasehold.tenant(tenant_id);

ALTER TABLE ONLY leasehold.mirror_view
    ADD CONSTRAINT mirror_view_tenant_id_table_id_fkey FOREIGN KEY (tenant_id, table_id) REFERENCES leasehold.mirror_table(tenant_id, table_id);

ALTER TABLE ONLY leasehold.push
    ADD CONSTRAINT push_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES leasehold.tenant(tenant_id);

ALTER TABLE ONLY leasehold.push
    ADD CONSTRAINT push_tenant_id_table_id_fkey FOREIGN KEY (tenant_id, table_id) REFERENCES leasehold.mirror_table(tenant_id, table_id);

ALTER TABLE ONLY leasehold.schedule
    ADD CONSTRAINT schedule_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES leasehold.tenant(tenant_id) ON DELETE CASCADE;

ALTER TABLE ONLY leasehold.schedule_turn
    ADD CONSTRAINT schedule_turn_schedule_id_fkey FOREIGN KEY (schedule_id) REFERENCES leasehold.schedule(schedule_id) ON DELETE CASCADE;

ALTER TABLE ONLY leasehold.schedule_turn
    ADD CONSTRAINT schedule_turn_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES leasehold.tenant(tenant_id) ON DELETE CASCADE;

ALTER TABLE ONLY leasehold.sync_run
    ADD CONSTRAINT sync_run_tenant_id_table_id_fkey FOREIGN KEY (tenant_id, table_id) REFERENCES leasehold.mirror_table(tenant_id, table_id);

GRANT USAGE ON SCHEMA leasehold TO leasehold_worker;
GRANT USAGE ON SCHEMA leasehold TO leasehold_vault;
GRANT USAGE ON SCHEMA leasehold TO leasehold_server;
GRANT USAGE ON SCHEMA leasehold TO leasehold_enqueuer;

GRANT USAGE ON SCHEMA leasehold_dashboard TO leasehold_worker;
GRANT USAGE ON SCHEMA leasehold_dashboard TO leasehold_dashboard;

REVOKE ALL ON FUNCTION leasehold.action_note(verb text, object text, name text, tenant text, job bigint, count bigint, detail jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.action_note(verb text, object text, name text, tenant text, job bigint, count bigint, detail jsonb) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.action_note(verb text, object text, name text, tenant text, job bigint, count bigint, detail jsonb) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.action_of_row() FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.action_of_row() TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.action_of_row() TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.action_of_tenants() FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.action_of_tenants() TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.action_of_tenants() TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.api_prune() FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.api_prune() TO leasehold_server;

REVOKE ALL ON FUNCTION leasehold.arrivals_merge(arrivals leasehold.arrival[]) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.arrivals_merge(arrivals leasehold.arrival[]) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.arrivals_merge(arrivals leasehold.arrival[]) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.arrivals_sort(INOUT arrivals leasehold.arrival[]) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.arrivals_sort(INOUT arrivals leasehold.arrival[]) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.arrivals_sort(INOUT arrivals leasehold.arrival[]) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.bucket_spend(scope text, name text, spent integer) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.bucket_spend(scope text, name text, spent integer) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.bucket_spend(scope text, name text, spent integer) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.bucket_tokens(scope text, name text, rate real, burst integer) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.bucket_tokens(scope text, name text, rate real, burst integer) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.bucket_tokens(scope text, name text, rate real, burst integer) TO leasehold_vault;

GRANT USAGE ON SEQUENCE leasehold.wake_id_seq TO leasehold_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.wake TO leasehold_worker;

REVOKE ALL ON FUNCTION leasehold.claim_dependents(letters leasehold.wake[]) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.claim_dependents(letters leasehold.wake[]) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.claim_dependents(letters leasehold.wake[]) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.claim_direct(who uuid, arrivals leasehold.arrival[], scopes leasehold.claim_scope[], apart boolean, most integer, mem leasehold.claim_cursor) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.claim_direct(who uuid, arrivals leasehold.arrival[], scopes leasehold.claim_scope[], apart boolean, most integer, mem leasehold.claim_cursor) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.claim_direct(who uuid, arrivals leasehold.arrival[], scopes leasehold.claim_scope[], apart boolean, most integer, mem leasehold.claim_cursor) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.claim_due(since timestamp with time zone, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.claim_due(since timestamp with time zone, most integer) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.claim_due(since timestamp with time zone, most integer) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.claim_letters(queues text[], most integer, INOUT mem leasehold.claim_cursor, OUT arrivals leasehold.arrival[], OUT sequences leasehold.wake[], OUT dependents leasehold.wake[], OUT complete boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.claim_letters(queues text[], most integer, INOUT mem leasehold.claim_cursor, OUT arrivals leasehold.arrival[], OUT sequences leasehold.wake[], OUT dependents leasehold.wake[], OUT complete boolean) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.claim_letters(queues text[], most integer, INOUT mem leasehold.claim_cursor, OUT arrivals leasehold.arrival[], OUT sequences leasehold.wake[], OUT dependents leasehold.wake[], OUT complete boolean) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.claim_scopes(queues text[], OUT scopes leasehold.claim_scope[], OUT apart boolean, OUT free jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.claim_scopes(queues text[], OUT scopes leasehold.claim_scope[], OUT apart boolean, OUT free jsonb) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.claim_scopes(queues text[], OUT scopes leasehold.claim_scope[], OUT apart boolean, OUT free jsonb) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.claim_sequences(letters leasehold.wake[]) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.claim_sequences(letters leasehold.wake[]) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.claim_sequences(letters leasehold.wake[]) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.claim_woken(who uuid, queues text[], most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.claim_woken(who uuid, queues text[], most integer) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.claim_woken(who uuid, queues text[], most integer) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.commit_durably() FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.commit_durably() TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.connect_take(attempt bytea, browser bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.connect_take(attempt bytea, browser bytea) TO leasehold_server;

REVOKE ALL ON FUNCTION leasehold.credential_claim_due(candidates text[], moment timestamp with time zone, most integer, claim_ms bigint, OUT tenants text[], OUT generations bigint[], OUT last integer) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.credential_claim_due(candidates text[], moment timestamp with time zone, most integer, claim_ms bigint, OUT tenants text[], OUT generations bigint[], OUT last integer) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.credential_doubt(of_tenant text, presented bigint, presented_at timestamp with time zone, deadline timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.credential_doubt(of_tenant text, presented bigint, presented_at timestamp with time zone, deadline timestamp with time zone) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.credential_give_up(of_tenant text, suspected bigint, detail text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.credential_give_up(of_tenant text, suspected bigint, detail text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.credential_lock(of_tenant text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.credential_lock(of_tenant text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.credential_mark_wanted(of_tenant text, seen bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.credential_mark_wanted(of_tenant text, seen bigint) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.credential_next_due(provider_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.credential_next_due(provider_name text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.credential_postpone(of_tenant text, seen bigint, due_ms bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.credential_postpone(of_tenant text, seen bigint, due_ms bigint) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.credential_put_away(idle text[], moment timestamp with time zone, recheck_ms bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.credential_put_away(idle text[], moment timestamp with time zone, recheck_ms bigint) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.credential_rank_due(provider_name text, moment timestamp with time zone, most integer, probes boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.credential_rank_due(provider_name text, moment timestamp with time zone, most integer, probes boolean) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.credential_read(of_tenant text, failed bigint, min_valid_ms bigint, young_ms bigint, admits boolean, client text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.credential_read(of_tenant text, failed bigint, min_valid_ms bigint, young_ms bigint, admits boolean, client text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.credential_read(of_tenant text, failed bigint, min_valid_ms bigint, young_ms bigint, admits boolean, client text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.credential_request(of_tenant text, seen bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.credential_request(of_tenant text, seen bigint) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.credential_request(of_tenant text, seen bigint) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.credential_standing(tenants text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.credential_standing(tenants text[]) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.credential_store(of_tenant text, provider_name text, attempt uuid, seen bigint, sealed bytea, of_organization text, by_worker uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.credential_store(of_tenant text, provider_name text, attempt uuid, seen bigint, sealed bytea, of_organization text, by_worker uuid) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.credential_suspect(of_tenant text, lock_timeout_ms bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.credential_suspect(of_tenant text, lock_timeout_ms bigint) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.credential_take_due(provider_name text, client text, most integer, depth integer, ranked text[], claim_ms bigint, recheck_ms bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.credential_take_due(provider_name text, client text, most integer, depth integer, ranked text[], claim_ms bigint, recheck_ms bigint) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.cron_latest(masks bigint[], zone text, until timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.cron_latest(masks bigint[], zone text, until timestamp with time zone) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.cron_latest(masks bigint[], zone text, until timestamp with time zone) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.cron_next(masks bigint[], zone text, after timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.cron_next(masks bigint[], zone text, after timestamp with time zone) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.cron_next(masks bigint[], zone text, after timestamp with time zone) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.cursor_load(queues text[], began timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.cursor_load(queues text[], began timestamp with time zone) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.cursor_load(queues text[], began timestamp with time zone) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.cursor_read(queues text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.cursor_read(queues text[]) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.cursor_read(queues text[]) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.cursor_save(queues text[], began timestamp with time zone, mem leasehold.claim_cursor) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.cursor_save(queues text[], began timestamp with time zone, mem leasehold.claim_cursor) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.cursor_save(queues text[], began timestamp with time zone, mem leasehold.claim_cursor) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.dashboard_errors(since timestamp with time zone, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.dashboard_errors(since timestamp with time zone, most integer) TO leasehold_dashboard;
GRANT ALL ON FUNCTION leasehold.dashboard_errors(since timestamp with time zone, most integer) TO leasehold_worker;

REVOKE ALL ON FUNCTION leasehold.dashboard_first_page(part regclass, pages bigint, since timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.dashboard_first_page(part regclass, pages bigint, since timestamp with time zone) TO leasehold_dashboard;
GRANT ALL ON FUNCTION leasehold.dashboard_first_page(part regclass, pages bigint, since timestamp with time zone) TO leasehold_worker;

REVOKE ALL ON FUNCTION leasehold.dashboard_jobs(pages integer) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.dashboard_jobs(pages integer) TO leasehold_dashboard;
GRANT ALL ON FUNCTION leasehold.dashboard_jobs(pages integer) TO leasehold_worker;

REVOKE ALL ON FUNCTION leasehold.dashboard_load() FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.dashboard_load() TO leasehold_dashboard;
GRANT ALL ON FUNCTION leasehold.dashboard_load() TO leasehold_worker;

REVOKE ALL ON FUNCTION leasehold.dashboard_page_time(part regclass, page bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.dashboard_page_time(part regclass, page bigint) TO leasehold_dashboard;
GRANT ALL ON FUNCTION leasehold.dashboard_page_time(part regclass, page bigint) TO leasehold_worker;

REVOKE ALL ON FUNCTION leasehold.dashboard_queue_counts(bound integer) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.dashboard_queue_counts(bound integer) TO leasehold_dashboard;
GRANT ALL ON FUNCTION leasehold.dashboard_queue_counts(bound integer) TO leasehold_worker;

REVOKE ALL ON FUNCTION leasehold.dashboard_queues() FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.dashboard_queues() TO leasehold_dashboard;
GRANT ALL ON FUNCTION leasehold.dashboard_queues() TO leasehold_worker;

REVOKE ALL ON FUNCTION leasehold.dashboard_rows(of_table regclass) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.dashboard_rows(of_table regclass) TO leasehold_dashboard;
GRANT ALL ON FUNCTION leasehold.dashboard_rows(of_table regclass) TO leasehold_worker;

REVOKE ALL ON FUNCTION leasehold.dashboard_running(bound integer) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.dashboard_running(bound integer) TO leasehold_dashboard;
GRANT ALL ON FUNCTION leasehold.dashboard_running(bound integer) TO leasehold_worker;

REVOKE ALL ON FUNCTION leasehold.dashboard_tail(parent text, since timestamp with time zone, pages integer) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.dashboard_tail(parent text, since timestamp with time zone, pages integer) TO leasehold_dashboard;
GRANT ALL ON FUNCTION leasehold.dashboard_tail(parent text, since timestamp with time zone, pages integer) TO leasehold_worker;

REVOKE ALL ON FUNCTION leasehold.dashboard_tenant(of_tenant text, bound integer) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.dashboard_tenant(of_tenant text, bound integer) TO leasehold_dashboard;
GRANT ALL ON FUNCTION leasehold.dashboard_tenant(of_tenant text, bound integer) TO leasehold_worker;

GRANT USAGE ON SEQUENCE leasehold.job_id_seq TO leasehold_worker;

GRANT USAGE ON SEQUENCE leasehold.job_place_seq TO leasehold_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.job TO leasehold_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.job_history TO leasehold_worker;

GRANT SELECT ON TABLE leasehold_dashboard.job_recent TO leasehold_worker;
GRANT SELECT ON TABLE leasehold_dashboard.job_recent TO leasehold_dashboard;

REVOKE ALL ON FUNCTION leasehold.dashboard_tenant_jobs(of_tenant text, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.dashboard_tenant_jobs(of_tenant text, most integer) TO leasehold_dashboard;
GRANT ALL ON FUNCTION leasehold.dashboard_tenant_jobs(of_tenant text, most integer) TO leasehold_worker;

REVOKE ALL ON FUNCTION leasehold.dashboard_tenant_lanes(of_tenant text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.dashboard_tenant_lanes(of_tenant text) TO leasehold_dashboard;
GRANT ALL ON FUNCTION leasehold.dashboard_tenant_lanes(of_tenant text) TO leasehold_worker;

REVOKE ALL ON FUNCTION leasehold.dashboard_tenant_line(of_tenant text, bound integer, OUT waiting bigint, OUT waiting_is_minimum boolean, OUT running bigint, OUT oldest_ready_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.dashboard_tenant_line(of_tenant text, bound integer, OUT waiting bigint, OUT waiting_is_minimum boolean, OUT running bigint, OUT oldest_ready_at timestamp with time zone) TO leasehold_dashboard;
GRANT ALL ON FUNCTION leasehold.dashboard_tenant_line(of_tenant text, bound integer, OUT waiting bigint, OUT waiting_is_minimum boolean, OUT running bigint, OUT oldest_ready_at timestamp with time zone) TO leasehold_worker;

REVOKE ALL ON FUNCTION leasehold.depend(new_job_id bigint, tenant text, queue text, after bigint[], on_failure text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.depend(new_job_id bigint, tenant text, queue text, after bigint[], on_failure text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.depend(new_job_id bigint, tenant text, queue text, after bigint[], on_failure text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.enqueue(tenant text, kind text, args jsonb, queue text, priority integer, run_at timestamp with time zone, max_attempts integer, timeout_after interval, unique_key text, on_duplicate text, idempotency_key text, sequence_key text, trace_context text, after bigint[], on_failure text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.enqueue(tenant text, kind text, args jsonb, queue text, priority integer, run_at timestamp with time zone, max_attempts integer, timeout_after interval, unique_key text, on_duplicate text, idempotency_key text, sequence_key text, trace_context text, after bigint[], on_failure text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.enqueue(tenant text, kind text, args jsonb, queue text, priority integer, run_at timestamp with time zone, max_attempts integer, timeout_after interval, unique_key text, on_duplicate text, idempotency_key text, sequence_key text, trace_context text, after bigint[], on_failure text) TO leasehold_vault;
GRANT ALL ON FUNCTION leasehold.enqueue(tenant text, kind text, args jsonb, queue text, priority integer, run_at timestamp with time zone, max_attempts integer, timeout_after interval, unique_key text, on_duplicate text, idempotency_key text, sequence_key text, trace_context text, after bigint[], on_failure text) TO leasehold_enqueuer;

REVOKE ALL ON FUNCTION leasehold.enqueue_all(requests leasehold.job_request[]) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.enqueue_all(requests leasehold.job_request[]) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.enqueue_all(requests leasehold.job_request[]) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.enqueue_check(kind text, args jsonb, queue text, priority integer, max_attempts integer, timeout_after interval, unique_key text, on_duplicate text, idempotency_key text, sequence_key text, trace_context text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.enqueue_check(kind text, args jsonb, queue text, priority integer, max_attempts integer, timeout_after interval, unique_key text, on_duplicate text, idempotency_key text, sequence_key text, trace_context text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.enqueue_check(kind text, args jsonb, queue text, priority integer, max_attempts integer, timeout_after interval, unique_key text, on_duplicate text, idempotency_key text, sequence_key text, trace_context text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.enqueue_duplicate(tenant text, kind text, args jsonb, priority integer, run_at timestamp with time zone, max_attempts integer, timeout_seconds real, unique_key text, on_duplicate text, trace_context text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.enqueue_duplicate(tenant text, kind text, args jsonb, priority integer, run_at timestamp with time zone, max_attempts integer, timeout_seconds real, unique_key text, on_duplicate text, trace_context text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.enqueue_duplicate(tenant text, kind text, args jsonb, priority integer, run_at timestamp with time zone, max_attempts integer, timeout_seconds real, unique_key text, on_duplicate text, trace_context text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.enqueue_job(tenant text, kind text, args jsonb, queue text, priority integer, run_at timestamp with time zone, max_attempts integer, timeout_after interval, unique_key text, on_duplicate text, idempotency_key text, sequence_key text, trace_context text, after bigint[], on_failure text, OUT job_id bigint, OUT existing boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.enqueue_job(tenant text, kind text, args jsonb, queue text, priority integer, run_at timestamp with time zone, max_attempts integer, timeout_after interval, unique_key text, on_duplicate text, idempotency_key text, sequence_key text, trace_context text, after bigint[], on_failure text, OUT job_id bigint, OUT existing boolean) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.enqueue_job(tenant text, kind text, args jsonb, queue text, priority integer, run_at timestamp with time zone, max_attempts integer, timeout_after interval, unique_key text, on_duplicate text, idempotency_key text, sequence_key text, trace_context text, after bigint[], on_failure text, OUT job_id bigint, OUT existing boolean) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.enqueue_keyed(requests leasehold.job_request[]) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.enqueue_keyed(requests leasehold.job_request[]) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.enqueue_keyed(requests leasehold.job_request[]) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.enqueue_many(jobs jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.enqueue_many(jobs jsonb) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.enqueue_many(jobs jsonb) TO leasehold_vault;
GRANT ALL ON FUNCTION leasehold.enqueue_many(jobs jsonb) TO leasehold_enqueuer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.credential TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.exchange_abandon(c leasehold.credential) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.exchange_abandon(c leasehold.credential) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.exchange_apply(c leasehold.credential, attempt uuid, rung text, grant_used text, reply leasehold.exchange_reply, moment timestamp with time zone, log_outcome text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.exchange_apply(c leasehold.credential, attempt uuid, rung text, grant_used text, reply leasehold.exchange_reply, moment timestamp with time zone, log_outcome text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.exchange_archive(of_tenant text, of_generation bigint, sealed bytea, why text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.exchange_archive(of_tenant text, of_generation bigint, sealed bytea, why text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.exchange_begin(of_tenant text, provider_name text, attempt uuid, by_worker uuid, rung text, connect_grant text, seen bigint, deadline_ms bigint, lock_timeout_ms bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.exchange_begin(of_tenant text, provider_name text, attempt uuid, by_worker uuid, rung text, connect_grant text, seen bigint, deadline_ms bigint, lock_timeout_ms bigint) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.exchange_cancel(of_tenant text, attempt uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.exchange_cancel(of_tenant text, attempt uuid) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.exchange_fail(of_tenant text, attempt uuid, presented bigint, rung text, grant_used text, by_worker uuid, started timestamp with time zone, token_fingerprint text, client text, failure leasehold.exchange_failure) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.exchange_fail(of_tenant text, attempt uuid, presented bigint, rung text, grant_used text, by_worker uuid, started timestamp with time zone, token_fingerprint text, client text, failure leasehold.exchange_failure) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.exchange_hold(of_tenant text, attempt uuid, presented bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.exchange_hold(of_tenant text, attempt uuid, presented bigint) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.exchange_obstacle(c leasehold.credential, rung text, seen bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.exchange_obstacle(c leasehold.credential, rung text, seen bigint) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.exchange_prune(keep_seconds double precision, batch integer) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.exchange_prune(keep_seconds double precision, batch integer) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.exchange_save(of_tenant text, attempt uuid, presented bigint, witness bytea, rung text, grant_used text, by_worker uuid, started timestamp with time zone, status integer, token_fingerprint text, client text, replayed boolean, reply leasehold.exchange_reply) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.exchange_save(of_tenant text, attempt uuid, presented bigint, witness bytea, rung text, grant_used text, by_worker uuid, started timestamp with time zone, status integer, token_fingerprint text, client text, replayed boolean, reply leasehold.exchange_reply) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.history_prepare(first_day date, days integer) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.history_prepare(first_day date, days integer) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.history_prepare(first_day date, days integer) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.job_arrived() FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.job_arrived() TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.job_arrived() TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.job_cancel(cancelled bigint, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.job_cancel(cancelled bigint, reason text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.job_cancel(cancelled bigint, reason text) TO leasehold_vault;
GRANT ALL ON FUNCTION leasehold.job_cancel(cancelled bigint, reason text) TO leasehold_enqueuer;

REVOKE ALL ON FUNCTION leasehold.job_cancel_ring() FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.job_cancel_ring() TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.job_cancel_ring() TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.job_claim(who uuid, queues text[], max_jobs integer, woken boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.job_claim(who uuid, queues text[], max_jobs integer, woken boolean) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.job_claim(who uuid, queues text[], max_jobs integer, woken boolean) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.job_discard(discarded bigint, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.job_discard(discarded bigint, reason text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.job_discard(discarded bigint, reason text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.job_end(ending bigint, outcome text, label text, error text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.job_end(ending bigint, outcome text, label text, error text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.job_end(ending bigint, outcome text, label text, error text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.job_left_alone(asked bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.job_left_alone(asked bigint) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.job_left_alone(asked bigint) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.job_release(released bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.job_release(released bigint) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.job_release(released bigint) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.job_reschedule(rescheduled bigint, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.job_reschedule(rescheduled bigint, at timestamp with time zone) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.job_reschedule(rescheduled bigint, at timestamp with time zone) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.job_retry(retried bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.job_retry(retried bigint) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.job_retry(retried bigint) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.job_settle(job_ids bigint[], runs bigint[], outcomes text[], delays double precision[], labels text[], errors text[], ran double precision[]) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.job_settle(job_ids bigint[], runs bigint[], outcomes text[], delays double precision[], labels text[], errors text[], ran double precision[]) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.job_settle(job_ids bigint[], runs bigint[], outcomes text[], delays double precision[], labels text[], errors text[], ran double precision[]) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.job_well_formed(args jsonb, priority integer, max_attempts integer, timeout_seconds double precision, unique_key text, sequence_key text, trace_context text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.job_well_formed(args jsonb, priority integer, max_attempts integer, timeout_seconds double precision, unique_key text, sequence_key text, trace_context text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.job_well_formed(args jsonb, priority integer, max_attempts integer, timeout_seconds double precision, unique_key text, sequence_key text, trace_context text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.jobs_steer(verb text, tenant text, queue text, kind text, state text, label text, everything boolean, before bigint, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.jobs_steer(verb text, tenant text, queue text, kind text, state text, label text, everything boolean, before bigint, most integer) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.jobs_steer(verb text, tenant text, queue text, kind text, state text, label text, everything boolean, before bigint, most integer) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.kind_changed() FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.kind_changed() TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.kind_changed() TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.kind_move(moved_kind text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.kind_move(moved_kind text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.kind_move(moved_kind text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.kind_pause(kind text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.kind_pause(kind text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.kind_pause(kind text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.kind_resume(kind text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.kind_resume(kind text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.kind_resume(kind text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.lane_places(lane leasehold.open_lane, promised integer, OUT places integer, OUT rated boolean, OUT reason text, OUT look_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.lane_places(lane leasehold.open_lane, promised integer, OUT places integer, OUT rated boolean, OUT reason text, OUT look_at timestamp with time zone) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.lane_places(lane leasehold.open_lane, promised integer, OUT places integer, OUT rated boolean, OUT reason text, OUT look_at timestamp with time zone) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.lanes_limit(INOUT lanes leasehold.open_lane[], INOUT free jsonb, OUT closed integer) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.lanes_limit(INOUT lanes leasehold.open_lane[], INOUT free jsonb, OUT closed integer) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.lanes_limit(INOUT lanes leasehold.open_lane[], INOUT free jsonb, OUT closed integer) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.lanes_lock(scopes leasehold.claim_scope[], queues text[], scan_from double precision, passed text[], wanted integer, quantum integer) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.lanes_lock(scopes leasehold.claim_scope[], queues text[], scan_from double precision, passed text[], wanted integer, quantum integer) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.lanes_lock(scopes leasehold.claim_scope[], queues text[], scan_from double precision, passed text[], wanted integer, quantum integer) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.lanes_sort(lanes leasehold.open_lane[]) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.lanes_sort(lanes leasehold.open_lane[]) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.lanes_sort(lanes leasehold.open_lane[]) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.lanes_take(who uuid, lanes leasehold.open_lane[], apart boolean, looked_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.lanes_take(who uuid, lanes leasehold.open_lane[], apart boolean, looked_at timestamp with time zone) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.lanes_take(who uuid, lanes leasehold.open_lane[], apart boolean, looked_at timestamp with time zone) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.lanes_take_past(who uuid, lanes leasehold.open_lane[], apart boolean, looked_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.lanes_take_past(who uuid, lanes leasehold.open_lane[], apart boolean, looked_at timestamp with time zone) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.lanes_take_past(who uuid, lanes leasehold.open_lane[], apart boolean, looked_at timestamp with time zone) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.lanes_tell(arrivals leasehold.arrival[], served bigint[], queues text[], mem leasehold.claim_cursor) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.lanes_tell(arrivals leasehold.arrival[], served bigint[], queues text[], mem leasehold.claim_cursor) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.lanes_tell(arrivals leasehold.arrival[], served bigint[], queues text[], mem leasehold.claim_cursor) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.limit_begin(scope text, name text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.limit_begin(scope text, name text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.limit_begin(scope text, name text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.limit_lock(scope text, name text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.limit_lock(scope text, name text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.limit_lock(scope text, name text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.local_instant(local timestamp without time zone, zone text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.local_instant(local timestamp without time zone, zone text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.local_instant(local timestamp without time zone, zone text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.milliseconds_until(moment timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.milliseconds_until(moment timestamp with time zone) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.milliseconds_until(moment timestamp with time zone) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.mirror_changes(p_tenant_id text, p_table_id text, p_after bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.mirror_changes(p_tenant_id text, p_table_id text, p_after bigint, p_limit integer) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.mirror_changes(p_tenant_id text, p_table_id text, p_after bigint, p_limit integer) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.mirror_field_put(p_tenant_id text, p_table_id text, p_fields jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.mirror_field_put(p_tenant_id text, p_table_id text, p_fields jsonb) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.mirror_field_put(p_tenant_id text, p_table_id text, p_fields jsonb) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.mirror_merge(p_tenant_id text, p_sync_id bigint, p_job_id bigint, p_job_run bigint, p_deleted_share real, p_deleted_floor bigint, p_overlap interval, p_accepts_short boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.mirror_merge(p_tenant_id text, p_sync_id bigint, p_job_id bigint, p_job_run bigint, p_deleted_share real, p_deleted_floor bigint, p_overlap interval, p_accepts_short boolean) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.mirror_merge(p_tenant_id text, p_sync_id bigint, p_job_id bigint, p_job_run bigint, p_deleted_share real, p_deleted_floor bigint, p_overlap interval, p_accepts_short boolean) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.mirror_prune(p_keep_changes interval, p_keep_runs interval, p_abandon_after interval, p_batch integer) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.mirror_prune(p_keep_changes interval, p_keep_runs interval, p_abandon_after interval, p_batch integer) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.mirror_prune(p_keep_changes interval, p_keep_runs interval, p_abandon_after interval, p_batch integer) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.mirror_view_columns(p_tenant_id text, p_table_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.mirror_view_columns(p_tenant_id text, p_table_id text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.mirror_view_columns(p_tenant_id text, p_table_id text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.mirror_view_put(p_tenant_id text, p_table_id text, p_name text, p_columns jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION leasehold.mirror_view_refresh(p_tenant_id text, p_table_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.mirror_view_refresh(p_tenant_id text, p_table_id text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.mirror_view_refresh(p_tenant_id text, p_table_id text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.mirror_view_retry(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.mirror_view_retry(p_limit integer) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.mirror_view_retry(p_limit integer) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.name_well_formed(name text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.name_well_formed(name text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.name_well_formed(name text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.provider_admit(provider_name text, wanted integer, client text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.provider_admit(provider_name text, wanted integer, client text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.provider_answered(provider_name text, client text, started timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.provider_answered(provider_name text, client text, started timestamp with time zone) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.provider_failed(provider_name text, effect text, milliseconds bigint, client text, why text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.provider_failed(provider_name text, effect text, milliseconds bigint, client text, why text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.provider_register(provider_name text, rate double precision, burst_size integer, hold_ms bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.provider_register(provider_name text, rate double precision, burst_size integer, hold_ms bigint) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.provider_return(provider_name text, unused integer) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.provider_return(provider_name text, unused integer) TO leasehold_vault;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.provider TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.provider_weigh(p leasehold.provider, wanted integer, client text, moment timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.provider_weigh(p leasehold.provider, wanted integer, client text, moment timestamp with time zone) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.prune(keep_history interval, keep_idempotency interval) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.prune(keep_history interval, keep_idempotency interval) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.prune(keep_history interval, keep_idempotency interval) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.push(tenant text, "table" text, record text, changes jsonb, idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.push(tenant text, "table" text, record text, changes jsonb, idempotency_key text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.push(tenant text, "table" text, record text, changes jsonb, idempotency_key text) TO leasehold_vault;
GRANT ALL ON FUNCTION leasehold.push(tenant text, "table" text, record text, changes jsonb, idempotency_key text) TO leasehold_enqueuer;

REVOKE ALL ON FUNCTION leasehold.push_cancel(p_tenant_id text, p_push_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.push_cancel(p_tenant_id text, p_push_id bigint) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.push_cancel(p_tenant_id text, p_push_id bigint) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.push_check(tenant text, "table" text, record text, match_fields text[], changes jsonb, idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.push_check(tenant text, "table" text, record text, match_fields text[], changes jsonb, idempotency_key text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.push_check(tenant text, "table" text, record text, match_fields text[], changes jsonb, idempotency_key text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.push_due(p_tenant_id text, p_table_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.push_due(p_tenant_id text, p_table_id text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.push_due(p_tenant_id text, p_table_id text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.push_prune(p_keep interval, p_batch integer) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.push_prune(p_keep interval, p_batch integer) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.push_prune(p_keep interval, p_batch integer) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.push_refuse(expected text, got text, advice text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.push_refuse(expected text, got text, advice text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.push_refuse(expected text, got text, advice text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.push_request(p_tenant_id text, p_table_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.push_request(p_tenant_id text, p_table_id text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.push_request(p_tenant_id text, p_table_id text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.push_retry(p_tenant_id text, p_push_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.push_retry(p_tenant_id text, p_push_id bigint) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.push_retry(p_tenant_id text, p_push_id bigint) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.push_settle(p_tenant_id text, p_push_ids bigint[], p_outcome text, p_error_class text, p_error text, p_record_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.push_settle(p_tenant_id text, p_push_ids bigint[], p_outcome text, p_error_class text, p_error text, p_record_id text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.push_settle(p_tenant_id text, p_push_ids bigint[], p_outcome text, p_error_class text, p_error text, p_record_id text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.push_take(p_tenant_id text, p_table_id text, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.push_take(p_tenant_id text, p_table_id text, p_limit integer) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.push_take(p_tenant_id text, p_table_id text, p_limit integer) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.push_upsert(tenant text, "table" text, match_fields text[], changes jsonb, idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.push_upsert(tenant text, "table" text, match_fields text[], changes jsonb, idempotency_key text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.push_upsert(tenant text, "table" text, match_fields text[], changes jsonb, idempotency_key text) TO leasehold_vault;
GRANT ALL ON FUNCTION leasehold.push_upsert(tenant text, "table" text, match_fields text[], changes jsonb, idempotency_key text) TO leasehold_enqueuer;

REVOKE ALL ON FUNCTION leasehold.push_write(p_tenant_id text, p_table_id text, p_record_id text, p_match_fields text[], p_changes jsonb, p_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.push_write(p_tenant_id text, p_table_id text, p_record_id text, p_match_fields text[], p_changes jsonb, p_key text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.push_write(p_tenant_id text, p_table_id text, p_record_id text, p_match_fields text[], p_changes jsonb, p_key text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.queue_changed() FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.queue_changed() TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.queue_changed() TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.queue_pause(queue text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.queue_pause(queue text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.queue_pause(queue text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.queue_resume(queue text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.queue_resume(queue text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.queue_resume(queue text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.reconcile(settled_for interval) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.reconcile(settled_for interval) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.reconcile(settled_for interval) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.refuse_unknown_tenant(tenant text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.refuse_unknown_tenant(tenant text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.refuse_unknown_tenant(tenant text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.retry_delay(kind text, attempt integer) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.retry_delay(kind text, attempt integer) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.retry_delay(kind text, attempt integer) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.roles_apply() FROM PUBLIC;

REVOKE ALL ON FUNCTION leasehold.schedule_add(name text, kind text, every interval, cron text, tenant text, time_zone text, args jsonb, queue text, priority integer, max_attempts integer, timeout_after interval, starts_at timestamp with time zone, members text, missed text, missed_most integer, grace interval, jitter interval, overlap boolean, slot_arg text, replace boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.schedule_add(name text, kind text, every interval, cron text, tenant text, time_zone text, args jsonb, queue text, priority integer, max_attempts integer, timeout_after interval, starts_at timestamp with time zone, members text, missed text, missed_most integer, grace interval, jitter interval, overlap boolean, slot_arg text, replace boolean) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.schedule_add(name text, kind text, every interval, cron text, tenant text, time_zone text, args jsonb, queue text, priority integer, max_attempts integer, timeout_after interval, starts_at timestamp with time zone, members text, missed text, missed_most integer, grace interval, jitter interval, overlap boolean, slot_arg text, replace boolean) TO leasehold_vault;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.schedule TO leasehold_worker;

REVOKE ALL ON FUNCTION leasehold.schedule_decide(schedule leasehold.schedule, tenant text, slot_at timestamp with time zone, moment timestamp with time zone, OUT slots timestamp with time zone[], OUT last_slot_at timestamp with time zone, OUT next_slot_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.schedule_decide(schedule leasehold.schedule, tenant text, slot_at timestamp with time zone, moment timestamp with time zone, OUT slots timestamp with time zone[], OUT last_slot_at timestamp with time zone, OUT next_slot_at timestamp with time zone) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.schedule_decide(schedule leasehold.schedule, tenant text, slot_at timestamp with time zone, moment timestamp with time zone, OUT slots timestamp with time zone[], OUT last_slot_at timestamp with time zone, OUT next_slot_at timestamp with time zone) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.schedule_enrol(only_schedule bigint, only_tenant text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.schedule_enrol(only_schedule bigint, only_tenant text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.schedule_enrol(only_schedule bigint, only_tenant text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.schedule_fire(most integer, look_back interval, moment timestamp with time zone, OUT jobs integer, OUT turns integer, OUT more boolean, OUT next_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.schedule_fire(most integer, look_back interval, moment timestamp with time zone, OUT jobs integer, OUT turns integer, OUT more boolean, OUT next_at timestamp with time zone) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.schedule_fire(most integer, look_back interval, moment timestamp with time zone, OUT jobs integer, OUT turns integer, OUT more boolean, OUT next_at timestamp with time zone) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.schedule_fire_turns(tenants text[], ids bigint[], due timestamp with time zone[], moment timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.schedule_fire_turns(tenants text[], ids bigint[], due timestamp with time zone[], moment timestamp with time zone) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.schedule_fire_turns(tenants text[], ids bigint[], due timestamp with time zone[], moment timestamp with time zone) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.schedule_known(named text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.schedule_known(named text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.schedule_known(named text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.schedule_member_back() FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.schedule_member_back() TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.schedule_member_back() TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.schedule_pause(named text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.schedule_pause(named text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.schedule_pause(named text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.schedule_preview(schedule leasehold.schedule, tenant text, after timestamp with time zone, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.schedule_preview(schedule leasehold.schedule, tenant text, after timestamp with time zone, most integer) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.schedule_preview(schedule leasehold.schedule, tenant text, after timestamp with time zone, most integer) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.schedule_remove(named text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.schedule_remove(named text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.schedule_remove(named text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.schedule_resume(named text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.schedule_resume(named text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.schedule_resume(named text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.schedule_row(name text, kind text, every interval, cron text, tenant text, time_zone text, args jsonb, queue text, priority integer, max_attempts integer, timeout_after interval, starts_at timestamp with time zone, members text, missed text, missed_most integer, grace interval, jitter interval, overlap boolean, slot_arg text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.schedule_row(name text, kind text, every interval, cron text, tenant text, time_zone text, args jsonb, queue text, priority integer, max_attempts integer, timeout_after interval, starts_at timestamp with time zone, members text, missed text, missed_most integer, grace interval, jitter interval, overlap boolean, slot_arg text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.schedule_row(name text, kind text, every interval, cron text, tenant text, time_zone text, args jsonb, queue text, priority integer, max_attempts integer, timeout_after interval, starts_at timestamp with time zone, members text, missed text, missed_most integer, grace interval, jitter interval, overlap boolean, slot_arg text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.schedule_serves(schedule leasehold.schedule, tenant text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.schedule_serves(schedule leasehold.schedule, tenant text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.schedule_serves(schedule leasehold.schedule, tenant text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.schedule_slot_after(schedule leasehold.schedule, tenant text, after timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.schedule_slot_after(schedule leasehold.schedule, tenant text, after timestamp with time zone) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.schedule_slot_after(schedule leasehold.schedule, tenant text, after timestamp with time zone) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.schedule_slot_until(schedule leasehold.schedule, tenant text, until timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.schedule_slot_until(schedule leasehold.schedule, tenant text, until timestamp with time zone) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.schedule_slot_until(schedule leasehold.schedule, tenant text, until timestamp with time zone) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.schedule_zone(spelled text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.schedule_zone(spelled text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.schedule_zone(spelled text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.settle_park_guard(job_ids bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.settle_park_guard(job_ids bigint[]) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.settle_park_guard(job_ids bigint[]) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.sync_abandon(p_tenant_id text, p_sync_id bigint, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.sync_abandon(p_tenant_id text, p_sync_id bigint, p_reason text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.sync_abandon(p_tenant_id text, p_sync_id bigint, p_reason text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.sync_confirm(p_tenant_id text, p_table_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.sync_confirm(p_tenant_id text, p_table_id text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.sync_confirm(p_tenant_id text, p_table_id text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.sync_open(p_tenant_id text, p_table_id text, p_job_id bigint, p_job_run bigint, p_dialect text, p_allows_incremental boolean, p_full_every interval, p_field_changes jsonb, p_source_time timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.sync_open(p_tenant_id text, p_table_id text, p_job_id bigint, p_job_run bigint, p_dialect text, p_allows_incremental boolean, p_full_every interval, p_field_changes jsonb, p_source_time timestamp with time zone) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.sync_open(p_tenant_id text, p_table_id text, p_job_id bigint, p_job_run bigint, p_dialect text, p_allows_incremental boolean, p_full_every interval, p_field_changes jsonb, p_source_time timestamp with time zone) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.sync_request(p_tenant_id text, p_table_id text, p_queue text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.sync_request(p_tenant_id text, p_table_id text, p_queue text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.sync_request(p_tenant_id text, p_table_id text, p_queue text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.sync_restart(p_tenant_id text, p_sync_id bigint, p_job_id bigint, p_job_run bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.sync_restart(p_tenant_id text, p_sync_id bigint, p_job_id bigint, p_job_run bigint) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.sync_restart(p_tenant_id text, p_sync_id bigint, p_job_id bigint, p_job_run bigint) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.tenant_changed() FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.tenant_changed() TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.tenant_changed() TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.tenant_connected(tenant text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.tenant_connected(tenant text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.tenant_connected(tenant text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.tenant_dashboard_grant(p_tenant_id text) FROM PUBLIC;

REVOKE ALL ON FUNCTION leasehold.tenant_dashboard_role(p_tenant_id text) FROM PUBLIC;

REVOKE ALL ON FUNCTION leasehold.tenant_dashboard_role_name(p_tenant_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.tenant_dashboard_role_name(p_tenant_id text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.tenant_dashboard_role_name(p_tenant_id text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.tenant_park(tenant text, reason text, kinds text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.tenant_park(tenant text, reason text, kinds text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.tenant_park(tenant text, reason text, kinds text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.tenant_unpark(tenant text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.tenant_unpark(tenant text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.tenant_unpark(tenant text) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.wake_job(job leasehold.job) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.wake_job(job leasehold.job) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.wake_job(job leasehold.job) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.wake_ring() FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.wake_ring() TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.wake_ring() TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.wake_ringing() FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.wake_ringing() TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.wake_ringing() TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.wal_timeline() FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.wal_timeline() TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.worker_heartbeat(who uuid, oldest_running timestamp with time zone, OUT alive boolean, OUT cancel_job_ids bigint[], OUT cancel_runs bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.worker_heartbeat(who uuid, oldest_running timestamp with time zone, OUT alive boolean, OUT cancel_job_ids bigint[], OUT cancel_runs bigint[]) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.worker_heartbeat(who uuid, oldest_running timestamp with time zone, OUT alive boolean, OUT cancel_job_ids bigint[], OUT cancel_runs bigint[]) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.worker_jobs(who uuid, OUT job_ids bigint[], OUT runs bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.worker_jobs(who uuid, OUT job_ids bigint[], OUT runs bigint[]) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.worker_jobs(who uuid, OUT job_ids bigint[], OUT runs bigint[]) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.worker_outlook(OUT next_due timestamp with time zone, OUT in_flight boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.worker_outlook(OUT next_due timestamp with time zone, OUT in_flight boolean) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.worker_outlook(OUT next_due timestamp with time zone, OUT in_flight boolean) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.worker_register(who uuid, name text, host text, process_id integer, version text, queues text[], kinds text[], concurrency integer, lapse_seconds double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.worker_register(who uuid, name text, host text, process_id integer, version text, queues text[], kinds text[], concurrency integer, lapse_seconds double precision) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.worker_register(who uuid, name text, host text, process_id integer, version text, queues text[], kinds text[], concurrency integer, lapse_seconds double precision) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.worker_rescue() FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.worker_rescue() TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.worker_rescue() TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.worker_sleep(who uuid, seconds double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.worker_sleep(who uuid, seconds double precision) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.worker_sleep(who uuid, seconds double precision) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.worker_stop(who uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.worker_stop(who uuid) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.worker_stop(who uuid) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.worker_unregister(who uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.worker_unregister(who uuid) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.worker_unregister(who uuid) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.worker_wake(who uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.worker_wake(who uuid) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.worker_wake(who uuid) TO leasehold_vault;

REVOKE ALL ON FUNCTION leasehold.zone_offset(at timestamp with time zone, zone text) FROM PUBLIC;
GRANT ALL ON FUNCTION leasehold.zone_offset(at timestamp with time zone, zone text) TO leasehold_worker;
GRANT ALL ON FUNCTION leasehold.zone_offset(at timestamp with time zone, zone text) TO leasehold_vault;

GRANT SELECT ON TABLE leasehold.action TO leasehold_worker;

GRANT USAGE ON SEQUENCE leasehold.action_action_id_seq TO leasehold_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.api_key TO leasehold_server;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.api_session TO leasehold_server;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.bucket TO leasehold_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.connect_attempt TO leasehold_server;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.credential_archive TO leasehold_vault;

GRANT USAGE ON SEQUENCE leasehold.credential_archive_archive_id_seq TO leasehold_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.credential_event TO leasehold_vault;

GRANT USAGE ON SEQUENCE leasehold.credential_event_event_id_seq TO leasehold_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.credential_exchange TO leasehold_vault;

GRANT USAGE ON SEQUENCE leasehold.credential_exchange_exchange_id_seq TO leasehold_worker;

GRANT SELECT ON TABLE leasehold.credential_status TO leasehold_worker;
GRANT SELECT ON TABLE leasehold.credential_status TO leasehold_vault;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.job_attempt TO leasehold_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.job_cancel TO leasehold_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.job_dependency TO leasehold_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.job_idempotency TO leasehold_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.kind TO leasehold_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.lane TO leasehold_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.lane_floor TO leasehold_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.lease TO leasehold_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.mirror_change TO leasehold_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.mirror_field TO leasehold_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.mirror_record TO leasehold_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.mirror_stage TO leasehold_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.mirror_table TO leasehold_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.mirror_view TO leasehold_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.push TO leasehold_worker;

GRANT USAGE ON SEQUENCE leasehold.push_push_id_seq TO leasehold_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.queue TO leasehold_worker;

GRANT USAGE ON SEQUENCE leasehold.schedule_schedule_id_seq TO leasehold_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.schedule_turn TO leasehold_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.schedule_status TO leasehold_worker;

GRANT SELECT ON TABLE leasehold.schema_migration TO leasehold_worker;
GRANT SELECT ON TABLE leasehold.schema_migration TO leasehold_vault;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.sealing_key TO leasehold_vault;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.sync_run TO leasehold_worker;

GRANT SELECT ON TABLE leasehold.sync_progress TO leasehold_worker;

GRANT USAGE ON SEQUENCE leasehold.sync_run_sync_id_seq TO leasehold_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.tenant TO leasehold_worker;
GRANT SELECT ON TABLE leasehold.tenant TO leasehold_vault;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.tenant_hold TO leasehold_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE leasehold.worker TO leasehold_worker;

GRANT SELECT ON TABLE leasehold_dashboard.action_log TO leasehold_worker;
GRANT SELECT ON TABLE leasehold_dashboard.action_log TO leasehold_dashboard;

GRANT SELECT ON TABLE leasehold_dashboard.exchange_log TO leasehold_worker;
GRANT SELECT ON TABLE leasehold_dashboard.exchange_log TO leasehold_dashboard;

GRANT SELECT ON TABLE leasehold_dashboard.job_errors TO leasehold_worker;
GRANT SELECT ON TABLE leasehold_dashboard.job_errors TO leasehold_dashboard;

GRANT SELECT ON TABLE leasehold_dashboard.job_of_tenant TO leasehold_worker;
GRANT SELECT ON TABLE leasehold_dashboard.job_of_tenant TO leasehold_dashboard;

GRANT SELECT ON TABLE leasehold_dashboard.job_parked TO leasehold_worker;
GRANT SELECT ON TABLE leasehold_dashboard.job_parked TO leasehold_dashboard;

GRANT SELECT ON TABLE leasehold_dashboard.job_running TO leasehold_worker;
GRANT SELECT ON TABLE leasehold_dashboard.job_running TO leasehold_dashboard;

GRANT SELECT ON TABLE leasehold_dashboard.job_scheduled TO leasehold_worker;
GRANT SELECT ON TABLE leasehold_dashboard.job_scheduled TO leasehold_dashboard;

GRANT SELECT ON TABLE leasehold_dashboard.lane_backlog TO leasehold_worker;
GRANT SELECT ON TABLE leasehold_dashboard.lane_backlog TO leasehold_dashboard;

GRANT SELECT ON TABLE leasehold_dashboard.provider_health TO leasehold_worker;
GRANT SELECT ON TABLE leasehold_dashboard.provider_health TO leasehold_dashboard;

GRANT SELECT ON TABLE leasehold_dashboard.queue_health TO leasehold_worker;
GRANT SELECT ON TABLE leasehold_dashboard.queue_health TO leasehold_dashboard;

GRANT SELECT ON TABLE leasehold_dashboard.worker_health TO leasehold_worker;
GRANT SELECT ON TABLE leasehold_dashboard.worker_health TO leasehold_dashboard;

GRANT SELECT ON TABLE leasehold_dashboard.overview TO leasehold_worker;
GRANT SELECT ON TABLE leasehold_dashboard.overview TO leasehold_dashboard;

GRANT SELECT ON TABLE leasehold_dashboard.schedule_status TO leasehold_worker;
GRANT SELECT ON TABLE leasehold_dashboard.schedule_status TO leasehold_dashboard;

GRANT SELECT ON TABLE leasehold_dashboard.sync_runs TO leasehold_worker;
GRANT SELECT ON TABLE leasehold_dashboard.sync_runs TO leasehold_dashboard;

GRANT SELECT ON TABLE leasehold_dashboard.sync_status TO leasehold_worker;
GRANT SELECT ON TABLE leasehold_dashboard.sync_status TO leasehold_dashboard;

GRANT SELECT ON TABLE leasehold_dashboard.tenant_health TO leasehold_worker;
GRANT SELECT ON TABLE leasehold_dashboard.tenant_health TO leasehold_dashboard;

GRANT SELECT ON TABLE leasehold_dashboard.tenant_pressure TO leasehold_worker;
GRANT SELECT ON TABLE leasehold_dashboard.tenant_pressure TO leasehold_dashboard;

GRANT SELECT ON TABLE leasehold_dashboard.throughput_by_minute TO leasehold_worker;
GRANT SELECT ON TABLE leasehold_dashboard.throughput_by_minute TO leasehold_dashboard;

GRANT SELECT ON TABLE leasehold_dashboard.token_health TO leasehold_worker;
GRANT SELECT ON TABLE leasehold_dashboard.token_health TO leasehold_dashboard;
