import Foundation
import LeaseholdCore
import Postgres
import SQLFiles

/// The vault's statements, in Swift's types. Every method is one round trip.
struct CredentialStore: Sendable {
    let pool: PostgresPool
    let provider: String
    /// Check value of the client id, secret and endpoint of this process.
    let client: String
    let worker: WorkerID

    /// What ``read(_:failed:settings:)`` found.
    enum Reading: Sendable {
        case fresh(cell: [UInt8], generation: Int64, expiresAt: Date, valid: Duration)
        /// The caller may exchange this generation; one exchange is taken out of the budget.
        case refresh(generation: Int64)
        case exchanging(Duration)
        case suspect
        case wait(Duration, cause: String)
        case needsAuthorization
        case noCredential
    }

    func read(_ tenant: TenantID, failed: Int64?, settings: VaultSettings) async throws -> Reading {
        let row = try await pool.query(
            .credentialRead,
            tenant.rawValue,
            failed,
            settings.minimumValidity.milliseconds,
            settings.youngRefusal.milliseconds,
            settings.mayExchange,
            client
        ).only
        let retryAfter = try row.decode("retry_after_ms", as: Int64?.self).map { Duration.milliseconds($0) } ?? .zero
        switch try row.decode("outcome", as: String.self) {
        case "fresh":
            return .fresh(
                cell: try row.decode("access_token"),
                generation: try row.decode("generation"),
                expiresAt: try row.decode("access_expires_at"),
                valid: .milliseconds(try row.decode("valid_ms", as: Int64.self))
            )
        case "refresh": return .refresh(generation: try row.decode("generation"))
        case "exchanging": return .exchanging(retryAfter)
        case "suspect": return .suspect
        case "needs_authorization": return .needsAuthorization
        case "no_credential": return .noCredential
        default: return .wait(retryAfter, cause: try row.decode("detail", as: String?.self) ?? "unknown")
        }
    }

    func request(_ tenant: TenantID, seen: Int64) async throws {
        try await pool.query(.credentialRequest, tenant.rawValue, seen)
    }

    struct DueBatch: Sendable {
        var due: [(tenant: TenantID, generation: Int64)]
        /// What is most urgent after these, for the next call.
        var ranked: [String]
        /// Due ones that were left, counted up to 10 000; nil if the budget had nothing to give.
        var waiting: Int64?
        var reason: String
        /// When to come again; nil: nothing is due at any time.
        var retryAfter: Duration?
    }

    /// - Parameter ranked: of the batch before, unless that is long ago; empty: ranks the backlog anew.
    func takeDue(most: Int, ranked: [String] = [], settings: VaultSettings) async throws -> DueBatch {
        let row = try await pool.query(
            .credentialTakeDue,
            provider,
            client,
            Int32(clamping: most),
            Int32(clamping: max(64, settings.exchangeLimit * 8)),
            ranked,
            settings.claimTime.milliseconds,
            settings.idleRecheck.milliseconds
        ).only
        let tenants = try row.decode("tenants", as: [String].self).compactMap { TenantID(rawValue: $0) }
        let generations = try row.decode("generations", as: [Int64].self)
        return DueBatch(
            due: Array(zip(tenants, generations)).map { (tenant: $0.0, generation: $0.1) },
            ranked: try row.decode("ranked"),
            waiting: try row.decode("waiting"),
            reason: try row.decode("reason"),
            retryAfter: try row.decode("retry_after_ms", as: Int64?.self).map { .milliseconds($0) }
        )
    }

    /// One exchange out of the budget.
    ///
    /// - Returns: nil if it was granted, else why not and when to ask again.
    func admit() async throws -> (cause: String, retryAfter: Duration)? {
        let row = try await pool.query(.providerAdmit, provider, Int32(1), client).only
        if try row.decode("granted", as: Int32.self) > 0 { return nil }
        return (
            cause: try row.decode("reason"),
            retryAfter: .milliseconds(try row.decode("retry_after_ms", as: Int64.self))
        )
    }

