import ArgumentParser
import Foundation
import JobQueue
import LeaseholdCore

/// `--max-running`, `--rate-per-second` and `--rate-burst` of a queue or kind.
struct LimitOptions: ParsableArguments {
    @Option(help: "Most jobs running at once, over all workers.") var maxRunning: Int?
    @Option(help: "Jobs started per second on average.") var ratePerSecond: Double?
    @Option(help: "Jobs that may start at once after a quiet time.") var rateBurst: Int?

    func validate() throws {
        guard maxRunning ?? 1 > 0, ratePerSecond ?? 1 > 0, rateBurst ?? 1 > 0 else {
            throw ValidationError("expected limits above 0; to stop everything there is the subcommand pause")
        }
    }

    var limits: QueueLimits {
        QueueLimits(maxRunning: maxRunning, ratePerSecond: ratePerSecond, rateBurst: rateBurst)
    }
}

extension QueueLimits {
    /// `10 running, 5/s, burst 20`; nil without any.
    var text: String? {
        let parts = [
            maxRunning.map { "\($0) running" }, ratePerSecond.map { "\($0.formatted())/s" },
            rateBurst.map { "burst \($0)" },
        ].compactMap { $0 }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }
}

/// Looks at queues and steers them.
struct QueuesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queues",
        abstract: "Lists, shows, pauses, resumes and limits queues.",
        discussion: """
              leasehold queues list; leasehold queues show mail
              leasehold queues pause mail; leasehold queues resume mail
            """,
        subcommands: [
            List.self, Show.self, PauseCommand<QueueName>.self, ResumeCommand<QueueName>.self, Limit.self,
        ]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists queues that have settings, a worker, a backlog or running jobs."
        )

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await withQueues(settings) { queue in
                var table = Table(columns: [
                    "queue", "state", "running", "tenants waiting", "workers", "slots", "weight", "limits",
                ])
                for record in try await queue.queues() {
                    table.add([
                        record.name.rawValue, record.state, String(record.running), String(record.tenantsWaiting),
                        String(record.workers), String(record.slots), record.weight.formatted(), record.limits.text,
                    ])
                }
                output.show(table)
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows a queue and the tenants that wait in it, those served next first."
        )

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "Name of the queue.") var queue: String
        @Option(help: "Most tenants.") var limit = 20

        func run() async throws {
            let name = try QueueName(queue)
            try await withQueues(settings) { queue in
                guard let record = try await queue.queues(named: name).first else {
                    throw UnknownQueue(queue: name)
                }
                var facts = Facts([
                    "queue": name.rawValue, "state": record.state, "paused": Times.stamp(record.pausedAt),
                    "running": String(record.running), "tenants waiting": String(record.tenantsWaiting),
                    "workers": String(record.workers), "slots": String(record.slots),
                    "weight": record.weight.formatted(), "limits": record.limits.text,
                ])
                var lanes = Table(columns: ["tenant", "kind", "state", "since", "virtual time"])
                for lane in try await queue.lanes(of: name, limit: limit) {
                    lanes.add([
                        lane.tenant.rawValue, lane.kind?.rawValue, lane.state, Times.span(lane.since.seconds),
                        lane.virtualTime.formatted(),
                    ])
                }
                facts.add("waiting", lanes)
                output.show(facts)
            }
        }
    }

    struct Limit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sets a queue's share and limits, all at once; what is not given is no limit.",
            discussion: "  leasehold queues limit mail --max-running 50 --rate-per-second 10"
        )

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "Name of the queue.") var queue: String
        @OptionGroup var limits: LimitOptions
        @Option(help: "Share of workers that serve several queues, 0.01 to 1000.") var weight = 1.0

        func validate() throws {
            guard (0.01...1000).contains(weight) else {
                throw ValidationError("expected --weight to be 0.01 to 1000, got \(weight)")
            }
        }

        func run() async throws {
            let name = try QueueName(queue)
            try await withQueues(settings) { queue in
                try await queue.limit(name, to: limits.limits, weight: weight)
                let text = limits.limits.text ?? "no limit"
                output.say(
                    "\(name) has \(text), weight \(weight.formatted())",
                    ["queue": name.rawValue, "limits": text]
                )
            }
        }
    }
}

/// A queue that nothing is known of.
private struct UnknownQueue: ExplainedError {
    let queue: QueueName
    var label: String { "unknown_queue" }
    var message: String {
        "expected a queue that has settings, a worker, a backlog or running jobs, got \"\(queue)\""
    }
    var hint: String? { "leasehold queues list" }
}

extension QueueRecord {
    fileprivate var state: String { pausedAt == nil ? "active" : "paused" }
}

func withQueues(_ settings: SettingsOptions, _ body: (JobQueue) async throws -> Void) async throws {
    let composition = try Composition(settings, command: "queues")
    try await composition.withPool { try await body(composition.steeringQueue($0)) }
}
