import LeaseholdCore
import Logging

/// What a listener learns, in order.
package enum PostgresListenerEvent: Sendable, Hashable {
    /// The channels are being listened to, for the first time or again. Whatever was sent before is
    /// lost, so read the facts from the tables now.
    case listening(isReconnect: Bool)
    case notification(PostgresNotification)
    /// More notifications came than are kept: read the facts from the tables.
    case overflow
}

/// The events of ``PostgresPool/withNotifications(on:_:)``: endless, through every reconnect, until
/// the task is cancelled, which ends the sequence.
package struct PostgresNotifications: AsyncSequence, Sendable {
    package typealias Element = PostgresListenerEvent

    let listener: PostgresListener

    package func makeAsyncIterator() -> Iterator { Iterator(listener: listener) }

    package struct Iterator: AsyncIteratorProtocol {
        let listener: PostgresListener

        package mutating func next() async -> PostgresListenerEvent? {
            await listener.next()
        }

        package mutating func next(isolation actor: isolated (any Actor)?) async -> PostgresListenerEvent? {
            await listener.next()
        }
    }
}

extension PostgresPool {
    /// Listens on a connection of its own, besides the pool's ``size``, and makes a new one when it
    /// is lost. Not through PgBouncer in transaction mode, which knows no LISTEN: give the pool a
    /// direct URL for that.
    package func withNotifications<R>(
        on channels: [String],
        _ body: (PostgresNotifications) async throws -> R
    ) async throws -> R {
        let listener = PostgresListener(pool: self, channels: channels)
        do {
            let result = try await body(PostgresNotifications(listener: listener))
            await listener.close()
            return result
        } catch {
            await listener.close()
            throw error
        }
    }
}

/// Connects, listens and reconnects; does so only while somebody asks for the next event.
actor PostgresListener {
    private let pool: PostgresPool
    private let channels: [String]
    private var connection: PostgresConnection?
    private var pending: [PostgresListenerEvent] = []
    private var backOff = BackOff()
    private var hasListened = false

    init(pool: PostgresPool, channels: [String]) {
        self.pool = pool
        self.channels = channels
    }

    func next() async -> PostgresListenerEvent? {
        while !Task.isCancelled {
            if !pending.isEmpty { return pending.removeFirst() }
            do {
                guard let connection else {
                    try await connect()
                    defer { hasListened = true }
                    return .listening(isReconnect: hasListened)
                }
                let (notifications, hasOverflowed) = try await connection.nextNotifications()
                pending = notifications.map { .notification($0) }
                if hasOverflowed { pending.append(.overflow) }
            } catch {
                if error is CancellationError { return nil }
                pool.logger.warning(
                    "listening for notifications failed, connecting again",
                    metadata: ["error": "\(errorText(error))"]
                )
                await connection?.close()
                connection = nil
            }
        }
        return nil
    }

    func close() async {
        await connection?.close()
        connection = nil
    }

    private func connect() async throws {
        let delay = backOff.until - pool.time.now()
        if delay > .zero { try await pool.time.sleep(delay) }
        do {
            let connection = try await PostgresConnection.connect(pool.configuration, logger: pool.logger)
            for channel in channels { try await connection.listen(to: channel) }
            self.connection = connection
            backOff.succeeded()
        } catch {
            backOff.failed(now: pool.time.now(), jitter: pool.random.uniform(in: 0...1))
            throw error
        }
    }
}
