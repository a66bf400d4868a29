import ArgumentParser
import Foundation
import JobQueue
import LeaseholdCore

/// Looks at jobs, live and ended, and steers them.
struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs",
        abstract: "Lists, shows, retries, cancels, discards and reschedules jobs.",
        discussion: """
              leasehold jobs show 42
              leasehold jobs retry 42
              leasehold jobs cancel 42 --reason 'not needed any more'
              leasehold jobs discard 42
              leasehold jobs reschedule 42 --in 30m
              leasehold jobs retry --kind invoice.send --error timeout     # all that were discarded for it
              leasehold jobs cancel --tenant acme --dry-run                # how many would be
            """,
        subcommands: [List.self, Show.self, Retry.self, Cancel.self, Discard.self, RescheduleCommand.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists jobs, newest first, live and ended.",
            discussion: "  leasehold jobs list --tenant acme --state parked"
        )

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions
        @Option(help: "Only this tenant's.") var tenant: String?
        @Option(help: "Only of this queue.") var queue: String?
        @Option(help: "Only of this kind.") var kind: String?
        @Option(help: "Only in this state: \(JobState.allCases.map(\.rawValue).joined(separator: ", ")).")
        var state: String?
        @Option(help: "Only with a lower id: the last one of the page before.") var before: Int64?
        @Option(help: "Most rows.") var limit = 50

        func validate() throws {
            if let state, JobState(rawValue: state) == nil {
                let known = JobState.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("expected --state to be one of \(known), got \"\(state)\"")
            }
            guard (1...10_000).contains(limit) else {
                throw ValidationError("expected --limit to be 1 to 10000, got \(limit)")
            }
        }

        func run() async throws {
            let filter = JobFilter(
                tenant: try tenant.map { try TenantID($0) },
                queue: try queue.map { try QueueName($0) },
                kind: try kind.map { try JobKind($0) },
                state: state.flatMap(JobState.init(rawValue:)),
                before: before.map(JobID.init(rawValue:))
            )
            try await withJobs(settings) { queue in
                var table = Table(columns: [
                    "job", "tenant", "queue", "kind", "state", "attempt", "enqueued", "claimed", "ended", "error",
                ])
                for job in try await queue.list(filter, limit: limit) {
                    table.add([
                        job.id.description, job.tenant.rawValue, job.queue.rawValue, job.kind.rawValue,
                        job.state.rawValue, "\(job.attempt)/\(job.maxAttempts)", Times.stamp(job.enqueuedAt),
                        Times.stamp(job.claimedAt), Times.stamp(job.endedAt), job.errorLabel,
                    ])
                }
                output.show(table)
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows one job with its waits and failed attempts.")

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "Id of the job.") var job: Int64

        func run() async throws {
            try await withJobs(settings) { queue in
                let job = try await queue.show(JobID(rawValue: job))
                var attempts = Table(columns: ["attempt", "started", "ended", "outcome", "worker", "label", "error"])
                for attempt in job.attempts {
                    attempts.add([
                        String(attempt.attempt), Times.stamp(attempt.startedAt), Times.stamp(attempt.endedAt),
                        attempt.outcome, attempt.worker?.description, attempt.errorLabel, attempt.error,
                    ])
                }
                var facts = Self.facts(job)
                facts.add("failed attempts", attempts)
                output.show(facts)
            }
        }

        private static func facts(_ job: JobRecord) -> Facts {
            let summary = job.summary
            return Facts([
                "job": summary.id.description, "tenant": summary.tenant.rawValue,
                "queue": summary.queue.rawValue, "kind": summary.kind.rawValue, "state": summary.state.rawValue,
                "parked for": job.parkReason, "attempt": "\(summary.attempt) of \(summary.maxAttempts)",
                "workers that died on it": String(job.kills), "priority": String(job.priority),
                "enqueued": Times.stamp(summary.enqueuedAt), "to run at": Times.stamp(summary.runAt),
                "first claimed": Times.stamp(job.firstClaimedAt), "claimed": Times.stamp(summary.claimedAt),
                "ended": Times.stamp(summary.endedAt), "ran for": job.ranFor.map { Times.span($0.seconds) },
                "waited for its turn": Times.span(job.waits.turn.seconds),
                "waited at a limit or paused": Times.span(job.waits.limit.seconds),
                "waited for a worker": Times.span(job.waits.worker.seconds),
                "waited parked": Times.span(job.waits.parked.seconds), "worker": job.worker?.description,
                "unique key": job.uniqueKey, "sequence key": job.sequenceKey, "args": job.args,
                "progress": job.progress, "last error": job.lastError,
            ])
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Runs jobs again: one that ended starts anew under its id, one that waits becomes ready."
        )

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var jobs: ManyJobsOptions

        func run() async throws {
            try await withJobs(settings) { queue in
                guard let job = jobs.job else { return try await jobs.steer(.retry, queue, output) }
                let state = try await queue.retry(JobID(rawValue: job))
                output.say("job \(job) is \(state.rawValue)", ["job": String(job), "state": state.rawValue])
            }
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends waiting jobs, or asks the workers of running ones to stop them."
        )

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var jobs: ManyJobsOptions
        @Option(help: "Shown with the job; only of one job.") var reason = "cancelled by request"

        func run() async throws {
            try await withJobs(settings) { queue in
                guard let job = jobs.job else { return try await jobs.steer(.cancel, queue, output) }
                let answer = try await queue.cancel(JobID(rawValue: job), reason: reason)
                let sentence =
                    switch answer {
                    case .cancelled: "job \(job) is cancelled"
                    case .requested: "job \(job) runs; its worker was asked to stop it"
                    case .ended: "job \(job) had ended already"
                    }
                output.say(sentence, ["job": String(job), "answer": answer.rawValue])
            }
        }
    }

    struct Discard: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends waiting jobs as failures; jobs that wait for them do as after any failure."
        )

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var jobs: ManyJobsOptions
        @Option(help: "Shown with the job; only of one job.") var reason = "discarded by request"

        func run() async throws {
            try await withJobs(settings) { queue in
                guard let job = jobs.job else { return try await jobs.steer(.discard, queue, output) }
                let answer = try await queue.discard(JobID(rawValue: job), reason: reason)
                let sentence =
                    switch answer {
                    case .discarded: "job \(job) is discarded"
                    case .running: "job \(job) runs and was left alone; leasehold jobs cancel \(job) stops it"
                    case .ended: "job \(job) had ended already"
                    }
                output.say(sentence, ["job": String(job), "answer": answer.rawValue])
            }
        }
    }
}

func withJobs(_ settings: SettingsOptions, _ body: (JobQueue) async throws -> Void) async throws {
    let composition = try Composition(settings, command: "jobs")
    try await composition.withPool { try await body(composition.steeringQueue($0)) }
}
