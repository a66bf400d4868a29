import Foundation
import LeaseholdCore
package import Logging
package import Postgres
import SQLFiles
import Synchronization

/// A database of one test's own, with the whole schema.
package final class TestDatabase: Sendable {
    package let name: String
    /// For other processes; holds a password if `LEASEHOLD_TEST_DATABASE_URL` does.
    package let url: String
    package let log = CapturedLog()
    private let pools = Mutex<[PostgresPool]>([])

    init(name: String, url: String) {
        self.name = name
        self.url = url
    }

    package var configuration: PostgresConfiguration {
        .patient(url: url)
    }

    /// A pool that ``withDatabase(_:)`` closes. The test fails if a connection was still lent out
    /// when the body returned.
    package func pool(
        size: Int = 4,
        waitLimit: Duration = .seconds(30),
        logger: Logger? = nil,
        clock: any Clock<Duration> = ContinuousClock(),
        configure: (inout PostgresConfiguration) -> Void = { _ in }
    ) -> PostgresPool {
        var configuration = configuration
        configure(&configuration)
        let pool = PostgresPool(
            configuration: configuration,
            size: size,
            waitLimit: waitLimit,
            logger: logger ?? log.logger("postgres"),
            clock: clock
        )
        pools.withLock { $0.append(pool) }
        return pool
    }

    /// Runs `body` with a pool that is closed afterwards.
    func withOwnPool(_ body: (PostgresPool) async throws -> Void) async throws {
        let pool = PostgresPool(configuration: configuration, size: 1, logger: log.logger("cleanup"))
        do {
            try await body(pool)
        } catch {
            await pool.close()
            throw error
        }
        await pool.close()
    }

    /// - Returns: connections that were still lent out.
    func closePools() async -> Int {
        let pools = pools.withLock { $0 }
        let leaked = pools.reduce(0) { $0 + $1.leasedCount }
        for pool in pools { await pool.close() }
        return leaked
    }
}

/// Runs `body` with a database of its own, a clone of a template that has every migration.
///
/// The server is the one of `LEASEHOLD_TEST_DATABASE_URL`, whose user may create databases. The
/// clone is dropped afterwards, also when `body` throws. At most 16 exist at once, so never take a
/// second one inside `body`.
package func withDatabase<R>(_ body: (TestDatabase) async throws -> R) async throws -> R {
    let server = try TestServer.shared
    return try await server.withDatabase(template: try await server.template(), body)
}

/// Like ``withDatabase(_:)``, without the schema; the database may be one that an earlier test has
/// used and that was emptied since.
package func withEmptyDatabase<R>(_ body: (TestDatabase) async throws -> R) async throws -> R {
    try await TestServer.shared.withDatabase(template: nil, body)
}

/// What a test did wrong, or what is missing to run it.
package struct TestSupportError: ExplainedError {
    package let label: String
    package let message: String
    package let hint: String?

    package init(label: String, message: String, hint: String? = nil) {
        self.label = label
        self.message = message
        self.hint = hint
    }
}
