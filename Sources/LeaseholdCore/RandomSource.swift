import Synchronization

/// Chance, injected so that a test or a chaos run can be repeated from its seed.
///
/// SplitMix64 (Steele, Lea, Flood 2014): good enough for jitter and fault plans, not for secrets.
package final class RandomSource: Sendable {
    private let state: Mutex<UInt64>

    /// Without a seed, one is drawn from the system.
    package init(seed: UInt64? = nil) {
        state = Mutex(seed ?? .random(in: .min ... .max))
    }

    package func next() -> UInt64 {
        state.withLock { state in
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    /// Uniform in `range`.
    package func uniform(in range: ClosedRange<Double>) -> Double {
        let unit = Double(next() >> 11) * 0x1p-53
        return range.lowerBound + (range.upperBound - range.lowerBound) * unit
    }
}
