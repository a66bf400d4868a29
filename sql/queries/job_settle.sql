-- job_settle: ends runs; a run that is not returned was not the current one.
-- params: $1 bigint[] job_ids, $2 bigint[] runs, $3 text[] outcomes, $4 double precision[] delays,
--   $5 text[] labels, $6 text[] errors, $7 double precision[] ran_seconds
select job_id, run, fate from leasehold.job_settle($1, $2, $3, $4, $5, $6, $7)
