package import LeaseholdCore

/// Decides when a worker tells the database that it lives, and when it must assume that the database
/// takes it for dead.
///
/// The database counts the lapse from the moment a heartbeat was written; the worker counts from the
/// moment it *sent* the last one that was confirmed, which is never later. It gives up `stopMargin`
/// earlier still, so that its handlers have that long to notice their cancellation before anybody
/// else may claim the jobs.
package struct HeartbeatMonitor: Sendable, Equatable {
    package enum Health: Sendable, Equatable {
        /// Registered, and the last confirmed heartbeat was sent at the moment. Can become `lapsed`.
        case alive(confirmed: Moment)
        /// No heartbeat could be written for too long, or the database said that the worker is gone.
        /// Jobs are cancelled, nothing is claimed. Becomes `alive` by registering anew.
        case lapsed
    }

    package enum Action: Sendable, Equatable {
        case none
        /// Cancel every running job: others may soon take them.
        case stopJobs
    }

    package let interval: Duration
    package let lapse: Duration
    package let stopMargin: Duration
    package private(set) var health = Health.lapsed
    package private(set) var nextBeat: Moment
    /// Somebody asked for a beat at once since the last one was sent.
    private var isHurried = false
    private var lastSent: Moment = .zero

    package init(interval: Duration, lapse: Duration, stopMargin: Duration) {
        self.interval = interval
        self.lapse = lapse
        self.stopMargin = stopMargin
        self.nextBeat = .zero
    }

    package var isAlive: Bool { health != .lapsed }

    /// When a worker that hears nothing more must stop its jobs; nil while lapsed.
    package var lapseMoment: Moment? {
        guard case .alive(let confirmed) = health else { return nil }
        return confirmed + lapse - stopMargin
    }

    /// A heartbeat is about to be sent: what was asked for until now is in its answer.
    package mutating func sending(now: Moment) {
        isHurried = false
        lastSent = now
    }

    /// The next beat of a worker that hears of cancel requests only by asking.
    package func beat(askingEvery pause: Duration) -> Moment { min(nextBeat, lastSent + pause) }

    /// Registered by a request that was sent at `sent`.
    package mutating func registered(sent: Moment) {
        health = .alive(confirmed: sent)
        planNext(after: sent)
    }

    /// The database answered a heartbeat that was sent at `sent`.
    package mutating func answered(sent: Moment, isAlive: Bool, now: Moment) -> Action {
        guard case .alive(let confirmed) = health else { return .none }
        guard isAlive else { return lapseNow(retryAt: now) }
        health = .alive(confirmed: max(confirmed, sent))
        planNext(after: sent)
        return tick(now: now)
    }

    private mutating func planNext(after sent: Moment) {
        nextBeat = isHurried ? sent : sent + interval
    }

    /// A heartbeat or a registration failed; tried again after `pause`, at the latest at the usual time.
    package mutating func failed(now: Moment, pause: Duration) -> Action {
        nextBeat = now + min(pause, interval)
        return tick(now: now)
    }

    /// Asks for a heartbeat at once, for example because cancel requests may have been missed; another
    /// one if one is on its way, which may have looked too early.
    package mutating func hurry(now: Moment) {
        isHurried = true
        nextBeat = min(nextBeat, now)
    }

    package mutating func tick(now: Moment) -> Action {
        guard let lapseMoment, now >= lapseMoment else { return .none }
        return lapseNow(retryAt: nextBeat)
    }

    private mutating func lapseNow(retryAt: Moment) -> Action {
        health = .lapsed
        nextBeat = retryAt
        return .stopJobs
    }
}
