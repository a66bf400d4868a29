-- Roles with least rights. They belong to the whole server and may be forbidden to this user, so
-- what cannot be made is skipped with a notice; an administrator may run
-- `select leasehold.roles_apply()` at any time, also after a restore into another server.
--
-- leasehold_vault      exchanges: the only one that reads sealed tokens
-- leasehold_worker     queue and mirror; of credentials only the access token, sealed
-- leasehold_dashboard  status and logs, no token

create function leasehold.roles_apply() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    role_name text;
    relation regclass;
    secret_tables text[] := array['credential', 'credential_archive', 'sealing_key'];
    vault_tables text[] := secret_tables || array['credential_exchange', 'credential_event', 'provider'];
begin
    foreach role_name in array array['leasehold_vault', 'leasehold_worker', 'leasehold_dashboard'] loop
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
        if to_regrole(role_name) is null then continue; end if;
        execute format('grant usage on schema leasehold to %I', role_name);
    end loop;

    if to_regrole('leasehold_vault') is not null then
        for relation in
            select c.oid::regclass from pg_class c
            where c.relnamespace = 'leasehold'::regnamespace and c.relname = any (vault_tables)
        loop
            execute format('grant select, insert, update, delete on %s to leasehold_vault', relation);
        end loop;
        grant select on leasehold.credential_status, leasehold.tenant, leasehold.schema_migration to leasehold_vault;
        grant execute on all functions in schema leasehold to leasehold_vault;
    end if;

    if to_regrole('leasehold_worker') is not null then
        for relation in
            select c.oid::regclass from pg_class c
            where c.relnamespace = 'leasehold'::regnamespace and c.relkind in ('r', 'p')
                and c.relname <> all (vault_tables)
        loop
            execute format('grant select, insert, update, delete on %s to leasehold_worker', relation);
        end loop;
        grant usage on all sequences in schema leasehold to leasehold_worker;
        grant execute on function leasehold.credential_read, leasehold.credential_request to leasehold_worker;
    end if;

    if to_regrole('leasehold_dashboard') is not null then
        if to_regnamespace('leasehold_dashboard') is not null then
            grant usage on schema leasehold_dashboard to leasehold_dashboard;
            grant select on all tables in schema leasehold_dashboard to leasehold_dashboard;
        end if;
        grant select on leasehold.credential_status, leasehold.credential_exchange, leasehold.credential_event
            to leasehold_dashboard;
    end if;
end
$$;

comment on function leasehold.roles_apply is
    'Makes the roles that are missing, as far as this user may, and grants each of them its rights; may be repeated';

revoke all on function leasehold.roles_apply from public;

select leasehold.roles_apply();
