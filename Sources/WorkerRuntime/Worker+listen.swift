internal import LeaseholdCore
internal import Postgres
internal import Synchronization

extension Worker {
    /// Sends a worker that has nothing to do to look, when there is something; until cancelled.
    ///
    /// A notification is a hint: every fact behind one is also found by looking, and is looked up
    /// anew whenever the connection had been lost.
    func listen() async {
        guard let notifications else { return }
        do {
            try await notifications.withNotifications(on: [Self.wakeChannel]) { events in
                for await event in events { heard(event) }
            }
        } catch {
            if !Task.isCancelled { report(.listeningFailed(error)) }
        }
        state.withLock { $0.claims.listening(false) }
    }

    static let wakeChannel = "leasehold_wake"

    private func heard(_ event: PostgresListenerEvent) {
        let now = timeline.now()
        switch event {
        case .listening, .overflow:
            state.withLock { state in
                state.claims.listening(true)
                state.heart.hurry(now: now)
            }
            report(.listening)
            heartWake.give()
        case .notification(let notification):
            // Those of other queues are for other workers.
            guard settings.queues.contains(where: { $0.rawValue == notification.payload }) else { return }
            state.withLock { $0.claims.notified(now: now) }
            report(.woken)
        }
        claimWake.give()
    }
}
