import Foundation
import JobQueue
import LeaseholdCore
import Testing

@Suite struct EnqueueTests {
    struct Bad: Sendable, CustomStringConvertible {
        let description: String
        let request: @Sendable (TenantID) -> JobRequest
        let code: JobQueueError.Code
        let says: String
    }

    static let bad: [Bad] = [
        Bad(
            description: "unknown tenant",
            request: { _ in JobRequest(tenant: TenantID(rawValue: "nobody")!, kind: .noop) },
            code: .unknownTenant,
            says: "expected a known tenant, got \"nobody\""
        ),
        Bad(
            description: "args that are no object",
            request: { JobRequest(tenant: $0, kind: .noop, args: "[1]") },
            code: .invalidRequest,
            says: "expected the args of request 1 (noop) to be a JSON object"
        ),
        Bad(
            description: "args that are too large",
            request: { tenant in
                let text = (0..<90_000).map { "\"k\($0)\": \($0)" }.joined(separator: ",")
                return JobRequest(tenant: tenant, kind: .noop, args: "{\(text)}")
            },
            code: .invalidRequest,
            says: "expected args of at most 1 MiB"
        ),
        Bad(
            description: "priority out of range",
            request: { JobRequest(tenant: $0, kind: .noop, priority: 101) },
            code: .invalidRequest,
            says: "expected priority from -100 (first) to 100 (last), got 101"
        ),
        Bad(
            description: "no attempt at all",
            request: { JobRequest(tenant: $0, kind: .noop, maxAttempts: 0) },
            code: .invalidRequest,
            says: "expected max_attempts from 1 to 1000, got 0"
        ),
        Bad(
            description: "an empty unique key",
            request: { JobRequest(tenant: $0, kind: .noop, uniqueKey: "") },
            code: .invalidRequest,
            says: "expected unique_key of 1 to 500 characters"
        ),
        Bad(
            description: "a needed job that is not there",
            request: { JobRequest(tenant: $0, kind: .noop, after: [JobID(rawValue: 4711)]) },
            code: .unknownJob,
            says: "got the unknown job 4711"
        ),
    ]

