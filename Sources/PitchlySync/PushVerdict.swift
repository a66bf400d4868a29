import Pitchly

/// What follows for a group of pushes from an error of the API.
enum PushVerdict: Sendable, Equatable {
    /// One of the group is to blame, but which is not said: send its halves.
    case halve
    /// This push will never be taken.
    case refused
    /// This push later, the others now.
    case later
    /// All of it later: nothing gets through. The group counts an attempt, so that what brings the API
    /// down is sent in smaller and smaller groups.
    case allLater
    /// All of it later, and no push had a part in it.
    case untouched

    /// Attempts after which an error of no known kind counts as a refusal: about ten minutes.
    static let serverLimit = 8

    /// - Parameters:
    ///   - count: pushes in the group.
    ///   - attempts: that failed before; only looked at for a group of one.
    init(_ kind: PitchlyError.Kind, count: Int, attempts: Int) {
        switch kind {
        case .unreachable, .unavailable, .malformed: self = .allLater
        case .throttled, .unauthenticated, .invalidDocument: self = .untouched
        case .forbidden, .invalidArgument, .notFound: self = count > 1 ? .halve : .refused
        case .server where count > 1: self = .halve
        case .server: self = attempts + 1 < Self.serverLimit ? .later : .refused
        }
    }
}
