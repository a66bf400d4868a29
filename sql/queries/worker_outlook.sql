-- worker_outlook: when something is due next, and whether a sleeper may miss a notification. Leans on job_due and lane_look.
-- params: none
select next_due, in_flight from leasehold.worker_outlook()
