-- schedule_add: adds a schedule or, if it may replace, changes the one of that name.
-- params: $1 text name, $2 text kind, $3 double precision every_seconds, $4 text cron, $5 text tenant, $6 text time_zone, $7 jsonb args, $8 text queue, $9 integer priority, $10 integer max_attempts, $11 double precision timeout_seconds, $12 timestamptz starts_at, $13 text members, $14 text missed, $15 integer missed_most, $16 double precision grace_seconds, $17 double precision jitter_seconds, $18 boolean overlap, $19 text slot_arg, $20 boolean replace
select leasehold.schedule_add(
    name => $1, kind => $2, every => make_interval(secs => $3), cron => $4, tenant => $5,
    time_zone => $6, args => $7, queue => $8, priority => $9, max_attempts => $10,
    timeout_after => make_interval(secs => $11), starts_at => $12, members => $13, missed => $14,
    missed_most => $15, grace => make_interval(secs => $16), jitter => make_interval(secs => $17),
    overlap => $18, slot_arg => $19, replace => $20) as schedule_id
