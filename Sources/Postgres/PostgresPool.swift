package import LeaseholdCore
package import Logging
package import SQLFiles
import ServiceLifecycle
import Synchronization

/// A bounded set of connections to one database, usable right after `init`: it connects on demand.
///
/// As a service, ``run()`` closes connections that are old or idle for long until the graceful
/// shutdown, and then the pool; without running it, call ``close()``.
///
/// Callers are served in the order they came. A connection goes back only if it is alive, outside
/// any transaction and idle. Connecting is slowed down while it fails; the first failure is reported
/// at once.
package final class PostgresPool: Service {
    package let configuration: PostgresConfiguration
    package let size: Int
    package let waitLimit: Duration
    let logger: Logger
    let time: PoolTime
    let random: RandomSource
    let shared: Mutex<Shared>

    struct Shared {
        var state: PoolState<PostgresConnection>
        var waiting: [UInt64: CheckedContinuation<PoolState<PostgresConnection>.Grant, any Error>] = [:]
        /// Granted between taking the ticket and starting to wait.
        var early: [UInt64: PoolState<PostgresConnection>.Grant] = [:]
        var whenDrained: [CheckedContinuation<Void, Never>] = []
        /// Leased connections, so that closing can cut them off.
        var leases: [ObjectIdentifier: PostgresConnection] = [:]
    }

    /// - Parameters:
    ///   - size: most connections open at once, 1 or more.
    ///   - waitLimit: how long a caller waits for a connection, connecting not included.
    ///   - lifetime: connections older than this are replaced, so that a changed DNS entry or server
    ///     setting takes effect; in use they are never cut off.
    ///   - idleLimit: connections unused for longer are closed.
    package init(
        configuration: PostgresConfiguration,
        size: Int = 8,
        waitLimit: Duration = .seconds(30),
        lifetime: Duration = .seconds(3600),
        idleLimit: Duration = .seconds(600),
        logger: Logger,
        clock: any Clock<Duration> = ContinuousClock(),
        random: RandomSource = RandomSource()
    ) {
        self.configuration = configuration
        self.size = max(1, size)
        self.waitLimit = waitLimit
        self.logger = logger
        self.random = random
        time = PoolTime(clock)
        shared = Mutex(Shared(state: PoolState(size: max(1, size), lifetime: lifetime, idleLimit: idleLimit)))
    }

    /// Lends a connection to `body`.
    ///
    /// - Throws: what `body` throws; ``PostgresError`` with code `poolExhausted` after ``waitLimit``,
    ///   `cannotConnect`, `poolClosed`; `CancellationError`.
    package func withConnection<R>(_ body: (PostgresConnection) async throws -> R) async throws -> R {
        let lease = try await acquire()
        do {
            let result = try await body(lease.connection)
            await release(lease)
            return result
        } catch {
            await release(lease)
            throw error
        }
    }

    /// Runs `body` in a transaction of its own; see ``PostgresConnection/withTransaction(_:_:)``.
    ///
    /// A connection that turns out dead at BEGIN is replaced without the caller noticing.
    package func withTransaction<R>(
        _ options: PostgresTransactionOptions = .init(),
        _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        // A BEGIN whose answer is lost has done nothing.
        let lease = try await acquire(first: { try await $0.begin(options) }, mayRepeat: { _ in true })
        do {
            let result = try await lease.connection.finishTransaction(body)
            await release(lease)
            return result
        } catch {
            await release(lease)
            throw error
        }
    }

    /// Runs one statement on any connection. A connection that turns out dead before the statement
    /// was sent is replaced without the caller noticing.
    @discardableResult
    package func query(_ file: SQLFile, _ parameters: (any PostgresEncodable)?...) async throws -> PostgresRows {
        try await query(PostgresCall(file, parameters: parameters))
    }

    @discardableResult
    package func query(_ call: PostgresCall) async throws -> PostgresRows {
        try await once { try await $0.query(call) }
    }

    /// Runs several statements in one round trip on any connection, as one transaction.
    package func pipeline(_ calls: [PostgresCall]) async throws -> [PostgresRows] {
        try await once { try await $0.pipeline(calls) }
    }

    private func once<R>(_ body: (PostgresConnection) async throws -> R) async throws -> R {
        var result: R?
        let lease = try await acquire(
            trusting: true,
            first: { result = try await body($0) },
            mayRepeat: { $0.effect == .none }
        )
        await release(lease)
        guard let result else { throw CancellationError() }
        return result
    }

    /// Connections lent out now.
    package var leasedCount: Int { shared.withLock { $0.state.leased } }
    package var idleCount: Int { shared.withLock { $0.state.idleCount } }
    /// Round trips of the connections that are open now, since each was opened: what a piece of work costs
    /// the network.
    package var roundTrips: Int {
        let connections = shared.withLock { Array($0.leases.values) + $0.state.idleConnections }
        return connections.reduce(0) { $0 + $1.roundTrips.load(ordering: .relaxed) }
    }
    package var waiterCount: Int { shared.withLock { $0.state.waiterCount } }
}

/// The injected clock, reduced to what the pool needs: the time since the pool was made.
struct PoolTime: Sendable {
    let now: @Sendable () -> Duration
    let sleep: @Sendable (Duration) async throws -> Void

    init(_ clock: any Clock<Duration>) {
        self = Self.reduce(clock)
    }

    private init(now: @escaping @Sendable () -> Duration, sleep: @escaping @Sendable (Duration) async throws -> Void) {
        self.now = now
        self.sleep = sleep
    }

    private static func reduce<C: Clock<Duration>>(_ clock: C) -> PoolTime {
        let start = clock.now
        return PoolTime(
            now: { start.duration(to: clock.now) },
            sleep: { try await clock.sleep(until: clock.now.advanced(by: $0), tolerance: nil) }
        )
    }
}
