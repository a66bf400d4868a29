/// How many jobs one claim may ask for: doubled while full claims come back quickly, halved when one
/// was slow, so that a loaded database is asked for less and an idle one for as much as fits.
///
/// A slow claim costs more than its jobs' wait: it holds lane locks that other workers step around.
package struct BatchSize: Sendable, Equatable {
    /// Below it a claim counts as quick.
    package static let quick: Duration = .milliseconds(25)
    /// Above it a claim counts as slow.
    package static let slow: Duration = .milliseconds(100)

    package let largest: Int
    package private(set) var limit: Int

    /// Starts at 32: one claim of 32 costs little more than one of 1 (measured: 0.9 against 0.7 ms).
    package init(largest: Int, first: Int = 32) {
        self.largest = max(1, largest)
        self.limit = max(1, min(first, largest))
    }

    package mutating func claimed(_ count: Int, asked: Int, took: Duration) {
        if took > Self.slow {
            limit = max(1, limit / 2)
        } else if took < Self.quick, count >= asked, asked >= limit {
            limit = min(largest, limit * 2)
        }
    }
}
