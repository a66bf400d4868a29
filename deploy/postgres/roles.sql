-- The roles of Leasehold, to be run once per database by an administrator, before the first
-- `leasehold migrate`:
--
--   psql -d app -f deploy/postgres/roles.sql
--   psql -d app -c "create role app_migrator login in role leasehold_owner"
--   psql -d app -c "alter role app_migrator set role leasehold_owner"
--   psql -d app -c "create role app_worker login in role leasehold_worker, leasehold_vault"
--   psql -d app -c "create role app_server login in role leasehold_worker, leasehold_vault, leasehold_server"
--
-- What each role may do: sql/README.md, "Roles". May be run again.

do $$
declare
    role_name text;
begin
    foreach role_name in array array['leasehold_owner', 'leasehold_worker', 'leasehold_vault', 'leasehold_server',
        'leasehold_enqueuer', 'leasehold_dashboard']
    loop
        if to_regrole(role_name) is null then
            execute format('create role %I nologin', role_name);
        end if;
    end loop;
    -- The owner makes the schemas leasehold and leasehold_dashboard, and a schema per tenant for typed views.
    execute format('grant create, connect on database %I to leasehold_owner', current_database());
    foreach role_name in array array['leasehold_worker', 'leasehold_vault', 'leasehold_server',
        'leasehold_enqueuer', 'leasehold_dashboard']
    loop
        execute format('grant connect on database %I to %I', current_database(), role_name);
    end loop;
end $$;

-- A dashboard that asks too much ends; set on the logins, because settings of a role do not pass to
-- its members: alter role grafana set statement_timeout = '5s';
