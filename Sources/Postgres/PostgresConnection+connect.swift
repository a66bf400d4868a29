import CLibPQ
import LeaseholdCore
import Logging

extension PostgresConnection {
    /// The oldest server the schema works on.
    static let oldestServerVersion: Int32 = 140_000

    /// Connects and makes the session ready.
    ///
    /// - Throws: ``PostgresError``, or `CancellationError` if the task was cancelled meanwhile.
    static func connect(_ configuration: PostgresConfiguration, logger: Logger) async throws -> PostgresConnection {
        let connection = try PostgresConnection(configuration: configuration, logger: logger)
        do {
            try await connection.open()
        } catch {
            await connection.close()
            throw error
        }
        return connection
    }

    private func open() async throws {
        try Task.checkCancellation()
        phase = .connecting
        link.start(try ConnectionParameters(configuration))
        guard link.connection != nil, PQstatus(link.connection) != CONNECTION_BAD else {
            throw cannotConnect(timeouts: 0)
        }
        try await withTaskCancellationHandler {
            try await pollUntilConnected()
        } onCancel: {
            later { connection in
                guard connection.phase == .connecting else { return }
                connection.end(reason: "cancelled")
                connection.link.cancelWait()
            }
        }
        phase = .open
        PQsetnonblocking(link.connection, 1)
        link.startReading { [weak self] in self?.assumeIsolated { $0.socketIsReadable() } }
        try checkServerVersion()
        try await applySessionSettings()
    }

    private func pollUntilConnected() async throws {
        let limit = attemptLimit()
        var deadline = ConnectDeadline()
        var next = PGRES_POLLING_WRITING
        while next != PGRES_POLLING_OK {
            if next == PGRES_POLLING_FAILED { throw cannotConnect(timeouts: deadline.missed) }
            if deadline.isNewAttempt(currentAttempt) {
                armDeadline(limit, attempt: deadline.attempt)
            }
            await waitWhileConnecting(for: next == PGRES_POLLING_READING ? .read : .write)
            guard phase == .connecting else { throw CancellationError() }
            if deadline.hasExpired(expiredAttempt) {
                // libpq sees a failed socket and goes on to the next address, where there is one.
                link.cutOff()
            }
            next = PQconnectPoll(link.connection)
        }
    }

    private func waitWhileConnecting(for direction: SocketLink.Direction) async {
        await withCheckedContinuation { continuation in
            link.waitOnce(for: direction) { continuation.resume() }
        }
    }

    private func armDeadline(_ limit: Duration?, attempt: Int) {
        guard let limit else { return }
        after(limit) { connection in
            guard connection.phase == .connecting else { return }
            connection.expiredAttempt = attempt
            connection.link.cancelWait()
        }
    }

    /// The address that libpq tries now.
    private var currentAttempt: String {
        [PQhost(link.connection), PQhostaddr(link.connection), PQport(link.connection)]
            .map { $0.map { String(cString: $0) } ?? "" }
            .joined(separator: " ")
    }

    /// `connect_timeout` as libpq found it, else the configuration's; nil for no limit.
    private func attemptLimit() -> Duration? {
        guard let options = PQconninfo(link.connection) else { return configuration.connectTimeout }
        defer { PQconninfoFree(options) }
        guard let text = ConnectionParameters.named(options)["connect_timeout"], let seconds = Int(text) else {
            return configuration.connectTimeout
        }
        // libpq: zero and below wait for ever, one is taken as two.
        return seconds <= 0 ? nil : .seconds(max(seconds, 2))
    }

    private func checkServerVersion() throws {
        let version = serverVersion
        guard version < Self.oldestServerVersion else { return }
        throw PostgresError(
            .serverTooOld,
            "expected PostgreSQL 14 or newer, got server version \(version / 10000)",
            hint: "upgrade the server"
        )
    }

    private func applySessionSettings() async throws {
        guard configuration.preparesStatements else { return }
        let script = configuration.timeoutSettings.map { "set \($0);" }.joined(separator: " ")
        if !script.isEmpty { try await run(script: script) }
    }
}

/// Counts the addresses tried, each of which has a deadline of its own.
private struct ConnectDeadline {
    private var address: String?
    private(set) var attempt = 0
    /// Addresses that did not answer in time.
    private(set) var missed = 0
    private var lastMissed = 0

    mutating func isNewAttempt(_ address: String) -> Bool {
        guard address != self.address else { return false }
        self.address = address
        attempt += 1
        return true
    }

    mutating func hasExpired(_ expired: Int) -> Bool {
        guard expired == attempt, lastMissed != attempt else { return false }
        lastMissed = attempt
        missed += 1
        return true
    }
}

extension PostgresConfiguration {
    /// The configured timeouts as `name = milliseconds`, for SET and SET LOCAL.
    var timeoutSettings: [String] {
        [
            ("statement_timeout", statementTimeout),
            ("lock_timeout", lockTimeout),
            ("idle_in_transaction_session_timeout", idleInTransactionTimeout),
        ].compactMap { name, timeout in
            // Zero means no limit to the server, so that a shorter one is rounded up.
            timeout.map { "\(name) = \($0 == .zero ? 0 : max(1, Int($0.seconds * 1000)))" }
        }
    }
}
