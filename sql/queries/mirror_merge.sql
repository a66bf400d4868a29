-- mirror_merge: makes the mirror equal to what a run has read.
-- params: $1 text tenant_id, $2 bigint sync_id, $3 bigint job_id, $4 bigint job_run, $5 real deleted_share, $6 bigint deleted_floor, $7 double precision overlap_seconds, $8 boolean accepts_short
select outcome, inserted, updated, deleted, unchanged, record_count
from leasehold.mirror_merge($1, $2, $3, $4, $5, $6, make_interval(secs => $7), $8)
