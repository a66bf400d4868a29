-- api_session_end: logs a browser out.
-- params: $1 bytea session_hash
delete from leasehold.api_session where session_hash = $1
