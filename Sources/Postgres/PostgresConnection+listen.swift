import CLibPQ

/// A notification as it came.
package struct PostgresNotification: Sendable, Hashable {
    package let channel: String
    package let payload: String

    package init(channel: String, payload: String) {
        self.channel = channel
        self.payload = payload
    }
}

/// Notifications that came and nobody took yet. Equal ones are kept once: a notification says that
/// there is something to read, not what.
struct NotificationBuffer {
    /// More different ones than this are dropped and reported as an overflow.
    static let limit = 10_000

    private var pending: [PostgresNotification] = []
    private var known: Set<PostgresNotification> = []
    private(set) var hasOverflowed = false

    mutating func append(_ notification: PostgresNotification) {
        guard known.insert(notification).inserted else { return }
        guard pending.count < Self.limit else {
            known.remove(notification)
            hasOverflowed = true
            return
        }
        pending.append(notification)
    }

    /// Everything there is, and whether some were dropped before.
    mutating func takeAll() -> (notifications: [PostgresNotification], hasOverflowed: Bool) {
        defer { self = NotificationBuffer() }
        return (pending, hasOverflowed)
    }

    var isEmpty: Bool { pending.isEmpty && !hasOverflowed }
}

extension PostgresConnection {
    /// Moves notifications from libpq's list into ours.
    func takeNotifications() {
        while let notification = PQnotifies(link.connection) {
            defer { PQfreemem(notification) }
            guard let channel = notification.pointee.relname, let payload = notification.pointee.extra else { continue }
            notifications.append(
                PostgresNotification(channel: String(cString: channel), payload: String(cString: payload))
            )
        }
    }

    /// Starts to receive what is sent to `channel` from now on.
    func listen(to channel: String) async throws {
        let quoted = channel.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
        try await run(simple: "listen \"\(quoted)\"", name: "listen", onCancel: .askServer)
    }

    /// Waits for notifications and takes all there are.
    ///
    /// - Throws: ``PostgresError`` when the connection ends; `CancellationError`.
    func nextNotifications() async throws -> (notifications: [PostgresNotification], hasOverflowed: Bool) {
        try Task.checkCancellation()
        try beginOperation("wait for notifications")
        defer { endOperation() }
        let id = lastOperationID
        try await withTaskCancellationHandler {
            while notifications.isEmpty {
                if case .ended(let reason) = phase {
                    throw PostgresError.lost("wait for notifications", effect: .none, reason: reason)
                }
                try Task.checkCancellation()
                guard phase == .open else { throw CancellationError() }
                await park()
            }
        } onCancel: {
            later { connection in
                if connection.operation?.id == id { connection.wake() }
            }
        }
        return notifications.takeAll()
    }
}
