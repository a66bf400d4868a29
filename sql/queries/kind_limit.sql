-- kind_limit: sets all limits of a kind; null is no limit.
-- params: $1 text kind, $2 integer max_running, $3 real rate_per_second, $4 integer rate_burst
insert into leasehold.kind (kind, max_running, rate_per_second, rate_burst)
values ($1, $2, $3, $4)
on conflict (kind) do update
    set max_running = excluded.max_running, rate_per_second = excluded.rate_per_second,
        rate_burst = excluded.rate_burst
