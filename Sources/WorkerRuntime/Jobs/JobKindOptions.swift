/// How a worker runs the jobs of one kind.
public struct JobKindOptions: Sendable, Equatable {
    /// How long one attempt may take before its handler is cancelled and the attempt counts as
    /// failed; nil for no limit. A timeout given with the job wins. Default 10 minutes.
    public var timeout: Duration?
    /// How long to wait after a failed attempt when the handler does not say. Default: the table of
    /// ``RetryPolicy``.
    public var retry: RetryPolicy
    /// How many jobs of the kind this process runs at once; nil for as many as it has slots.
    ///
    /// It protects something of the process, such as memory. A job above it waits in this worker
    /// and holds one of its slots; a limit over all workers belongs in the database, where such jobs
    /// are not claimed at all. Default nil.
    public var concurrency: Int?

    public init(
        timeout: Duration? = .seconds(600),
        retry: RetryPolicy = RetryPolicy(),
        concurrency: Int? = nil
    ) {
        self.timeout = timeout
        self.retry = retry
        self.concurrency = concurrency
    }
}
