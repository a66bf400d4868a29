-- page_errors: what went wrong in the last 24 hours, most often first; the view bounds its cost.
-- params: none
select fingerprint, kind, error_label, left(error, 300) as error, attempts::double precision,
    attempts_is_minimum, jobs::double precision, tenants::double precision, first_at, last_at,
    last_job_id::double precision, statement_timestamp() as now
from leasehold_dashboard.job_errors order by attempts desc, last_at desc limit 100
