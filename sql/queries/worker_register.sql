-- worker_register: adds one life of a worker process.
-- params: $1 uuid worker_id, $2 text name, $3 text host, $4 integer process_id, $5 text version,
--   $6 text[] queues, $7 text[] kinds, $8 integer concurrency, $9 double precision lapse_seconds
select leasehold.worker_register($1, $2, $3, $4, $5, $6, $7, $8, $9)
