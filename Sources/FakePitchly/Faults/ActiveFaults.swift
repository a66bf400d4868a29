/// The faults that hit one request, in the order they were set, sorted by where they take effect.
struct ActiveFaults: Sendable {
    let faults: [Fault]

    var isEmpty: Bool { faults.isEmpty }

    /// All delays and gates of `moment`, one after the other.
    ///
    /// - Throws: `CancellationError` when the fake stops.
    func wait(_ moment: Fault.Moment) async throws {
        for fault in faults {
            switch fault {
            case .delay(let duration, moment): try await Task.sleep(for: duration)
            case .hold(let gate, moment): try await gate.pass()
            default: continue
            }
        }
    }

    /// The whole answer, where a fault replaces it at `moment`; a closed connection is one too.
    func answer(_ moment: Fault.Moment, now: Int) -> FakeReply? {
        for fault in faults {
            switch fault {
            case .answer(let answer, moment): return FakeReply(answer, now: now)
            case .close(moment, let isReset):
                return FakeReply(status: 500, delivery: isReset ? .reset : .closed)
            default: continue
            }
        }
        return nil
    }

    /// How the answer travels, where a fault says so.
    var delivery: FakeReply.Delivery? {
        for fault in faults {
            switch fault {
            case .cut(let cut): return .cut(cut)
            case .trickle(let bytes, let pause): return .trickle(bytes: max(bytes, 1), pause: pause)
            default: continue
            }
        }
        return nil
    }

    var tokenReply: [Fault.TokenReplyFault] {
        faults.compactMap { fault in
            if case .tokenReply(let reply) = fault { reply } else { nil }
        }
    }

    var graphQL: [Fault.GraphQLFault] {
        faults.compactMap { fault in
            if case .graphQL(let fault) = fault { fault } else { nil }
        }
    }

    /// For the request log.
    var names: [String] { faults.map(\.name) }
}

extension Fault {
    /// As the control plane and the request log call it.
    package var name: String {
        switch self {
        case .delay(_, let moment): "delay_\(moment.rawValue)"
        case .hold(_, let moment): "hold_\(moment.rawValue)"
        case .answer(let answer, let moment): "answer_\(answer.status)_\(moment.rawValue)"
        case .close(let moment, let isReset): "\(isReset ? "reset" : "close")_\(moment.rawValue)"
        case .cut: "cut"
        case .trickle: "trickle"
        case .tokenReply(let reply):
            switch reply {
            case .withoutRefreshToken: "without_refresh_token"
            case .withoutAccessToken: "without_access_token"
            case .expiresIn: "expires_in"
            case .malformedJSON: "malformed_json"
            case .extraMembers: "extra_members"
            case .error: "oauth_error"
            }
        case .graphQL(let fault):
            switch fault {
            case .unauthenticated: "unauthenticated"
            case .expiredCursor: "expired_cursor"
            case .emptyPage: "empty_page"
            case .errors: "graphql_errors"
            case .malformedJSON: "malformed_json"
            }
        }
    }
}
