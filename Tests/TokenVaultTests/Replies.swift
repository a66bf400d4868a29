import Foundation
import LeaseholdCore
import Synchronization

/// A token endpoint that answers from a script and notes what it was shown.
final class Replies: Sendable {
    enum Reply: Sendable {
        case tokens(access: String?, refresh: String?, seconds: Int = 3600)
        case error(String, status: Int = 400)
        case status(Int, body: String = "", retryAfter: String? = nil)
        case cut(String)
        case notSent
        case noReply
    }

    private let script: Mutex<[Reply]>
    private let shown = Mutex<[TokenGrant]>([])

    init(_ script: [Reply]) { self.script = Mutex(script) }

    /// Every grant that was presented, in order.
    var presented: [TokenGrant] { shown.withLock { $0 } }

    /// As `name:token`.
    var presentedTexts: [String] {
        presented.map { grant in
            switch grant {
            case .refreshToken(let token): "refresh_token:\(token.reveal())"
            case .accessToken(let token): "access_token:\(token.reveal())"
            case .authorizationCode(let code, _, _): "code:\(code.reveal())"
            case .clientCredentials(let organization): "organization:\(organization)"
            }
        }
    }

    /// Replies that nobody has had yet.
    var remaining: Int { script.withLock(\.count) }

    func add(_ replies: Reply...) { script.withLock { $0 += replies } }

    var exchange: TokenExchange {
        { [self] grant, _ in
            shown.withLock { $0.append(grant) }
            // A script that has run out must be noticed by the test: nothing is presented unasked.
            return script.withLock { $0.isEmpty ? .status(501) : $0.removeFirst() }.reply
        }
    }
}

extension Replies.Reply {
    var reply: TokenEndpointReply {
        switch self {
        case .tokens(let access, let refresh, let seconds):
            let members =
                [access.map { #""access_token":"\#($0)""# }, refresh.map { #""refresh_token":"\#($0)""# }]
                .compactMap(\.self) + [#""expires_in":\#(seconds)"#]
            return answer(200, "{\(members.joined(separator: ","))}")
        case .error(let code, let status): return answer(status, #"{"error":"\#(code)"}"#)
        case .status(let status, let body, let retryAfter): return answer(status, body, retryAfter: retryAfter)
        case .cut(let body): return answer(200, body, complete: false)
        case .notSent: return .notSent(reason: "refused")
        case .noReply: return .noReply(reason: "reset")
        }
    }

    private func answer(
        _ status: Int,
        _ body: String,
        retryAfter: String? = nil,
        complete: Bool = true
    ) -> TokenEndpointReply {
        .answered(
            status: status,
            contentType: "application/json",
            retryAfter: retryAfter,
            body: Array(body.utf8),
            complete: complete
        )
    }
}
