import Leasehold

/// What every job of the benchmark does.
enum JobBody: Sendable {
    /// Counts, without looking at the args.
    case noop
    /// Notes the job's own sequence number too, and sleeps; a job's `ms` goes before the standard.
    case work(milliseconds: Double)
    /// Sleeps and notes how long ago the job was enqueued, or fails as its args say, for the harness adapter.
    case measure(milliseconds: Double)

    /// `noop`, `record`, `sleep:MILLISECONDS` or `measure:MILLISECONDS`.
    init?(_ text: String) {
        let parts = text.split(separator: ":")
        switch (parts.first, parts.dropFirst().first.flatMap { Double($0) }) {
        case ("noop", nil): self = .noop
        case ("record", nil): self = .work(milliseconds: 0)
        case ("sleep", let milliseconds?) where milliseconds > 0: self = .work(milliseconds: milliseconds)
        case ("measure", let milliseconds?): self = .measure(milliseconds: milliseconds)
        default: return nil
        }
    }

    func run(_ context: JobContext, in record: SharedRecord) async throws -> JobOutcome {
        switch self {
        case .noop:
            record.start()
            record.finish()
        case .work(let standard):
            let arguments = try context.args(as: Arguments.self)
            record.start(sequence: arguments.i)
            try await sleep(milliseconds: arguments.ms ?? standard)
            record.finish(sequence: arguments.i, small: arguments.t > 0)
        case .measure(let milliseconds):
            let arguments = try context.args(as: MeasuredArguments.self)
            if let failure = arguments.failure(ofAttempt: context.job.attempt) {
                record.fail()
                return failure
            }
            record.startMeasured(enqueuedAt: arguments.at)
            try await sleep(milliseconds: milliseconds)
            record.finishMeasured(enqueuedAt: arguments.at, tag: arguments.tag ?? 0)
        }
        return .completed
    }

    private func sleep(milliseconds: Double) async throws {
        if milliseconds > 0 { try await Task.sleep(for: .microseconds(Int(milliseconds * 1000))) }
    }

    /// The args of a job of the benchmark.
    private struct Arguments: Decodable {
        /// The job's place in the shared record's arrays.
        let i: Int
        /// The tenant's number; 0 is the large one.
        let t: Int
        let ms: Double?
    }

    /// The args of a job of the harness adapter.
    private struct MeasuredArguments: Decodable {
        /// When it was enqueued, in microseconds since 1970.
        let at: Int
        /// What the adapter counts ended jobs by, 1 to 255; none is 0.
        let tag: UInt8?
        /// How many attempts fail and are tried again; every attempt is discarded if it is negative.
        let failures: Int?

        func failure(ofAttempt attempt: Int) -> JobOutcome? {
            guard let failures else { return nil }
            if failures < 0 { return .discard(reason: "the adapter asked for a failure for good") }
            return attempt <= failures ? .retry(reason: "the adapter asked for \(failures) failures") : nil
        }
    }
}
