-- schedule_resume: goes on with the next slots.
-- params: $1 text name
select leasehold.schedule_resume($1)
