import ArgumentParser
import Foundation
import JobQueue
import LeaseholdCore

/// Enqueues one job by hand; services call the SQL function `leasehold.enqueue`.
struct EnqueueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enqueue",
        abstract: "Enqueues one job.",
        discussion: """
              leasehold enqueue acme pitchly.sync
              leasehold enqueue acme report.build --args '{"month": "2026-03"}' --in 3600 --unique-key 2026-03
            """
    )

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "Tenant id.") var tenant: String
    @Argument(help: "Kind: what the job does.") var kind: String
    @Option(help: "Arguments, a JSON object of at most 1 MiB; `-` reads standard input.") var args = "{}"
    @Option(help: "Queue.") var queue = QueueName.default.rawValue
    @Option(help: "From -100, first, to 100, last, among the tenant's jobs.") var priority = 0
    @Option(name: .customLong("in"), help: "Seconds from now; without it, at once.") var delay: Double?
    @Option(help: "How often it is tried.") var maxAttempts = 20
    @Option(help: "At most one live job per tenant, kind and key.") var uniqueKey: String?
    @Option(help: "For a unique key that is there: keep, replace or reschedule.") var onDuplicate = "keep"
    @Option(help: "A second request with this key answers with the first one's job.") var idempotencyKey: String?
    @Option(help: "Jobs of the tenant with this key run one after another.") var sequenceKey: String?

    func validate() throws {
        guard (-100...100).contains(priority) else {
            throw ValidationError("expected --priority to be -100 to 100, got \(priority)")
        }
        guard (1...1000).contains(maxAttempts) else {
            throw ValidationError("expected --max-attempts to be 1 to 1000, got \(maxAttempts)")
        }
        guard JobRequest.DuplicatePolicy(rawValue: onDuplicate) != nil else {
            throw ValidationError("expected --on-duplicate to be keep, replace or reschedule, got \"\(onDuplicate)\"")
        }
        if let delay, !(0...31_536_000_000).contains(delay) {
            throw ValidationError("expected --in to be 0 seconds or more, got \(delay)")
        }
    }

    func run() async throws {
        let request = JobRequest(
            tenant: try TenantID(tenant),
            kind: try JobKind(kind),
            args: try readArgs(),
            queue: try QueueName(queue),
            priority: priority,
            runAt: delay.map { Date(timeIntervalSinceNow: $0) },
            maxAttempts: maxAttempts,
            uniqueKey: uniqueKey,
            onDuplicate: JobRequest.DuplicatePolicy(rawValue: onDuplicate) ?? .keep,
            idempotencyKey: idempotencyKey,
            sequenceKey: sequenceKey
        )
        let composition = try Composition(settings, command: "enqueue")
        try await composition.withPool { pool in
            let queue = JobQueue(pool: pool, logger: composition.logger)
            let job = try await queue.enqueue(request)
            output.say(
                job.wasExisting ? "job \(job.id) was there already" : "enqueued job \(job.id)",
                ["job": job.id.description, "was there": String(job.wasExisting)]
            )
            try await NobodyWorks.warn(queue, on: request.queue, for: request.kind)
        }
    }

    private func readArgs() throws -> String {
        guard args == "-" else { return args }
        return String(decoding: try FileHandle.standardInput.readToEnd() ?? Data(), as: UTF8.self)
    }
}
