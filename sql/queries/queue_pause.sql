-- queue_pause: nothing of the queue is claimed until it is resumed.
-- params: $1 text queue
select leasehold.queue_pause($1)
