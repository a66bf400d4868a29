import ArgumentParser
import Leasehold
import Logging
import ServiceLifecycle
import UnixSignals

/// A worker as a user of the library writes one, which notes in the benchmark's shared record what
/// its jobs do. See Benchmarks/README.md.
@main struct BenchWorker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leasehold-bench-worker",
        abstract: "Runs the jobs of scripts/bench until SIGTERM."
    )

    @Option(help: "libpq URI of the database.")
    var databaseURL: String

    @Option(help: "The shared record that scripts/bench made.")
    var record: String

    @Option(help: "This worker's slot in the record.")
    var slot = 0

    @Option(help: "What a job does: noop, record, sleep:MILLISECONDS or measure:MILLISECONDS.")
    var body = "noop"

    @Option(help: "Jobs at once.")
    var concurrency = 10

    @Option(help: "Queues, separated by commas.")
    var queues = "default"

    @Option(help: "What the workload is for: drain, latency or slow.")
    var purpose = "drain"

    func run() async throws {
        guard let jobBody = JobBody(body) else {
            throw ValidationError("expected --body noop, record, sleep:MS or measure:MS, got \(body)")
        }
        let record = try SharedRecord(path: record, slot: slot)
        var logger = Logger(label: "leasehold-bench-worker") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .warning
        var registry = JobRegistry()
        try registry.register(try JobKind("bench")) { context in
            try await jobBody.run(context, in: record)
        }
        var options = LeaseholdWorkerOptions(name: "bench \(slot)", slots: concurrency)
        options.queues = try queues.split(separator: ",").map { try QueueName(String($0)) }
        // As the peers are set for these workloads: a dead worker's jobs come back after about 10 s.
        if purpose == "slow" { options.lapse = .seconds(8) }
        let worker = try LeaseholdWorker(
            database: LeaseholdDatabase(url: databaseURL),
            registry: registry,
            options: options,
            logger: logger
        )
        record.ready()
        while !record.mayGo { try await Task.sleep(for: .milliseconds(2)) }
        let group = ServiceGroup(
            services: [worker],
            gracefulShutdownSignals: [.sigterm],
            logger: logger
        )
        try await group.run()
    }
}
