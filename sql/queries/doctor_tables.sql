-- doctor_tables: tables whose dead rows have outgrown the live ones, so that autovacuum does not keep
--   up. Reads the statistics only.
-- params: none
select relname::text as name, n_live_tup as live, n_dead_tup as dead,
    date_part('epoch', clock_timestamp() - greatest(last_autovacuum, last_vacuum)) as vacuumed_seconds
from pg_stat_user_tables
where schemaname = 'leasehold' and n_dead_tup > 50000 and n_dead_tup > 2 * n_live_tup
order by n_dead_tup desc limit 5
