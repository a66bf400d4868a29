import JobQueue
import LeaseholdCore
import Testing

@testable import WorkerRuntime

@Suite struct OutcomeRulesTests {
    private let rules = OutcomeRules(
        retry: RetryPolicy(shortest: .seconds(1), base: .seconds(8), longest: .seconds(100)),
        attempt: 2,
        random: RandomSource(seed: 5)
    )

    private struct Broken: ExplainedError {
        var label: String { "broken" }
        var message: String { "expected a whole thing, got half" }
        var hint: String? { nil }
    }

    private struct Foreign: Error { let secret = "hunter2" }

    static let stops: [StopReason?] = [nil, .timeout(.seconds(30)), .cancelRequested, .shutdown, .leaseLost]

    @Test(arguments: stops)
    func `A handler that has ended the job is believed, however it was stopped`(stop: StopReason?) {
        for outcome in [JobOutcome.completed, .discard(reason: "old"), .cancelled(reason: "moot")] {
            #expect(rules.verdict(returned: outcome, stop: stop).outcome == outcome)
        }
    }

    @Test(arguments: [StopReason.shutdown, .leaseLost])
    func `A retry or an error of a handler that was stopped with its worker is handed back uncounted`(
        stop: StopReason
    ) {
        let verdicts = [
            rules.verdict(returned: .retry(reason: "cut off", after: .seconds(9)), stop: stop),
            rules.verdict(threw: CancellationError(), stop: stop),
            rules.verdict(threw: Broken(), stop: stop),
        ]
        for verdict in verdicts {
            #expect(verdict.isHandBack)
            #expect(verdict.errorLabel == nil)
            guard case .snooze(.zero, _) = verdict.outcome else {
                Issue.record("expected a snooze of no time, got \(verdict.outcome)")
                continue
            }
        }
    }

    @Test func `A cancel that was asked for ends the job unless the handler ended it itself`() {
        let verdicts = [
            rules.verdict(returned: .retry(reason: "x", after: nil), stop: .cancelRequested),
            rules.verdict(returned: .snooze(.seconds(5), reason: "x"), stop: .cancelRequested),
            rules.verdict(returned: .park(reason: "x"), stop: .cancelRequested),
            rules.verdict(threw: CancellationError(), stop: .cancelRequested),
            rules.verdict(threw: Broken(), stop: .cancelRequested),
        ]
        #expect(verdicts.allSatisfy { $0.label == "cancelled" && $0.errorLabel == nil })
    }

    @Test func `A timeout is a failed attempt that names the limit, and what the handler threw`() throws {
        let plain = rules.verdict(threw: CancellationError(), stop: .timeout(.seconds(30)))
        #expect(plain.errorLabel == "job_timeout")
        #expect(plain.outcome.reason == "expected to end within 30.0 seconds, and was cancelled")
        let detailed = rules.verdict(threw: Broken(), stop: .timeout(.seconds(30)))
        #expect(try #require(detailed.outcome.reason).hasSuffix("got half"))
    }

    @Test func `An error is a retry with its label and its text`() {
        let verdict = rules.verdict(threw: Broken(), stop: nil)
        #expect(verdict.label == "retry")
        #expect(verdict.errorLabel == "broken")
        #expect(verdict.outcome.reason == "expected a whole thing, got half")
    }

    @Test func `An error of unknown make shows its type and nothing it holds`() throws {
        let reason = try #require(rules.verdict(threw: Foreign(), stop: nil).outcome.reason)
        #expect(reason.contains("Foreign"))
        #expect(!reason.contains("hunter2"))
    }

    @Test func `CancellationError of a handler nobody stopped is an error like others`() {
        let verdict = rules.verdict(threw: CancellationError(), stop: nil)
        #expect(verdict.label == "retry")
        #expect(!verdict.isHandBack)
        #expect(verdict.errorLabel == "cancelled")
    }

    @Test func `A retry waits as long as the handler says, else as the kind's policy says`() {
        let asked = rules.verdict(returned: .retry(reason: "x", after: .seconds(77)), stop: nil)
        #expect(asked.outcome == .retry(reason: "x", after: .seconds(77)))
        for _ in 0..<100 {
            guard case .retry(_, let after?) = rules.verdict(threw: Broken(), stop: nil).outcome else {
                Issue.record("expected a retry with a delay")
                return
            }
            #expect(after >= .seconds(1) && after <= .seconds(16))
        }
    }

    @Test func `A reason that the database could not hold is made to fit`() throws {
        let verdict = rules.verdict(
            returned: .discard(reason: "a\0b" + String(repeating: "x", count: 9_000)),
            stop: nil
        )
        let reason = try #require(verdict.outcome.reason)
        #expect(!reason.unicodeScalars.contains("\0"))
        #expect(reason.count == OutcomeRules.longestReason)
    }

    @Test func `An unknown kind is snoozed with the kind, the known kinds and what to do`() throws {
        let kinds = [try JobKind("a.one"), try JobKind("b.two")]
        let verdict = Verdict.unknownKind(try JobKind("c.three"), known: kinds, wait: .seconds(60))
        guard case .snooze(.seconds(60), let reason) = verdict.outcome else {
            Issue.record("expected a snooze of 60 s, got \(verdict.outcome)")
            return
        }
        for part in ["c.three", "a.one, b.two", "deploy a worker"] { #expect(reason.contains(part)) }
    }

    @Test func `Every label of a verdict has its counter`() {
        let outcomes: [JobOutcome] = [
            .completed, .retry(reason: "", after: nil), .snooze(.zero, reason: ""), .park(reason: ""),
            .discard(reason: ""), .cancelled(reason: ""),
        ]
        let labels =
            outcomes.map { rules.verdict(returned: $0, stop: nil).label } + [Verdict.handedBack(because: "").label]
        #expect(Set(labels) == Set(Verdict.labels))
        #expect(labels.count == Verdict.labels.count)
    }
}

@Suite struct RetryPolicyTests {
    @Test(arguments: [(1, 10), (2, 20), (3, 40), (6, 320), (10, 5_120), (12, 20_480), (13, 21_600), (500, 21_600)])
    func `The ceiling is the one of the table in its documentation`(attempt: Int, seconds: Int) {
        #expect(RetryPolicy().ceiling(afterAttempt: attempt) == .seconds(seconds))
    }

    @Test func `Delays are spread evenly from the shortest to the ceiling`() {
        let random = RandomSource(seed: 11)
        let delays = (0..<4_000).map { _ in RetryPolicy().delay(afterAttempt: 4, random: random).seconds }
        #expect(delays.allSatisfy { (1...80).contains($0) })
        #expect(abs(delays.reduce(0, +) / 4_000 - 40.5) < 1.5, "the table says 41 s on average")
        #expect(delays.count { $0 < 20.75 } > 800 && delays.count { $0 > 60.25 } > 800)
    }
}
