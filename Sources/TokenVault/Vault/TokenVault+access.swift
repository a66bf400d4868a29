import Foundation
package import LeaseholdCore
import Logging
import Postgres

extension TokenVault {
    /// An access token that is valid for a while; waits for an exchange if one is needed or under way.
    ///
    /// A hundred callers at once make one exchange: in one process by one flight a tenant, over
    /// several by the row's lock. Usually costs no statement, else one.
    ///
    /// - Parameter failed: the generation that the API refused as unauthenticated. It is replaced only
    ///   if it is still the current one.
    /// - Throws: ``VaultError``; `CancellationError` if the caller was cancelled.
    package func accessToken(for tenant: TenantID, replacing failed: Int64? = nil) async throws -> AccessToken {
        let patience = time.now() + settings.patience
        repeat {
            if let cached = cache.token(tenant, replacing: failed, now: time.now()) { return cached }
            let token = try await board(tenant, replacing: failed)
            // A flight that was under way may have been for another generation, or for no caller.
            if let token, token.generation > failed ?? -1 { return token }
        } while time.now() < patience
        throw VaultError.temporarilyUnavailable(tenant, after: .seconds(1), cause: "patience")
    }

    private func board(_ tenant: TenantID, replacing failed: Int64?) async throws -> AccessToken? {
        do {
            return try await flights.join(tenant) { [self] in try await obtain(tenant, replacing: failed) }
        } catch is CancellationError where !Task.isCancelled {
            throw VaultError.temporarilyUnavailable(tenant, after: .seconds(5), cause: "shutting_down")
        }
    }

    /// One flight: reads the row, and does or awaits what it calls for, until there is a token.
    func obtain(_ tenant: TenantID, replacing failed: Int64?) async throws -> AccessToken {
        let started = time.now()
        var pause = FlightPause()
        while true {
            try Task.checkCancellation()
            let reading = try await unavailableOnError(tenant) {
                try await store.read(tenant, failed: failed, settings: settings)
            }
            let waited = time.now() - started
            switch reading {
            case .fresh(let cell, let generation, let expiresAt, let valid):
                return try await publish(tenant, cell: cell, generation: generation, expiresAt: expiresAt, valid: valid)
            case .noCredential: throw VaultError.noCredential(tenant)
            case .needsAuthorization: throw VaultError.needsAuthorization(tenant)
            case .refresh(let generation):
                if let token = try await refresh(tenant, generation, waited: waited, &pause) { return token }
            case .suspect:
                if let token = try await takeUp(tenant, waited: waited, &pause) { return token }
            case .exchanging(let retryAfter):
                try await waitForRow(tenant, waited: waited, retryAfter: retryAfter, &pause)
            case .wait(let retryAfter, let cause):
                try await wait(tenant, retryAfter, cause: cause, waited: waited)
            }
        }
    }

    /// Exchanges, or has it done.
    private func refresh(
        _ tenant: TenantID,
        _ generation: Int64,
        waited: Duration,
        _ pause: inout FlightPause
    ) async throws -> AccessToken? {
        guard settings.mayExchange else {
            try await ask(tenant, seen: generation, waited: waited, &pause)
            return nil
        }
        switch try await perform(ExchangeOrder(tenant: tenant, rung: .refresh, seen: generation)) {
        case .saved(let token?): return token
        case .unfit(let error):
            throw VaultError.temporarilyUnavailable(tenant, after: .seconds(5), cause: errorLabel(error))
        case .obstructed(.moved), .superseded: return nil
        case .saved(nil), .obstructed, .failed, .behind:
            // The row says how long to wait; from the second time on, a moment keeps a row that says
            // nothing from spinning.
            if pause.hasBegun { try await wait(tenant, pause.next(), cause: "exchange_failed", waited: waited) }
            pause.hasBegun = true
            return nil
        }
    }

