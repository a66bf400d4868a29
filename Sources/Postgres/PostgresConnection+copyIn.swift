import CLibPQ
import LeaseholdCore

extension PostgresConnection {
    /// Sends rows with `COPY … FROM STDIN`, for example
    /// `copy leasehold.t (id, name) from stdin (format binary)`.
    ///
    /// The writer waits while the server is slower than `body`, so memory stays bounded. If `body`
    /// throws, nothing is copied and its error is rethrown.
    /// - Returns: the rows copied.
    package nonisolated func copyIn(
        _ sql: String,
        _ body: (PostgresCopyWriter) async throws -> Void
    ) async throws -> Int {
        let writer = PostgresCopyWriter(connection: self, isBinary: try await beginCopyIn(sql))
        do {
            try await body(writer)
            try await writer.finish()
        } catch {
            // A server's refusal, found while ending, says more than what `body` met as its result.
            let refusal = await abandonCopyIn()
            if let refusal, !(error is CancellationError) { throw refusal }
            throw error
        }
        return try await endCopyIn()
    }

    /// - Returns: whether the format is binary.
    private func beginCopyIn(_ sql: String) async throws -> Bool {
        try Task.checkCancellation()
        try beginOperation("copy")
        do {
            guard PQsendQuery(link.connection, sql) == 1 else { throw notSent("copy") }
            return try await cancellable(.askServer) { try await expectCopy(PGRES_COPY_IN) }
        } catch {
            endOperation()
            throw error
        }
    }

    /// Takes the answer that starts a COPY.
    func expectCopy(_ status: ExecStatusType) async throws -> Bool {
        await flush()
        if let result = await nextResult() {
            if PQresultStatus(result) == status {
                defer { PQclear(result) }
                return PQbinaryTuples(result) == 1
            }
            let isError = PQresultErrorMessage(result).map { $0.pointee != 0 } ?? false
            if !isError {
                PQclear(result)
                end(reason: "a copy call without a COPY statement")
                throw PostgresError(
                    .misuse,
                    "expected one COPY statement \(status == PGRES_COPY_IN ? "FROM STDIN" : "TO STDOUT")",
                    statement: "copy"
                )
            }
            let failure = readError(result, "copy", hasParameters: false)
            PQclear(result)
            while let rest = await nextResult() { PQclear(rest) }
            await awaitCancelDelivery()
            throw outcome(of: failure)
        }
        if case .ended(let reason) = phase { throw PostgresError.lost("copy", effect: .none, reason: reason) }
        throw PostgresError.lost("copy", effect: .none, reason: "it was closed")
    }

    /// Hands a chunk to the server and waits until it has left this process.
    func putCopyData(_ bytes: [UInt8]) async throws {
        try Task.checkCancellation()
        guard let operation, operation.name == "copy" else {
            throw PostgresError(.misuse, "expected the writer to be used inside its copyIn only", statement: "copy")
        }
        try await cancellable(.askServer) {
            while phase == .open {
                let sent = bytes.withUnsafeBytes { buffer in
                    PQputCopyData(
                        link.connection,
                        buffer.baseAddress?.assumingMemoryBound(to: CChar.self),
                        Int32(buffer.count)
                    )
                }
                switch sent {
                case 1:
                    return await flush()
                case 0:
                    link.waitOnce(for: .write) { [weak self] in self?.assumeIsolated { $0.wake() } }
                    await park()
                default:
                    noticeEnd()
                    end(reason: connectionMessage())
                }
            }
        }
        if case .ended(let reason) = phase { throw PostgresError.lost("copy", effect: .none, reason: reason) }
    }

    private func endCopyIn() async throws -> Int {
        defer { endOperation() }
        return try await cancellable(.askServer) {
            await putCopyEnd(nil)
            return try await collect("copy", hasParameters: false).affectedRows
        }
    }

    /// - Returns: the server's error, unless it is only the echo of our giving up.
    private func abandonCopyIn() async -> PostgresError? {
        defer { endOperation() }
        await putCopyEnd("abandoned by the client")
        do {
            _ = try await cancellable(.goOn(atMost: configuration.cancelGrace)) {
                try await collect("copy", hasParameters: false)
            }
        } catch let error as PostgresError where !error.isServer(.queryCanceled) {
            return error
        } catch {
            return nil
        }
        return nil
    }

    private func putCopyEnd(_ message: String?) async {
        while phase == .open {
            switch PQputCopyEnd(link.connection, message) {
            case 1:
                return await flush()
            case 0:
                link.waitOnce(for: .write) { [weak self] in self?.assumeIsolated { $0.wake() } }
                await park()
            default:
                return
            }
        }
    }
}
