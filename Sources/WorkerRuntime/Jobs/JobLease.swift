internal import JobQueue

/// The right and the duty to settle one run of a job, exactly once.
///
/// It cannot be copied and both verbs consume it, so a second settle does not compile. It is made
/// inside the task that runs the job. Dropped unsettled (which no path here does), it reports that.
struct JobLease: ~Copyable {
    let job: ClaimedJob
    private let ledger: any JobLedger
    private var isSettled = false

    init(_ job: ClaimedJob, ledger: any JobLedger) {
        self.job = job
        self.ledger = ledger
    }

    consuming func settle(_ verdict: Verdict, ran: Duration) {
        isSettled = true
        ledger.settle(job, verdict, ran: ran)
    }

    deinit {
        if !isSettled { ledger.dropped(job) }
    }
}

/// Where leases end: the worker; in the tests of the lease, a list.
protocol JobLedger: AnyObject, Sendable {
    func settle(_ job: ClaimedJob, _ verdict: Verdict, ran: Duration)
    func dropped(_ job: ClaimedJob)
}
