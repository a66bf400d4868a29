/// What every job of the benchmark does.
enum JobBody {
    /// Counts, without looking at the args.
    case noop
    /// Notes the job's own sequence number too, and sleeps; a job's `ms` goes before the standard.
    case work(milliseconds: Double)

    /// `noop`, `record` or `sleep:MILLISECONDS`.
    init?(_ text: String) {
        let parts = text.split(separator: ":")
        switch (parts.first, parts.dropFirst().first.flatMap { Double($0) }) {
        case ("noop", nil): self = .noop
        case ("record", nil): self = .work(milliseconds: 0)
        case ("sleep", let milliseconds?) where milliseconds > 0: self = .work(milliseconds: milliseconds)
        default: return nil
        }
    }
}

/// The args of a job of the benchmark.
struct JobArguments: Decodable, Sendable {
    /// The job's place in the shared record's arrays.
    let i: Int
    /// The tenant's number; 0 is the large one.
    let t: Int
    /// How long this job sleeps, in milliseconds, if not as long as the others.
    let ms: Double?
}
