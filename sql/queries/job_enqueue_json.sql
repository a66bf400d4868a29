-- job_enqueue_json: enqueues the jobs of a request's body as they stand in it, so that their args keep
--   every digit; returns their ids in order. A bound tenant is every job's tenant, whatever the body says.
-- params: $1 jsonb jobs, $2 text bound_tenant, $3 text idempotency_key, $4 text trace_context
select job_id, existing
from leasehold.enqueue_many((
    select coalesce(jsonb_agg((body - 'timeout_seconds') || jsonb_strip_nulls(jsonb_build_object(
        'tenant', $2,
        'timeout_after', (body ->> 'timeout_seconds')::double precision * interval '1 second',
        'idempotency_key', coalesce($3 || case when count > 1 then '/' || place else '' end,
            body ->> 'idempotency_key'),
        'trace_context', coalesce(body ->> 'trace_context', $4))) order by place), '[]')
    from (
        select body, place, count(*) over () as count
        from jsonb_array_elements(case jsonb_typeof($1) when 'array' then $1 else jsonb_build_array($1) end)
            with ordinality as job(body, place)
    ) as jobs))
