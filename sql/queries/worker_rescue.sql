-- worker_rescue: gives the jobs of workers without a sign of life to others.
-- params: none
select worker_id, job_id, run, fate from leasehold.worker_rescue()
