import ArgumentParser
import JobQueue
import LeaseholdCore

/// What can be paused and resumed.
protocol Pausable: Sendable {
    static var words: PauseWords { get }

    /// - Throws: for a text that cannot be a name.
    init(_ text: String) throws
    var rawValue: String { get }
    func setPaused(_ isPaused: Bool, _ queue: JobQueue, _ tenants: TenantStore) async throws
}

struct PauseWords {
    /// Of the argument and of the JSON member; with an s, of the command: `queue`.
    let noun: String
    /// What the argument is.
    let argument: String
    let pausing: String
    let resuming: String
}

/// `leasehold queues pause`, `leasehold kinds pause` and so on.
struct PauseCommand<Target: Pausable>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "pause", abstract: Target.words.pausing)
    }

    @OptionGroup var place: PausablePlace<Target>

    func run() async throws { try await place.setPaused(true) }
}

/// `leasehold queues resume`, `leasehold kinds resume` and so on.
struct ResumeCommand<Target: Pausable>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "resume", abstract: Target.words.resuming)
    }

    @OptionGroup var place: PausablePlace<Target>

    func run() async throws { try await place.setPaused(false) }
}

/// What to pause or to resume.
struct PausablePlace<Target: Pausable>: ParsableArguments {
    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: ArgumentHelp(Target.words.argument, valueName: Target.words.noun)) var name: String

    fileprivate func setPaused(_ isPaused: Bool) async throws {
        let (target, noun) = (try Target(name), Target.words.noun)
        let composition = try Composition(settings, command: "\(noun)s")
        try await composition.withPool { pool in
            let tenants = TenantStore(pool: pool, as: composition.source)
            try await target.setPaused(isPaused, composition.steeringQueue(pool), tenants)
        }
        let state = isPaused ? "paused" : "active"
        output.say("\(target.rawValue) is \(state)", [noun: target.rawValue, "state": state])
    }
}

extension QueueName: Pausable {
    static var words: PauseWords {
        PauseWords(
            noun: "queue",
            argument: "Name of the queue.",
            pausing: "Claims nothing of the queue until it is resumed; running jobs finish, enqueuing goes on.",
            resuming: "Lets a paused queue's jobs be claimed again."
        )
    }

    func setPaused(_ isPaused: Bool, _ queue: JobQueue, _: TenantStore) async throws {
        try await isPaused ? queue.pause(self) : queue.resume(self)
    }
}

extension JobKind: Pausable {
    static var words: PauseWords {
        PauseWords(
            noun: "kind",
            argument: "Kind.",
            pausing: "Claims no job of the kind, in whatever queue, until it is resumed; enqueuing goes on.",
            resuming: "Lets a paused kind's jobs be claimed again."
        )
    }

    func setPaused(_ isPaused: Bool, _ queue: JobQueue, _: TenantStore) async throws {
        try await isPaused ? queue.pause(self) : queue.resume(self)
    }
}

extension TenantID: Pausable {
    static var words: PauseWords {
        PauseWords(
            noun: "tenant",
            argument: "Tenant id.",
            pausing: "Claims no job of the tenant until it is resumed; running jobs finish, enqueuing goes on.",
            resuming: "Lets a paused tenant's jobs be claimed again."
        )
    }

    func setPaused(_ isPaused: Bool, _: JobQueue, _ tenants: TenantStore) async throws {
        try await tenants.setPaused(isPaused, self)
    }
}

/// The database knows which names are schedules.
struct ScheduleName: Pausable {
    static var words: PauseWords {
        PauseWords(
            noun: "schedule",
            argument: "Name of the schedule.",
            pausing: "Fires nothing until it is resumed; jobs that were enqueued run.",
            resuming: "Goes on with the next slots; those of the pause are dropped."
        )
    }

    let rawValue: String

    init(_ text: String) { rawValue = text }

    func setPaused(_ isPaused: Bool, _ queue: JobQueue, _: TenantStore) async throws {
        try await isPaused ? queue.pauseSchedule(rawValue) : queue.resumeSchedule(rawValue)
    }
}