    /// A generation of unknown fate: climbs the ladder, or leaves it to those who may.
    private func takeUp(_ tenant: TenantID, waited: Duration, _ pause: inout FlightPause) async throws -> AccessToken? {
        guard settings.mayExchange else {
            try await wait(tenant, pause.next(), cause: "recovering", waited: waited)
            return nil
        }
        switch try await unavailableOnError(tenant, { try await recover(tenant) }) {
        case .saved(let token): return token
        case .gaveUp: throw VaultError.needsAuthorization(tenant)
        case .healthy: return nil
        case .waiting(let delay):
            try await wait(tenant, max(delay, pause.next()), cause: "recovering", waited: waited)
            return nil
        }
    }

    /// For a process without the refresh role.
    private func ask(
        _ tenant: TenantID,
        seen generation: Int64,
        waited: Duration,
        _ pause: inout FlightPause
    ) async throws {
        try await unavailableOnError(tenant) { try await store.request(tenant, seen: generation) }
        guard waited < settings.patience else {
            throw VaultError.temporarilyUnavailable(tenant, after: .seconds(5), cause: "no_refresh_worker")
        }
        try await time.sleep(for: pause.next())
    }

    /// Somebody else exchanges: waits for the lock of the row, in slices, so that one slow exchange
    /// does not keep a connection from everybody else.
    private func waitForRow(
        _ tenant: TenantID,
        waited: Duration,
        retryAfter: Duration,
        _ pause: inout FlightPause
    ) async throws {
        guard waited < settings.patience else {
            throw VaultError.temporarilyUnavailable(tenant, after: min(retryAfter, .seconds(30)), cause: "exchanging")
        }
        do {
            let standing = try await unavailableOnError(tenant) {
                try await store.standing(tenant, lockTimeout: .seconds(1))
            }
            // The intent is open and nobody holds the lock: between two steps, or its owner is gone.
            if case .exchanging = standing { try await time.sleep(for: pause.next()) }
        } catch let error as PostgresError where error.isServer(.lockNotAvailable) {
            return
        }
    }

    private func wait(_ tenant: TenantID, _ delay: Duration, cause: String, waited: Duration) async throws {
        guard waited + delay <= settings.shortPatience else {
            throw VaultError.temporarilyUnavailable(tenant, after: delay, cause: cause)
        }
        try await time.sleep(for: max(delay, .milliseconds(1)))
    }

    /// A database that cannot be asked makes the token unavailable, not the job wrong.
    private func unavailableOnError<R>(_ tenant: TenantID, _ body: () async throws -> R) async throws -> R {
        do {
            return try await body()
        } catch let error as PostgresError where !error.isServer(.lockNotAvailable) {
            logger.warning("token_unavailable", metadata: ["tenant": "\(tenant)", "error": "\(errorText(error))"])
            throw VaultError.temporarilyUnavailable(tenant, after: .seconds(5), cause: error.label)
        }
    }

    private func publish(
        _ tenant: TenantID,
        cell: [UInt8],
        generation: Int64,
        expiresAt: Date,
        valid: Duration
    ) async throws -> AccessToken {
        let place = Sealer.Place(tenant: tenant, column: .accessToken, generation: generation)
        let token = AccessToken(
            token: try await currentSealer().openSecret(cell, at: place),
            generation: generation,
            expiresAt: expiresAt
        )
        remember(token, for: tenant, valid: valid)
        return token
    }

    /// Into the cache, but never longer than the token is good to hand out.
    func remember(_ token: AccessToken, for tenant: TenantID, valid: Duration) {
        let useful = valid - min(settings.minimumValidity, valid / 10)
        cache.put(token, for: tenant, until: time.now() + min(settings.cacheTime, useful))
    }
}

/// Growing pauses between two looks of one flight: 50 ms, doubling, at most 1 s.
struct FlightPause {
    /// Something was already tried without a pause.
    var hasBegun = false
    private var current: Duration = .milliseconds(50)

    mutating func next() -> Duration {
        defer { current = min(current * 2, .seconds(1)) }
        return current
    }
}
