-- queue_resume: the queue is served again.
-- params: $1 text queue
select leasehold.queue_resume($1)
