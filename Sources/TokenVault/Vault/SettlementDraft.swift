import Foundation
import LeaseholdCore

/// A reply on its way into the row: everything that is needed to settle it, on any connection.
struct SettlementDraft: Sendable {
    let order: ExchangeOrder
    let attempt: UUID
    let ticket: ExchangeTicket
    /// The refresh token that the row held when the intent was written.
    let base: Secret?
    let fingerprint: String?
    let deadline: Date
    var reply: TokenEndpointReply
    let sealer: Sealer
    var isSpooled = false

    var tenant: TenantID { order.tenant }

    var status: Int? {
        if case .answered(let status, _, _, _, _) = reply { return status }
        return nil
    }

    /// What goes to the spool; nil if nothing came.
    func spooled(worker: WorkerID) -> SpooledReply? {
        guard case .answered(let status, let contentType, let retryAfter, let body, let complete) = reply else {
            return nil
        }
        var facts = claim(worker: worker).facts
        facts.status = status
        facts.contentType = contentType
        facts.retryAfter = retryAfter
        facts.complete = complete
        return SpooledReply(facts: facts, body: body)
    }

    /// What goes to the spool before anything is presented.
    func claim(worker: WorkerID) -> SpooledReply {
        let facts = SpooledReply.Facts(
            rung: order.rung.rawValue,
            grant: ticket.grantKind,
            worker: worker.rawValue,
            startedAt: ticket.startedAt,
            deadline: deadline,
            base: SpooledReply.base(of: base),
            organization: order.organization ?? ticket.organization,
            fingerprint: fingerprint,
            status: nil,
            contentType: nil,
            retryAfter: nil,
            complete: false
        )
        return SpooledReply(facts: facts, body: [])
    }

    /// Sealed for the place it belongs to.
    func record(of spooled: SpooledReply, at time: Date) throws -> SpoolRecord {
        let place = Sealer.Place(tenant: tenant, column: .spool, generation: ticket.generation)
        return SpoolRecord(
            tenant: tenant,
            generation: ticket.generation,
            attempt: attempt,
            writtenAt: time,
            sealed: try sealer.seal(try spooled.encoded(), at: place)
        )
    }
}

extension CredentialStore.Save {
    /// The cells of a reply, sealed for the generation it makes. Nil if the rung cannot use the
    /// tokens: a new grant that brought no refresh token.
    ///
    /// - Parameters:
    ///   - base: the refresh token that the row holds.
    ///   - chance: of the moment of the next refresh, uniform in 0...1.
    init?(
        tenant: TenantID,
        generation: Int64,
        attempt: UUID,
        facts: SpooledReply.Facts,
        tokens: TokenSet,
        base: Secret?,
        sealer: Sealer,
        deadline: Duration,
        chance: Double
    ) throws {
        var refresh: Secret?
        switch facts.grant {
        // Renewed by the organisation's id for ever: a refresh token would only be one more to lose.
        case "client_credentials": refresh = nil
        case "refresh_token": refresh = tokens.refreshToken ?? base
        default:
            guard let token = tokens.refreshToken else { return nil }
            refresh = token
        }
        let next = generation + 1
        self.tenant = tenant
        self.attempt = attempt
        self.generation = generation
        rung = facts.rung
        grantKind = facts.grant
        worker = facts.worker
        startedAt = facts.startedAt
        status = facts.status ?? 0
        fingerprint = facts.fingerprint
        refreshCell = try refresh.map {
            try sealer.seal($0, at: Sealer.Place(tenant: tenant, column: .refreshToken, generation: next))
        }
        isRotated = refresh != base
        accessCell = try tokens.accessToken.map {
            try sealer.seal($0, at: Sealer.Place(tenant: tenant, column: .accessToken, generation: next))
        }
        let schedule = RefreshSchedule(
            sentAt: facts.startedAt,
            lifetime: tokens.lifetime,
            deadline: deadline,
            chance: chance
        )
        expiresAt = accessCell == nil ? nil : schedule.expiresAt
        dueAt = accessCell == nil ? facts.startedAt : schedule.refreshDueAt
        scope = tokens.scope
        organization = facts.organization
    }
}
