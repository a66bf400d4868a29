internal import JobQueue
internal import LeaseholdCore
internal import Metrics

/// The runtime's metrics. Kinds are a label because a registry has few; tenants are none, since a
/// fleet has many: their figures come from SQL.
struct WorkerMetrics: Sendable {
    /// Of one kind. Made once, since looking a metric up takes a lock and several allocations.
    struct OfKind: Sendable {
        let claimed: Counter
        let running: Metrics.Timer
        let waiting: Metrics.Timer
        let leaseLost: Counter
        private let settled: [String: Counter]

        init(_ kind: String) {
            let dimensions = [("kind", kind)]
            claimed = Counter(label: "job_claimed", dimensions: dimensions)
            running = Metrics.Timer(label: "job_run_seconds", dimensions: dimensions)
            waiting = Metrics.Timer(label: "job_wait_seconds", dimensions: dimensions)
            leaseLost = Counter(label: "lease_lost", dimensions: dimensions)
            settled = Dictionary(
                uniqueKeysWithValues: Verdict.labels.map { outcome in
                    (outcome, Counter(label: "job_settled", dimensions: dimensions + [("outcome", outcome)]))
                }
            )
        }

        /// Counts an outcome that was written.
        func settled(_ outcome: String) { settled[outcome]?.increment() }
    }

    private let kinds: [JobKind: OfKind]
    /// Together, since their names come from outside and are without bound.
    private let unknown = OfKind("unknown")

    let running = Gauge(label: "job_running")
    let unwritten = Gauge(label: "job_unwritten")
    let claimSeconds = Metrics.Timer(label: "claim_seconds")
    let settleSeconds = Metrics.Timer(label: "settle_seconds")
    let heartbeatFailed = Counter(label: "heartbeat_failed")
    let lapsed = Counter(label: "worker_lapsed")
    let rescued = Counter(label: "job_rescued")
    let strays = Counter(label: "job_stray")
    let unconfirmed = Counter(label: "settle_unconfirmed")
    let abandoned = Counter(label: "settle_abandoned")
    let dropped = Counter(label: "lease_dropped")

    init(kinds: [JobKind]) {
        self.kinds = Dictionary(uniqueKeysWithValues: kinds.map { ($0, OfKind($0.rawValue)) })
    }

    func of(_ kind: JobKind) -> OfKind { kinds[kind] ?? unknown }
}
