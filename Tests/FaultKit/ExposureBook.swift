import TokenVault

/// What is known of every tenant's exchange in flight, and thereby of the losses that no client can
/// prevent: the process that died between the POST and the first write.
struct ExposureBook: Sendable {
    private struct Flight: Sendable {
        var worker: String
        var isExposed: Bool
        /// When it was let go to the provider.
        var sentAt: ContinuousClock.Instant?
    }

    private var flights: [String: Flight] = [:]
    private var excused: Set<String> = []

    mutating func reached(_ step: FaultKind.Step, tenant: String, worker: String) {
        switch step {
        case .prepared, .intentCommitted, .rowHeld:
            flights[tenant] = Flight(worker: worker, isExposed: false)
        case .sending:
            flights[tenant] = Flight(worker: worker, isExposed: true, sentAt: .now)
        case .replied:
            flights[tenant]?.isExposed = true
        case .spooled, .parsed, .committed, .published:
            flights[tenant]?.isExposed = false
        }
    }

    /// Every exchange of the worker ends; those that were out without a first write are excused.
    mutating func died(_ worker: String) {
        for (tenant, flight) in flights where flight.worker == worker {
            if flight.isExposed { excused.insert(tenant) }
            flights[tenant] = nil
        }
    }

    /// The provider's answer was held back until now. If that was for longer than a worker waits, because the
    /// stage was slow to do what it meant to do meanwhile, nobody is to blame for its loss.
    mutating func answered(_ tenant: String, deadline: Duration) {
        guard let sentAt = flights[tenant]?.sentAt, ContinuousClock.now > sentAt + deadline - .seconds(1) else {
            return
        }
        excused.insert(tenant)
    }

    func worker(of tenant: String) -> String? { flights[tenant]?.worker }

    func isExcused(_ tenant: String) -> Bool { excused.contains(tenant) }

    mutating func forgive(_ tenant: String) { excused.remove(tenant) }
}
