import LeaseholdCore
import Postgres
import TestSupport
import Testing

@testable import WorkerRuntime

@Suite(.timeLimit(.minutes(4))) struct DatabaseFailureTests {
    /// What the server really raises for a statement.
    private func failure(of sql: String) async throws -> any Error {
        try await withDatabase { database in
            do {
                try await database.pool().withConnection { _ = try await $0.query(sql: sql) }
            } catch {
                return error
            }
            throw TestSupportError(label: "no_failure", message: "expected the statement to fail")
        }
    }

    @Test(arguments: [
        "select 1 / 0", "select 'x'::text::int", "insert into leasehold.tenant (tenant_id) values (null)",
    ])
    func `Data that the database refuses is blamed`(sql: String) async throws {
        let error = try await failure(of: sql)
        #expect(blamesData(error))
        #expect(!isAway(error))
    }

    @Test(arguments: [
        "select pg_terminate_backend(pg_backend_pid())",
        "select no_such_function()",
    ])
    func `What may pass is not blamed on the data`(sql: String) async throws {
        #expect(!blamesData(try await failure(of: sql)))
    }

    @Test func `A lost connection, a missing answer and a cancelled statement are the database being away`()
        async throws
    {
        #expect(isAway(try await failure(of: "select pg_terminate_backend(pg_backend_pid())")))
        #expect(isAway(NoAnswer(to: "claim", within: .seconds(10))))
        #expect(isAway(CancellationError()))
        #expect(!isAway(try await failure(of: "select no_such_function()")))
    }
}
