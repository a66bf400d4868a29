-- worker_outlook: when something is due next, and whether a sleeper may miss a notification. Leans on job_due and lane_look.
-- params: none
select date_part('epoch', next_due - clock_timestamp()) as due_in, in_flight
from leasehold.worker_outlook()
