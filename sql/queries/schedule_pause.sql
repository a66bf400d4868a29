-- schedule_pause: nothing is fired until it is resumed.
-- params: $1 text name
select leasehold.schedule_pause($1)
