package import JobQueue
package import LeaseholdCore
package import Postgres
package import TokenVault

/// What the server serves, made by whoever composes the program.
package struct ControlParts: Sendable {
    /// Of the API: keys, jobs, tenants.
    package let pool: PostgresPool
    /// Of the page, whose statements should end after some seconds; by default the same.
    package let pagePool: PostgresPool
    package let queue: JobQueue
    package let tenants: TenantStore
    /// Nil if this process holds no key ring: then nothing of a credential can be asked or given.
    package let vault: TokenVault?
    /// The provider's address for a login.
    package let authorizationURL: AuthorizationURL?
    /// What must hold for the server to be of use.
    package let checks: [ReadinessCheck]
    /// The text of `/metrics`.
    package let metrics: @Sendable () -> String
    /// Which groups of routes there are.
    package let faces: Set<Face>

    package enum Face: String, Sendable, CaseIterable {
        /// `/v1`.
        case api
        /// `/` and everything below for people.
        case page
    }

    /// - Parameters: `redirectURI`, `state`, and the PKCE verifier whose challenge goes into the address.
    package typealias AuthorizationURL =
        @Sendable (_ redirectURI: String, _ state: String, _ verifier: Secret) -> String

    package init(
        pool: PostgresPool,
        pagePool: PostgresPool? = nil,
        queue: JobQueue,
        tenants: TenantStore,
        vault: TokenVault? = nil,
        authorizationURL: AuthorizationURL? = nil,
        checks: [ReadinessCheck],
        metrics: @escaping @Sendable () -> String,
        faces: Set<Face> = Set(Face.allCases)
    ) {
        self.pool = pool
        self.pagePool = pagePool ?? pool
        self.queue = queue
        self.tenants = tenants
        self.vault = vault
        self.authorizationURL = authorizationURL
        self.checks = checks
        self.metrics = metrics
        self.faces = faces
    }
}
