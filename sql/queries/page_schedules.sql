-- page_schedules: a page of schedules in the order of their ids.
-- params: $1 bigint after_schedule_id, $2 integer page_size
select schedule_id::double precision, name, tenant_id, members, kind, queue, every_seconds::double precision, cron,
    time_zone,
    paused_at is not null as is_paused, next_at, last_at, last_job_id::double precision, is_late,
    statement_timestamp() as now
from leasehold_dashboard.schedule_status
where schedule_id > coalesce($1, 0) order by schedule_id limit $2
