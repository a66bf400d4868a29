package import JobQueue
internal import LeaseholdCore

/// Work beside the jobs, done by every worker at its interval: safe to run anywhere at the same
/// time, since the database decides who does what.
package struct MaintenanceTask: Sendable {
    /// For logs: `prune`.
    package let name: String
    package let interval: Duration
    package let body: @Sendable () async throws -> Void

    package init(_ name: String, every interval: Duration, body: @escaping @Sendable () async throws -> Void) {
        self.name = name
        self.interval = interval
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
        var next = timeline.now() + task.interval * random.uniform(in: 0...1)
        while true {
            guard (try? await timeline.sleep(until: next)) != nil else { return }
            let began = timeline.now()
            do {
                try await task.body()
                report(.maintained(task: task.name, seconds: (timeline.now() - began).seconds))
            } catch {
                if Task.isCancelled { return }
                report(.maintenanceFailed(task: task.name, error))
            }
            next = timeline.now() + task.interval * random.uniform(in: 0.9...1.1)
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
}
