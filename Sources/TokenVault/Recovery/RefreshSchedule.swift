import Foundation
import LeaseholdCore

/// When an access token ends and when it is replaced.
struct RefreshSchedule: Sendable {
    let expiresAt: Date
    let refreshDueAt: Date

    /// The window as shares of the lifetime: wide enough that tenants connected together drift apart.
    static let window = 0.70...0.85

    /// - Parameters:
    ///   - sentAt: by the database's clock, not later than the request was sent: a lifetime counted
    ///     from here ends early rather than late.
    ///   - deadline: of one POST. A refresh leaves room for three of them, or for 30 % of the
    ///     lifetime if that is shorter.
    ///   - chance: uniform in 0...1, drawn anew at every rotation.
    init(sentAt: Date, lifetime: Duration, deadline: Duration, chance: Double) {
        let life = lifetime.seconds
        let margin = 3 * deadline.seconds
        let latest = max(Self.window.lowerBound * life, min(Self.window.upperBound * life, life - margin))
        let earliest = latest * Self.window.lowerBound / Self.window.upperBound
        expiresAt = sentAt + life
        refreshDueAt = sentAt + earliest + (latest - earliest) * chance
    }
}

/// Pauses after exchanges that spent nothing: exponential with full jitter, so that tenants that
/// failed together do not come back together.
///
/// | failures in a row | pause, uniform in |
/// |---|---|
/// | 1 | 0.5-2 s |
/// | 2 | 0.5-4 s |
/// | 5 | 0.5-32 s |
/// | 9 and more | 0.5-300 s |
struct BackOff: Sendable {
    static let shortest = 0.5
    static let base = 2.0
    static let longest = 300.0

    static func pause(failures: Int, chance: Double) -> Duration {
        let top = min(longest, base * Double(1 << min(max(failures - 1, 0), 20)))
        return .seconds(shortest + (top - shortest) * chance)
    }
}
