import Foundation
import LeaseholdCore
import Postgres
import SQLFiles

/// The statements of one exchange. Those that run on the connection that holds the row take it as
/// an argument; the calls that settle are values, because they may have to be repeated elsewhere.
extension CredentialStore {
    /// Transaction A.
    func begin(
        _ order: ExchangeOrder,
        attempt: UUID,
        deadline: Duration,
        lockTimeout: Duration,
        on connection: PostgresConnection
    ) async throws -> ExchangeBeginning {
        let row = try await connection.query(
            .exchangeBegin,
            order.tenant.rawValue,
            provider,
            attempt,
            worker.rawValue,
            order.rung.rawValue,
            order.grant?.name,
            order.seen,
            deadline.milliseconds,
            lockTimeout.milliseconds
        ).only
        let outcome = try row.decode("outcome", as: String.self)
        guard outcome == "go" else {
            let retryAfter = try row.decode("retry_after_ms", as: Int64?.self) ?? 0
            return .refused(Self.obstacle(outcome, retryAfter: .milliseconds(retryAfter)))
        }
        return .go(
            ExchangeTicket(
                generation: try row.decode("generation"),
                grantKind: try row.decode("grant_kind"),
                refreshToken: try row.decode("refresh_token"),
                accessToken: try row.decode("access_token"),
                organization: try row.decode("organization"),
                isGiven: try row.decode("is_given"),
                failures: Int(try row.decode("failures", as: Int32.self)),
                startedAt: try row.decode("started_at")
            )
        )
    }

    private static func obstacle(_ outcome: String, retryAfter: Duration) -> ExchangeObstacle {
        switch outcome {
        case "exchanging": .exchanging(retryAfter)
        case "suspect": .suspect
        case "needs_authorization": .needsAuthorization
        case "no_credential": .noCredential
        case "no_tenant": .noTenant
        case "backing_off": .backingOff(retryAfter)
        case "held": .held
        case "tried": .tried
        default: .moved
        }
    }

    /// Opens transaction B and takes the row's lock.
    ///
    /// - Returns: whether the intent is still this attempt's.
    func hold(
        _ tenant: TenantID,
        attempt: UUID,
        generation: Int64,
        on connection: PostgresConnection
    ) async throws -> Bool {
        let answers = try await connection.pipeline([
            PostgresCall(.exchangeOpen),
            PostgresCall(.exchangeHold, tenant.rawValue, attempt, generation),
        ])
        return answers.last?.isEmpty == false
    }

    /// Makes a generation suspect that a spool knows to have been presented, and the row does not.
    ///
    /// - Returns: whether the row did not know.
    func doubt(_ tenant: TenantID, generation: Int64, presentedAt: Date, deadline: Date) async throws -> Bool {
        try await pool.query(.credentialDoubt, tenant.rawValue, generation, presentedAt, deadline).only
            .decode("doubted")
    }

    /// Takes an intent back that led to nothing.
    func cancel(_ tenant: TenantID, attempt: UUID) async throws {
        try await pool.query(.exchangeCancel, tenant.rawValue, attempt)
    }

    /// What is written for a reply with tokens.
    struct Save: Sendable {
        var tenant: TenantID
        var attempt: UUID
        var generation: Int64
        var witness: [UInt8]?
        var rung: String
        var grantKind: String
        var worker: UUID
        var startedAt: Date
        var status: Int
        var fingerprint: String?
        var isReplay = false
        var refreshCell: [UInt8]?
        var isRotated: Bool
        var accessCell: [UInt8]?
        var expiresAt: Date?
        var dueAt: Date
        var scope: String?
        var organization: String?
    }

    func call(_ save: Save) -> PostgresCall {
        PostgresCall(
            .exchangeSave,
            save.tenant.rawValue,
            save.attempt,
            save.generation,
            save.witness,
            save.rung,
            save.grantKind,
            save.worker,
            save.startedAt,
            Int32(clamping: save.status),
            save.fingerprint,
            client,
            save.isReplay,
            save.refreshCell,
            save.isRotated,
            save.accessCell,
            save.accessCell == nil ? nil : save.startedAt,
            save.expiresAt,
            save.dueAt,
            save.scope,
            save.organization
        )
    }

    enum Saving: Sendable {
        case saved
        /// This very attempt was saved before; the row stands at `generation` now.
        case already(generation: Int64)
        case superseded
        case behind
        case unproven(refreshCell: [UInt8]?)
        case noCredential

        init(_ rows: PostgresRows) throws {
            let row = try rows.only
            switch try row.decode("outcome", as: String.self) {
            case "saved": self = .saved
            case "already": self = .already(generation: try row.decode("generation"))
            case "superseded": self = .superseded
            case "behind": self = .behind
            case "unproven": self = .unproven(refreshCell: try row.decode("refresh_token"))
            default: self = .noCredential
            }
        }
    }

    func call(
        failing order: ExchangeOrder,
        _ ticket: ExchangeTicket,
        attempt: UUID,
        plan: FailurePlan,
        status: Int?,
        fingerprint: String?,
        rest: (cell: [UInt8], expiresAt: Date)?
    ) -> PostgresCall {
        var blockedFor: Int64?
        if case .blocked(let delay)? = plan.provider { blockedFor = delay.milliseconds }
        return PostgresCall(
            .exchangeFail,
            order.tenant.rawValue,
            attempt,
            ticket.generation,
            order.rung.rawValue,
            ticket.grantKind,
            worker.rawValue,
            ticket.startedAt,
            fingerprint,
            client,
            plan.outcome,
            plan.errorClass,
            status.map { Int32(clamping: $0) },
            plan.suspect?.rawValue,
            plan.isRungFree,
            plan.backOff.milliseconds,
            plan.due.milliseconds,
            plan.provider?.name,
            blockedFor,
            rest?.cell,
            rest?.expiresAt
        )
    }

    /// Runs a settling call on the connection that holds the row, and commits.
    func settle(_ call: PostgresCall, on connection: PostgresConnection) async throws -> PostgresRows {
        let answers = try await connection.pipeline([call, PostgresCall(.exchangeCommit)])
        return answers[0]
    }
}
