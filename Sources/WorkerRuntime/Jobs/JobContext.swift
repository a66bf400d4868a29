internal import Foundation
public import JobQueue
import LeaseholdCore
public import Logging

/// What a handler is given beside its args: the job, a logger, its progress and its limits.
public struct JobContext: Sendable {
    public let job: ClaimedJob
    /// Carries tenant, job, run, kind and attempt on every line. Made at each use, which costs a few
    /// microseconds: most jobs log nothing.
    public var logger: Logger { makeLogger() }

    private let makeLogger: @Sendable () -> Logger
    private let control: JobControl
    private let clock: @Sendable () -> Moment
    private let deadline: Moment?
    private let writeProgress: @Sendable (ClaimedJob, String) async throws -> Bool

    init(
        job: ClaimedJob,
        logger: @escaping @autoclosure @Sendable () -> Logger,
        control: JobControl,
        deadline: Moment?,
        clock: @escaping @Sendable () -> Moment,
        writeProgress: @escaping @Sendable (ClaimedJob, String) async throws -> Bool
    ) {
        self.job = job
        self.makeLogger = logger
        self.control = control
        self.deadline = deadline
        self.clock = clock
        self.writeProgress = writeProgress
    }

    /// The job's args, decoded from JSON.
    ///
    /// - Throws: ``JobArgsError``, which says where the args differ and shows none of their values.
    public func args<Args: Decodable>(as type: Args.Type = Args.self) throws -> Args {
        try decode(job.args, what: "args", as: type)
    }

    /// What an earlier attempt or run of this job saved last; nil in a first run. The checkpoint to
    /// go on from.
    ///
    /// - Throws: ``JobArgsError``
    public func progress<Progress: Decodable>(as type: Progress.Type = Progress.self) throws -> Progress? {
        guard let progress = job.progress else { return nil }
        return try decode(progress, what: "progress", as: type)
    }

    /// Saves a checkpoint, kept over retries, crashes and hand-backs. One small write to the database
    /// each time, so save after a page, not after a row.
    ///
    /// - Throws: ``LeaseLost`` if another worker may run this job by now; the handler is cancelled.
    public func saveProgress(_ progress: some Encodable) async throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try await saveProgress(json: String(decoding: encoder.encode(progress), as: UTF8.self))
    }

    /// The same for JSON that is text already.
    public func saveProgress(json: String) async throws {
        if try await writeProgress(job, json) { return }
        control.stop(.leaseLost)
        throw LeaseLost(job: job.id, run: job.run)
    }

    /// Until the handler is cancelled for running too long; nil without a limit, never below zero.
    public var remainingTime: Duration? { deadline.map { max(.zero, $0 - clock()) } }

    /// The handler should end soon. True also while ``stopReason`` is nil: then a task of the
    /// handler's own was cancelled.
    public var isCancelled: Bool { Task.isCancelled }

    /// Why the handler was cancelled by the worker; nil if it was not.
    public var stopReason: StopReason? { control.stopReason }

    private func decode<Value: Decodable>(_ json: String, what: String, as type: Value.Type) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(json.utf8))
        } catch {
            throw JobArgsError(what: what, kind: job.kind, type: type, error: error)
        }
    }
}
