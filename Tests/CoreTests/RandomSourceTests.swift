import LeaseholdCore
import Testing

@Suite struct RandomSourceTests {
    @Test func theSameSeedGivesTheSameNumbers() {
        let (one, other, different) = (RandomSource(seed: 7), RandomSource(seed: 7), RandomSource(seed: 8))
        let numbers = (0..<100).map { _ in one.next() }
        #expect(numbers == (0..<100).map { _ in other.next() })
        #expect(numbers != (0..<100).map { _ in different.next() })
    }

    @Test func uniformFillsItsRangeEvenly() {
        let source = RandomSource(seed: 1)
        var buckets = [Int](repeating: 0, count: 10)
        for _ in 0..<10_000 {
            let value = source.uniform(in: 0.70...0.85)
            #expect(value >= 0.70 && value <= 0.85)
            buckets[min(9, Int((value - 0.70) / 0.015))] += 1
        }
        #expect(buckets.allSatisfy { $0 > 850 && $0 < 1150 })
    }
}
