import CLibPQ
import LeaseholdCore
package import SQLFiles

extension PostgresConnection {
    /// Runs a statement of ``SQLFiles``, prepared once in this session.
    ///
    /// The parameters are sent as the types that the file's header declares.
    /// - Throws: ``PostgresError``, or `CancellationError` if the task was cancelled.
    @discardableResult
    package nonisolated func query(
        _ file: SQLFile,
        _ parameters: (any PostgresEncodable)?...
    ) async throws -> PostgresRows {
        try await query(PostgresCall(file, parameters: parameters))
    }

    @discardableResult
    package nonisolated func query(_ call: PostgresCall) async throws -> PostgresRows {
        try await run(try call.encoded())
    }

    /// Runs one ad-hoc statement; each parameter has the type of its Swift value, and a text has
    /// whatever type its place wants.
    /// - Throws: ``PostgresError``, or `CancellationError` if the task was cancelled.
    @discardableResult
    package nonisolated func query(
        sql: String,
        _ parameters: (any PostgresEncodable)?...
    ) async throws -> PostgresRows {
        let name = Statement.adHocName(of: sql)
        let encoded = try EncodedParameters(parameters, declared: nil, statement: name)
        return try await run(Statement(name: name, text: sql, isPrepared: false, parameters: encoded))
    }

    /// Runs several statements separated by semicolons, without parameters, as one transaction
    /// unless they contain transaction commands themselves. Their rows are dropped.
    package nonisolated func run(script: String) async throws {
        try await run(simple: script, name: Statement.adHocName(of: script), onCancel: .askServer)
    }

    @discardableResult
    func run(simple sql: String, name: String, onCancel: OnCancel) async throws -> Answer {
        if case .askServer = onCancel { try Task.checkCancellation() }
        try beginOperation(name)
        defer { endOperation() }
        guard PQsendQuery(link.connection, sql) == 1 else { throw notSent(name) }
        return try await cancellable(onCancel) { try await collect(name, hasParameters: false) }
    }

    private func run(_ statement: Statement) async throws -> PostgresRows {
        try Task.checkCancellation()
        let started = ContinuousClock.now
        defer { PostgresMetrics.statement(statement.name, took: .now - started) }
        guard statement.isPrepared, configuration.preparesStatements else {
            return PostgresRows(try await send(statement, prepared: false))
        }
        do {
            try await prepare(statement)
            return PostgresRows(try await send(statement, prepared: true))
        } catch let error as PostgresError where forgetPrepared(after: error) {
            try await prepare(statement)
            return PostgresRows(try await send(statement, prepared: true))
        }
    }

    private func send(_ statement: Statement, prepared: Bool) async throws -> Answer {
        try beginOperation(statement.name)
        defer { endOperation() }
        guard statement.send(on: link.connection, prepared: prepared) else { throw notSent(statement.name) }
        return try await cancellable(.askServer) {
            try await collect(statement.name, hasParameters: statement.parameters.count > 0)
        }
    }

    /// Prepares the statement unless this session has it.
    private func prepare(_ statement: Statement) async throws {
        if hasPrepared(statement) { return }
        try await forgetOutdated(statement)
        try beginOperation(statement.name)
        defer { endOperation() }
        guard statement.sendPrepare(on: link.connection) else { throw notSent(statement.name) }
        _ = try await cancellable(.askServer) { try await collect(statement.name, hasParameters: false) }
        prepared[statement.name] = statement.text
    }

    func hasPrepared(_ statement: Statement) -> Bool {
        !mustDeallocate && prepared[statement.name] == statement.text
    }

    /// Takes outdated statements off the server, so that `statement` can be prepared.
    func forgetOutdated(_ statement: Statement) async throws {
        if mustDeallocate {
            try await run(simple: "deallocate all", name: "deallocate", onCancel: .askServer)
            prepared = [:]
            mustDeallocate = false
        } else if prepared[statement.name] != nil {
            try await run(simple: "deallocate \"\(statement.name)\"", name: "deallocate", onCancel: .askServer)
            prepared[statement.name] = nil
        }
    }

    /// Forgets the prepared statements if `error` says that the server's are gone (`DISCARD ALL`)
    /// or outdated (a changed result type).
    ///
    /// - Returns: whether the statement can be run again now, which a transaction does not allow.
    func forgetPrepared(after error: PostgresError) -> Bool {
        switch error.sqlState.map({ SQLState($0) }) {
        case .invalidStatementName, .featureNotSupported, .duplicatePreparedStatement: break
        default: return false
        }
        mustDeallocate = true
        return phase == .open && transactionStatus == .idle
    }

    /// libpq refused to send: the connection is in no state for it.
    func notSent(_ name: String) -> PostgresError {
        let reason = connectionMessage()
        end(reason: reason)
        return .lost(name, effect: .none, reason: reason)
    }
}
