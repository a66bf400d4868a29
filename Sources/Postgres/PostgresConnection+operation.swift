import CLibPQ
import Dispatch
import LeaseholdCore
import Synchronization

extension PostgresConnection {
    /// What the connection is doing, from the first byte sent to the last byte read.
    struct Operation {
        let id: UInt64
        let name: String
        var cancel = CancelState.notAsked
        /// While nobody waits, input stays in the socket, so that a slow reader slows the server.
        var holdsBackInput = false
    }

    enum CancelState: Equatable {
        case notAsked
        /// A cancel request is on its way to the server.
        case asked
        /// The server has it, and will not apply it to a later statement.
        case delivered
        /// The operation has ended without one.
        case tooLate
    }

    /// What a cancelled task means for the operation.
    enum OnCancel {
        /// The server is asked to stop; it has the configuration's grace for that.
        case askServer
        /// The operation goes on, but not longer than this.
        case goOn(atMost: Duration)
    }

    /// Claims the connection for one operation; ``endOperation()`` must follow.
    ///
    /// - Throws: ``PostgresError`` with effect `none`: nothing was sent.
    func beginOperation(_ name: String) throws {
        noticeEnd()
        switch phase {
        case .open: break
        case .ended(let reason): throw PostgresError.lost(name, effect: .none, reason: reason)
        case .unconnected, .connecting, .closed:
            throw PostgresError.lost(name, effect: .none, reason: "it was closed")
        }
        if let operation { throw PostgresError.busy(name, running: operation.name) }
        lastOperationID += 1
        roundTrips.add(1, ordering: .relaxed)
        operation = Operation(id: lastOperationID, name: name)
        noteReusable()
    }

    func endOperation() {
        operation = nil
        noteReusable()
    }

    /// Runs `body`, which waits for the server, and reacts to the task's cancellation as told.
    func cancellable<R: Sendable>(_ onCancel: OnCancel, _ body: () async throws -> R) async throws -> R {
        let id = lastOperationID
        return try await withTaskCancellationHandler {
            try await body()
        } onCancel: {
            later { $0.taskWasCancelled(operation: id, onCancel) }
        }
    }

    private func taskWasCancelled(operation id: UInt64, _ reaction: OnCancel) {
        guard operation?.id == id, phase == .open else { return }
        switch reaction {
        case .askServer: askServerToCancel()
        case .goOn(let limit): giveUp(operation: id, after: limit)
        }
    }

    /// Sends a cancel request for the running statement, if none is on its way.
    func askServerToCancel() {
        guard let operation, operation.cancel == .notAsked, let handle = PQgetCancel(link.connection) else { return }
        self.operation?.cancel = .asked
        let request = CancelRequest(handle: handle)
        CancelRequest.queue.async {
            request.send()
            self.later { connection in
                guard connection.operation?.id == operation.id else { return }
                connection.operation?.cancel = .delivered
                connection.wake()
            }
        }
        giveUp(operation: operation.id, after: configuration.cancelGrace)
    }

    private func giveUp(operation id: UInt64, after limit: Duration) {
        after(limit) { connection in
            guard connection.operation?.id == id else { return }
            connection.end(reason: "it did not answer within \(limit) of being cancelled")
        }
    }

    /// Waits until a cancel request that is on its way has arrived, and lets none go out any more: it
    /// could otherwise hit the next statement of this session. Between this and ``endOperation()`` other
    /// work of the connection may come, the news of a cancelled task among it.
    func awaitCancelDelivery() async {
        while phase == .open, operation?.cancel == .asked { await park() }
        if operation?.cancel == .notAsked { operation?.cancel = .tooLate }
    }

    /// Reads one statement's results to the end.
    ///
    /// - Returns: the last result.
    /// - Throws: the first error; `CancellationError` if the server stopped because we asked.
    func collect(_ name: String, hasParameters: Bool) async throws -> Answer {
        await flush()
        var answer: Answer?
        var failure: PostgresError?
        while let result = await nextResult() {
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
                answer = Answer(result, statement: name)
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                PQclear(result)
                end(reason: "COPY was started by \(name)")
                throw PostgresError(
                    .misuse,
                    "expected a statement without COPY, got \(name)",
                    hint: "use copyIn or copyOut",
                    statement: name
                )
            default:
                failure = failure ?? readError(result, name, hasParameters: hasParameters)
                PQclear(result)
            }
        }
        await awaitCancelDelivery()
        if let failure { throw outcome(of: failure) }
        if case .ended(let reason) = phase { throw PostgresError.lost(name, effect: .unknown, reason: reason) }
        guard let answer else { throw PostgresError.lost(name, effect: .unknown, reason: "it was closed") }
        return answer
    }

    /// Reads an error and ends the connection if the server did.
    func readError(_ result: OpaquePointer, _ name: String, hasParameters: Bool) -> PostgresError {
        let severity = PQresultErrorField(result, Int32(UInt8(ascii: "V"))).map { String(cString: $0) }
        let error = PostgresError(result, statement: name, hasParameters: hasParameters)
        guard severity != "FATAL", severity != "PANIC", error.code == .server else {
            var reason = error.sqlState == nil ? connectionMessage() : error.message
            if case .ended(let known) = phase, error.sqlState == nil { reason = known }
            end(reason: reason)
            var lost = PostgresError.lost(name, effect: .unknown, reason: reason)
            lost.sqlState = error.sqlState
            return lost
        }
        return error
    }

    /// The error to throw for `failure`: a statement that the server stopped at our asking was
    /// cancelled, and nothing of it remains.
    func outcome(of failure: PostgresError) -> any Error {
        guard let cancel = operation?.cancel, cancel == .asked || cancel == .delivered,
            failure.isServer(.queryCanceled)
        else { return failure }
        return CancellationError()
    }
}

/// One cancel request, sent over a connection of its own.
///
/// Unchecked because of the pointer: libpq makes it independent of the connection, and only the
/// closure that sends it has it.
private struct CancelRequest: @unchecked Sendable {
    let handle: OpaquePointer

    /// PQcancel blocks until the server has taken the request, so it must not run on a connection's
    /// queue or on the threads of Swift's concurrency.
    static let queue = DispatchQueue(label: "leasehold.postgres.cancel", attributes: .concurrent)

    func send() {
        var message = [CChar](repeating: 0, count: 256)
        _ = PQcancel(handle, &message, Int32(message.count))
        PQfreeCancel(handle)
    }
}
