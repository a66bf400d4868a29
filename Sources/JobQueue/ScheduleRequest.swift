public import Foundation
public import LeaseholdCore

/// A schedule to add; the Swift face of the parameters of `leasehold.schedule_add`.
///
/// ```swift
/// let nightly = ScheduleRequest(
///     name: "nightly-report", kind: kind, rhythm: .cron("30 2 * * *", timeZone: "Europe/Berlin")
/// )
/// ```
public struct ScheduleRequest: Sendable, Equatable {
    /// When the slots are.
    public enum Rhythm: Sendable, Equatable {
        /// Elapsed time, in whole seconds up to 366 days: daylight saving does not change it.
        case every(Duration)
        /// Times of the clock in an IANA time zone: minute, hour, day, month, weekday, or `@hourly`,
        /// `@daily`, `@weekly`, `@monthly`, `@yearly`.
        ///
        /// A local time that the clock skips fires at the first instant after the gap; one that comes
        /// twice fires once, the first time.
        case cron(String, timeZone: String = "UTC")
    }

    /// For whom it fires.
    public enum Audience: Sendable, Equatable {
        /// One tenant, while it is not paused.
        case tenant(TenantID)
        /// One tenant, while it is not paused or parked and its credential is active.
        case connectedTenant(TenantID)
        /// Every tenant that is not paused; an interval is spread over them.
        case activeTenants
        /// Every tenant that is not paused or parked and whose credential is active; an interval is
        /// spread over them.
        case connectedTenants
    }

    /// What becomes of slots that nobody fired in time. Slots of a pause are dropped in any case.
    public enum MissedSlots: Sendable, Equatable {
        /// Fires the last one if its time was no longer ago than the grace.
        case skip
        /// Fires the last one.
        case once
        /// Fires the last ones, at most so many, 1 to 1000. Their jobs overlap.
        case all(most: Int)
    }

    /// 1 to 128 of `A-Z a-z 0-9 . _ : -`, a letter or digit first.
    public var name: String
    public var kind: JobKind
    public var rhythm: Rhythm
    public var audience: Audience
    /// A JSON object of at most 1 MB, as text.
    public var args: String
    /// The member of the args that gets the slot's time, as ISO 8601 in UTC.
    public var slotArgument: String?
    public var queue: QueueName
    public var priority: Int
    public var maxAttempts: Int
    public var timeout: Duration?
    /// No slot is earlier, and intervals are counted from here. Nil is now, or as it was if one is replaced.
    public var startsAt: Date?
    public var missed: MissedSlots
    /// 1 s to 1 day. Default 5 minutes.
    public var grace: Duration
    /// The most by which a slot is put off, by a hash of tenant and slot: 0 to 1 day, less than the interval.
    public var jitter: Duration
    /// Whether a slot enqueues a job while that of an earlier one has not ended. Nil: only if all missed
    /// slots are fired.
    public var overlaps: Bool?
    /// Whether it changes the schedule that has this name already.
    public var replaces: Bool

    public init(
        name: String,
        kind: JobKind,
        rhythm: Rhythm,
        audience: Audience = .connectedTenants,
        args: String = "{}",
        slotArgument: String? = nil,
        queue: QueueName = .default,
        priority: Int = 0,
        maxAttempts: Int = 20,
        timeout: Duration? = nil,
        startsAt: Date? = nil,
        missed: MissedSlots = .once,
        grace: Duration = .seconds(300),
        jitter: Duration = .zero,
        overlaps: Bool? = nil,
        replaces: Bool = false
    ) {
        self.name = name
        self.kind = kind
        self.rhythm = rhythm
        self.audience = audience
        self.args = args
        self.slotArgument = slotArgument
        self.queue = queue
        self.priority = priority
        self.maxAttempts = maxAttempts
        self.timeout = timeout
        self.startsAt = startsAt
        self.missed = missed
        self.grace = grace
        self.jitter = jitter
        self.overlaps = overlaps
        self.replaces = replaces
    }
}

extension ScheduleRequest.Audience {
    var tenant: TenantID? {
        switch self {
        case .tenant(let tenant), .connectedTenant(let tenant): tenant
        case .activeTenants, .connectedTenants: nil
        }
    }

    var members: String {
        switch self {
        case .tenant, .activeTenants: "active"
        case .connectedTenant, .connectedTenants: "connected"
        }
    }
}

extension ScheduleRequest.Rhythm {
    /// The three parameters in which SQL has it.
    var parts: (seconds: Double?, cron: String?, timeZone: String) {
        switch self {
        case .every(let interval): (interval.seconds, nil, "UTC")
        case .cron(let expression, let timeZone): (nil, expression, timeZone)
        }
    }
}

extension ScheduleRequest.MissedSlots {
    var parts: (word: String, most: Int) {
        switch self {
        case .skip: ("skip", 10)
        case .once: ("once", 10)
        case .all(let most): ("all", most)
        }
    }
}
