import ArgumentParser
import Foundation
import JobQueue
import LeaseholdCore

/// `--every` or `--cron` with `--time-zone`.
struct RhythmOptions: ParsableArguments {
    @Option(help: "Elapsed time between slots, \(IntervalArgument.form).") var every: IntervalArgument?
    @Option(
        help: "Minute, hour, day, month, weekday: '30 8 * * mon-fri'; or @hourly, @daily, @weekly, @monthly, @yearly."
    )
    var cron: String?
    @Option(help: "IANA time zone of --cron.") var timeZone = "UTC"

    var isGiven: Bool { every != nil || cron != nil }

    func validate() throws {
        if every != nil, cron != nil {
            throw ValidationError("expected --every, for elapsed time, or --cron, for times of the clock, got both")
        }
        if every != nil, timeZone != "UTC" {
            throw ValidationError("expected --time-zone with --cron only: an interval is elapsed time in every zone")
        }
    }

    func rhythm() throws -> ScheduleRequest.Rhythm {
        if let every { return .every(every.duration) }
        if let cron { return .cron(cron, timeZone: timeZone) }
        throw ValidationError("expected --every 15m or --cron '0 3 * * *', got neither")
    }
}

struct SchedulesAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Adds a schedule, for one tenant or for all.",
        discussion: """
            Without --tenant it is a template: each connected tenant has its turn, an interval is spread over them, \
            and tenants that are connected later join. A local time that the clock skips in spring fires at the first \
            instant after the gap; one that comes twice in autumn fires once.

              leasehold schedules add sync pitchly.sync --every 15m
              leasehold schedules add report report.build --tenant acme --cron '30 8 * * mon-fri' --time-zone Europe/Berlin
            """
    )

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "Name of the schedule.") var schedule: String
    @Argument(help: "Kind of its jobs.") var kind: String
    @OptionGroup var rhythm: RhythmOptions
    @Option(help: "For this tenant alone; without it, for every one.") var tenant: String?
    @Option(help: "connected: tenants whose credential is active; active: all that are not paused.")
    var members: String?
    @Option(help: "Arguments of the jobs, a JSON object.") var args = "{}"
    @Option(help: "Member of the args that gets the slot's time.") var slotArg: String?
    @Option(help: "Queue.") var queue = QueueName.default.rawValue
    @Option(help: "From -100, first, to 100, last.") var priority = 0
    @Option(help: "How often a job is tried.") var maxAttempts = 20
    @Option(help: "The longest a run may take, \(IntervalArgument.form).") var timeout: IntervalArgument?
    @Option(help: "Slots that nobody fired in time: skip, once (the last one) or all.") var missed = "once"
    @Option(help: "With --missed all: at most so many, the last ones.") var missedMost = 10
    @Option(help: "How late --missed skip still fires.") var grace: IntervalArgument?
    @Option(help: "Puts each slot off by up to this, the same every time it is computed.") var jitter: IntervalArgument?
    @Flag(help: "Enqueue also while the job of an earlier slot has not ended.") var overlap = false
    @Flag(help: "Change the schedule of this name if there is one.") var replace = false

    func validate() throws {
        _ = try rhythm.rhythm()
        guard ["active", "connected", nil].contains(members) else {
            throw ValidationError("expected --members to be active or connected, got \"\(members ?? "")\"")
        }
        guard ["skip", "once", "all"].contains(missed) else {
            throw ValidationError("expected --missed to be skip, once or all, got \"\(missed)\"")
        }
    }

    func run() async throws {
        var request = ScheduleRequest(
            name: schedule,
            kind: try JobKind(kind),
            rhythm: try rhythm.rhythm(),
            audience: try audience(),
            args: args,
            slotArgument: slotArg,
            queue: try QueueName(queue),
            priority: priority,
            maxAttempts: maxAttempts,
            timeout: timeout?.duration,
            missed: missed == "all" ? .all(most: missedMost) : missed == "skip" ? .skip : .once,
            jitter: jitter?.duration ?? .zero,
            overlaps: overlap ? true : nil,
            replaces: replace
        )
        if let grace { request.grace = grace.duration }
        try await withSchedules(settings) { queue in
            try await queue.addSchedule(request)
            let added = try await queue.schedule(schedule)
            output.say(
                "\(schedule) has \(added.waiting == 1 ? "1 turn" : "\(added.waiting) turns"), the next one "
                    + (Times.distance(added.nextAt, from: added.now) ?? "when a tenant is connected"),
                ["schedule": schedule, "turns": String(added.waiting), "next": Times.stamp(added.nextAt)]
            )
        }
    }

    private func audience() throws -> ScheduleRequest.Audience {
        let tenant = try tenant.map { try TenantID($0) }
        return switch (tenant, members) {
        case (let tenant?, "connected"?): .connectedTenant(tenant)
        case (let tenant?, _): .tenant(tenant)
        case (nil, "active"?): .activeTenants
        case (nil, _): .connectedTenants
        }
    }
}

struct SchedulesPreviewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preview",
        abstract: "Prints the next slots of a schedule, or of a rhythm before it is added.",
        discussion: """
              leasehold schedules preview sync --tenant acme
              leasehold schedules preview --cron '30 2 * * *' --time-zone Europe/Berlin --from 2026-03-27
            """
    )

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "Name of the schedule; none with --every or --cron.") var schedule: String?
    @OptionGroup var rhythm: RhythmOptions
    @Option(help: "Whose turn: a template has other slots for each tenant.") var tenant: String?
    @Option(help: "After this day or time in UTC, 2026-03-27 or 2026-03-27T12:00:00Z; without it, now.")
    var from: String?
    @Option(help: "How many.") var count = 10

    func validate() throws {
        guard (schedule == nil) == rhythm.isGiven else {
            throw ValidationError("expected the name of a schedule, or --every or --cron, got both or neither")
        }
        guard (1...1000).contains(count) else {
            throw ValidationError("expected --count to be 1 to 1000, got \(count)")
        }
        _ = try start()
    }

    func run() async throws {
        let tenant = try tenant.map { try TenantID($0) }
        let start = try start()
        try await withSchedules(settings) { queue in
            let slots =
                if let schedule {
                    try await queue.preview(schedule, for: tenant, after: start, count: count)
                } else {
                    try await queue.preview(try rhythm.rhythm(), after: start, count: count)
                }
            var table = Table(columns: ["local time", "offset", "slot", "fires"])
            for slot in slots {
                table.add([slot.localTime, Self.offset(slot.offset), Times.stamp(slot.at), Times.stamp(slot.fireAt)])
            }
            output.show(table)
        }
    }

    private func start() throws -> Date? {
        guard let from else { return nil }
        let day = Date.ISO8601FormatStyle().year().month().day()
        if let date = try? Date(from, strategy: .iso8601) { return date }
        if let date = try? Date(from, strategy: day) { return date }
        throw ValidationError(
            "expected --from to be a day or time like 2026-03-27 or 2026-03-27T12:00:00Z, got \"\(from)\""
        )
    }

    private static func offset(_ duration: Duration) -> String {
        let minutes = Int(duration.seconds.rounded()) / 60
        let (hours, rest) = abs(minutes).quotientAndRemainder(dividingBy: 60)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return (minutes < 0 ? "-" : "+") + two(hours) + ":" + two(rest)
    }
}
