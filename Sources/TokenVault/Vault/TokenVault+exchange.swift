import Foundation
import LeaseholdCore
import Logging
import Metrics
import Postgres

extension TokenVault {
    /// One exchange, steps 0 to 7, from which neither cancellation nor shutdown can keep it once it
    /// has begun.
    ///
    /// - Throws: `CancellationError` if the caller was cancelled before its turn.
    func perform(_ order: ExchangeOrder) async throws -> ExchangeOutcome {
        let outcome = try await drain.shielded { [self] in await run(order) }
        report(order, outcome)
        return outcome
    }

    private func run(_ order: ExchangeOrder) async -> ExchangeOutcome {
        let attempt = UUID()
        inFlight.insert(attempt)
        defer { inFlight.remove(attempt) }
        do {
            if let obstacle = try await spoolsObject(to: order) { return .obstructed(obstacle) }
            let sealer = try await currentSealer()
            try sealer.proveUsable()
            try await spool.reserve(attempt)
            await reach(.prepared, order.tenant)
            let outcome = await present(order, attempt: attempt, sealer: sealer)
            switch outcome {
            case .obstructed, .unfit: await spool.discard(attempt)
            case .saved, .failed, .superseded, .behind: break
            }
            await spool.release(attempt)
            return outcome
        } catch {
            return .unfit(error)
        }
    }

    /// Steps 1 to 3 on one connection; what follows the POST is a settlement, on this connection or
    /// another.
    private func present(_ order: ExchangeOrder, attempt: UUID, sealer: Sealer) async -> ExchangeOutcome {
        let settlement: Settlement
        do {
            settlement = try await store.pool.withConnection { connection in
                try await send(order, attempt: attempt, sealer: sealer, on: connection)
            }
        } catch {
            // Before the POST: the intent may be committed all the same, and was not used.
            await takeBack(order, attempt: attempt)
            return .unfit(error)
        }
        switch settlement {
        case .done(let outcome): return outcome
        case .open(let draft): return await settleElsewhere(draft)
        }
    }

    enum Settlement: Sendable {
        case done(ExchangeOutcome)
        /// The reply is here, and the row does not have it yet.
        case open(SettlementDraft)
    }

    private func send(
        _ order: ExchangeOrder,
        attempt: UUID,
        sealer: Sealer,
        on connection: PostgresConnection
    ) async throws -> Settlement {
        let began = time.now()
        let deadline = settings.longestAttempt(profile)
        let beginning = try await store.begin(
            order,
            attempt: attempt,
            deadline: deadline,
            lockTimeout: .seconds(5),
            on: connection
        )
        guard case .go(let ticket) = beginning else {
            if case .refused(let obstacle) = beginning { return .done(.obstructed(obstacle)) }
            return .done(.obstructed(.moved))
        }
        await reach(.intentCommitted, order.tenant)
        let (grant, base) = try makeGrant(order, ticket, sealer: sealer)
        var draft = SettlementDraft(
            order: order,
            attempt: attempt,
            ticket: ticket,
            base: base,
            fingerprint: grant.secret.map { sealer.fingerprint(of: $0) },
            deadline: ticket.startedAt + deadline.seconds,
            reply: .noReply(reason: "not sent yet"),
            sealer: sealer
        )
        if case .refreshToken = grant { try await claim(draft) }
        guard try await store.hold(order.tenant, attempt: attempt, generation: ticket.generation, on: connection) else {
            throw ExchangeUnfit(label: "intent_gone", message: "the intent was closed by another worker")
        }
        await reach(.rowHeld, order.tenant)
        await reach(.sending, order.tenant)
        guard time.now() - began < settings.sendWindow else {
            throw ExchangeUnfit(label: "too_late", message: "the intent was written too long ago to be used")
        }
        draft.reply = await traced(order, grant) { await exchange(grant, profile.exchangeDeadline) }
        await reach(.replied, order.tenant)
        return await settle(draft, on: connection)
    }

    /// On the disk before a refresh token leaves: the intent's commit may be lost with its primary.
    private func claim(_ draft: SettlementDraft) async throws {
        try await spool.write(try draft.record(of: draft.claim(worker: store.worker), at: wallClock.now()))
    }

    /// What is presented, and the refresh token that the row holds meanwhile.
    private func makeGrant(
        _ order: ExchangeOrder,
        _ ticket: ExchangeTicket,
        sealer: Sealer
    ) throws -> (TokenGrant, base: Secret?) {
        let base = try ticket.refreshToken.map {
            try sealer.openSecret(
                $0,
                at: Sealer.Place(tenant: order.tenant, column: .refreshToken, generation: ticket.generation)
            )
        }
        if let grant = order.grant { return (grant, base) }
        switch ticket.grantKind {
        case "client_credentials":
            if let organization = ticket.organization { return (.clientCredentials(organization: organization), base) }
        case "access_token":
            if let cell = ticket.accessToken {
                let place = Sealer.Place(tenant: order.tenant, column: .accessToken, generation: ticket.generation)
                return (.accessToken(try sealer.openSecret(cell, at: place)), base)
            }
        default:
            if let base { return (.refreshToken(base), base) }
        }
        throw ExchangeUnfit(label: "nothing_to_present", message: "the row holds nothing for \(ticket.grantKind)")
    }

    /// Closes an intent that was not used, so that nobody takes it for a presented token. Goes on until
    /// the database has answered or the intent has run out.
    private func takeBack(_ order: ExchangeOrder, attempt: UUID) async {
        let end = time.now() + settings.sendWindow + profile.exchangeDeadline
        var failures = 0
        while time.now() < end {
            do {
                try await store.cancel(order.tenant, attempt: attempt)
                return
            } catch {
                failures += 1
                if failures == 1 {
                    logger.warning(
                        "intent_not_taken_back",
                        metadata: ["tenant": "\(order.tenant)", "error": "\(errorText(error))"]
                    )
                }
                // Cannot be cancelled here: the task is the exchange's own.
                try? await time.sleep(for: min(.milliseconds(100 << min(failures, 6)), .seconds(5)))
            }
        }
    }

    private func report(_ order: ExchangeOrder, _ outcome: ExchangeOutcome) {
        let name =
            switch outcome {
            case .saved: "saved"
            case .obstructed: "obstructed"
            case .failed(let verdict): verdict.errorClass ?? "no_refresh_token"
            case .unfit: "unfit"
            case .superseded: "superseded"
            case .behind: "behind"
            }
        Counter(label: "vault_exchange", dimensions: [("rung", order.rung.rawValue), ("outcome", name)]).increment()
        var metadata: Logger.Metadata = [
            "tenant": "\(order.tenant)", "rung": "\(order.rung.rawValue)", "outcome": "\(name)",
        ]
        if case .unfit(let error) = outcome { metadata["error"] = "\(errorText(error))" }
        switch outcome {
        case .saved, .obstructed: logger.debug("exchange", metadata: metadata)
        case .failed, .unfit, .superseded, .behind: logger.warning("exchange", metadata: metadata)
        }
    }
}

/// Nothing was presented, for a reason of our own.
struct ExchangeUnfit: ExplainedError {
    let label: String
    let message: String
    var hint: String? { nil }
}

extension TokenGrant {
    /// What the log's fingerprint is made of.
    var secret: Secret? {
        switch self {
        case .refreshToken(let token), .accessToken(let token): token
        case .authorizationCode(let code, _, _): code
        case .clientCredentials: nil
        }
    }
}
