import PrometheusText

/// Every metric that any part of the program measures. `/metrics` shows them with the prefix
/// `leasehold_`; a test compares this list with the labels in the source.
enum MetricCatalog {
    static let all = jobs + vault + pitchly + postgres + http

    private static let jobs: [MetricDescription] = [
        .counter("job_claimed", "Jobs that this worker took, by kind"),
        .counter("job_settled", "Runs of jobs whose outcome was written, by kind and outcome"),
        .seconds("job_run_seconds", "How long runs of jobs took, by kind"),
        .seconds(
            "job_wait_seconds",
            "How long jobs stood ready or parked before they ran, by kind",
            buckets: MetricDescription.waits
        ),
        .gauge("job_running", "Jobs that this worker runs now"),
        .gauge("job_unwritten", "Jobs that have ended here and whose outcome is not written yet"),
        .counter("lease_lost", "Runs that lost their lease, so that another worker runs the job, by kind"),
        .seconds("claim_seconds", "How long a claim took in the database"),
        .seconds("settle_seconds", "How long writing outcomes took in the database"),
        .counter("heartbeat_failed", "Signs of life that could not be written"),
        .counter("worker_lapsed", "Times that this worker was taken for dead"),
        .counter("job_rescued", "Jobs of dead workers that this worker made ready again"),
        .counter("schedule_job", "Jobs that this worker made because a schedule was due"),
        .counter("job_stray", "Jobs that were claimed but never reached this worker, handed back"),
        .counter("settle_unconfirmed", "Writes of outcomes that got no answer and were repeated"),
        .counter("settle_abandoned", "Jobs whose outcome could not be written before the worker stopped"),
        .counter("lease_dropped", "Jobs that a handler left without an outcome"),
    ]

    private static let vault: [MetricDescription] = [
        .counter("vault_exchange", "POSTs to the token endpoint, by rung of the ladder and outcome"),
        .counter("vault_recovered", "Credentials of unknown fate that were recovered, by rung"),
        .counter("vault_needs_authorization", "Credentials that were given up: a person has to log in"),
        .counter("vault_settle_repeats", "Saves of an exchange that had to be repeated"),
        .seconds("vault_spool_write_seconds", "How long it took until a reply was on the disk"),
        .counter("vault_spool_failures", "Replies that could not be written to the spool"),
        .gauge("vault_due", "Credentials that wait for a refresh that is due"),
    ]

    private static let pitchly: [MetricDescription] = [
        .seconds("pitchly_request_seconds", "How long requests to the data API took, by operation and outcome")
    ]

    private static let postgres: [MetricDescription] = [
        .gauge("postgres_connections", "Connections of the pools, by state"),
        .seconds("postgres_wait_seconds", "How long a caller waited for a connection"),
        .seconds("postgres_statement_seconds", "How long a statement took, by its name"),
        .counter("postgres_connects_total", "Attempts to connect, by outcome"),
    ]

    private static let http: [MetricDescription] = [
        .seconds("http_request_seconds", "How long requests to this server took, by method, route and status")
    ]
}
