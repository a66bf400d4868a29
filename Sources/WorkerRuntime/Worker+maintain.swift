package import JobQueue
import LeaseholdCore
internal import LeaseholdCore
internal import Synchronization

/// Work beside the jobs, done by every worker at its interval: safe to run anywhere at the same
/// time, since the database decides who does what.
package struct MaintenanceTask: Sendable {
    /// For logs: `prune`.
    package let name: String
    /// The longest between two turns, but for a tenth.
    package let interval: Duration
    /// Until the first turn at the most.
    let start: Duration
    /// Returns how long until there is something to do again; nil leaves it to the interval.
    let body: @Sendable () async throws -> Duration?

    package init(_ name: String, every interval: Duration, body: @escaping @Sendable () async throws -> Void) {
        self.init(name, every: interval, start: interval) {
            try await body()
            return nil
        }
    }

    init(
        _ name: String,
        every interval: Duration,
        start: Duration,
        pacing body: @escaping @Sendable () async throws -> Duration?
    ) {
        self.name = name
        self.interval = interval
        self.start = start
        self.body = body
    }
}

extension MaintenanceTask {
    /// Drops history older than its keep, with whole days; makes the days to come. Every ten minutes.
    package static func prune(_ queue: JobQueue, keepHistory: Duration = .seconds(14 * 86_400)) -> MaintenanceTask {
        MaintenanceTask("prune", every: .seconds(600)) { try await queue.prune(keepHistory: keepHistory) }
    }

    /// Repairs lanes and arrivals that disagree with the jobs; none are expected. Every minute.
    package static func reconcile(_ queue: JobQueue) -> MaintenanceTask {
        MaintenanceTask("reconcile", every: .seconds(60)) { try await queue.reconcile() }
    }
}

extension Worker {
    /// The first turn comes at a random moment within the interval, so that workers that start
    /// together do not do the same thing together. A failure is logged; the next turn comes as usual.
    func maintain(_ task: MaintenanceTask) async {
        var next = timeline.now() + task.start * random.uniform(in: 0...1)
        while true {
            guard (try? await timeline.sleep(until: next)) != nil else { return }
            let began = timeline.now()
            var pause = task.interval * random.uniform(in: 0.9...1.1)
            do {
                if let soon = try await task.body() { pause = min(pause, soon) }
                report(.maintained(task: task.name, seconds: (timeline.now() - began).seconds))
            } catch {
                if Task.isCancelled { return }
                report(.maintenanceFailed(task: task.name, error))
            }
            next = timeline.now() + pause
        }
    }

    /// Gives the jobs of dead workers back to the living.
    var rescueTask: MaintenanceTask {
        MaintenanceTask("rescue", every: settings.rescueInterval) { [self] in
            let rescued = try await timeline.limit(settings.answerLimit, "rescue") { try await self.queue.rescue() }
            guard !rescued.isEmpty else { return }
            report(.rescued(jobs: rescued.count))
        }
    }

    /// Fires the schedules whose slots have come.
    var scheduleTask: MaintenanceTask {
        MaintenanceTask("schedule", every: settings.scheduleInterval, start: .seconds(1)) { [self] in
            let lookBack = scheduleLooks.withLock { $0.next() }
            let fired = try await timeline.limit(settings.answerLimit, "schedule") {
                try await self.queue.fireSchedules(most: ScheduleLooks.most, lookBack: lookBack)
            }
            if fired.turns > 0 { report(.schedulesFired(jobs: fired.jobs, turns: fired.turns)) }
            return scheduleLooks.withLock { $0.fired(fired) }
        }
    }
}
