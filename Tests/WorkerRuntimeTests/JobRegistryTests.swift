import JobQueue
import LeaseholdCore
import Logging
import Testing

@testable import WorkerRuntime

@Suite struct JobRegistryTests {
    private let kind: JobKind

    init() throws { kind = try JobKind("mail.send") }

    @Test func `A second handler for a kind is refused`() throws {
        var registry = JobRegistry()
        try registry.register(kind) { _ in .completed }
        #expect(throws: JobRegistryError.duplicateKind(kind)) {
            try registry.register(kind) { _ in .completed }
        }
        #expect(registry.kinds == [kind])
    }

    @Test func `Options out of range are refused with what was expected and what came`() {
        var registry = JobRegistry()
        let refused: [(JobKindOptions, String)] = [
            (JobKindOptions(timeout: .zero), "above zero, got 0.0 seconds"),
            (JobKindOptions(concurrency: 0), "1 or more, got 0"),
            (JobKindOptions(retry: RetryPolicy(shortest: .seconds(9), longest: .seconds(3))), "shortest <= longest"),
        ]
        for (options, text) in refused {
            let error = #expect(throws: JobRegistryError.self) {
                try registry.register(kind, options: options) { _ in .completed }
            }
            #expect(error?.message.contains(text) == true)
            #expect(error?.message.contains("mail.send") == true)
        }
        #expect(registry.kinds.isEmpty)
    }
}

@Suite struct WorkerSettingsTests {
    @Test func `The defaults are in range`() throws {
        try WorkerSettings(name: "w").validate()
    }

    @Test func `A heartbeat that could not be missed twice before the lapse is refused`() {
        var settings = WorkerSettings(name: "w")
        settings.heartbeatInterval = .seconds(10)
        let error = #expect(throws: WorkerSettingsError.self) { try settings.validate() }
        #expect(error?.message.contains("less than a third of the lapse of 30.0 seconds, got 10.0 seconds") == true)
    }

    @Test func `Every setting out of range is refused by name`() {
        let bad: [(String, (inout WorkerSettings) -> Void)] = [
            ("queues", { $0.queues = [] }), ("slots", { $0.slots = 0 }), ("slots", { $0.slots = 10_001 }),
            ("lapse", { $0.lapse = .zero }), ("stop margin", { $0.stopMargin = .seconds(15) }),
            ("drain time", { $0.drainTime = .seconds(-1) }), ("farewell time", { $0.farewellTime = .zero }),
            ("unknown-kind delay", { $0.unknownKindDelay = .zero }),
            ("rescue interval", { $0.rescueInterval = .zero }),
            ("reconcile interval", { $0.reconcileInterval = .zero }), ("answer limit", { $0.answerLimit = .zero }),
            ("shortest claim pause", { $0.claims.shortestPause = .zero }),
            ("longest claim pause", { $0.claims.longestPause = .zero }),
            ("asleep pause", { $0.claims.asleepPause = .zero }),
            ("settle marks", { $0.settles.lowWater = $0.settles.highWater }),
        ]
        for (name, change) in bad {
            var settings = WorkerSettings(name: "w")
            change(&settings)
            let error = #expect(throws: WorkerSettingsError.self) { try settings.validate() }
            #expect(error?.setting == name)
        }
    }
}

@Suite struct JobContextTests {
    private struct Page: Codable, Equatable {
        var table: String
        var size: Int
        var fields: [Field] = []

        struct Field: Codable, Equatable { var id: Int }
    }

    private func context(_ job: ClaimedJob, control: JobControl = JobControl(), saves: Bool = true) -> JobContext {
        JobContext(
            job: job,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            control: control,
            deadline: .seconds(10),
            clock: { .seconds(4) },
            writeProgress: { _, _ in saves }
        )
    }

    @Test func `Args decode to the handler's type`() throws {
        let context = context(claimedJob(args: #"{"table": "a", "size": 3, "fields": [{"id": 1}]}"#))
        #expect(try context.args() == Page(table: "a", size: 3, fields: [Page.Field(id: 1)]))
    }

    static let wrongArgs = [
        (#"{"table": "s3cret"}"#, "expected the key size, which is missing"),
        (
            #"{"table": "s3cret", "size": "s3cret", "fields": []}"#,
            "expected size to be a whole number, got another type"
        ),
        (#"{"table": null, "size": 3, "fields": []}"#, "expected table to be a string, got null"),
        (#"{"table": "a", "size": 3, "fields": [{"id": 1}, {}]}"#, "expected the key fields[1].id, which is missing"),
        (#"{"table": "a", "size": 1.5, "fields": []}"#, "expected every value to fit its type, got one that does not"),
        (#"["s3cret"]"#, "expected the whole value to be an object, got another type"),
    ]

    @Test(arguments: wrongArgs)
    func `Args of another shape say where and what was expected, and show no value`(args: String, problem: String) {
        let context = context(claimedJob(kind: "mail.send", args: args))
        let error = #expect(throws: JobArgsError.self) { try context.args(as: Page.self) }
        #expect(error?.label == "job_args_undecodable")
        #expect(error?.message == "expected the args of a mail.send job to decode as Page: \(problem)")
        #expect(error?.description.contains("s3cret") == false)
        #expect(error?.description.contains("1.5") == false)
    }

    @Test func `Progress is nil in a first run and the last checkpoint in a later one`() throws {
        #expect(try context(claimedJob()).progress(as: Page.Field.self) == nil)
        #expect(try context(claimedJob(progress: #"{"id": 7}"#)).progress() == Page.Field(id: 7))
    }

    @Test func `Progress of a run that lost its lease is refused and stops the handler`() async {
        let control = JobControl()
        let context = context(claimedJob(9, run: 4), control: control, saves: false)
        await #expect(throws: LeaseLost(job: JobID(rawValue: 9), run: RunID(rawValue: 4))) {
            try await context.saveProgress(Page.Field(id: 1))
        }
        #expect(control.stopReason == .leaseLost)
        #expect(context.stopReason == .leaseLost)
    }

    @Test func `The remaining time counts down to zero`() {
        #expect(context(claimedJob()).remainingTime == .seconds(6))
    }
}
