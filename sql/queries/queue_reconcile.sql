-- queue_reconcile: repairs what disagrees with the jobs and says how many it found.
-- params: none
select finding, found_count from leasehold.reconcile()
