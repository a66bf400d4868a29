import ArgumentParser
import JobQueue
import LeaseholdCore
import Postgres

/// What can be paused and resumed.
protocol Pausable: Sendable {
    /// Of the command and of the JSON member: `queue`.
    static var word: String { get }
    /// What the argument is.
    static var help: String { get }
    static var pausing: String { get }
    static var resuming: String { get }

    /// - Throws: for a name that cannot be one.
    init(argument: String) throws
    var rawValue: String { get }
    func setPaused(_ isPaused: Bool, _ composition: Composition, _ pool: PostgresPool) async throws
}

/// `leasehold queues pause`, `leasehold kinds pause` and so on.
struct PauseCommand<Target: Pausable>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "pause", abstract: Target.pausing)
    }

    @OptionGroup var place: PausablePlace<Target>

    func run() async throws { try await place.setPaused(true) }
}

/// `leasehold queues resume`, `leasehold kinds resume` and so on.
struct ResumeCommand<Target: Pausable>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "resume", abstract: Target.resuming)
    }

    @OptionGroup var place: PausablePlace<Target>

    func run() async throws { try await place.setPaused(false) }
}

/// What to pause or to resume.
struct PausablePlace<Target: Pausable>: ParsableArguments {
    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: ArgumentHelp(Target.help, valueName: Target.word)) var name: String

    fileprivate func setPaused(_ isPaused: Bool) async throws {
        let target = try Target(argument: name)
        let composition = try Composition(settings, command: "\(Target.word)s")
        try await composition.withPool { try await target.setPaused(isPaused, composition, $0) }
        let state = isPaused ? "paused" : "active"
        output.say("\(target.rawValue) is \(state)", [Target.word: target.rawValue, "state": state])
    }
}

extension QueueName: Pausable {
    static var word: String { "queue" }
    static var help: String { "Name of the queue." }
    static var pausing: String {
        "Claims nothing of the queue until it is resumed; running jobs finish, enqueuing goes on."
    }
    static var resuming: String { "Lets a paused queue's jobs be claimed again." }

    init(argument: String) throws { try self.init(argument) }

    func setPaused(_ isPaused: Bool, _ composition: Composition, _ pool: PostgresPool) async throws {
        let queue = composition.steeringQueue(pool)
        try await isPaused ? queue.pause(self) : queue.resume(self)
    }
}

extension JobKind: Pausable {
    static var word: String { "kind" }
    static var help: String { "Kind." }
    static var pausing: String {
        "Claims no job of the kind, in whatever queue, until it is resumed; enqueuing goes on."
    }
    static var resuming: String { "Lets a paused kind's jobs be claimed again." }

    init(argument: String) throws { try self.init(argument) }

    func setPaused(_ isPaused: Bool, _ composition: Composition, _ pool: PostgresPool) async throws {
        let queue = composition.steeringQueue(pool)
        try await isPaused ? queue.pause(self) : queue.resume(self)
    }
}

extension TenantID: Pausable {
    static var word: String { "tenant" }
    static var help: String { "Tenant id." }
    static var pausing: String {
        "Claims no job of the tenant until it is resumed; running jobs finish, enqueuing goes on."
    }
    static var resuming: String { "Lets a paused tenant's jobs be claimed again." }

    init(argument: String) throws { try self.init(argument) }

    func setPaused(_ isPaused: Bool, _ composition: Composition, _ pool: PostgresPool) async throws {
        try await TenantStore(pool: pool, as: composition.source).setPaused(isPaused, self)
    }
}

/// The database knows which names are schedules.
struct ScheduleName: Pausable {
    static var word: String { "schedule" }
    static var help: String { "Name of the schedule." }
    static var pausing: String { "Fires nothing until it is resumed; jobs that were enqueued run." }
    static var resuming: String { "Goes on with the next slots; those of the pause are dropped." }

    let rawValue: String

    init(argument: String) { rawValue = argument }

    func setPaused(_ isPaused: Bool, _ composition: Composition, _ pool: PostgresPool) async throws {
        let queue = composition.steeringQueue(pool)
        try await isPaused ? queue.pauseSchedule(rawValue) : queue.resumeSchedule(rawValue)
    }
}
