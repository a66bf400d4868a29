-- mirror_prune: removes old changes, old runs and staged records without a run, a batch of each.
-- params: $1 double precision keep_changes_seconds, $2 double precision keep_runs_seconds, $3 double precision abandon_after_seconds, $4 integer batch
select changes, runs, staged, abandoned
from leasehold.mirror_prune(make_interval(secs => $1), make_interval(secs => $2), make_interval(secs => $3), $4)
