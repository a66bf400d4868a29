-- worker_unregister: the worker goes; what it still runs goes back without counting the attempt.
-- params: $1 uuid worker_id
select leasehold.worker_unregister($1) as handed_back
