-- top_read: what leasehold top shows, as one JSON object. Reads the dashboard's views, each once.
-- params: $1 integer rows
with workers as materialized (select * from leasehold_dashboard.worker_health)
select jsonb_build_object(
    'overview', (select to_jsonb(o) from leasehold_dashboard.overview as o),
    'queues', (select coalesce(jsonb_agg(to_jsonb(q) order by q.ready desc, q.queue), '[]') from (
        select * from leasehold_dashboard.queue_health order by ready desc, queue limit $1) as q),
    'tenants', (select coalesce(jsonb_agg(to_jsonb(t) order by t.ready desc, t.tenant_id), '[]') from (
        select * from leasehold_dashboard.tenant_pressure order by ready desc, tenant_id limit $1) as t),
    'workers', (select coalesce(jsonb_agg(to_jsonb(w) order by w.running desc, w.name), '[]') from (
        select * from workers order by state in ('silent', 'stopping') desc, running desc, name limit $1) as w),
    'errors', (select coalesce(jsonb_agg(to_jsonb(e) order by e.last_at desc), '[]') from (
        select * from leasehold_dashboard.job_errors order by last_at desc limit $1) as e)
) as snapshot
