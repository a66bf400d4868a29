import Postgres
import TestSupport
import Testing

@Suite struct ListenTests {
    @Test func `notifications arrive in order, equal ones that nobody has read yet once`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            try await pool.withNotifications(on: ["wake", "Odd \"name\""]) { events in
                var iterator = events.makeAsyncIterator()
                #expect(await iterator.next() == .listening(isReconnect: false))
                try await pool.run(
                    script: #"notify wake, 'a'; notify wake, 'b'; notify "Odd ""name""", 'c'"#
                )
                #expect(await iterator.next() == .notification(.init(channel: "wake", payload: "a")))
                #expect(await iterator.next() == .notification(.init(channel: "wake", payload: "b")))
                #expect(await iterator.next() == .notification(.init(channel: "Odd \"name\"", payload: "c")))
            }
        }
    }

    @Test func `a lost connection is made again and said so`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            try await pool.withNotifications(on: ["wake"]) { events in
                var iterator = events.makeAsyncIterator()
                _ = await iterator.next()
                try await pool.run(
                    script: """
                        select pg_terminate_backend(pid) from pg_stat_activity
                        where datname = current_database() and query like 'listen%'
                        """
                )
                #expect(await iterator.next() == .listening(isReconnect: true))
                try await pool.run(script: "notify wake, 'after'")
                #expect(await iterator.next() == .notification(.init(channel: "wake", payload: "after")))
            }
            #expect(database.log.text.contains("connecting again"))
        }
    }

    @Test func `cancelling the task ends the sequence`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            let task = Task {
                try await pool.withNotifications(on: ["wake"]) { events in
                    var seen = 0
                    for await _ in events { seen += 1 }
                    return seen
                }
            }
            try await until(
                pool,
                "exists (select from pg_stat_activity where datname = current_database() and query like 'listen%')"
            )
            task.cancel()
            // Whether the first event was seen depends on when the cancellation came.
            #expect(try await task.value <= 1)
        }
    }

    @Test func `more notifications than are kept are reported as an overflow`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 2)
            try await pool.withNotifications(on: ["wake"]) { events in
                var iterator = events.makeAsyncIterator()
                _ = await iterator.next()
                try await pool.run(script: "select pg_notify('wake', n::text) from generate_series(1, 10500) n")
                var count = 0
                var event: PostgresListenerEvent?
                while count < 10_500 {
                    event = await iterator.next()
                    guard case .notification = event else { break }
                    count += 1
                }
                // All of them if they were read in pieces, else those that fit and a word about the rest.
                #expect(count == 10_500 || event == .overflow)
            }
        }
    }
}
