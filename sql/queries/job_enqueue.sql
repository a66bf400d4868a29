-- job_enqueue: enqueues jobs, one a row of the arrays, and returns their ids in order.
-- params: $1 text[] tenants, $2 text[] kinds, $3 text[] args, $4 text[] queues, $5 smallint[] priorities,
--   $6 timestamptz[] run_at, $7 smallint[] max_attempts, $8 double precision[] timeout_seconds,
--   $9 text[] unique_keys, $10 text[] on_duplicate, $11 text[] idempotency_keys, $12 text[] sequence_keys,
--   $13 text[] trace_contexts, $14 text[] after, $15 text[] on_failure
select job_id, existing
from leasehold.enqueue_many((
    select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
        'tenant', r.tenant, 'kind', r.kind, 'queue', r.queue, 'priority', r.priority,
        'run_at', r.run_at, 'max_attempts', r.max_attempts,
        'timeout_after', make_interval(secs => r.timeout_seconds), 'unique_key', r.unique_key,
        'on_duplicate', r.on_duplicate, 'idempotency_key', r.idempotency_key,
        'sequence_key', r.sequence_key, 'trace_context', r.trace_context, 'after', r.after::jsonb,
        'on_failure', r.on_failure)) || jsonb_build_object('args', r.args::jsonb) order by r.place), '[]')
    from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) with ordinality
        as r(tenant, kind, args, queue, priority, run_at, max_attempts, timeout_seconds, unique_key,
            on_duplicate, idempotency_key, sequence_key, trace_context, after, on_failure, place)))
