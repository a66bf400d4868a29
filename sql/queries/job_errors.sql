-- job_errors: failed attempts since a time, grouped by fingerprint, most frequent first. Leans on the
--   partitions of job_attempt.
-- params: $1 timestamptz since, $2 integer page_size
select fingerprint, min(kind) as kind, min(error_label) as error_label, count(*) as attempts,
    count(distinct job_id) as jobs, count(distinct tenant_id) as tenants, min(ended_at) as first_at,
    max(ended_at) as last_at, (array_agg(error order by ended_at desc))[1] as example,
    (array_agg(job_id order by ended_at desc))[1] as example_job_id
from leasehold.job_attempt
where ended_at >= $1
group by fingerprint
order by attempts desc, fingerprint limit $2
