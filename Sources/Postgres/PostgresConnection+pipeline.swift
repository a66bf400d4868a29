import CLibPQ
import LeaseholdCore

extension PostgresConnection {
    /// Runs several statements in one round trip. Outside a transaction they are one transaction of
    /// their own: an error undoes the ones before it and skips the ones after it.
    ///
    /// - Returns: the answers, in order.
    /// - Throws: ``PostgresError`` saying which statement failed, or `CancellationError`.
    package nonisolated func pipeline(_ calls: [PostgresCall]) async throws -> [PostgresRows] {
        guard !calls.isEmpty else { return [] }
        return try await run(pipeline: try calls.map { call throws(PostgresError) in try call.encoded() })
    }

    private func run(pipeline statements: [Statement]) async throws -> [PostgresRows] {
        try Task.checkCancellation()
        do {
            return try await sendPipeline(statements)
        } catch let error as PostgresError where forgetPrepared(after: error) {
            return try await sendPipeline(statements)
        }
    }

    private func sendPipeline(_ statements: [Statement]) async throws -> [PostgresRows] {
        let steps = try await pipelineSteps(statements)
        let name = "pipeline of \(statements.count)"
        try beginOperation(name)
        defer { endOperation() }
        guard PQenterPipelineMode(link.connection) == 1 else { throw notSent(name) }
        for step in steps {
            guard step.send(on: link.connection) else { throw notSent(step.statement.name) }
        }
        guard PQpipelineSync(link.connection) == 1 else { throw notSent(name) }
        return try await cancellable(.askServer) { try await collect(steps, name: name) }
    }

    /// What to send: a prepare before the first use of each statement this session does not have.
    private func pipelineSteps(_ statements: [Statement]) async throws -> [PipelineStep] {
        var steps: [PipelineStep] = []
        var coming: [String: String] = [:]
        for (index, statement) in statements.enumerated() {
            guard statement.isPrepared, configuration.preparesStatements else {
                steps.append(PipelineStep(kind: .unprepared, statement: statement, index: index))
                continue
            }
            if coming[statement.name] != statement.text, !hasPrepared(statement) {
                try await forgetOutdated(statement)
                steps.append(PipelineStep(kind: .prepare, statement: statement, index: index))
                coming[statement.name] = statement.text
            }
            steps.append(PipelineStep(kind: .prepared, statement: statement, index: index))
        }
        return steps
    }

    private func collect(_ steps: [PipelineStep], name: String) async throws -> [PostgresRows] {
        await flush()
        var answers: [PostgresRows] = []
        var failure: PostgresError?
        for step in steps {
            while let result = await nextResult() {
                switch PQresultStatus(result) {
                case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
                    let answer = Answer(result, statement: step.statement.name)
                    if step.kind == .prepare {
                        prepared[step.statement.name] = step.statement.text
                    } else {
                        answers.append(PostgresRows(answer))
                    }
                case PGRES_PIPELINE_ABORTED:
                    PQclear(result)
                default:
                    let error = readError(
                        result,
                        "\(step.statement.name) (\(step.index + 1) of a \(name))",
                        hasParameters: step.kind != .prepare && step.statement.parameters.count > 0
                    )
                    failure = failure ?? error.naming(step.statement.name)
                    PQclear(result)
                }
            }
            if phase != .open { break }
        }
        try await leavePipelineMode(name)
        if let failure { throw outcome(of: failure) }
        return answers
    }

    /// Takes the answer to the sync that ends every pipeline.
    private func leavePipelineMode(_ name: String) async throws {
        if phase == .open, let result = await nextResult() {
            let isSync = PQresultStatus(result) == PGRES_PIPELINE_SYNC
            PQclear(result)
            if !isSync || PQexitPipelineMode(link.connection) != 1 {
                end(reason: "the answers to a \(name) were out of step")
            }
        }
        await awaitCancelDelivery()
        switch phase {
        case .open: return
        case .ended(let reason): throw PostgresError.lost(name, effect: .unknown, reason: reason)
        case .unconnected, .connecting, .closed:
            throw PostgresError.lost(name, effect: .unknown, reason: "it was closed")
        }
    }
}

/// One message of a pipeline.
private struct PipelineStep {
    enum Kind {
        case prepare
        case prepared
        case unprepared
    }

    let kind: Kind
    let statement: Statement
    /// Which of the caller's statements this belongs to, from 0.
    let index: Int

    func send(on connection: OpaquePointer?) -> Bool {
        switch kind {
        case .prepare: statement.sendPrepare(on: connection)
        case .prepared: statement.send(on: connection, prepared: true)
        case .unprepared: statement.send(on: connection, prepared: false)
        }
    }
}

extension PostgresError {
    fileprivate func naming(_ statement: String) -> PostgresError {
        var copy = self
        copy.statement = statement
        return copy
    }
}
