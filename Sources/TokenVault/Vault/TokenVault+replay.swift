import Foundation
import LeaseholdCore
import Logging
import Metrics
import Postgres

extension TokenVault {
    /// Brings every row up to what the spools know: after a crash between reply and commit, and after
    /// a failover or a restore that lost commits.
    ///
    /// - Returns: how many replies were saved.
    @discardableResult
    package func replaySpools() async throws -> Int {
        await spool.adoptOrphans()
        let summaries = await spool.summaries().filter { !inFlight.contains($0.attempt) }
        let byTenant = Dictionary(grouping: summaries) { $0.tenant }
        var replayed = 0
        for tenants in Array(byTenant.keys).chunks(of: 1000) {
            let places = try await store.places(of: tenants)
            for (tenant, place) in places {
                let records = byTenant[tenant] ?? []
                for record in records where record.generation < place.generation && !record.isSettled {
                    await spool.settle(record.attempt)
                }
                guard records.contains(where: { $0.generation >= place.generation }) else { continue }
                let saved = try await replayChain(tenant, from: place.generation)
                replayed += saved
                // While a failover holds exchanges back, so that no worker without this spool presents it.
                _ = try await raiseDoubt(tenant, generation: place.generation + Int64(saved))
            }
        }
        return replayed
    }

    /// Saves reply after reply for as long as one continues where the row stands.
    private func replayChain(_ tenant: TenantID, from generation: Int64) async throws -> Int {
        var next = generation
        while try await replay(tenant, generation: next) { next += 1 }
        return Int(next - generation)
    }

    /// What the spools of this worker have against presenting a generation: a reply to it, which is
    /// saved instead, or the claim of an attempt that the row knows nothing of.
    func spoolsObject(to order: ExchangeOrder) async throws -> ExchangeObstacle? {
        guard let generation = order.seen else { return nil }
        let found = await records(order.tenant, generation: generation)
        guard !found.isEmpty else { return nil }
        if try await replay(order.tenant, generation: generation) { return .moved }
        guard order.rung == .refresh else { return nil }
        return try await raiseDoubt(order.tenant, generation: generation) ? .suspect : nil
    }

    /// Makes a generation suspect that a spool of this worker knows to have been presented, if the row
    /// knows of no intent and no suspicion: their commits were lost with their primary.
    ///
    /// - Returns: whether the row did not know.
    private func raiseDoubt(_ tenant: TenantID, generation: Int64) async throws -> Bool {
        let found = await records(tenant, generation: generation)
        guard !found.isEmpty, let place = try await store.places(of: [tenant])[tenant], place.generation == generation
        else { return false }
        let sealer = try await currentSealer()
        for record in found {
            guard let spooled = try reading(record, of: place, sealer: sealer)?.spooled,
                spooled.facts.grant == "refresh_token", verdict(of: spooled).maySpend
            else { continue }
            // An exchange that ended while this was read, and spent nothing, has dropped its record.
            guard await spool.record(record.attempt) != nil else { continue }
            let isNews = try await store.doubt(
                tenant,
                generation: generation,
                presentedAt: spooled.facts.startedAt,
                deadline: spooled.facts.deadline
            )
            if isNews {
                logger.warning("presentation_found", metadata: ["tenant": "\(tenant)", "generation": "\(generation)"])
                return true
            }
        }
        return false
    }

    /// Saves a reply to this generation, if one is found; the newest, if there are several.
    ///
    /// - Parameters:
    ///   - everywhere: also looks into the spools of living workers on the same disk.
    ///   - after: only a reply to an exchange that started later.
    /// - Returns: whether the row has moved.
    func replay(
        _ tenant: TenantID,
        generation: Int64,
        everywhere: Bool = false,
        after start: Date? = nil
    ) async throws -> Bool {
        let records = await records(tenant, generation: generation, everywhere: everywhere)
        guard !records.isEmpty else { return false }
        guard let place = try await store.places(of: [tenant])[tenant], place.generation == generation else {
            return false
        }
        let sealer = try await currentSealer()
        for record in records {
            guard let reading = try reading(record, of: place, sealer: sealer),
                start.map({ reading.spooled.facts.startedAt > $0 }) ?? true
            else { continue }
            if try await apply(record, reading, to: place, sealer: sealer) {
                Counter(label: "vault_recovered", dimensions: [("rung", "spool")]).increment()
                return true
            }
        }
        return false
    }

