-- provider_show: the state of a provider's budget, breaker and stop (primary key).
-- params: $1 text provider
select exchanges_per_second, burst, blocked_until, breaker, breaker_reason, probe_at, stop_reason, stopped_at, hold_until,
    clock_timestamp() as now
from leasehold.provider
where provider = $1
