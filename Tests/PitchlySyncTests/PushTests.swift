import FakePitchly
import Foundation
import JobQueue
import LeaseholdCore
import Pitchly
import Postgres
import Testing

@testable import PitchlySync

@Suite("A push")
struct PushTests {
    @Test("sets cells at Pitchly, and the next sync shows them", arguments: DialectName.allCases)
    func writesBack(dialect: DialectName) async throws {
        try await PushWorld.with(dialect) { push in
            var ids: [Int64] = []
            for (number, record) in push.records.prefix(3).enumerated() {
                ids.append(try await push.push(record, push.text, #""Zoë \"\#(number)\" 👩‍👩‍👧""#, key: "k\(number)"))
            }
            #expect(try await push.drain() == .completed)
            for (number, id) in ids.enumerated() {
                let row = try await push.record(id)
                #expect(row.state == "done" && row.errorClass == nil && row.attempts == 1)
                #expect(push.received(push.records[number]) == [.string("Zoë \"\(number)\" 👩‍👩‍👧")])
            }
            #expect(push.table.receivedWrites.count == 3)
            #expect(try await push.world.sync(push.table, of: 0) == .completed)
            let shown = try await push.world.rows(
                "select fields -> $1 ->> 'val' as val from leasehold.mirror_record where record_id = $2",
                push.text,
                push.records[0]
            ).only
            #expect(try shown.decode("val", as: String.self) == "Zoë \"0\" 👩‍👩‍👧")
        }
    }

    @Test("waits for the earlier ones of its record and for no other's", arguments: DialectName.allCases)
    func order(dialect: DialectName) async throws {
        try await PushWorld.with(dialect) { push in
            for step in 0..<5 {
                for record in push.records.prefix(4) {
                    _ = try await push.push(record, push.text, "\"\(step)\"", key: "\(record) \(step)")
                }
            }
            #expect(try await push.drain() == .completed)
            for record in push.records.prefix(4) {
                #expect(push.received(record) == (0..<5).map { .string("\($0)") })
            }
        }
    }

    @Test("that is refused does not hold up the others", arguments: DialectName.allCases)
    func refused(dialect: DialectName) async throws {
        try await PushWorld.with(dialect) { push in
            var ids: [Int64] = []
            for (place, record) in push.records.prefix(20).enumerated() {
                let value = place == 7 ? "\"no number\"" : "\(place)"
                ids.append(try await push.push(record, push.number, value, key: "k\(place)"))
            }
            // The record that was refused is not stuck: what was written later is sent.
            let later = try await push.push(push.records[7], push.number, "77", key: "later")
            #expect(try await push.drain() == .completed)
            for (place, id) in ids.enumerated() {
                let row = try await push.record(id)
                #expect(row.state == (place == 7 ? "failed" : "done"), "\(place): \(row.error ?? "")")
                #expect(row.errorClass == (place == 7 ? "pitchly_invalidArgument" : nil))
            }
            #expect(try await push.record(later).state == "done")
            #expect(push.received(push.records[7]) == [77])
            #expect(push.table.receivedWrites.count == 20)
        }
    }

    @Test("for a record that is gone fails and says so", arguments: DialectName.allCases)
    func goneRecord(dialect: DialectName) async throws {
        try await PushWorld.with(dialect) { push in
            let id = try await push.push("rec22222222222222222", push.text, "\"x\"", key: "k")
            let good = try await push.push(push.records[0], push.text, "\"x\"", key: "k2")
            #expect(try await push.drain() == .completed)
            #expect(try await push.record(id).errorClass == "pitchly_notFound")
            #expect(try await push.record(good).state == "done")
        }
    }

    @Test("is presented again after an answer that never came", arguments: DialectName.allCases)
    func lostAnswer(dialect: DialectName) async throws {
        try await PushWorld.with(dialect) { push in
            let id = try await push.push(push.records[0], push.text, "\"x\"", key: "k")
            var rule = FaultRule(.close(.after, isReset: true), at: push.world.endpoint)
            rule.operation = push.mutation
            push.world.server.faults.add(rule)
            guard case .retry = try await push.drain() else {
                Issue.record("expected the job to be tried again")
                return
            }
            var row = try await push.record(id)
            #expect(row.state == "waiting" && row.attempts == 1 && row.errorClass == "pitchly_unreachable")
            #expect(row.dueAt > row.createdAt.addingTimeInterval(1))
            guard case .snooze = try await push.drain() else {
                Issue.record("expected the job to rest until the push is due")
                return
            }
            try await push.passTime()
            #expect(try await push.drain() == .completed)
            row = try await push.record(id)
            #expect(row.state == "done" && row.attempts == 2 && row.errorClass == nil)
            #expect(push.received(push.records[0]) == ["x", "x"])
        }
    }

    @Test("that is throttled loses nothing and counts no attempt")
    func throttled() async throws {
        try await PushWorld.with(.platform) { push in
            let id = try await push.push(push.records[0], push.text, "\"x\"", key: "k")
            var rule = FaultRule(.answer(.init(status: 429), .before), at: .graphql)
            rule.operation = push.mutation
            push.world.server.faults.add(rule)
            guard case .snooze = try await push.drain() else {
                Issue.record("expected the job to rest")
                return
            }
            #expect(try await push.record(id).attempts == 0)
            #expect(try await push.drain() == .completed)
            #expect(push.received(push.records[0]) == ["x"])
        }
    }

    @Test("goes on with a new token when the API takes back the old one")
    func earlyEnd() async throws {
        try await PushWorld.with(.platform) { push in
            let id = try await push.push(push.records[0], push.text, "\"x\"", key: "k")
            push.world.server.invalidateAccessTokens(organization: push.table.organization)
            #expect(try await push.drain() == .completed)
            #expect(try await push.record(id).state == "done")
        }
    }

    @Test("that the API cannot stand is soon alone, and the others get through")
    func poison() async throws {
        try await PushWorld.with(.platform) { push in
            var ids: [Int64] = []
            for (place, record) in push.records.prefix(8).enumerated() {
                ids.append(try await push.push(record, push.text, "\"\(place)\"", key: "k\(place)"))
            }
            // Two requests with all of them break; from the third on, in smaller groups, they pass.
            var rule = FaultRule(.answer(.init(status: 500), .before), at: .graphql)
            rule.operation = push.mutation
            rule.count = 2
            push.world.server.faults.add(rule)
            for _ in 0..<2 {
                guard case .retry = try await push.drain() else {
                    Issue.record("expected the job to be tried again")
                    return
                }
                try await push.passTime()
            }
            let taken = try await PushStore(pool: push.world.pool).take(
                push.world.id(of: push.table),
                of: push.world.tenant(0),
                limit: 8
            )
            #expect(taken.count == 2 && taken.allSatisfy { $0.attempts == 2 })
            #expect(try await push.drain() == .completed)
            for id in ids { #expect(try await push.record(id).state == "done") }
        }
    }
}