    /// Newest first, without those that this process is working on.
    private func records(_ tenant: TenantID, generation: Int64, everywhere: Bool = false) async -> [SpoolRecord] {
        await spool.find(tenant, generation: generation, everywhere: everywhere)
            .filter { !inFlight.contains($0.attempt) }
            .sorted { $0.writtenAt > $1.writtenAt }
    }

    struct Reading {
        let spooled: SpooledReply
        /// The refresh token of the row, which is the one that was presented.
        let base: Secret?
    }

    /// Opens a record. Nil if it is not about the token that the row holds: after a restore another
    /// lineage may carry the same number.
    private func reading(
        _ record: SpoolRecord,
        of place: CredentialStore.Place,
        sealer: Sealer
    ) throws -> Reading? {
        let base: Secret?
        let spooled: SpooledReply
        do {
            let spoolPlace = Sealer.Place(tenant: record.tenant, column: .spool, generation: record.generation)
            spooled = try SpooledReply(decoding: try sealer.open(record.sealed, at: spoolPlace))
            let cellPlace = Sealer.Place(tenant: record.tenant, column: .refreshToken, generation: record.generation)
            base = try place.refreshToken.map { try sealer.openSecret($0, at: cellPlace) }
        } catch {
            logger.error(
                "spool_unreadable",
                metadata: [
                    "tenant": "\(record.tenant)", "generation": "\(record.generation)", "error": "\(errorText(error))",
                ]
            )
            return nil
        }
        return spooled.facts.base == SpooledReply.base(of: base) ? Reading(spooled: spooled, base: base) : nil
    }

    /// Whether some spool holds a reply that would move this row. Used under the row's lock.
    func successorIsSpooled(_ tenant: TenantID, _ place: CredentialStore.Place) async throws -> Bool {
        let sealer = try await currentSealer()
        for record in await records(tenant, generation: place.generation, everywhere: true) {
            guard let reading = try reading(record, of: place, sealer: sealer) else { continue }
            if case .tokens = verdict(of: reading.spooled) { return true }
        }
        return false
    }

    private func verdict(of spooled: SpooledReply) -> ExchangeVerdict {
        ExchangeVerdict(spooled.reply, grant: spooled.facts.grant, profile: profile, now: wallClock.now())
    }

    /// Compare-and-set of one record on the row.
    private func apply(
        _ record: SpoolRecord,
        _ reading: Reading,
        to place: CredentialStore.Place,
        sealer: Sealer
    ) async throws -> Bool {
        guard case .tokens(let tokens) = verdict(of: reading.spooled),
            let save = try replaying(record, reading.spooled.facts, tokens, reading.base, sealer)
        else { return false }
        var replay = save
        replay.witness = place.refreshToken
        replay.isReplay = true
        let saving = try CredentialStore.Saving(try await store.pool.query(store.call(replay)))
        guard case .saved = saving else { return false }
        await spool.settle(record.attempt)
        cache.forget(record.tenant)
        logger.notice(
            "spool_replayed",
            metadata: ["tenant": "\(record.tenant)", "generation": "\(record.generation)"]
        )
        return true
    }

    private func replaying(
        _ record: SpoolRecord,
        _ facts: SpooledReply.Facts,
        _ tokens: TokenSet,
        _ base: Secret?,
        _ sealer: Sealer
    ) throws -> CredentialStore.Save? {
        try CredentialStore.Save(
            tenant: record.tenant,
            generation: record.generation,
            attempt: record.attempt,
            facts: facts,
            tokens: tokens,
            base: base,
            sealer: sealer,
            deadline: profile.exchangeDeadline,
            chance: chance()
        )
    }
}

extension Array {
    fileprivate func chunks(of size: Int) -> [[Element]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
    }
}
