/// What is known of every tenant's exchange in flight, and thereby of the losses that no client can
/// prevent: the process that died or stood still between the POST and the first write.
package struct ExposureBook: Sendable {
    package enum Excuse: String, Sendable, Hashable {
        case died = "died between POST and first write"
        case stoodStill = "stood still between POST and first write"
        /// The provider saw that its reply did not get through.
        case replyLost = "reply lost"
    }

    private struct Flight: Sendable {
        var worker: String
        var isExposed: Bool
    }

    private var flights: [String: Flight] = [:]
    private var excuses: [String: Set<Excuse>] = [:]

    package init() {}

    package mutating func reached(_ step: FaultKind.Step, tenant: String, worker: String) {
        switch step {
        case .prepared, .intentCommitted, .rowHeld:
            flights[tenant] = Flight(worker: worker, isExposed: false)
        case .sending, .replied:
            flights[tenant] = Flight(worker: worker, isExposed: true)
        case .spooled, .parsed, .committed, .published:
            flights[tenant]?.isExposed = false
        }
    }

    /// Every exchange of the worker ends; those that were out without a first write are excused.
    package mutating func died(_ worker: String) {
        excuse(worker, .died)
        flights = flights.filter { $0.value.worker != worker }
    }

    package mutating func stoodStill(_ worker: String) { excuse(worker, .stoodStill) }

    package func worker(of tenant: String) -> String? { flights[tenant]?.worker }

    package func excuses(of tenant: String) -> Set<Excuse> { excuses[tenant] ?? [] }

    package mutating func forgive(_ tenant: String) { excuses[tenant] = nil }

    private mutating func excuse(_ worker: String, _ excuse: Excuse) {
        for (tenant, flight) in flights where flight.worker == worker && flight.isExposed {
            excuses[tenant, default: []].insert(excuse)
        }
    }
}
