-- push_prune: forgets pushes that ended long ago, a batch. Leans on push_ended.
-- params: $1 double precision keep_seconds, $2 integer batch
select leasehold.push_prune(make_interval(secs => $1), $2) as pruned
