import Foundation
import LeaseholdCore
import Logging
import Metrics
import Postgres

extension TokenVault {
    /// Steps 4 to 7: the bytes first, then their meaning, then the row.
    func settle(_ draft: SettlementDraft, on connection: PostgresConnection) async -> Settlement {
        var draft = draft
        draft.isSpooled = await spoolReply(draft)
        if draft.isSpooled { await reach(.spooled, draft.tenant) }
        let judged = judge(draft)
        await reach(.parsed, draft.tenant)
        do {
            let rows = try await store.settle(judged.call, on: connection)
            if let outcome = try await conclude(draft, judged, rows) { return .done(outcome) }
        } catch {
            logger.warning("settle_repeats", metadata: ["tenant": "\(draft.tenant)", "error": "\(errorText(error))"])
        }
        return .open(draft)
    }

    /// On new connections until the row has it. A reply that the spool does not have is only here, so
    /// this does not end before; one that the spool has would be replayed after a crash.
    func settleElsewhere(_ draft: SettlementDraft) async -> ExchangeOutcome {
        var draft = draft
        var failures = 0
        var witness: [UInt8]?
        while true {
            if !draft.isSpooled { draft.isSpooled = await spoolAgain(draft) }
            // Another worker's later exchange of this generation, which is only in its spool, goes first.
            if let saved = try? await replay(
                draft.tenant,
                generation: draft.ticket.generation,
                after: draft.ticket.startedAt
            ),
                saved
            {
                await spool.settle(draft.attempt)
                return .superseded
            }
            let judged = judge(draft, witness: witness)
            do {
                let rows = try await store.pool.query(judged.call)
                if let outcome = try await conclude(draft, judged, rows) { return outcome }
                guard case .unproven(let cell) = try CredentialStore.Saving(rows), holds(draft.base, cell, draft) else {
                    return await abandon(draft)
                }
                witness = cell
            } catch {
                failures += 1
                let level: Logger.Level = failures % 10 == 3 ? .critical : .warning
                logger.log(
                    level: level,
                    "settle_repeats",
                    metadata: ["tenant": "\(draft.tenant)", "failures": "\(failures)", "error": "\(errorText(error))"]
                )
                Counter(label: "vault_settle_repeats").increment()
            }
            // The task is the exchange's own and is never cancelled.
            try? await time.sleep(for: min(.milliseconds(50 << min(failures, 8)), .seconds(5)))
        }
    }

    /// A reply whose place in the row another lineage has taken: a restore and a new connection.
    private func abandon(_ draft: SettlementDraft) async -> ExchangeOutcome {
        logger.critical("reply_without_row", metadata: ["tenant": "\(draft.tenant)", "spooled": "\(draft.isSpooled)"])
        return .superseded
    }

    private func holds(_ base: Secret?, _ cell: [UInt8]?, _ draft: SettlementDraft) -> Bool {
        guard let cell else { return base == nil }
        let place = Sealer.Place(tenant: draft.tenant, column: .refreshToken, generation: draft.ticket.generation)
        // Sealed anew in the meantime, perhaps with a key that this exchange has not seen.
        return (try? draft.sealer.openSecret(cell, at: place)) == base
    }

    /// Step 4.
    private func spoolReply(_ draft: SettlementDraft) async -> Bool {
        guard let reply = draft.spooled(worker: store.worker) else { return false }
        let began = time.now()
        do {
            try await spool.write(try draft.record(of: reply, at: wallClock.now()))
            Timer(label: "vault_spool_write_seconds").record(duration: time.now() - began)
            return true
        } catch {
            // The reply is in memory still: go on, and do not end before the row has it.
            logger.critical(
                "spool_write_failed",
                metadata: ["tenant": "\(draft.tenant)", "error": "\(errorText(error))"]
            )
            Counter(label: "vault_spool_failures").increment()
            return false
        }
    }

    /// Takes room for a reply that could not be spooled the first time.
    private func spoolAgain(_ draft: SettlementDraft) async -> Bool {
        guard draft.status != nil, (try? await spool.reserve(draft.attempt)) != nil else { return false }
        let isSpooled = await spoolReply(draft)
        if !isSpooled { await spool.release(draft.attempt) }
        return isSpooled
    }

