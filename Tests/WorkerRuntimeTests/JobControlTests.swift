import JobQueue
import LeaseholdCore
import Testing

@testable import WorkerRuntime

@Suite struct JobControlTests {
    @Test func `A stop cancels the handler's task and leaves its neighbours alone`() async {
        let control = JobControl()
        let running = WakeSignal()
        let neighbourIsCancelled = await withTaskGroup(of: Bool?.self) { group in
            group.addTask {
                await control.stoppable {
                    running.give()
                    // Returns only when cancelled.
                    await WakeSignal().wait()
                }
                return nil
            }
            await running.wait()
            group.addTask {
                control.stop(.cancelRequested)
                return Task.isCancelled
            }
            return await group.reduce(into: false) { $0 = $0 || $1 ?? false }
        }
        #expect(!neighbourIsCancelled)
        #expect(control.stopReason == .cancelRequested)
    }

    @Test func `A stop that comes before the handler cancels it as it begins`() async {
        let control = JobControl()
        control.stop(.shutdown)
        let isCancelled = await withTaskGroup(of: Bool.self) { group in
            group.addTask { await control.stoppable { Task.isCancelled } }
            return await group.next()
        }
        #expect(isCancelled == true)
    }

    @Test func `The first reason stays`() {
        let control = JobControl()
        #expect(control.stop(.timeout(.seconds(1))))
        #expect(!control.stop(.shutdown))
        #expect(control.stopReason == .timeout(.seconds(1)))
    }

    @Test func `A stop after the handler's end touches nothing`() async {
        let control = JobControl()
        await control.stoppable {}
        #expect(control.stop(.shutdown))
    }

    @Test func `A cancellation handler may ask why it was called`() async {
        let control = JobControl()
        let seen = Locked<StopReason?>(nil)
        let running = WakeSignal()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await control.stoppable {
                    let end = WakeSignal()
                    await withTaskCancellationHandler {
                        running.give()
                        await end.wait()
                    } onCancel: {
                        seen.withLock { $0 = control.stopReason }
                    }
                }
            }
            await running.wait()
            control.stop(.leaseLost)
        }
        #expect(seen.withLock { $0 } == .leaseLost)
    }

    @Test func `Stops that race with the ends of thousands of handlers reach only living ones`() async {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4_000 {
                let control = JobControl()
                group.addTask {
                    await control.stoppable { await Task.yield() }
                    #expect(!Task.isCancelled || control.stopReason == .shutdown)
                }
                group.addTask { control.stop(.shutdown) }
            }
        }
    }
}

@Suite struct KindLimitTests {
    @Test func `No more than the limit run at once, and all run`() async throws {
        let limit = KindLimit(3)
        let counts = Locked((now: 0, most: 0, done: 0))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    try await limit.withPermit {
                        counts.withLock { counts in
                            counts.now += 1
                            counts.most = max(counts.most, counts.now)
                        }
                        await Task.yield()
                        counts.withLock { counts in
                            counts.now -= 1
                            counts.done += 1
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(counts.withLock { $0.most } == 3)
        #expect(counts.withLock { $0.done } == 200)
    }

    @Test func `A job that is stopped while it waits gives its place to the next`() async throws {
        let limit = KindLimit(1)
        let (holding, release) = (WakeSignal(), WakeSignal())
        try await withThrowingTaskGroup(of: String.self) { group in
            group.addTask {
                try await limit.withPermit {
                    holding.give()
                    await release.wait()
                    return "first"
                }
            }
            await holding.wait()
            let control = JobControl()
            group.addTask {
                do {
                    return try await control.stoppable { try await limit.withPermit { "stopped one ran" } }
                } catch is CancellationError {
                    release.give()
                    return "stopped"
                }
            }
            control.stop(.shutdown)
            group.addTask { try await limit.withPermit { "third" } }
            let ends = try await group.reduce(into: Set()) { $0.insert($1) }
            #expect(ends == ["first", "stopped", "third"])
        }
    }

    @Test func `A handler that throws gives its permit back`() async throws {
        let limit = KindLimit(1)
        await #expect(throws: LeaseLost.self) {
            try await limit.withPermit { throw LeaseLost(job: JobID(rawValue: 1), run: RunID(rawValue: 1)) }
        }
        #expect(try await limit.withPermit { true })
    }
}

@Suite struct SignalTests {
    @Test func `A wake that comes before the wait is kept, once`() async {
        let signal = WakeSignal()
        signal.give()
        signal.give()
        await signal.wait()
        let second = Locked(false)
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await signal.wait()
                second.withLock { $0 = true }
            }
            signal.give()
        }
        #expect(second.withLock { $0 })
    }

    @Test func `A cancelled wait returns and leaves the signal usable`() async {
        let signal = WakeSignal()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await signal.wait() }
            group.cancelAll()
        }
        signal.give()
        await signal.wait()
    }

    @Test func `A test signal finds what was given before and what comes after`() async {
        let signal = TestSignal<Int>()
        signal.give(1)
        signal.give(2)
        #expect(await signal.first { $0 == 2 } == 2)
        async let later = signal.first { $0 > 5 }
        signal.give(3)
        signal.give(9)
        #expect(await later == 9)
        #expect(signal.all == [1, 3])
    }
}
