-- action_source: says for the rest of the transaction who acts, for the log of actions.
-- params: $1 text actor, $2 text via
select set_config('leasehold.actor', $1, true), set_config('leasehold.via', $2, true)
