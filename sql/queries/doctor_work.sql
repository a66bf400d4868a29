-- doctor_work: queues, workers, token endpoints, late schedules and refused syncs, one row a fact.
--   Reads the dashboard's views, and sync_run by sync_run_finished for a day.
-- params: none
select 'queue' as fact, queue as subject, ready as amount, workers as others, oldest_ready_seconds as seconds,
    case when paused_at is not null then 'paused' else '' end as detail
from leasehold_dashboard.queue_health
union all
select 'worker', coalesce(nullif(name, ''), worker_id::text) || ' on ' || host, running, concurrency, heartbeat_seconds, state
from leasehold_dashboard.worker_health
union all
select 'provider', provider, 0, 0, null, state || coalesce(': ' || coalesce(stop_reason, breaker_reason), '')
from leasehold_dashboard.provider_health where state <> 'open'
union all
(select 'schedule', name, 0, 0, -next_seconds, '' from leasehold_dashboard.schedule_status where is_late
order by next_at limit 20)
union all
(select 'sync', tenant_id, sync_id, 0, date_part('epoch', statement_timestamp() - finished_at), table_id
from leasehold_dashboard.sync_runs
where finished_at > statement_timestamp() - interval '1 day' and state = 'suspicious' order by finished_at desc limit 20)
