import CLibPQ
import LeaseholdCore

extension PostgresConnection {
    /// Largest chunk that is collected before `body` sees it, unless one row is larger.
    private static let chunkSize = 64 * 1024

    /// Reads the bytes of `COPY … TO STDOUT` in chunks of whole rows; the server waits while `body`
    /// does. If `body` throws, the rest is dropped and its error is rethrown.
    ///
    /// - Returns: the rows copied.
    package nonisolated func copyOut(
        _ sql: String,
        _ body: ([UInt8]) async throws -> Void
    ) async throws -> Int {
        try await beginCopyOut(sql)
        do {
            while let chunk = try await nextCopyChunk() { try await body(chunk) }
        } catch {
            await abandonCopyOut()
            throw error
        }
        return try await endCopyOut()
    }

    private func beginCopyOut(_ sql: String) async throws {
        try Task.checkCancellation()
        try beginOperation("copy")
        do {
            guard PQsendQuery(link.connection, sql) == 1 else { throw notSent("copy") }
            operation?.holdsBackInput = true
            _ = try await cancellable(.askServer) { try await expectCopy(PGRES_COPY_OUT) }
        } catch {
            endOperation()
            throw error
        }
    }

    private func nextCopyChunk() async throws -> [UInt8]? {
        try Task.checkCancellation()
        var chunk: [UInt8] = []
        try await cancellable(.askServer) {
            while phase == .open, chunk.count < Self.chunkSize {
                var row: UnsafeMutablePointer<CChar>?
                let length = PQgetCopyData(link.connection, &row, 1)
                if length > 0, let row {
                    chunk.append(contentsOf: UnsafeRawBufferPointer(start: row, count: Int(length)))
                    PQfreemem(row)
                } else if length == 0, chunk.isEmpty {
                    await park()
                } else {
                    return  // a pause, the end or an error: what there is goes out first
                }
            }
        }
        if case .ended(let reason) = phase, chunk.isEmpty {
            throw PostgresError.lost("copy", effect: .none, reason: reason)
        }
        return chunk.isEmpty ? nil : chunk
    }

    private func endCopyOut() async throws -> Int {
        defer { endOperation() }
        return try await cancellable(.askServer) { try await collect("copy", hasParameters: false).affectedRows }
    }

    /// Stops the server and throws away what is still under way.
    private func abandonCopyOut() async {
        defer { endOperation() }
        operation?.holdsBackInput = false
        askServerToCancel()
        while phase == .open {
            var row: UnsafeMutablePointer<CChar>?
            let length = PQgetCopyData(link.connection, &row, 1)
            if let row { PQfreemem(row) }
            if length < 0 { break }
            if length == 0 { await park() }
        }
        _ = try? await collect("copy", hasParameters: false)
    }
}
