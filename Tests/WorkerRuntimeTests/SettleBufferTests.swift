import LeaseholdCore
import Testing

@testable import WorkerRuntime

@Suite struct SettleBufferTests {
    private let pacing = SettlePacing(linger: .milliseconds(3), largestBatch: 4, highWater: 10, lowWater: 5)

    private func entries(_ action: SettleBuffer<Int>.Action) -> [Int]? {
        guard case .write(let batch) = action else { return nil }
        return batch.map(\.entry)
    }

    private func batch(_ action: SettleBuffer<Int>.Action) throws -> [SettleBuffer<Int>.Unwritten] {
        guard case .write(let batch) = action else {
            Issue.record("expected a batch, got \(action)")
            return []
        }
        return batch
    }

    private func waits(_ action: SettleBuffer<Int>.Action, until moment: Moment?) -> Bool {
        guard case .wait(let until) = action else { return false }
        return until == moment
    }

    @Test func `Outcomes wait a few milliseconds for each other and go out in order`() {
        var buffer = SettleBuffer<Int>(pacing: pacing)
        #expect(waits(buffer.next(now: .zero), until: nil))
        let wakes = [buffer.add(1, now: .zero), buffer.add(2, now: .milliseconds(1))]
        #expect(wakes == [true, false], "the writer learns of the first")
        #expect(waits(buffer.next(now: .milliseconds(1)), until: .milliseconds(3)))
        #expect(entries(buffer.next(now: .milliseconds(3))) == [1, 2])
    }

    @Test func `A full batch does not wait`() {
        var buffer = SettleBuffer<Int>(pacing: pacing)
        for entry in 1...3 { _ = buffer.add(entry, now: .zero) }
        let isFull = buffer.add(4, now: .zero)
        #expect(isFull, "the writer learns that the batch is full")
        _ = buffer.add(5, now: .zero)
        #expect(entries(buffer.next(now: .zero)) == [1, 2, 3, 4])
        #expect(waits(buffer.next(now: .zero), until: .milliseconds(3)))
    }

    @Test func `A claim takes along what is not due yet`() {
        var buffer = SettleBuffer<Int>(pacing: pacing)
        _ = buffer.add(1, now: .zero)
        #expect(!buffer.isDue(now: .zero))
        #expect(buffer.takeAlong(now: .zero).map(\.entry) == [1])
        #expect(buffer.unwritten == 1, "until it is written")
    }

    @Test func `A claim carries few outcomes, and many go beside it`() {
        var pacing = pacing
        pacing.largestAlong = 2
        var buffer = SettleBuffer<Int>(pacing: pacing)
        let wakes = (1...3).map { buffer.add($0, now: .zero) }
        #expect(wakes == [true, false, true], "the writer learns that they are too many for a claim")
        #expect(!buffer.maySettleAlong)
        #expect(buffer.waitsForClaimUntil == nil)
        #expect(buffer.takeAlong(now: .zero).isEmpty)
        #expect(entries(buffer.next(now: .milliseconds(3))) == [1, 2, 3])
        _ = buffer.add(4, now: .milliseconds(4))
        #expect(buffer.waitsForClaimUntil == .milliseconds(4) + pacing.linger * 4)
    }

    @Test func `What could not be written is tried again before what came later`() throws {
        var buffer = SettleBuffer<Int>(pacing: pacing)
        _ = buffer.add(1, now: .zero)
        _ = buffer.add(2, now: .zero)
        let failed = try batch(buffer.next(now: .milliseconds(3)))
        _ = buffer.add(3, now: .milliseconds(4))
        buffer.failed(failed, retryAt: .seconds(1), halving: false)
        #expect(waits(buffer.next(now: .milliseconds(500)), until: .seconds(1)))
        #expect(buffer.takeAlong(now: .milliseconds(500)).isEmpty)
        let again = try batch(buffer.next(now: .seconds(1)))
        #expect(again.map(\.entry) == [1, 2, 3])
        #expect(again.map(\.tries) == [1, 1, 0])
    }

    @Test func `Batches are halved until the one bad outcome stands alone, and grow again after`() throws {
        var buffer = SettleBuffer<Int>(pacing: pacing)
        for entry in 1...4 { _ = buffer.add(entry, now: .zero) }
        buffer.failed(try batch(buffer.next(now: .zero)), retryAt: .zero, halving: true)
        buffer.failed(try batch(buffer.next(now: .zero)), retryAt: .zero, halving: true)
        let alone = try batch(buffer.next(now: .zero))
        #expect(alone.map(\.entry) == [1])
        #expect(alone.map(\.tries) == [2])
        buffer.wrote(alone)
        #expect(entries(buffer.next(now: .zero)) == [2, 3])
    }

    @Test func `The gate closes at the high-water mark and opens only at the lower one`() throws {
        var buffer = SettleBuffer<Int>(pacing: pacing)
        for entry in 1...9 { _ = buffer.add(entry, now: .zero) }
        #expect(buffer.isGateOpen)
        _ = buffer.add(10, now: .zero)
        #expect(!buffer.isGateOpen)
        buffer.wrote(try batch(buffer.next(now: .zero)))
        #expect(buffer.unwritten == 6)
        #expect(!buffer.isGateOpen)
        buffer.wrote(try batch(buffer.next(now: .zero)))
        #expect(buffer.unwritten == 2)
        #expect(buffer.isGateOpen)
    }

    @Test func `Giving up returns everything that is waiting`() {
        var buffer = SettleBuffer<Int>(pacing: pacing)
        for entry in 1...3 { _ = buffer.add(entry, now: .zero) }
        #expect(buffer.dropWaiting().map(\.entry) == [1, 2, 3])
        #expect(buffer.unwritten == 0)
    }
}
