import ArgumentParser
import Foundation
import JobQueue
import LeaseholdCore

/// Jobs that enqueue themselves at a rhythm.
struct SchedulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedules",
        abstract: "Adds, lists, pauses, previews and removes schedules.",
        discussion: """
              leasehold schedules list; leasehold schedules show sync
              leasehold schedules pause sync; leasehold schedules resume sync
              leasehold schedules remove sync
            """,
        subcommands: [
            SchedulesAddCommand.self, List.self, Show.self, PauseCommand<ScheduleName>.self,
            ResumeCommand<ScheduleName>.self, Remove.self, SchedulesPreviewCommand.self,
        ]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists schedules by name.")

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions
        @Option(help: "Only this tenant's, and the templates.") var tenant: String?

        func run() async throws {
            let tenant = try tenant.map { try TenantID($0) }
            try await withSchedules(settings) { queue in
                var table = Table(columns: [
                    "schedule", "for", "kind", "queue", "rhythm", "zone", "state", "next", "last", "turns", "resting",
                ])
                for schedule in try await queue.schedules(of: tenant) {
                    table.add([
                        schedule.name, schedule.audience, schedule.kind.rawValue, schedule.queue.rawValue,
                        schedule.rhythm, schedule.timeZone, schedule.state,
                        output.moment(schedule.nextAt, from: schedule.now),
                        output.moment(schedule.lastAt, from: schedule.now), String(schedule.waiting),
                        String(schedule.resting),
                    ])
                }
                output.show(table)
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows a schedule and whose turns come next.")

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "Name of the schedule.") var schedule: String
        @Option(help: "Only this tenant's turn.") var tenant: String?
        @Option(help: "Most turns.") var limit = 20

        func validate() throws {
            guard (1...100_000).contains(limit) else {
                throw ValidationError("expected --limit to be 1 to 100000, got \(limit)")
            }
        }

        func run() async throws {
            let tenant = try tenant.map { try TenantID($0) }
            try await withSchedules(settings) { queue in
                var facts = Self.facts(try await queue.schedule(schedule))
                var turns = Table(columns: ["tenant", "next slot", "fires", "last slot", "came to", "job", "error"])
                for turn in try await queue.turns(of: schedule, tenant: tenant, limit: limit) {
                    turns.add([
                        turn.tenant.rawValue, Times.stamp(turn.slotAt) ?? "rests", Times.stamp(turn.fireAt),
                        Times.stamp(turn.lastSlotAt), turn.lastOutcome, turn.lastJob?.description, turn.lastError,
                    ])
                }
                facts.add("next turns", turns)
                output.show(facts)
            }
        }

        private static func facts(_ schedule: ScheduleRecord) -> Facts {
            let missed = schedule.missed == "all" ? "all, at most \(schedule.missedMost)" : schedule.missed
            let overlap = schedule.overlaps ? "allowed" : "no"
            return Facts([
                "schedule": schedule.name, "for": schedule.audience, "kind": schedule.kind.rawValue,
                "queue": schedule.queue.rawValue, "rhythm": schedule.rhythm, "time zone": schedule.timeZone,
                "state": schedule.state, "paused": Times.stamp(schedule.pausedAt),
                "starts": Times.stamp(schedule.startsAt),
                "missed slots": missed,
                "grace": Times.span(schedule.grace.seconds),
                "jitter": Times.span(schedule.jitter.seconds), "overlap": overlap,
                "args": schedule.args, "slot in args as": schedule.slotArgument,
                "priority": String(schedule.priority), "attempts": String(schedule.maxAttempts),
                "timeout": schedule.timeout.map { Times.span($0.seconds) }, "turns": String(schedule.waiting),
                "resting": String(schedule.resting), "due": String(schedule.due), "failed": String(schedule.failed),
                "next": Times.stamp(schedule.nextAt), "last": Times.stamp(schedule.lastAt),
            ])
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Removes a schedule; jobs that were enqueued stay.")

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "Name of the schedule.") var schedule: String

        func run() async throws {
            try await withSchedules(settings) { queue in
                try await queue.removeSchedule(schedule)
                output.say("\(schedule) is removed", ["schedule": schedule, "state": "removed"])
            }
        }
    }
}

extension ScheduleRecord {
    fileprivate var audience: String { tenant?.rawValue ?? "all \(members)" }
    fileprivate var state: String { pausedAt == nil ? "active" : "paused" }
}

extension OutputOptions {
    /// A distance for people, a time for programs.
    fileprivate func moment(_ date: Date?, from now: Date) -> String? {
        json ? Times.stamp(date) : Times.distance(date, from: now)
    }
}

func withSchedules(_ settings: SettingsOptions, _ body: (JobQueue) async throws -> Void) async throws {
    let composition = try Composition(settings, command: "schedules")
    try await composition.withPool { try await body(composition.steeringQueue($0)) }
}