    /// Step 5: what the reply means, and the call that writes it.
    struct Judged: Sendable {
        let verdict: ExchangeVerdict
        let call: PostgresCall
        /// With tokens: what is published once it is saved.
        var token: AccessToken?
        var valid: Duration = .zero
        var isSave = false
    }

    private func judge(_ draft: SettlementDraft, witness: [UInt8]? = nil) -> Judged {
        let verdict = ExchangeVerdict(
            draft.reply,
            grant: draft.ticket.grantKind,
            profile: profile,
            now: wallClock.now()
        )
        if case .tokens(let tokens) = verdict, let facts = draft.spooled(worker: store.worker)?.facts,
            var save = try? CredentialStore.Save(
                tenant: draft.tenant,
                generation: draft.ticket.generation,
                attempt: draft.attempt,
                facts: facts,
                tokens: tokens,
                base: draft.base,
                sealer: draft.sealer,
                deadline: profile.exchangeDeadline,
                chance: chance()
            )
        {
            save.witness = witness
            var judged = Judged(verdict: verdict, call: store.call(save), isSave: true)
            if let secret = tokens.accessToken, let expiresAt = save.expiresAt {
                judged.token = AccessToken(token: secret, generation: save.generation + 1, expiresAt: expiresAt)
                judged.valid = tokens.lifetime
            }
            return judged
        }
        return Judged(verdict: verdict, call: failingCall(draft, verdict))
    }

    private func failingCall(_ draft: SettlementDraft, _ verdict: ExchangeVerdict) -> PostgresCall {
        let plan = FailurePlan(
            verdict,
            rung: draft.order.rung,
            grant: draft.ticket.grantKind,
            isGiven: draft.ticket.isGiven,
            failures: draft.ticket.failures,
            chance: chance()
        )
        return store.call(
            failing: draft.order,
            draft.ticket,
            attempt: draft.attempt,
            plan: plan,
            status: draft.status,
            fingerprint: draft.fingerprint,
            rest: rest(of: verdict, draft)
        )
    }

    /// The access token of a reply that was cut behind it: it keeps the tenant going and the ladder fed.
    private func rest(of verdict: ExchangeVerdict, _ draft: SettlementDraft) -> (cell: [UInt8], expiresAt: Date)? {
        guard draft.order.rung != .connect, let tokens = verdict.leftover, let token = tokens.accessToken else {
            return nil
        }
        let place = Sealer.Place(tenant: draft.tenant, column: .accessToken, generation: draft.ticket.generation)
        guard let cell = try? draft.sealer.seal(token, at: place) else { return nil }
        return (cell, draft.ticket.startedAt + tokens.lifetime.seconds)
    }

    /// What the row's answer means; nil if it has to be asked again, with a witness.
    private func conclude(
        _ draft: SettlementDraft,
        _ judged: Judged,
        _ rows: PostgresRows
    ) async throws -> ExchangeOutcome? {
        guard judged.isSave else {
            switch judged.verdict {
            // Evidence that the token was presented, should a failover lose what the row says now.
            case .ambiguous, .dead: await spool.settle(draft.attempt)
            case .notSent, .throttled, .misconfigured, .tokens: await spool.discard(draft.attempt)
            }
            if draft.order.rung != .connect { cache.forget(draft.tenant) }
            return .failed(judged.verdict)
        }
        switch try CredentialStore.Saving(rows) {
        case .saved: break
        case .already(let generation):
            guard generation == draft.ticket.generation + 1 else { return .superseded }
        case .superseded:
            await spool.settle(draft.attempt)
            return .superseded
        case .noCredential: return .superseded
        case .behind:
            logger.critical("row_is_behind", metadata: ["tenant": "\(draft.tenant)", "spooled": "\(draft.isSpooled)"])
            return .behind
        case .unproven: return nil
        }
        await spool.settle(draft.attempt)
        await reach(.committed, draft.tenant)
        if let token = judged.token { remember(token, for: draft.tenant, valid: judged.valid) }
        await reach(.published, draft.tenant)
        return .saved(judged.token)
    }
}

extension ExchangeVerdict {
    /// An access token that can be used although the exchange failed.
    var leftover: TokenSet? {
        switch self {
        case .tokens(let tokens): tokens
        case .ambiguous(_, let rest): rest
        default: nil
        }
    }
}
