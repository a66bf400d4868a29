public import JobQueue
public import LeaseholdCore

/// What runs one attempt of a job. Returns what becomes of the job; a thrown error means: try again.
///
/// It is cancelled (as a task) when the job times out, is cancelled in the database, or the worker
/// ends or loses its lease; it should then return or throw soon.
public typealias JobHandler = @Sendable (JobContext) async throws -> JobOutcome

/// The kinds of job a worker can run: for each its handler and its ``JobKindOptions``.
public struct JobRegistry: Sendable {
    struct Entry: Sendable {
        let options: JobKindOptions
        let handler: JobHandler
    }

    private(set) var entries: [JobKind: Entry] = [:]

    public init() {}

    /// In alphabetical order.
    public var kinds: [JobKind] { entries.keys.sorted() }

    /// - Throws: ``JobRegistryError`` if the kind has a handler already or an option is out of range.
    public mutating func register(
        _ kind: JobKind,
        options: JobKindOptions = JobKindOptions(),
        handler: @escaping JobHandler
    ) throws(JobRegistryError) {
        if entries[kind] != nil { throw .duplicateKind(kind) }
        if let timeout = options.timeout, timeout <= .zero { throw .timeoutNotPositive(kind, got: timeout) }
        if let concurrency = options.concurrency, concurrency < 1 {
            throw .concurrencyNotPositive(kind, got: concurrency)
        }
        if options.retry.shortest < .zero || options.retry.longest < options.retry.shortest {
            throw .retryOutOfOrder(kind, options.retry)
        }
        entries[kind] = Entry(options: options, handler: handler)
    }

    /// Registers a handler that is given the job's args decoded from JSON.
    ///
    /// Args that do not decode fail the attempt with ``JobArgsError``, and the job is tried again like
    /// after any error: most often the args are newer than the worker, and a deployment cures it.
    public mutating func register<Args: Decodable & Sendable>(
        _ kind: JobKind,
        args: Args.Type,
        options: JobKindOptions = JobKindOptions(),
        handler: @escaping @Sendable (Args, JobContext) async throws -> JobOutcome
    ) throws(JobRegistryError) {
        try register(kind, options: options) { context in
            try await handler(context.args(as: Args.self), context)
        }
    }
}
