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
                replayed += try await replayChain(tenant, from: place.generation)
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

    /// Saves a reply to this generation, if one is found.
    ///
    /// - Parameter everywhere: also looks into the spools of living workers on the same disk.
    /// - Returns: whether the row has moved.
    func replay(_ tenant: TenantID, generation: Int64, everywhere: Bool = false) async throws -> Bool {
        let records = await spool.find(tenant, generation: generation, everywhere: everywhere)
            .filter { !inFlight.contains($0.attempt) }
            .sorted { $0.writtenAt < $1.writtenAt }
        guard !records.isEmpty else { return false }
        guard let place = try await store.places(of: [tenant])[tenant], place.generation == generation else {
            return false
        }
        let sealer = try await currentSealer()
        for record in records where try await apply(record, to: place, sealer: sealer) {
            Counter(label: "vault_recovered", dimensions: [("rung", "spool")]).increment()
            return true
        }
        return false
    }

    /// Compare-and-set of one record on the row: the same generation, and the very token that was
    /// presented, because after a restore another lineage may carry the same number.
    private func apply(_ record: SpoolRecord, to place: CredentialStore.Place, sealer: Sealer) async throws -> Bool {
        let metadata: Logger.Metadata = ["tenant": "\(record.tenant)", "generation": "\(record.generation)"]
        let spooled: SpooledReply
        let base: Secret?
        do {
            let spoolPlace = Sealer.Place(tenant: record.tenant, column: .spool, generation: record.generation)
            spooled = try SpooledReply(decoding: try sealer.open(record.sealed, at: spoolPlace))
            let cellPlace = Sealer.Place(tenant: record.tenant, column: .refreshToken, generation: record.generation)
            base = try place.refreshToken.map { try sealer.openSecret($0, at: cellPlace) }
        } catch {
            logger.error("spool_unreadable", metadata: metadata.merging(["error": "\(errorText(error))"]) { $1 })
            return false
        }
        guard spooled.facts.base == SpooledReply.base(of: base) else { return false }
        let verdict = ExchangeVerdict(
            spooled.reply,
            grant: spooled.facts.grant,
            profile: profile,
            now: wallClock.now()
        )
        guard case .tokens(let tokens) = verdict, let save = try replaying(record, spooled.facts, tokens, base, sealer)
        else { return false }
        var replay = save
        replay.witness = place.refreshToken
        replay.isReplay = true
        let saving = try CredentialStore.Saving(try await store.pool.query(store.call(replay)))
        guard case .saved = saving else { return false }
        await spool.settle(record.attempt)
        cache.forget(record.tenant)
        logger.notice("spool_replayed", metadata: metadata)
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
