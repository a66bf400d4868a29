-- schedule_remove: forgets a schedule and its turns; jobs stay.
-- params: $1 text name
select leasehold.schedule_remove($1)
