-- queue_prune: drops old history, idempotency keys and dead workers; makes the partitions of the next days.
-- params: $1 double precision keep_history_seconds, $2 double precision keep_idempotency_seconds
select what, removed
from leasehold.prune(make_interval(secs => $1), make_interval(secs => $2))
