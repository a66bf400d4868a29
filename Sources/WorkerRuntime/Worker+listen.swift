import LeaseholdCore
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
            try await notifications.withNotifications(on: [Self.wakeChannel, Self.cancelChannel]) { events in
                for await event in events { heard(event) }
            }
        } catch {
            if !Task.isCancelled { report(.listeningFailed(error)) }
        }
        state.withLock { state in
            state.claims.listening(false)
            state.hearsCancels = false
        }
        heartWake.give()
    }

    static let wakeChannel = "leasehold_wake"
    static let cancelChannel = "leasehold_cancel"

    private func heard(_ event: PostgresListenerEvent) {
        let now = timeline.now()
        switch event {
        case .listening, .overflow:
            state.withLock { state in
                state.claims.listening(true)
                state.hearsCancels = true
                state.heart.hurry(now: now)
            }
            report(.listening)
            heartWake.give()
        case .notification(let notification) where notification.channel == Self.cancelChannel:
            let isMine = state.withLock { state in
                guard notification.payload == state.id.description else { return false }
                state.heart.hurry(now: now)
                return true
            }
            if isMine { heartWake.give() }
            return
        case .notification(let notification):
            // Those of other queues are for other workers.
            guard settings.queues.contains(where: { $0.rawValue == notification.payload }) else { return }
            state.withLock { $0.claims.notified(now: now) }
            report(.woken)
        }
        claimWake.give()
    }
}
