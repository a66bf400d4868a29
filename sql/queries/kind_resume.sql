-- kind_resume: jobs of the kind are claimed again.
-- params: $1 text kind
select leasehold.kind_resume($1)
