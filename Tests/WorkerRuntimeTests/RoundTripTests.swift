import JobQueue
import LeaseholdCore
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import WorkerRuntime

/// How often a worker asks the database, counted between the two, on a clock that stands still: what is
/// counted then follows from what the worker decides, however fast the machine is.
@Suite(.timeLimit(.minutes(4))) struct RoundTripTests {
    /// What a worker asks besides claims and settles: it connects, registers, listens and signs off, and
    /// each of its connections prepares each statement once.
    private static let besides = 60

    @Test(arguments: [true, false])
    func `A worker without work sends at most one statement a second`(hearsNotifications: Bool) async throws {
        try await withCountedWorker(hearsNotifications: hearsNotifications) { counted in
            if hearsNotifications { _ = await counted.bench.events.first { $0.name == "worker_asleep" } }
            while counted.clock.now.offset < .seconds(600) {
                counted.clock.advanceToNextDeadline()
                await counted.quiet()
            }
            let trips = counted.roundTrips
            #expect(trips <= 600, "\(trips) in 600 s")
            #expect(trips > 200, "the worker looked for work")
        }
    }

    /// No outcome falls due, so each is written only because a claim takes it along.
    @Test func `A claim fills a quarter of the slots or more and takes along what ended meanwhile`() async throws {
        let (slots, jobs) = (32, 3200)
        let ran = TestSignal<Void>()
        let runs = Locked(0)
        try await withCountedWorker(slots: slots, jobs: jobs) { _ in
            let isLast = runs.withLock { runs in
                runs += 1
                return runs == jobs
            }
            if isLast { ran.give(()) }
            return .completed
        } _: { counted in
            await ran.first()
            await counted.passUntilSettled(jobs)
            let (claims, trips) = (counted.claims, counted.roundTrips)
            #expect(claims <= jobs / (slots / 4) + Self.besides)
            #expect(trips <= claims + Self.besides, "\(trips) round trips with \(claims) claims")
            #expect(trips < jobs / 5)
        }
    }

    /// The other way round: the slot of a single job that ended would wait for others to be filled with, and
    /// takes its turn at once because there is something to write.
    @Test func `An outcome that is due takes a claim along: a round trip for both`() async throws {
        let (slots, steps) = (8, 300)
        let (begun, ends) = (TestSignal<JobID>(), TestSignal<JobID>())
        try await withCountedWorker(slots: slots, jobs: slots + steps) { context in
            begun.give(context.job.id)
            _ = await ends.first { $0 == context.job.id }
            return .completed
        } _: { counted in
            var running: [JobID] = []
            for _ in 0..<slots { running.append(await begun.first()) }
            for step in 1...steps {
                ends.give(running.removeFirst())
                await counted.passOnce(settled: step)
                // The next one of the queue came with the answer.
                running.append(await begun.first())
            }
            let trips = counted.roundTrips
            #expect(trips <= steps + Self.besides, "\(trips) round trips for \(steps) outcomes and as many claims")
            for job in running { ends.give(job) }
            await counted.passUntilSettled(slots + steps)
        }
    }
}

/// A worker behind a proxy that counts, with the pauses it has in use.
private struct CountedWorker {
    let bench: WorkerBench
    let pools: [PostgresPool]
    let clock: TestClock
    fileprivate let proxy: TCPProxy

    var roundTrips: Int { proxy.roundTripCount }

    var claims: Int { bench.events.all.count { if case .claimed = $0 { true } else { false } } }

    /// Outcomes that are written.
    private var settled: Int {
        bench.events.all.reduce(0) { total, event in
            if case .settled(let written, _, _) = event { total + written.count } else { total }
        }
    }

    /// Waits until nothing is asked of the database and every loop of the worker sleeps: heartbeat, watch,
    /// claims and four maintenance tasks.
    func quiet() async {
        repeat {
            await clock.sleepers(7)
            await Task.yield()
        } while pools.reduce(0) { $0 + $1.leasedCount } > (bench.worker.notifications == nil ? 0 : 1)
    }

    /// Lets an outcome fall due as soon as there is one, and waits until so many are written.
    func passOnce(settled count: Int) async {
        while bench.worker.state.withLock({ $0.settles.unwritten }) == 0 { await Task.yield() }
        clock.advance(by: bench.worker.settings.settles.linger)
        while settled < count { await Task.yield() }
    }

    /// Lets time pass until the outcomes of so many jobs are written.
    func passUntilSettled(_ jobs: Int) async {
        while settled < jobs {
            clock.advance(by: bench.worker.settings.settles.linger)
            await quiet()
        }
    }
}

/// - Parameter jobs: that wait when the worker begins.
private func withCountedWorker(
    slots: Int = 10,
    jobs: Int = 0,
    hearsNotifications: Bool = true,
    handler: @escaping JobHandler = { _ in .completed },
    _ body: (CountedWorker) async throws -> Void
) async throws {
    let clock = TestClock()
    var make = WorkerMake()
    try make.on("k", handler)
    (make.settings.claims, make.settings.settles) = (ClaimPacing(), SettlePacing())
    make.settings.slots = slots
    make.clock = clock
    make.hearsNotifications = hearsNotifications
    try await withDatabase { database in
        try await withProxy(to: database) { proxy, url in
            make.configure = { $0 = .patient(url: url) }
            let keeper = database.pool(size: 1, configure: make.configure)
            let queue = JobQueue(pool: keeper, logger: database.log.logger("keeper"))
            make.maintenance = [.prune(queue), .reconcile(queue)]
            try await withWorker(make, on: database, isRunning: false) { bench in
                _ = try await bench.enqueue("k", times: jobs)
                let counted = CountedWorker(
                    bench: bench,
                    pools: [bench.workerPool, keeper],
                    clock: clock,
                    proxy: proxy
                )
                try await bench.running { try await body(counted) }
            }
        }
    }
}
