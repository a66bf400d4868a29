-- mirror_view_retry: tries again the typed views that could not be changed. Leans on
-- mirror_view_behind.
-- params: $1 integer limit
select leasehold.mirror_view_retry($1) as refreshed
