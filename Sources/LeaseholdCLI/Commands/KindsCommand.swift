import ArgumentParser
import JobQueue
import LeaseholdCore

/// Looks at job kinds and steers them.
struct KindsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kinds",
        abstract: "Lists, pauses, resumes and limits job kinds.",
        discussion: """
              leasehold kinds list
              leasehold kinds pause report.build; leasehold kinds resume report.build
            """,
        subcommands: [List.self, PauseCommand<JobKind>.self, ResumeCommand<JobKind>.self, Limit.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists kinds that have settings, a worker that knows them, or running jobs."
        )

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await withQueues(settings) { queue in
                var table = Table(columns: ["kind", "state", "running", "workers", "limits"])
                for record in try await queue.kinds() {
                    table.add([
                        record.kind.rawValue, record.pausedAt == nil ? "active" : "paused", String(record.running),
                        String(record.workers), record.limits.text,
                    ])
                }
                output.show(table)
            }
        }
    }

    struct Limit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sets a kind's limits, all at once; what is not given is no limit.",
            discussion: "  leasehold kinds limit report.build --max-running 2"
        )

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "Kind.") var kind: String
        @OptionGroup var limits: LimitOptions

        func run() async throws {
            let kind = try JobKind(kind)
            try await withQueues(settings) { queue in
                try await queue.limit(kind, to: limits.limits)
                let text = limits.limits.text ?? "no limit"
                output.say("\(kind) has \(text)", ["kind": kind.rawValue, "limits": text])
            }
        }
    }
}
