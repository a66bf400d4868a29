-- worker_sleep: from its commit on, enqueues for the worker's queues notify leasehold_wake.
-- params: $1 uuid worker_id, $2 double precision seconds
select leasehold.worker_sleep($1, $2)
