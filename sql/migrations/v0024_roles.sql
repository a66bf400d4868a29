-- Roles with least rights. They belong to the whole server and may be forbidden to this user, so
-- what cannot be made is skipped with a notice; deploy/postgres/roles.sql makes them as an
-- administrator, and `select leasehold.roles_apply()` may be repeated at any time, also after a
-- restore into another server. What each may do is the table "Roles" in sql/README.md; a test logs in
-- as each of them and tries everything.
--
-- leasehold_owner      owns the schema; migrates
-- leasehold_worker     queue, mirror and the dashboard; of credentials only the access token, sealed
-- leasehold_vault      exchanges: the only one that reads sealed tokens; beside leasehold_worker
-- leasehold_server     keys and logins of the HTTP interface; beside leasehold_worker
-- leasehold_enqueuer   calls five functions and reads nothing
-- leasehold_dashboard  reads the views of leasehold_dashboard

-- What lesser roles call runs with the rights of the owner. The trigger runs at commit, as whoever
-- commits.
alter function leasehold.enqueue security definer set search_path = pg_catalog, pg_temp;
alter function leasehold.enqueue_many security definer set search_path = pg_catalog, pg_temp;
alter function leasehold.job_cancel security definer set search_path = pg_catalog, pg_temp;
alter function leasehold.wake_ring security definer set search_path = pg_catalog, pg_temp;
-- These make and drop partitions, which only their owner may.
alter function leasehold.history_prepare security definer set search_path = pg_catalog, pg_temp;
alter function leasehold.prune security definer set search_path = pg_catalog, pg_temp;

create function leasehold.roles_apply() returns void
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off
as $$
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
$$;

comment on function leasehold.roles_apply is
    'Makes the roles that are missing, as far as this user may, and grants each of them its rights; may be repeated';

select leasehold.roles_apply();
