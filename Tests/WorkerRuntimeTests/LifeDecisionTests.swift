import LeaseholdCore
import Testing

@testable import WorkerRuntime

@Suite struct HeartbeatMonitorTests {
    private func monitor() -> HeartbeatMonitor {
        HeartbeatMonitor(interval: .seconds(5), lapse: .seconds(30), stopMargin: .seconds(8))
    }

    @Test func `Counts the lapse from when the last confirmed heartbeat was sent, less the margin`() {
        var monitor = monitor()
        monitor.registered(sent: .seconds(100))
        #expect(monitor.lapseMoment == .seconds(122))
        #expect(monitor.answered(sent: .seconds(105), isAlive: true, now: .seconds(109)) == .none)
        #expect(monitor.lapseMoment == .seconds(127))
    }

    @Test func `Stops the jobs once when no heartbeat could be written for too long`() {
        var monitor = monitor()
        monitor.registered(sent: .zero)
        #expect(monitor.failed(now: .seconds(6), pause: .seconds(1)) == .none)
        #expect(monitor.tick(now: .seconds(21)) == .none)
        #expect(monitor.tick(now: .seconds(22)) == .stopJobs)
        #expect(!monitor.isAlive)
        #expect(monitor.tick(now: .seconds(40)) == .none)
    }

    @Test func `Stops the jobs when the database says the worker is gone`() {
        var monitor = monitor()
        monitor.registered(sent: .zero)
        #expect(monitor.answered(sent: .seconds(5), isAlive: false, now: .seconds(6)) == .stopJobs)
        #expect(!monitor.isAlive)
        #expect(monitor.nextBeat == .seconds(6), "registers anew at once")
    }

    @Test func `An answer that comes after the lapse does not revive the worker`() {
        var monitor = monitor()
        monitor.registered(sent: .zero)
        _ = monitor.tick(now: .seconds(22))
        #expect(monitor.answered(sent: .seconds(10), isAlive: true, now: .seconds(23)) == .none)
        #expect(!monitor.isAlive)
        monitor.registered(sent: .seconds(24))
        #expect(monitor.isAlive)
    }

    @Test func `A slow answer counts from when its question was sent`() {
        var monitor = monitor()
        monitor.registered(sent: .zero)
        #expect(monitor.answered(sent: .seconds(1), isAlive: true, now: .seconds(23)) == .stopJobs)
    }

    @Test func `A failed heartbeat is tried again before its usual time`() {
        var monitor = monitor()
        monitor.registered(sent: .zero)
        _ = monitor.failed(now: .seconds(5), pause: .milliseconds(200))
        #expect(monitor.nextBeat == .seconds(5) + .milliseconds(200))
        _ = monitor.failed(now: .seconds(6), pause: .seconds(60))
        #expect(monitor.nextBeat == .seconds(11))
        monitor.hurry(now: .seconds(7))
        #expect(monitor.nextBeat == .seconds(7))
    }
}

@Suite struct ShutdownStagesTests {
    @Test func `Stops claiming, drains for the set time, then cancels`() {
        var stages = ShutdownStages(drainTime: .seconds(20))
        #expect(stages.mayClaim)
        #expect(stages.stopRequested(now: .seconds(5)) == .stopClaiming)
        #expect(!stages.mayClaim)
        #expect(stages.deadline == .seconds(25))
        #expect(stages.tick(now: .seconds(24)) == .none)
        #expect(stages.tick(now: .seconds(25)) == .cancelJobs)
        #expect(stages.tick(now: .seconds(26)) == .none)
        #expect(stages.deadline == nil)
    }

    @Test func `A second request skips the drain, a third changes nothing`() {
        var stages = ShutdownStages(drainTime: .seconds(20))
        _ = stages.stopRequested(now: .zero)
        #expect(stages.stopRequested(now: .seconds(1)) == .cancelJobs)
        #expect(stages.stopRequested(now: .seconds(1)) == .none)
    }

    @Test func `Skipping the drain of a working worker stops its claims as well`() {
        var stages = ShutdownStages(drainTime: .seconds(20))
        #expect(stages.skipDrain() == .cancelJobs)
        #expect(!stages.mayClaim)
        #expect(stages.stopRequested(now: .zero) == .none)
    }
}

@Suite struct BackoffTests {
    @Test func `Pauses double up to the longest, each spread over its upper half`() {
        let random = RandomSource(seed: 3)
        var backoff = Backoff()
        for ceiling in [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000] {
            let pause = backoff.failed(random)
            #expect(pause >= .milliseconds(ceiling) / 2 && pause <= .milliseconds(ceiling))
        }
        backoff.succeeded()
        #expect(backoff.failed(random) <= .milliseconds(100))
    }

    @Test func `A server that is away for days does not overflow the doubling`() {
        let random = RandomSource(seed: 3)
        var backoff = Backoff()
        for _ in 0..<100_000 { _ = backoff.failed(random) }
        #expect(backoff.failed(random) <= .seconds(5))
    }
}
