import LeaseholdCore
package import Logging
import Metrics
import Postgres
import SQLFiles
import ServiceLifecycle

/// Refreshes credentials before they expire, climbs the ladder of suspect ones and replays spools.
///
/// Every worker with the refresh role runs one; they share the work by SKIP LOCKED and the budget by
/// the provider's row, and none is a leader. ``run()`` returns after the exchanges under way are
/// settled, so it stands behind the pool in the list of services.
package struct RefreshService: Service {
    private let vault: TokenVault
    private let listens: Bool
    private let logger: Logger

    /// - Parameter listens: wakes up by LISTEN too; false behind PgBouncer in transaction mode.
    package init(vault: TokenVault, listens: Bool = true, logger: Logger) {
        self.vault = vault
        self.listens = listens
        self.logger = logger
    }

    package func run() async throws {
        let (wake, end) = (WakeSignal(), WakeSignal())
        await withGracefulShutdownHandler {
            await withTaskGroup(of: Void.self) { group in
                if listens { group.addTask { await listen(wake) } }
                group.addTask { await every(vault.settings.replayInterval) { try await vault.replaySpools() } }
                group.addTask { await every(.seconds(3600)) { try await vault.tidy() } }
                group.addTask { await refresh(wake) }
                await end.wait()
                group.cancelAll()
            }
        } onGracefulShutdown: {
            end.give()
        }
        await vault.shutDown()
    }

    /// The loop over due credentials. With every slot taken it waits for exchanges to end; with slots to
    /// spare, for the time that the database named or a request.
    private func refresh(_ wake: WakeSignal) async {
        let running = RunningCount(limit: vault.settings.exchangeLimit, wake)
        await withDiscardingTaskGroup { group in
            var backlog = RankedBacklog()
            while !Task.isCancelled {
                let free = running.takeStock()
                guard free > 0 else {
                    await running.waitForAny(atMost: vault.settings.pollInterval, on: vault.time)
                    continue
                }
                let pause = await takeDue(most: free, &backlog) { tenant, generation in
                    running.begin()
                    group.addTask {
                        await tend(tenant, generation)
                        running.end()
                    }
                }
                switch pause {
                case nil: await running.waitForSome(on: vault.time)
                case .zero?: continue
                case let pause?: await wake.wait(atMost: pause, on: vault.time)
                }
            }
        }
    }

    /// - Returns: when to look again, zero for at once; nil: when slots are free, because all were taken.
    private func takeDue(
        most: Int,
        _ backlog: inout RankedBacklog,
        _ begin: (TenantID, Int64) -> Void
    ) async -> Duration? {
        let longest = vault.settings.pollInterval
        do {
            let ranked = backlog.fresh(now: vault.time.now())
            let batch = try await vault.store.takeDue(most: most, ranked: ranked, settings: vault.settings)
            backlog.replace(with: batch.ranked, wasRanked: ranked.isEmpty, now: vault.time.now())
            for (tenant, generation) in batch.due { begin(tenant, generation) }
            if let waiting = batch.waiting { Gauge(label: "vault_due").record(waiting) }
            if batch.reason == "failover" { try await vault.replaySpools() }
            guard batch.due.count < most else { return nil }
            // Others have taken what was ranked a moment ago.
            if !ranked.isEmpty, batch.ranked.isEmpty, batch.reason == "open" { return .zero }
            guard let retryAfter = batch.retryAfter else { return longest }
            return min(max(retryAfter, .milliseconds(5)), longest)
        } catch {
            logger.warning("refresh_paused", metadata: ["error": "\(errorText(error))"])
            return longest
        }
    }

    private func tend(_ tenant: TenantID, _ generation: Int64) async {
        do {
            _ = try await vault.flights.join(tenant) { try await vault.tend(tenant, generation: generation) }
        } catch is CancellationError {
            return
        } catch {
            logger.warning("refresh_failed", metadata: ["tenant": "\(tenant)", "error": "\(errorText(error))"])
        }
    }

    /// Wakes the loop for requests, and forgets what was rotated or connected elsewhere.
    private func listen(_ wake: WakeSignal) async {
        do {
            try await vault.store.pool.withNotifications(on: ["leasehold_credential"]) { events in
                for await event in events {
                    switch event {
                    case .listening, .overflow: vault.cache.forgetAll()
                    case .notification(let notification):
                        if let tenant = Self.tenant(notification.payload) { vault.cache.forget(tenant) }
                    }
                    wake.give()
                }
            }
        } catch {
            logger.warning("refresh_listens_no_more", metadata: ["error": "\(errorText(error))"])
        }
    }

    /// The payload is an event's name, a space and the tenant.
    static func tenant(_ payload: String) -> TenantID? {
        payload.split(separator: " ").dropFirst().first.flatMap { TenantID(rawValue: String($0)) }
    }

    private func every(_ interval: Duration, _ body: () async throws -> Void) async {
        while !Task.isCancelled {
            do {
                try await body()
            } catch is CancellationError {
                return
            } catch {
                logger.warning("refresh_upkeep_failed", metadata: ["error": "\(errorText(error))"])
            }
            guard (try? await vault.time.sleep(for: interval)) != nil else { return }
        }
    }
}

extension TokenVault {
    /// One due credential: exchanges it, or climbs its ladder.
    ///
    /// - Returns: nil if callers have to look at the row themselves.
    func tend(_ tenant: TenantID, generation: Int64) async throws -> AccessToken? {
        switch try await perform(ExchangeOrder(tenant: tenant, rung: .refresh, seen: generation)) {
        case .saved(let token): return token
        case .obstructed(.suspect): return try await tendSuspect(tenant)
        case .failed(.dead), .failed(.ambiguous): return try await tendSuspect(tenant)
        default: return nil
        }
    }

    func tendSuspect(_ tenant: TenantID) async throws -> AccessToken? {
        do {
            if case .saved(let token) = try await recover(tenant) { return token }
        } catch let error as PostgresError where error.isServer(.lockNotAvailable) {
            return nil
        }
        return nil
    }

    /// Once an hour: says which keys are in use and shortens the log.
    func tidy() async throws {
        try await registerKeys()
        let batch: Int32 = 1000
        while try await store.pool.query(.exchangePrune, settings.historyTime.seconds, batch).only
            .decode("dropped", as: Int64.self) == batch
        {
            try Task.checkCancellation()
        }
    }
}
