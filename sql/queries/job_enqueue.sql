-- job_enqueue: enqueues jobs, one a row of the arrays, and returns their ids in order.
-- params: $1 text[] tenants, $2 text[] kinds, $3 text[] args, $4 text[] queues, $5 smallint[] priorities,
--   $6 timestamptz[] run_at, $7 smallint[] max_attempts, $8 double precision[] timeout_seconds,
--   $9 text[] unique_keys, $10 text[] on_duplicate, $11 text[] idempotency_keys, $12 text[] sequence_keys,
--   $13 text[] trace_contexts, $14 text[] after, $15 text[] on_failure
select job_id, existing
from leasehold.enqueue_all(array(
    select row(r.tenant, r.kind, r.args::jsonb, r.queue, r.priority, r.run_at, r.max_attempts,
        make_interval(secs => r.timeout_seconds), r.unique_key, r.on_duplicate, r.idempotency_key,
        r.sequence_key, r.trace_context,
        case when r.after is not null
            then array(select jsonb_array_elements_text(r.after::jsonb)::bigint) end,
        r.on_failure)::leasehold.job_request
    from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) with ordinality
        as r(tenant, kind, args, queue, priority, run_at, max_attempts, timeout_seconds, unique_key,
            on_duplicate, idempotency_key, sequence_key, trace_context, after, on_failure, place)
    order by r.place))
