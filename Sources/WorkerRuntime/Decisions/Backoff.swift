package import LeaseholdCore

/// Pauses after failures of the database: doubling, spread evenly over the upper half, reset by the
/// first success. The spread keeps a hundred workers from knocking at a server that just came back
/// in the same millisecond.
package struct Backoff: Sendable, Equatable {
    package let first: Duration
    package let longest: Duration
    package private(set) var failures = 0

    /// Defaults: 100 ms doubling to 5 s, so a restarted server is found again within 5 s.
    package init(first: Duration = .milliseconds(100), longest: Duration = .seconds(5)) {
        self.first = first
        self.longest = longest
    }

    /// The pause before the next try.
    package mutating func failed(_ random: RandomSource) -> Duration {
        let doublings = min(failures, 30)
        failures += 1
        let ceiling = min(longest, first * (1 << doublings))
        return ceiling * random.uniform(in: 0.5...1)
    }

    package mutating func succeeded() { failures = 0 }
}
