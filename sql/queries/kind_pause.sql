-- kind_pause: jobs of the kind wait until it is resumed.
-- params: $1 text kind
select leasehold.kind_pause($1)
