/// Chance that depends on nothing but its inputs: the same seed, field and record always give the
/// same cell, on every machine, without any of it being kept in memory.
struct SeededHash {
    private var state: UInt64

    @inline(__always) init(_ first: UInt64, _ second: UInt64 = 0, _ third: UInt64 = 0) {
        state = Self.mix(Self.mix(Self.mix(0x9E37_79B9_7F4A_7C15 ^ first) ^ second) ^ third)
    }

    /// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
    @inline(__always) static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    @inline(__always) mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mix(state)
    }

    /// Uniform enough in `0..<bound`.
    @inline(__always) mutating func below(_ bound: Int) -> Int {
        Int(truncatingIfNeeded: ((next() >> 32) &* UInt64(truncatingIfNeeded: bound)) >> 32)
    }

    /// True once in `count` times.
    @inline(__always) mutating func oneIn(_ count: Int) -> Bool { below(count) == 0 }

    static func salt(of text: String) -> UInt64 {
        text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
