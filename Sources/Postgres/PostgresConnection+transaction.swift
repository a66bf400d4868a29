import LeaseholdCore
import Logging

extension PostgresConnection {
    /// Longest wait for COMMIT's answer once the task was cancelled. With a synchronous standby
    /// that is down, COMMIT waits for it, and cutting it short makes the outcome unknown.
    private static let commitPatience = Duration.seconds(30)

    /// Runs `body` between BEGIN and COMMIT; rolls back and rethrows if it throws, also when the
    /// task was cancelled.
    ///
    /// - Throws: what `body` threw; ``PostgresError`` with code `commitUnknown` if COMMIT's answer
    ///   was lost, `rolledBack` if an error inside was caught by `body` and COMMIT therefore rolled
    ///   back.
    package nonisolated func withTransaction<R>(
        _ options: PostgresTransactionOptions = .init(),
        _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        try await begin(options)
        return try await finishTransaction(body)
    }

    /// The second half of ``withTransaction(_:_:)``, after BEGIN.
    nonisolated func finishTransaction<R>(_ body: (PostgresConnection) async throws -> R) async throws -> R {
        let result: R
        do {
            result = try await body(self)
        } catch {
            await rollback()
            throw error
        }
        try await commit()
        return result
    }

    func begin(_ options: PostgresTransactionOptions) async throws {
        guard transactionStatus != .inTransaction, transactionStatus != .failed else {
            throw PostgresError(
                .misuse,
                "expected no open transaction on the connection, got one inside another",
                hint: "pass the connection of the outer transaction on",
                statement: "begin"
            )
        }
        let local = configuration.preparesStatements ? [] : configuration.timeoutSettings
        do {
            try await run(simple: options.script(localSettings: local), name: "begin", onCancel: .askServer)
        } catch {
            await rollback()
            throw error
        }
    }

    private func commit() async throws {
        do {
            let answer = try await run(simple: "commit", name: "commit", onCancel: .goOn(atMost: Self.commitPatience))
            guard answer.commandTag != "COMMIT" else { return }
        } catch let error as PostgresError where error.effect == .unknown {
            throw PostgresError.commitUnknown(reason: error.message)
        }
        throw PostgresError(
            .rolledBack,
            "expected COMMIT to commit, got a rollback: a statement of the transaction had failed and its error "
                + "was ignored",
            hint: "let the error leave the body of withTransaction",
            statement: "commit"
        )
    }

    /// Rolls back whatever is open. A connection that cannot is ended by the server and not reused.
    private func rollback() async {
        guard phase == .open, transactionStatus == .inTransaction || transactionStatus == .failed else { return }
        do {
            try await run(simple: "rollback", name: "rollback", onCancel: .goOn(atMost: configuration.cancelGrace))
        } catch {
            logger.debug("rollback failed, closing the connection", metadata: ["error": "\(errorText(error))"])
            end(reason: "its rollback failed")
        }
    }
}
