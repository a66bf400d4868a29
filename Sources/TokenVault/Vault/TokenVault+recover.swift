import LeaseholdCore
import Logging
import Metrics
import Postgres

/// Where a climb of the ladder stands.
enum RecoveryProgress: Sendable {
    case saved(AccessToken?)
    /// The generation is not suspect, or not any more.
    case healthy
    case waiting(Duration)
    case gaveUp
}

extension TokenVault {
    /// Climbs the recovery ladder of a suspect generation as far as it goes now.
    ///
    /// Each step is decided from the row, read under its lock: whoever comes next, here or in another
    /// worker, goes on from there.
    func recover(_ tenant: TenantID) async throws -> RecoveryProgress {
        // More rounds than there are rungs; a row that keeps moving is left to the next look.
        for _ in 0..<8 {
            switch try await store.standing(tenant, lockTimeout: .seconds(1)) {
            case .healthy, .noCredential: return .healthy
            case .needsAuthorization: return .gaveUp
            case .exchanging(let delay), .backingOff(let delay): return .waiting(delay)
            case .suspect(let generation, let suspicion):
                if try await replay(tenant, generation: generation, everywhere: true) { return .healthy }
                if let progress = try await step(tenant, generation, suspicion) { return progress }
            }
        }
        return .waiting(.seconds(1))
    }

    /// One step; nil if the next one can be decided at once.
    private func step(
        _ tenant: TenantID,
        _ generation: Int64,
        _ suspicion: Suspicion
    ) async throws -> RecoveryProgress? {
        switch ladder.next(suspicion) {
        case .wait(let delay):
            try await store.postpone(tenant, generation: generation, by: delay)
            return .waiting(delay)
        case .exchange(let rung):
            if let refusal = try await store.admit() {
                try await store.postpone(tenant, generation: generation, by: refusal.retryAfter)
                return .waiting(refusal.retryAfter)
            }
            return try await take(rung, tenant, generation)
        case .giveUp:
            return try await giveUp(tenant, generation, suspicion)
        }
    }

    private func take(_ rung: ExchangeRung, _ tenant: TenantID, _ generation: Int64) async throws -> RecoveryProgress? {
        let outcome = try await perform(ExchangeOrder(tenant: tenant, rung: rung, seen: generation))
        switch outcome {
        case .saved(let token):
            Counter(label: "vault_recovered", dimensions: [("rung", rung.rawValue)]).increment()
            logger.notice(
                "credential_recovered",
                metadata: ["tenant": "\(tenant)", "generation": "\(generation)", "rung": "\(rung.rawValue)"]
            )
            return .saved(token)
        case .superseded, .obstructed(.moved): return .healthy
        case .obstructed(.exchanging(let delay)), .obstructed(.backingOff(let delay)): return .waiting(delay)
        case .obstructed(.held), .unfit: return .waiting(.seconds(5))
        case .failed, .behind, .obstructed: return nil
        }
    }

    private func giveUp(
        _ tenant: TenantID,
        _ generation: Int64,
        _ suspicion: Suspicion
    ) async throws -> RecoveryProgress {
        let detail =
            switch suspicion.reason {
            case .ambiguous: "no usable answer came to the exchange of its refresh token"
            case .dead: "the provider refused its refresh token"
            }
        guard try await verdictStands(tenant, generation, detail) else {
            try await store.postpone(tenant, generation: generation, by: .seconds(15))
            return .waiting(.seconds(15))
        }
        cache.forget(tenant)
        Counter(label: "vault_needs_authorization").increment()
        logger.error(
            "needs_authorization",
            metadata: [
                "tenant": "\(tenant)", "generation": "\(generation)", "reason": "\(suspicion.reason.rawValue)",
                "try": "leasehold tenants connect \(tenant)",
            ]
        )
        return .gaveUp
    }

    /// A last look into the spools, under the row's lock: a reply that comes later finds the verdict
    /// and beats it, one that is there now prevents it.
    private func verdictStands(_ tenant: TenantID, _ generation: Int64, _ detail: String) async throws -> Bool {
        await spool.adoptOrphans()
        return try await store.pool.withTransaction { connection in
            guard let place = try await store.lockedPlace(of: tenant, on: connection), place.generation == generation,
                try await !successorIsSpooled(tenant, place)
            else { return false }
            return try await store.giveUp(tenant, generation: generation, detail: detail, on: connection)
        }
    }
}
