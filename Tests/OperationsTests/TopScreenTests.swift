import Foundation
import TestSupport
import Testing

@testable import LeaseholdCLI

/// What `leasehold top` draws.
@Suite struct TopScreenTests {
    private let now = Date(timeIntervalSince1970: 1_800_000_000)

    private func snapshot() -> TopSnapshot {
        let jobs = TopSnapshot.Jobs(
            ready: 912_345,
            running: 20,
            scheduled: 7,
            parked: 0,
            estimated: ["ready"],
            oldestReadySeconds: 1200,
            completedPerSecond: 58.23
        )
        return TopSnapshot(
            overview: .init(
                jobs: jobs,
                service: .init(
                    discardedPerSecond: 0.04,
                    workers: 2,
                    workerPlaces: 40,
                    workersSilent: 1,
                    tokensNeedingAuthorization: 3,
                    tokensTroubled: 1,
                    providersClosed: 0
                )
            ),
            queues: [
                .init(
                    jobs: jobs,
                    facts: .init(queue: "default", pausedAt: nil, tenantsWaiting: 1000, workers: 2)
                )
            ],
            tenants: [
                .init(
                    tenantId: "acme",
                    name: "Acme\u{1B}[2J\nInc.",
                    ready: 300_000,
                    isEstimate: true,
                    oldestReadySeconds: 60,
                    weight: 2,
                    laneStates: ["full", "open"]
                )
            ],
            workers: [
                .init(
                    name: "w1",
                    host: "h",
                    state: "silent",
                    running: 3,
                    concurrency: 20,
                    heartbeatSeconds: 41,
                    queues: ["default"]
                )
            ],
            errors: [
                .init(
                    kind: "x.y",
                    errorLabel: "boom",
                    error: "went off",
                    attempts: 100,
                    attemptsIsMinimum: true,
                    tenants: 4
                )
            ]
        )
    }

    @Test func itShowsEachTableWithItsNumbers() {
        let text = TopScreen(width: 200, height: nil, usesColor: false).lines(snapshot(), at: now).joined(
            separator: "\n"
        )
        for part in [
            "ready ≈912 000", "running 20", "longest wait 20 min", "done 58/s, given up 0.0/s",
            "workers 2 with 40 places, 1 silent", "tokens: 3 need a person", "QUEUES", "≥1000", "TENANTS THAT WAIT",
            "≈300 000", "full,open", "WORKERS", "silent", "41 s ago", "ERRORS, 24 H", "≥100", "boom", "went off",
        ] {
            #expect(text.contains(part), "\(part) is missing in:\n\(text)")
        }
    }

    @Test func namesCannotMoveTheCursor() {
        let text = TopScreen(width: 200, height: nil, usesColor: false).lines(snapshot(), at: now).joined(
            separator: "\n"
        )
        #expect(!text.contains("\u{1B}"))
        #expect(text.contains("Acme [2J Inc."))
    }

    @Test(arguments: [20, 40, 80])
    func noLineIsWiderThanTheTerminal(width: Int) {
        let lines = TopScreen(width: width, height: nil, usesColor: false).lines(snapshot(), at: now)
        #expect(lines.allSatisfy { $0.count <= width })
        #expect(lines.contains { $0.hasSuffix("…") })
    }

    @Test func itFitsTheHeightOfTheTerminal() {
        #expect(TopScreen(width: 80, height: 5, usesColor: true).lines(snapshot(), at: now).count == 5)
    }

    @Test func whatNeedsALookIsMarked() {
        var calm = snapshot()
        calm.overview.service.workersSilent = 0
        calm.overview.service.tokensNeedingAuthorization = 0
        let screen = TopScreen(width: 80, height: nil, usesColor: true)
        #expect(screen.lines(snapshot(), at: now)[1].hasPrefix("\u{1B}[31m"))
        #expect(!screen.lines(calm, at: now)[1].contains("\u{1B}[31m"))
    }

    @Test(
        arguments: [
            (0, false, "0"), (999, false, "999"), (1_234_567, false, "1 234 567"), (1_234_567, true, "≈1 230 000"),
            (12, true, "≈12"), (999_600, true, "≈1 000 000"),
        ] as [(Int64, Bool, String)]
    )
    func countsAreSetApart(value: Int64, isEstimate: Bool, expected: String) {
        #expect(TopScreen.count(value, isEstimate: isEstimate) == expected)
    }

    @Test func aSnapshotIsReadFromTheViews() async throws {
        try await withDatabase { database in
            let world = try await OperationsWorld(database)
            let text = try await TopSnapshot.readText(world.pool, rows: 5)
            let snapshot = try TopSnapshot.parse(text)
            #expect(snapshot.overview.jobs.ready == 1)
            #expect(snapshot.queues.map(\.facts.queue) == ["default", "later"])
            #expect(snapshot.tenants.map(\.tenantId) == ["a"])
            #expect(snapshot.workers.map(\.state) == ["working"])
            #expect(snapshot.errors.map(\.errorLabel) == ["boom"])
        }
    }
}
