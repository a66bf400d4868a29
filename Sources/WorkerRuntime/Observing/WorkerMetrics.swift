internal import JobQueue
internal import LeaseholdCore
internal import Metrics

/// The runtime's metrics. Kinds are a label because a registry has few; tenants are none, since a
/// fleet has many: their figures come from SQL.
struct WorkerMetrics: Sendable {
    /// Of one kind. Made once, since looking a metric up takes a lock and several allocations.
    private struct OfKind: Sendable {
        private let claims: Counter
        private let waiting: Metrics.Timer
        let running: Metrics.Timer
        let leaseLost: Counter
        private let settled: [String: Counter]

        init(_ kind: String, factory: any MetricsFactory) {
            let dimensions = [("kind", kind)]
            claims = Counter(label: "job_claimed", dimensions: dimensions, factory: factory)
            running = Metrics.Timer(label: "job_run_seconds", dimensions: dimensions, factory: factory)
            waiting = Metrics.Timer(label: "job_wait_seconds", dimensions: dimensions, factory: factory)
            leaseLost = Counter(label: "lease_lost", dimensions: dimensions, factory: factory)
            settled = Dictionary(
                uniqueKeysWithValues: Verdict.labels.map { outcome in
                    let dimensions = dimensions + [("outcome", outcome)]
                    return (outcome, Counter(label: "job_settled", dimensions: dimensions, factory: factory))
                }
            )
        }

        func claimed(_ job: ClaimedJob) {
            claims.increment()
            waiting.recordSeconds(job.waited.seconds)
        }

        /// Counts an outcome that was written.
        func settled(_ outcome: String) { settled[outcome]?.increment() }
    }

    private let kinds: [JobKind: OfKind]
    /// Together, since their names come from outside and are without bound.
    private let unknown: OfKind

    private let running: Gauge
    private let unwritten: Gauge
    private let claimSeconds: Metrics.Timer
    private let settleSeconds: Metrics.Timer
    private let heartbeatFailed: Counter
    private let lapsed: Counter
    private let rescued: Counter
    private let scheduled: Counter
    private let strays: Counter
    private let unconfirmed: Counter
    private let abandoned: Counter
    private let dropped: Counter

    init(kinds: [JobKind], factory: any MetricsFactory) {
        self.kinds = Dictionary(uniqueKeysWithValues: kinds.map { ($0, OfKind($0.rawValue, factory: factory)) })
        unknown = OfKind("unknown", factory: factory)
        running = Gauge(label: "job_running", factory: factory)
        unwritten = Gauge(label: "job_unwritten", factory: factory)
        claimSeconds = Metrics.Timer(label: "claim_seconds", factory: factory)
        settleSeconds = Metrics.Timer(label: "settle_seconds", factory: factory)
        heartbeatFailed = Counter(label: "heartbeat_failed", factory: factory)
        lapsed = Counter(label: "worker_lapsed", factory: factory)
        rescued = Counter(label: "job_rescued", factory: factory)
        scheduled = Counter(label: "schedule_job", factory: factory)
        strays = Counter(label: "job_stray", factory: factory)
        unconfirmed = Counter(label: "settle_unconfirmed", factory: factory)
        abandoned = Counter(label: "settle_abandoned", factory: factory)
        dropped = Counter(label: "lease_dropped", factory: factory)
    }

    /// Counts and times what an event says.
    func count(_ event: WorkerEvent) {
        switch event {
        case .claimed(let jobs, let total, let seconds):
            for job in jobs { of(job.kind).claimed(job) }
            running.record(total)
            claimSeconds.recordSeconds(seconds)
        case .jobEnded(let job, _, let seconds):
            of(job.kind).running.recordSeconds(seconds)
        case .settled(let outcomes, let rest, let seconds):
            for written in outcomes { of(written.job.kind).settled(written.outcome) }
            unwritten.record(rest)
            settleSeconds.recordSeconds(seconds)
        case .leaseLost(let job, _): of(job.kind).leaseLost.increment()
        case .settleUnconfirmed: unconfirmed.increment()
        case .settlesAbandoned(let jobs): abandoned.increment(by: jobs)
        case .leaseDropped: dropped.increment()
        case .heartbeatFailed: heartbeatFailed.increment()
        case .lapsed: lapsed.increment()
        case .rescued(let jobs): rescued.increment(by: jobs)
        case .schedulesFired(let jobs, _): scheduled.increment(by: jobs)
        case .strayHandedBack(let jobs): strays.increment(by: jobs)
        default: return
        }
    }

    private func of(_ kind: JobKind) -> OfKind { kinds[kind] ?? unknown }
}
