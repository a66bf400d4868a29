-- The log of actions: who did what by hand. Functions that steer jobs write a line, and triggers write one
-- for what is set of tenants, queues, kinds, schedules and keys, whichever program or psql did it. Lines
-- are added only, but for many jobs in batches, which count up; no role may change or delete them but the owner.

create table leasehold.action (
    action_id bigint generated always as identity primary key,
    done_at timestamptz not null default clock_timestamp(),
    actor text not null
        constraint action_actor_length check (length(actor) between 1 and 200),
    via text not null
        constraint action_via_known check (via in ('page', 'api', 'command', 'sql')),
    login text not null default session_user,
    verb text not null
        constraint action_verb_known check (verb in ('add', 'change', 'remove', 'pause', 'resume', 'revoke',
            'retry', 'cancel', 'discard', 'reschedule')),
    object text not null
        constraint action_object_known check (object in ('job', 'jobs', 'tenant', 'queue', 'kind', 'schedule', 'api_key')),
    name text collate "C",
    tenant_id text collate "C",
    job_id bigint,
    count bigint not null default 1
        constraint action_count_positive check (count > 0),
    detail jsonb not null default '{}'
        constraint action_detail_object check (jsonb_typeof(detail) = 'object')
);

create index action_tenant on leasehold.action (tenant_id, action_id) where tenant_id is not null;
create index action_job on leasehold.action (job_id, action_id) where job_id is not null;

comment on table leasehold.action is 'One thing that somebody did by hand; kept for a year by leasehold.prune';
comment on column leasehold.action.actor is 'Who, as the program names them; of via sql the login itself';
comment on column leasehold.action.login is 'The database''s login, which nobody can pretend to be';
comment on column leasehold.action.name is 'Of the queue, kind, schedule or key';
comment on column leasehold.action.tenant_id is 'Whose; no foreign key, because the line stays when the tenant goes';
comment on column leasehold.action.count is 'How many it struck; of many jobs all batches within a minute';
comment on column leasehold.action.detail is 'What changed, each as [before, after], or a reason, or the filter of many jobs';

create function leasehold.action_note(
    verb text, object text, name text default null, tenant text default null, job bigint default null,
    count bigint default 1, detail jsonb default '{}'
) returns void
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
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

comment on function leasehold.action_note is
    'Adds a line. Programs say who acts by set_config(''leasehold.actor'', …, true) and set_config(''leasehold.via'', …, true)';

-- What changed of a row, each column as [before, after].
create function leasehold.action_change(before jsonb, after jsonb) returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(jsonb_object_agg(key, jsonb_build_array(before -> key, value)), '{}')
    from jsonb_each(after)
    where before -> key is distinct from value
        and key not in ('created_at', 'updated_at', 'secret_hash', 'apart', 'schedule_id', 'starts_at', 'masks')
$$;

comment on function leasehold.action_change is 'Columns that differ, as [before, after]; without those that follow by themselves';

-- Arguments: the object, and the column that names it.
create function leasehold.action_of_row() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off
as $$
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

create trigger tenant_action after update of name, state, weight, max_running, rate_per_second, rate_burst, settings
    on leasehold.tenant for each row
    when ((old.name, old.state, old.weight, old.max_running, old.rate_per_second, old.rate_burst, old.settings)
        is distinct from (new.name, new.state, new.weight, new.max_running, new.rate_per_second, new.rate_burst, new.settings))
    execute function leasehold.action_of_row('tenant', 'tenant_id');

-- Tenants may be added and removed by the hundred thousand, so a statement writes one line.
create function leasehold.action_of_tenants() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off
as $$
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

create trigger tenant_added after insert on leasehold.tenant referencing new table as touched
    for each statement execute function leasehold.action_of_tenants();
create trigger tenant_removed after delete on leasehold.tenant referencing old table as touched
    for each statement execute function leasehold.action_of_tenants();

create trigger queue_action after insert or update or delete on leasehold.queue for each row
    execute function leasehold.action_of_row('queue', 'queue');
create trigger kind_action after insert or update or delete on leasehold.kind for each row
    execute function leasehold.action_of_row('kind', 'kind');
create trigger schedule_action after insert or update or delete on leasehold.schedule for each row
    execute function leasehold.action_of_row('schedule', 'name');
create trigger api_key_action after insert or update of revoked_at or delete on leasehold.api_key for each row
    execute function leasehold.action_of_row('api_key', 'api_key_id');

create view leasehold_dashboard.action_log as
select action_id, done_at, actor, via, login, verb, object, name, tenant_id, job_id, count, detail
from leasehold.action;

comment on view leasehold_dashboard.action_log is
    'Who did what by hand. Read it with order by action_id desc and a limit, or with tenant_id = or job_id =';
comment on column leasehold_dashboard.action_log.action_id is 'Rises with time';
comment on column leasehold_dashboard.action_log.done_at is 'When';
comment on column leasehold_dashboard.action_log.actor is 'Who, as the program names them: the key of the API or the page, the user and machine of a command, a login';
comment on column leasehold_dashboard.action_log.via is 'page, api, command or sql';
comment on column leasehold_dashboard.action_log.login is 'The database''s login, which nobody can pretend to be';
comment on column leasehold_dashboard.action_log.verb is 'add, change, remove, pause, resume, revoke; of jobs retry, cancel, discard, reschedule';
comment on column leasehold_dashboard.action_log.object is 'job, jobs (many by a filter), tenant, queue, kind, schedule, api_key';
comment on column leasehold_dashboard.action_log.name is 'Of the queue, kind, schedule or key';
comment on column leasehold_dashboard.action_log.tenant_id is 'Whose';
comment on column leasehold_dashboard.action_log.job_id is 'Of one job';
comment on column leasehold_dashboard.action_log.count is 'How many it struck';
comment on column leasehold_dashboard.action_log.detail is 'What changed, each as [before, after]; a reason; the filter of many jobs';

select leasehold.roles_apply();
