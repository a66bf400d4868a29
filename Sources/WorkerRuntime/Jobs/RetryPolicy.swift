package import LeaseholdCore

/// How long a job waits after a failed attempt: exponential with full jitter, so that jobs that
/// failed together do not come back together (Brooker, "Exponential Backoff and Jitter", AWS 2015).
///
/// The delay after attempt n is spread evenly between ``shortest`` and a ceiling of
/// `base * 2^(n-1)`, never above ``longest``. With the defaults (1 s, 10 s, 6 h):
///
/// | after attempt | delay at most | delay on average | on average since the first failure |
/// | ---: | ---: | ---: | ---: |
/// | 1 | 10 s | 6 s | 6 s |
/// | 2 | 20 s | 11 s | 16 s |
/// | 3 | 40 s | 21 s | 37 s |
/// | 4 | 1 min 20 s | 41 s | 1 min 17 s |
/// | 5 | 2 min 40 s | 1 min 21 s | 2 min 38 s |
/// | 6 | 5 min 20 s | 2 min 41 s | 5 min 18 s |
/// | 7 | 10 min 40 s | 5 min 21 s | 10 min 39 s |
/// | 8 | 21 min 20 s | 10 min 41 s | 21 min 19 s |
/// | 9 | 42 min 40 s | 21 min 21 s | 42 min 40 s |
/// | 10 | 1 h 25 min 20 s | 42 min 41 s | 1 h 25 min 20 s |
/// | 15 and later | 6 h | 3 h | |
///
/// How many attempts a job has is a property of the job, not of the policy.
public struct RetryPolicy: Sendable, Equatable {
    /// The least delay. Default 1 s.
    public var shortest: Duration
    /// The ceiling after the first attempt. Default 10 s.
    public var base: Duration
    /// The ceiling that is never exceeded. Default 6 h.
    public var longest: Duration

    public init(
        shortest: Duration = .seconds(1),
        base: Duration = .seconds(10),
        longest: Duration = .seconds(6 * 3600)
    ) {
        self.shortest = shortest
        self.base = base
        self.longest = longest
    }

    /// The most that is waited after `attempt`, which counts from 1.
    public func ceiling(afterAttempt attempt: Int) -> Duration {
        let doublings = min(max(attempt, 1) - 1, 40)
        return max(shortest, min(longest, base * (1 << doublings)))
    }

    package func delay(afterAttempt attempt: Int, random: RandomSource) -> Duration {
        let ceiling = ceiling(afterAttempt: attempt)
        return shortest + (ceiling - shortest) * random.uniform(in: 0...1)
    }
}
