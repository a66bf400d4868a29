internal import JobQueue
import LeaseholdCore
internal import LeaseholdCore

/// One run of one job: what a settle is fenced by.
struct RunKey: Hashable, Sendable {
    let job: JobID
    let run: RunID
}

extension ClaimedJob {
    var key: RunKey { RunKey(job: id, run: run) }
}

/// The jobs this worker holds: each takes one slot from its claim until its handler has ended.
struct RunningJobs {
    struct Entry {
        let job: ClaimedJob
        let control: JobControl
        /// False while the job waits for others of its kind in this process.
        var hasBegun = false
        var deadline: Deadline?
        /// When it was told to stop.
        var stoppedAt: Moment?
        var isReportedStuck = false

        var stuckAt: Moment? { isReportedStuck ? nil : stoppedAt.map { $0 + RunningJobs.stopPatience } }
    }

    struct Deadline {
        let moment: Moment
        let limit: Duration
    }

    /// A handler that takes longer to stop is reported: it keeps its slot, and its job, for itself.
    static let stopPatience: Duration = .seconds(10)

    private var entries: [RunKey: Entry] = [:]

    var count: Int { entries.count }
    var all: some Collection<Entry> { entries.values }

    /// When ``takeExpired(now:)`` or ``takeStuck(now:)`` will have something to return.
    var nextMoment: Moment? {
        entries.values.lazy.compactMap { entry in
            [entry.deadline?.moment, entry.stuckAt].compactMap { $0 }.min()
        }.min()
    }

    mutating func add(_ job: ClaimedJob, control: JobControl) {
        entries[job.key] = Entry(job: job, control: control)
    }

    mutating func began(_ key: RunKey, deadline: Deadline?) {
        entries[key]?.hasBegun = true
        entries[key]?.deadline = deadline
    }

    mutating func ended(_ key: RunKey) { entries[key] = nil }

    func holds(_ key: RunKey) -> Bool { entries[key] != nil }

    /// Notes that these are told to stop, and returns whom to tell.
    mutating func stopping(now: Moment, where matches: (Entry) -> Bool) -> [Entry] {
        let chosen = entries.filter { $0.value.stoppedAt == nil && matches($0.value) }
        for key in chosen.keys {
            entries[key]?.stoppedAt = now
            entries[key]?.deadline = nil
        }
        return Array(chosen.values)
    }

    /// Those past their deadline, each returned once.
    mutating func takeExpired(now: Moment) -> [Entry] {
        stopping(now: now) { entry in entry.deadline.map { $0.moment <= now } ?? false }
    }

    /// Those that were told to stop long ago, each returned once.
    mutating func takeStuck(now: Moment) -> [ClaimedJob] {
        let stuck = entries.filter { _, entry in entry.stuckAt.map { $0 <= now } ?? false }
        for key in stuck.keys { entries[key]?.isReportedStuck = true }
        return stuck.values.map(\.job)
    }
}