    enum Standing: Sendable {
        case suspect(generation: Int64, Suspicion)
        case healthy
        case exchanging(Duration)
        case backingOff(Duration)
        case needsAuthorization
        case noCredential
    }

    /// Waits for the row's lock, so for an exchange that is under way.
    ///
    /// - Throws: ``PostgresError`` 55P03 if the lock did not come free in time.
    func standing(_ tenant: TenantID, lockTimeout: Duration) async throws -> Standing {
        let row = try await pool.query(.credentialSuspect, tenant.rawValue, lockTimeout.milliseconds).only
        let retryAfter = try row.decode("retry_after_ms", as: Int64?.self).map { Duration.milliseconds($0) } ?? .zero
        switch try row.decode("outcome", as: String.self) {
        case "healthy": return .healthy
        case "exchanging": return .exchanging(retryAfter)
        case "needs_authorization": return .needsAuthorization
        case "suspect" where retryAfter > .zero: return .backingOff(retryAfter)
        case "suspect": return .suspect(generation: try row.decode("generation"), try Self.suspicion(row))
        default: return .noCredential
        }
    }

    private static func suspicion(_ row: PostgresRow) throws(PostgresError) -> Suspicion {
        func duration(_ column: String) throws(PostgresError) -> Duration {
            .milliseconds(try row.decode(column, as: Int64.self))
        }
        let expiry = try row.decode("access_valid_ms", as: Int64?.self)
        let lifetime = try row.decode("access_life_ms", as: Int64?.self)
        return Suspicion(
            reason: try row.decode("reason", as: String.self) == "dead" ? .dead : .ambiguous,
            since: try duration("suspect_ms"),
            presented: try duration("presented_ms"),
            deadline: try duration("deadline_ms"),
            accessExpiry: expiry.map { .milliseconds($0) },
            accessLifetime: .milliseconds(lifetime ?? 0),
            hasOrganization: try row.decode("has_organization"),
            hasRefreshToken: try row.decode("has_refresh_token"),
            renewsByOrganization: try row.decode("renewed_by", as: String.self) == "client_credentials",
            tried: Set(try row.decode("rungs_tried", as: [String].self).compactMap { ExchangeRung(rawValue: $0) }),
            providerInDoubt: try row.decode("provider_in_doubt")
        )
    }

    func postpone(_ tenant: TenantID, generation: Int64, by delay: Duration) async throws {
        try await pool.query(.credentialPostpone, tenant.rawValue, generation, delay.milliseconds)
    }

    func giveUp(
        _ tenant: TenantID,
        generation: Int64,
        detail: String,
        on connection: PostgresConnection
    ) async throws -> Bool {
        try await connection.query(.credentialGiveUp, tenant.rawValue, generation, detail).only.decode("given_up")
    }

    /// Where credentials stand, for comparison with a spool.
    struct Place: Sendable {
        let generation: Int64
        let savedAttempt: UUID?
        let refreshToken: [UInt8]?
    }

    func places(of tenants: [TenantID]) async throws -> [TenantID: Place] {
        var places: [TenantID: Place] = [:]
        for row in try await pool.query(.credentialStanding, tenants.map(\.rawValue)) {
            guard let tenant = TenantID(rawValue: try row.decode("tenant_id")) else { continue }
            places[tenant] = try Place(row)
        }
        return places
    }

    /// Holds the row's lock until the connection's transaction ends.
    func lockedPlace(of tenant: TenantID, on connection: PostgresConnection) async throws -> Place? {
        try await connection.query(.credentialLock, tenant.rawValue).first.map { try Place($0) }
    }
}

extension CredentialStore.Place {
    init(_ row: PostgresRow) throws {
        generation = try row.decode("generation")
        savedAttempt = try row.decode("saved_attempt_id")
        refreshToken = try row.decode("refresh_token")
    }
}