    @Test(arguments: bad)
    func aBadRequestIsRefusedWithWhatWasExpectedAndNothingIsEnqueued(bad: Bad) async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let error = await #expect(throws: JobQueueError.self) {
                try await world.queue.enqueue([bad.request(tenant), JobRequest(tenant: tenant, kind: .noop)])
            }
            #expect(error?.code == bad.code)
            #expect(error?.message.contains(bad.says) == true, "\(String(describing: error))")
            #expect(try await world.number("select count(*) from leasehold.job") == 0)
        }
    }

    @Test func argsCannotPassThemselvesOffAsOtherParameters() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("acme", "victim")
            let args = #"{"tenant": "victim", "kind": "other"}"#
            let id = try await world.queue.enqueue(JobRequest(tenant: tenants[0], kind: .noop, args: args)).id
            let record = try await world.queue.show(id)
            #expect(record.summary.tenant == tenants[0])
            #expect(record.summary.kind == .noop)
        }
    }

    @Test func aUniqueKeyKeepsReplacesOrReschedules() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let first = try await world.queue.enqueue(unique(tenant, #"{"n": 1}"#))
            #expect(first.wasExisting == false)
            for (policy, expected) in [
                (JobRequest.DuplicatePolicy.keep, #"{"n": 1}"#), (.reschedule, #"{"n": 1}"#), (.replace, #"{"n": 9}"#),
            ] {
                let later = policy == .keep ? nil : Date().addingTimeInterval(600)
                let again = try await world.queue.enqueue(unique(tenant, #"{"n": 9}"#, policy, runAt: later))
                #expect(again == EnqueuedJob(id: first.id, wasExisting: true))
                let record = try await world.queue.show(first.id)
                #expect(record.args == expected)
                #expect(record.summary.state == (policy == .keep ? .ready : .scheduled))
            }
            _ = try await world.queue.enqueue(unique(tenant, #"{"n": 3}"#, .replace))
            let worker = try await world.addWorker()
            #expect(try await world.claim(worker).map(\.args) == [#"{"n": 3}"#])
        }
    }

    @Test func aSecondRequestWhileAUniqueJobRunsIsRememberedOnce() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            let first = try await world.queue.enqueue(unique(tenant, #"{"n": 1}"#))
            let running = try #require(try await world.claim(worker).first)
            for n in 2...4 {
                let again = try await world.queue.enqueue(unique(tenant, #"{"n": \#(n)}"#, .replace))
                #expect(again == EnqueuedJob(id: first.id, wasExisting: true))
            }
            #expect(running.args == #"{"n": 1}"#)
            try await world.complete([running])
            let next = try await world.claim(worker)
            #expect(next.map(\.args) == [#"{"n": 4}"#])
            #expect(next.first?.id != first.id)
            try await world.complete(next)
            #expect(try await world.claim(worker).isEmpty)
        }
    }

    @Test func manyAtOnceWithOneUniqueKeyMakeOneJob() async throws {
        try await withWorld(size: 8) { world in
            let tenant = try await world.addTenants("acme")[0]
            let answers = try await withThrowingTaskGroup(of: [EnqueuedJob].self) { group in
                for _ in 1...16 {
                    group.addTask { try await world.queue.enqueue((1...3).map { _ in unique(tenant, "{}") }) }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(answers.count == 48)
            #expect(Set(answers.map(\.id)).count == 1)
            #expect(answers.filter { !$0.wasExisting }.count == 1)
        }
    }

    @Test func anIdempotencyKeyAnswersWithTheFirstJobAlsoAfterItsEnd() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            let request = JobRequest(tenant: tenant, kind: .noop, idempotencyKey: "order-17")
            let first = try await world.queue.enqueue(request)
            try await world.complete(try await world.claim(worker))
            #expect(try await world.queue.enqueue(request) == EnqueuedJob(id: first.id, wasExisting: true))
            #expect(try await world.claim(worker).isEmpty)
        }
    }

    @Test func bulkAndSingleEnqueueMakeTheSameJob() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let request = JobRequest(
                tenant: tenant,
                kind: .noop,
                args: #"{"a": "ö"}"#,
                queue: try QueueName("mail"),
                priority: 7,
                maxAttempts: 3,
                timeout: .seconds(90),
                traceContext: "00-1-2-00"
            )
            _ = try await world.queue.enqueue([request])
            let (stream, continuation) = AsyncStream.makeStream(of: JobRequest.self)
            for _ in 1...5000 { continuation.yield(request) }
            continuation.finish()
            #expect(try await world.queue.enqueueBulk(stream) == 5000)
            let shapes = try await world.number(
                """
                select count(distinct to_jsonb(job) - '{job_id,place,created_at,run_at,ready_at}'::text[])
                from leasehold.job
                """
            )
            #expect(shapes == 1)
            let worker = try await world.addWorker([try QueueName("mail")])
            #expect(try await world.claim(worker, 6000, queues: [try QueueName("mail")]).count == 5001)
        }
    }

    @Test func aBulkWithAnUnknownTenantIsRefusedAsAWhole() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let (stream, continuation) = AsyncStream.makeStream(of: JobRequest.self)
            for _ in 1...10 { continuation.yield(JobRequest(tenant: tenant, kind: .noop)) }
            continuation.yield(JobRequest(tenant: TenantID(rawValue: "nobody")!, kind: .noop))
            continuation.finish()
            let error = await #expect(throws: JobQueueError.self) { try await world.queue.enqueueBulk(stream) }
            #expect(error?.code == .unknownTenant)
            #expect(try await world.number("select count(*) from leasehold.job") == 0)
        }
    }

    private func unique(
        _ tenant: TenantID,
        _ args: String,
        _ policy: JobRequest.DuplicatePolicy = .keep,
        runAt: Date? = nil
    ) -> JobRequest {
        JobRequest(tenant: tenant, kind: .noop, args: args, runAt: runAt, uniqueKey: "k", onDuplicate: policy)
    }
}
