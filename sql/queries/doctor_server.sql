-- doctor_server: the server and what it is set to, for leasehold doctor. Reads catalogs only.
-- params: none
select current_setting('server_version_num')::integer as version_number, current_setting('server_version') as version,
    clock_timestamp() as now, current_setting('fsync') = 'on' and current_setting('full_page_writes') = 'on' as is_durable,
    current_setting('autovacuum') = 'on' and current_setting('track_counts') = 'on' as vacuums,
    current_setting('max_connections')::integer as max_connections,
    (select count(*) from pg_stat_activity where backend_type = 'client backend') as connections,
    (select date_part('epoch', clock_timestamp() - min(xact_start)) from pg_stat_activity
        where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid())
        as oldest_transaction_seconds,
    (select pid from pg_stat_activity
        where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
            and xact_start is not null
        order by xact_start limit 1) as oldest_transaction_pid,
    (select age(datfrozenxid) from pg_database where datname = current_database()) as transaction_age,
    current_user::text as user_name, (select rolsuper from pg_roles where rolname = current_user) as is_superuser,
    array(select r from unnest(array['leasehold_owner', 'leasehold_worker', 'leasehold_vault', 'leasehold_server', 'leasehold_enqueuer',
        'leasehold_dashboard']) as r where to_regrole(r) is null) as missing_roles
