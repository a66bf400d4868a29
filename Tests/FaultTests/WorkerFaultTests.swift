import FaultKit
import Testing

/// What happens to a worker process, at every step.
@Suite(.serialized) struct WorkerFaultTests {
    private let steps = FaultKind.Step.allCases

    @Test func aWorkerKilledAtAnyStepLosesNothing() async throws {
        let results = try await FaultMatrix().run(steps.map { .kill($0) } + [.killInFlight])
        expectKept(results)
        #expect(results[FaultKind.Step.spooled.index].rung == "spool")
        #expect(results[FaultKind.Step.parsed.index].rung == "spool")
        #expect(results[FaultKind.Step.replied.index].rung == "access_token")
        #expect(results.last?.rung == "access_token")
    }

    @Test func withoutTheLadderOnlyDeathBeforeTheFirstWriteLosesAToken() async throws {
        var matrix = FaultMatrix()
        matrix.plan.allowsAccessTokenExchange = false
        matrix.plan.accessTokenSeconds = 20
        let faults = steps.map(FaultKind.kill) + [.killInFlight]
        let results = try await matrix.run(faults)
        for result in results {
            let isIrreducible = result.trial.fault == .kill(.replied) || result.trial.fault == .killInFlight
            #expect(result.end == (isIrreducible ? .lost : .saved), "\(result.trial.fault.name): \(result.note)")
            #expect(result.presentedTwice == 0, "\(result.trial.fault.name): \(result.note)")
        }
    }

    @Test func aWorkerThatStandsStillPastItsDeadlineLosesNothing() async throws {
        // A stopped worker holds up every other one of its tenants, so each has one to itself.
        var matrix = FaultMatrix()
        matrix.plan.workers = 4
        expectKept(try await matrix.run(steps.map { .stop($0) } + [.stopInFlight]))
    }

    @Test func aWorkerThatStandsStillAndLosesItsSessionLosesNothing() async throws {
        var matrix = FaultMatrix()
        matrix.plan.workers = 4
        expectKept(try await matrix.run([.rowHeld, .sending, .replied, .spooled, .parsed].map(FaultKind.stopAndCut)))
    }

    @Test func aWorkerToldToEndSettlesItsExchangeFirst() async throws {
        let results = try await FaultMatrix().run(steps.map { .terminate($0) })
        expectKept(results)
        for result in results { #expect(result.ambiguous == 0, "\(result.trial.fault.name)") }
    }

    @Test func aFullDiskOfTheSpoolLosesNothing() async throws {
        expectKept(try await FaultMatrix().run([.diskFull, .diskFull]))
    }
}

extension FaultKind.Step {
    fileprivate var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
