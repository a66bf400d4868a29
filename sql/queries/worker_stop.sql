-- worker_stop: notes that the worker claims no more.
-- params: $1 uuid worker_id
select leasehold.worker_stop($1)
