-- Logins of compose.yaml, with passwords for trying out only.
create role leasehold_migrator login password 'leasehold_migrator' in role leasehold_owner;
alter role leasehold_migrator set role = 'leasehold_owner';
create role leasehold_app login password 'leasehold_app' in role leasehold_worker, leasehold_vault;
create role leasehold_http login password 'leasehold_http' in role leasehold_worker, leasehold_vault, leasehold_server;
create role leasehold_grafana login password 'leasehold_grafana' in role leasehold_dashboard;
alter role leasehold_grafana set statement_timeout = '5s';
