-- worker_wake: no more notifications are needed.
-- params: $1 uuid worker_id
select leasehold.worker_wake($1)
